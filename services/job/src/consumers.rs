//! What the workers publish, as reports to the jobs. A message that comes twice, late or not at all does no
//! harm: the domain takes a fact once, and the runner asks for what it did not hear.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use bus::{
    Bus, Message,
    subjects::{durable, source},
};
use futures::future::join_all;
use job_domain::{Command, JobId, keys::Key};
use kit::{Tasks, trace};
use protos::{audio::v1 as audio, render::v1 as render, stitch::v1 as stitch};
use serde::de::DeserializeOwned;

use crate::{
    app::{App, RecordError, Recorded, Report},
    events::Origin,
    workers,
};

/// Messages that are heard at one time: those of one job are recorded together, those of different jobs beside each other.
const AT_ONCE: usize = 256;

/// Listens to the three workers until the service stops.
pub fn start(app: &Arc<App>, bus: &Bus, tasks: &Tasks) {
    let sources = [
        ("hear render", source::RENDER, durable::JOB_RENDER),
        ("hear stitch", source::STITCH, durable::JOB_STITCH),
        ("hear audio", source::AUDIO, durable::JOB_AUDIO),
    ];
    for (task, source, durable) in sources {
        let (app, cancel) = (Arc::clone(app), tasks.cancel());
        let subscription = bus.subscribe(source, durable, app.log().clone());
        tasks.spawn(task, async move {
            let handle = move |messages: Arc<[Message]>| {
                let app = Arc::clone(&app);
                async move { hear(&app, &messages).await }
            };
            subscription.run_batches(cancel, AT_ONCE, handle).await;
            anyhow::Ok(())
        });
    }
}

async fn hear(app: &App, messages: &[Message]) -> anyhow::Result<()> {
    let mut jobs = BTreeMap::<JobId, Vec<Report>>::new();
    for message in messages {
        match report(message) {
            Ok(Some((job, command))) => {
                jobs.entry(job).or_default().push(Report { command, origin: origin(message) });
            }
            Ok(None) => {}
            // It would hold up every message behind it, and what it says is asked for anyway.
            Err(error) => tracing::error!(message = %message.id, "a message is passed over: {error:#}"),
        }
    }
    let recorded = join_all(jobs.into_iter().map(|(job, reports)| record(app, job, reports))).await;
    recorded.into_iter().try_for_each(|recorded| recorded.map(drop)).context("recording what a worker said")
}

/// Jobs are recorded together and belong to different traces: each is recorded in its own.
async fn record(app: &App, job: JobId, reports: Vec<Report>) -> Result<Option<Recorded>, RecordError> {
    let traceparent = reports.iter().find_map(|report| report.origin.traceparent.clone());
    let recording = app.report(job, reports, None);
    match traceparent {
        Some(traceparent) => trace::continuing(Some(&traceparent), recording).await,
        None => recording.await,
    }
}

fn origin(message: &Message) -> Origin {
    // What follows from it goes on under the span in which it is handled; without one, in the job's own trace.
    let traceparent = message.traceparent.clone();
    Origin { cause: Some(message.id.to_string()), actor: actor(&message.source), traceparent }
}

fn actor(source: &str) -> &'static str {
    source::ALL.into_iter().find(|known| *known == source).unwrap_or("worker")
}

/// What a message says of a job; none when it says nothing that a job needs, or is not about one of ours.
///
/// # Errors
/// The message does not have the shape that its name promises.
pub fn report(message: &Message) -> anyhow::Result<Option<(JobId, Command)>> {
    let reported = match (message.source.as_str(), message.name.as_str()) {
        (source::RENDER, name) => render_report(name, message)?,
        (source::STITCH, name) => stitch_report(name, message)?,
        (source::AUDIO, name) => audio_report(name, message)?,
        _ => None,
    };
    Ok(reported)
}

fn read<T: DeserializeOwned>(message: &Message) -> anyhow::Result<T> {
    serde_json::from_value(message.data.clone()).with_context(|| format!("{} is malformed", message.subject))
}

fn render_report(name: &str, message: &Message) -> anyhow::Result<Option<(JobId, Command)>> {
    Ok(match name {
        "render_started" => {
            let event: render::RenderStarted = read(message)?;
            Some((event.job_id, workers::render::started(event)))
        }
        "render_finished" => {
            let event: render::RenderFinished = read(message)?;
            let job = event.job_id;
            workers::render::finished(event).map(|report| (job, report))
        }
        "render_failed" => {
            let event: render::RenderFailed = read(message)?;
            Some((event.job_id, workers::render::failed_event(event)))
        }
        "render_canceled" => {
            let event: render::RenderCanceled = read(message)?;
            Some((event.job_id, workers::render::canceled_event(event)))
        }
        _ => None,
    })
}

fn stitch_report(name: &str, message: &Message) -> anyhow::Result<Option<(JobId, Command)>> {
    let (key, outcome) = match name {
        "cut_finished" => {
            let event: stitch::CutFinished = read(message)?;
            (event.key, workers::stitch::ready(event.video, event.poster, event.duration_ms))
        }
        "mix_finished" => {
            let event: stitch::MixFinished = read(message)?;
            (event.key, workers::stitch::ready(event.video, event.poster, event.duration_ms))
        }
        "cut_failed" => {
            let event: stitch::CutFailed = read(message)?;
            (event.key, Some(workers::stitch::failed_outcome(event.reason)))
        }
        "mix_failed" => {
            let event: stitch::MixFailed = read(message)?;
            (event.key, Some(workers::stitch::failed_outcome(event.reason)))
        }
        _ => return Ok(None),
    };
    let Some(outcome) = outcome else { return Ok(None) };
    Ok(match key.parse::<Key>() {
        Ok(Key::Cut { job, cut }) => Some((job, workers::cut_reported(cut, outcome))),
        Ok(Key::Mix { job, cut }) => Some((job, workers::mix_reported(cut, outcome))),
        _ => None,
    })
}

fn audio_report(name: &str, message: &Message) -> anyhow::Result<Option<(JobId, Command)>> {
    let (key, report): (String, Box<dyn FnOnce(u32) -> Option<Command>>) = match name {
        "soundtrack_finished" => {
            let event: audio::SoundtrackFinished = read(message)?;
            (event.key.clone(), Box::new(move |take| workers::audio::finished(take, event)))
        }
        "soundtrack_failed" => {
            let event: audio::SoundtrackFailed = read(message)?;
            (event.key.clone(), Box::new(move |take| Some(workers::audio::failed_event(take, event))))
        }
        "soundtrack_canceled" => {
            let event: audio::SoundtrackCanceled = read(message)?;
            (event.key.clone(), Box::new(move |take| Some(workers::audio::canceled_event(take, &event))))
        }
        _ => return Ok(None),
    };
    Ok(match key.parse::<Key>() {
        Ok(Key::Soundtrack { job, take }) => report(take).map(|report| (job, report)),
        _ => None,
    })
}
