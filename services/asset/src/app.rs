//! Everything that the RPCs work with.

use blobs::Blobs;
use eventlog::{Append, AppendError, Expected, Log, Meta, Statement};
use jiff::Timestamp;
use kit::{Clock, ServiceError};
use media::{Media, MediaSettings};

use crate::{Settings, command, error, events::Event, import::Importer, pictures::Pictures};

/// The service's parts.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) media: Media,
    pub(crate) importer: Importer,
    pub(crate) pictures: Pictures,
}

impl App {
    pub(crate) fn new(settings: Settings, log: Log, blobs: Blobs, clock: Clock) -> anyhow::Result<Self> {
        let Settings { ffmpeg, ffprobe, threads, import } = settings;
        // On the store's filesystem, so that a thumbnail gets its place by a rename.
        let mut tools = MediaSettings { ffmpeg, ffprobe, ..MediaSettings::new(blobs.scratch_dir()) };
        tools.limits.threads = threads;
        let media = Media::new(tools)?;
        let importer = Importer::new(import, blobs.clone())?;
        Ok(Self { log, blobs, clock, media, importer, pictures: Pictures::default() })
    }

    /// The time as it is stored: to the microsecond.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Stores events in the stream of what they are about, with what they change, under the caller's command.
    /// `None`: what they rest on has changed meanwhile, decide again.
    pub(crate) async fn store<R: prost::Message + Default>(
        &self,
        command: &command::Command,
        write: Write,
        reply: R,
    ) -> Result<Option<R>, ServiceError> {
        let Write { stream, expected, events, at, secrets } = write;
        let traceparent = kit::trace::traceparent();
        // The trace's id is what joins all that one request from outside led to.
        let trace = traceparent.as_deref().and_then(|text| text.split('-').nth(1));
        let mut append =
            Append::to(&stream).expecting(expected).statements(secrets).command(command.record(&reply));
        // Rows come first: a digest refers to one.
        let mut rows = Vec::new();
        for event in &events {
            let meta = Meta {
                correlation_id: trace.unwrap_or(event.entity()).to_owned(),
                causation_id: command.id().map(str::to_owned),
                traceparent: traceparent.clone(),
                actor: "api".to_owned(),
            };
            append = append.event(event.to_new(meta, at)?);
            rows.extend(event.rows(at));
        }
        append.statements.splice(0..0, rows);
        match self.log.append(append).await {
            Ok(_) => Ok(Some(reply)),
            Err(AppendError::Repeated(reply)) => command::decode(&reply).map(Some),
            Err(error @ (AppendError::Constraint(_) | AppendError::Conflict { .. })) => {
                tracing::info!(reason = error.to_string(), "a write met a change in what it rests on");
                Ok(None)
            }
            Err(error) => Err(error::append(error)),
        }
    }
}

/// What a command stores.
#[derive(Debug)]
pub(crate) struct Write {
    stream: String,
    expected: Expected,
    events: Vec<Event>,
    at: Timestamp,
    secrets: Option<Statement>,
}

impl Write {
    /// The beginning of something's life.
    pub(crate) fn first(event: impl Into<Event>, at: Timestamp) -> Self {
        let event = event.into();
        let (stream, expected) = (event.stream(), Expected::NoStream);
        Self { stream, expected, events: vec![event], at, secrets: None }
    }

    /// A change of something that is at a version.
    pub(crate) fn change(event: impl Into<Event>, version: i64, at: Timestamp) -> Self {
        let event = event.into();
        let (stream, expected) = (event.stream(), Expected::Version(version));
        Self { stream, expected, events: vec![event], at, secrets: None }
    }

    /// The end of something, after the ends of what goes with it.
    pub(crate) fn last(with_it: Vec<Event>, event: impl Into<Event>, at: Timestamp) -> Self {
        let event = event.into();
        let stream = event.stream();
        let mut events = with_it;
        events.push(event);
        Self { stream, expected: Expected::Any, events, at, secrets: None }
    }

    /// With a row that is told by no event.
    pub(crate) fn and(mut self, secret: Statement) -> Self {
        self.secrets = Some(secret);
        self
    }
}
