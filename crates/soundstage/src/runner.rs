//! The life of one prediction. Every step is in the ledger before it shows, so a restarted stage goes on from there.

use crate::error::StageError;
use crate::faults::{End, HoldAt};
use crate::fetch::fetch;
use crate::ledger::{Ending, Prediction};
use crate::media::{ClipPlan, MediaError, TrackPlan, make_clip, make_track, number};
use crate::models::{ClipJob, Job, Model, SongJob};
use crate::stage::{Handle, Shared};
use crate::webhooks;

/// Takes up everything that was not over when the stage stopped.
pub(crate) fn resume(stage: &Handle) -> Result<(), StageError> {
    for id in stage.ledger.unfinished()? {
        launch(stage, id);
    }
    Ok(())
}

/// Runs a stored prediction to its end, in the background.
pub(crate) fn launch(stage: &Handle, id: String) {
    let stop = stage.cancel.child_token();
    stage.running.lock().insert(id.clone(), stop.clone());
    let shared = stage.clone();
    stage.spawn(async move {
        let outcome = stop.run_until_cancelled(live(&shared, &id)).await;
        shared.running.lock().remove(&id);
        if let Some(Err(error)) = outcome {
            tracing::error!(prediction = %id, %error, "soundstage lost track of a prediction");
        }
    });
}

/// Ends a prediction by request. Returns it as it is now.
pub(crate) fn cancel(stage: &Handle, id: &str) -> rusqlite::Result<Option<Prediction>> {
    let ended = stage.ledger.cancel(id, stage.clock.now())?;
    if let Some(stop) = stage.running.lock().remove(id) {
        stop.cancel();
    }
    let prediction = stage.ledger.prediction(id)?;
    if ended && let Some(prediction) = &prediction {
        stage.changed.notify_waiters();
        webhooks::announce(stage, prediction, "completed");
    }
    Ok(prediction)
}

async fn live(stage: &Handle, id: &str) -> rusqlite::Result<()> {
    let Some(mut prediction) = stage.ledger.prediction(id)? else { return Ok(()) };
    if prediction.started_at.is_none() {
        let (start, _) = pace(stage, &prediction);
        stage.clock.sleep_until(prediction.accepted_at + stage.clock.micros(start)).await;
        wait_for_release(stage, &prediction, HoldAt::Starting).await?;
        if prediction.fate.end == Some(End::Abort) {
            return finish(stage, id, ending("aborted", None));
        }
        if !stage.ledger.begin(id, stage.clock.now())? {
            return Ok(());
        }
        let Some(begun) = stage.ledger.prediction(id)? else { return Ok(()) };
        prediction = begun;
        stage.changed.notify_waiters();
        webhooks::announce(stage, &prediction, "start");
    }
    wait_for_release(stage, &prediction, HoldAt::Processing).await?;
    let made = make(stage, &prediction).await;
    let (_, work) = pace(stage, &prediction);
    let due = prediction.started_at.unwrap_or(prediction.accepted_at) + stage.clock.micros(work);
    stage.clock.sleep_until(due).await;
    finish(stage, id, outcome(&prediction, made))
}

fn finish(stage: &Handle, id: &str, end: Ending) -> rusqlite::Result<()> {
    if stage.ledger.finish(id, &end, stage.clock.now())?
        && let Some(prediction) = stage.ledger.prediction(id)?
    {
        stage.changed.notify_waiters();
        if prediction.output.is_some() {
            webhooks::announce(stage, &prediction, "output");
        }
        webhooks::announce(stage, &prediction, "completed");
    }
    Ok(())
}

/// Stage seconds until the start, and from there to the end at the earliest.
fn pace(stage: &Shared, prediction: &Prediction) -> (f64, f64) {
    let slow = prediction.fate.slow;
    if stage.instant {
        return (0.0, slow);
    }
    let luck = (number(stage.seed, &prediction.id) % 1000) as f64 / 1000.0;
    match prediction.kind.as_str() {
        "video" => (1.0 + luck, 8.0 + 6.0 * luck + slow),
        _ => (0.5 + luck, 3.0 + 2.0 * luck + slow),
    }
}

async fn wait_for_release(stage: &Shared, prediction: &Prediction, at: HoldAt) -> rusqlite::Result<()> {
    if prediction.fate.hold != Some(at) {
        return Ok(());
    }
    loop {
        // Armed before looking, so that a release in between is not missed.
        let released = stage.released.notified();
        tokio::pin!(released);
        released.as_mut().enable();
        if stage.ledger.prediction(&prediction.id)?.is_none_or(|p| p.released) {
            return Ok(());
        }
        released.await;
    }
}

/// Makes the medium and returns its name; nothing is made for a prediction that is to fail anyway.
async fn make(stage: &Handle, prediction: &Prediction) -> Result<String, MediaError> {
    if matches!(&prediction.fate.end, Some(end) if *end != End::NoOutput) {
        return Ok(String::new());
    }
    let model = Model::named(&prediction.model).ok_or_else(|| MediaError::new("The model is gone"))?;
    match model.check(&prediction.input) {
        Ok(Job::Clip(job)) => clip(stage, prediction, &job).await,
        Ok(Job::Song(job)) => song(stage, prediction, &job).await,
        Err(_) => Err(MediaError::new("The input does not fit the model")),
    }
}

async fn clip(stage: &Handle, prediction: &Prediction, job: &ClipJob) -> Result<String, MediaError> {
    if let Some(refusal) = &job.refusal {
        return Err(MediaError::new(refusal.clone()));
    }
    let first = fetch(stage, &job.first).await.map_err(MediaError::new)?;
    let last = match &job.last {
        Some(last) => Some(fetch(stage, last).await.map_err(MediaError::new)?),
        None => None,
    };
    // A draft moves by its frames alone: the same photos then need one drawing, whatever the words.
    let motion = if stage.draft { stage.seed } else { number(stage.seed, &job.prompt) % 6 };
    let plan = ClipPlan::new(job, first, last, motion, stage.draft)?;
    let name = format!("{}.mp4", plan.digest(belongs_to(stage, prediction)));
    stage
        .media
        .ensure(&name, |path| async move { make_clip(&stage.ffmpeg, &stage.media, &plan, &path).await })
        .await?;
    Ok(name)
}

async fn song(stage: &Handle, prediction: &Prediction, job: &SongJob) -> Result<String, MediaError> {
    if let Some(refusal) = &job.refusal {
        return Err(MediaError::new(refusal.clone()));
    }
    let before = match &job.continues {
        Some(continuation) => Some(fetch(stage, &continuation.audio).await.map_err(MediaError::new)?),
        None => None,
    };
    let plan = TrackPlan::new(job, before, stage.seed, stage.draft);
    let name = format!("{}.{}", plan.digest(belongs_to(stage, prediction)), job.format);
    stage.media.ensure(&name, |path| async move { make_track(&stage.ffmpeg, &plan, &path).await }).await?;
    Ok(name)
}

/// What keeps the media of two predictions apart when they are not shared.
fn belongs_to<'a>(stage: &Shared, prediction: &'a Prediction) -> &'a str {
    if stage.media.cached() { "" } else { &prediction.id }
}

fn outcome(prediction: &Prediction, made: Result<String, MediaError>) -> Ending {
    match (&prediction.fate.end, made) {
        (Some(End::Fail(error)), _) => ending("failed", Some(error.clone())),
        (Some(End::Cancel), _) => Ending { charged: true, ..ending("canceled", None) },
        (Some(End::Abort), _) => ending("aborted", None),
        (Some(End::Unknown(status)), _) => ending(status, None),
        (_, Err(error)) => ending("failed", Some(error.0)),
        (Some(End::NoOutput), Ok(_)) => Ending { charged: true, ..ending("succeeded", None) },
        (None, Ok(name)) => Ending { charged: true, output: Some(name), ..ending("succeeded", None) },
    }
}

fn ending(status: &str, error: Option<String>) -> Ending {
    Ending { status: status.to_owned(), error, ..Ending::default() }
}
