//! Everything that the RPCs work with.

use blobs::Blobs;
use eventlog::{Append, AppendError, Expected, Log, Meta};
use jiff::Timestamp;
use kit::{Clock, ServiceError};
use media::{Media, MediaSettings};

use crate::{Settings, command, error, events::Event, import::Importer};

/// The service's parts.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) media: Media,
    pub(crate) importer: Importer,
}

impl App {
    pub(crate) fn new(settings: Settings, log: Log, blobs: Blobs, clock: Clock) -> anyhow::Result<Self> {
        let Settings { ffmpeg, ffprobe, import } = settings;
        // On the store's filesystem, so that a thumbnail gets its place by a rename.
        let media = Media::new(MediaSettings { ffmpeg, ffprobe, ..MediaSettings::new(blobs.scratch_dir()) })?;
        let importer = Importer::new(import, blobs.clone())?;
        Ok(Self { log, blobs, clock, media, importer })
    }

    /// The time as it is stored: to the microsecond.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Stores the event that begins the life of something, with its row, under the caller's command. `None`:
    /// what it rests on has changed meanwhile, decide again.
    pub(crate) async fn store<R: prost::Message + Default>(
        &self,
        command: &command::Command,
        event: &Event,
        at: Timestamp,
        reply: R,
    ) -> Result<Option<R>, ServiceError> {
        let traceparent = kit::trace::traceparent();
        // The trace's id is what joins all that one request from outside led to.
        let trace = traceparent.as_deref().and_then(|text| text.split('-').nth(1));
        let meta = Meta {
            correlation_id: trace.unwrap_or(event.entity()).to_owned(),
            causation_id: command.id().map(str::to_owned),
            traceparent,
            actor: "api".to_owned(),
        };
        let append = Append::to(event.stream())
            .expecting(Expected::NoStream)
            .event(event.to_new(meta, at)?)
            .statement(event.row(at).affecting(1))
            .command(command.record(&reply));
        match self.log.append(append).await {
            Ok(_) => Ok(Some(reply)),
            Err(AppendError::Repeated(reply)) => command::decode(&reply).map(Some),
            Err(AppendError::Constraint(reason)) => {
                tracing::info!(reason, "a write met a change in what it rests on");
                Ok(None)
            }
            Err(error) => Err(error::append(error)),
        }
    }
}
