//! The audio worker: a soundtrack, and what became of it.

use job_domain::{
    Command, Effect, Job, SoundtrackOutcome,
    command::Failure,
    input::{SoundtrackInput, SoundtrackPart},
};
use kit::grpc::Channel;
use protos::audio::v1::{self as pb, audio_service_client::AudioServiceClient};

use super::{AskError, ask_error, blob_in, canceled, failure, length_in, length_out, nonsense};

pub(super) async fn ask(
    mut worker: AudioServiceClient<Channel>,
    job: &Job,
    effect: &Effect,
) -> Result<Option<Command>, AskError> {
    let (answer, take) = match effect {
        Effect::MakeSoundtrack { take, key, digest, input, .. } => {
            (worker.request_soundtrack(request(job, key, digest, input)).await, *take)
        }
        Effect::CancelSoundtrack { take, key, .. } => {
            let reason = job.error.clone().unwrap_or_else(|| "it is not wanted any more".to_owned());
            (worker.cancel_soundtrack(pb::CancelSoundtrackRequest { key: key.clone(), reason }).await, *take)
        }
        _ => return Ok(None),
    };
    let soundtrack = answer.map_err(ask_error)?.into_inner();
    Ok(outcome(soundtrack)?.map(|outcome| reported(take, outcome)))
}

/// The report that a soundtrack came to this.
#[must_use]
pub fn reported(take: u32, outcome: SoundtrackOutcome) -> Command {
    Command::SoundtrackReported { take, outcome }
}

pub(super) fn failed(take: u32, failure: Failure) -> Command {
    reported(take, SoundtrackOutcome::Failed { failure, cost_micros: 0 })
}

fn request(job: &Job, key: &str, digest: &str, input: &SoundtrackInput) -> pb::RequestSoundtrackRequest {
    pb::RequestSoundtrackRequest {
        key: key.to_owned(),
        digest: digest.to_owned(),
        job_id: job.id,
        campaign_id: job.campaign_id.clone(),
        duration_ms: length_out(input.duration_ms),
        scenes: input.parts.iter().map(scene).collect(),
        prompt: input.prompt.clone(),
        error_strategy: input.on_error.map_or_else(String::new, |strategy| strategy.as_str().to_owned()),
        fade_ms: input.fade_ms.map(length_out),
        voice: input
            .voice
            .as_ref()
            .map(|voice| pb::SoundtrackVoice { script: voice.script.clone(), voice: voice.voice.clone() }),
    }
}

fn scene(part: &SoundtrackPart) -> pb::MusicScene {
    let described =
        if part.music.description.is_empty() { &part.description } else { &part.music.description };
    pb::MusicScene {
        title: part.description.clone(),
        description: described.clone(),
        style: part.music.style.clone(),
        energy: part.music.energy.clone(),
        duration_ms: length_out(part.duration_ms),
    }
}

/// What the worker's state means; none while it is at it.
fn outcome(soundtrack: pb::Soundtrack) -> Result<Option<SoundtrackOutcome>, AskError> {
    let cost_micros = soundtrack.cost_micros;
    Ok(match soundtrack.state.as_str() {
        "ready" => Some(SoundtrackOutcome::Ready {
            audio: blob_in(soundtrack.audio.ok_or_else(|| nonsense("audio", "the soundtrack"))?),
            duration_ms: length_in(
                soundtrack.duration_ms.ok_or_else(|| nonsense("audio", "the soundtrack's length"))?,
            ),
            cost_micros,
            shortfall: soundtrack.shortfall,
        }),
        "failed" => Some(SoundtrackOutcome::Failed {
            failure: failure(soundtrack.reason, soundtrack.retryable),
            cost_micros,
        }),
        "canceled" => Some(SoundtrackOutcome::Failed { failure: canceled(soundtrack.reason), cost_micros }),
        _ => None,
    })
}

/// A soundtrack that is there; none when the message names no audio.
#[must_use]
pub fn finished(take: u32, event: pb::SoundtrackFinished) -> Option<Command> {
    let outcome = SoundtrackOutcome::Ready {
        audio: blob_in(event.audio?),
        duration_ms: length_in(event.duration_ms),
        cost_micros: event.cost_micros,
        shortfall: event.shortfall,
    };
    Some(reported(take, outcome))
}

/// A soundtrack that failed.
#[must_use]
pub fn failed_event(take: u32, event: pb::SoundtrackFailed) -> Command {
    let failure = failure(Some(event.reason), event.retryable);
    reported(take, SoundtrackOutcome::Failed { failure, cost_micros: event.cost_micros })
}

/// A soundtrack that was canceled.
#[must_use]
pub fn canceled_event(take: u32, event: &pb::SoundtrackCanceled) -> Command {
    reported(take, SoundtrackOutcome::Failed { failure: canceled(None), cost_micros: event.cost_micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_of_a_soundtrack_is_heard_in_an_answer_and_in_an_event() {
        let audio = || Some(protos::common::v1::BlobRef::default());
        let missing = || Some("there is no voice over it".to_owned());
        let answer = pb::Soundtrack {
            state: "ready".to_owned(),
            audio: audio(),
            duration_ms: Some(8_000),
            shortfall: missing(),
            ..pb::Soundtrack::default()
        };
        let answered = outcome(answer).unwrap().unwrap();
        let event = pb::SoundtrackFinished {
            audio: audio(),
            duration_ms: 8_000,
            shortfall: missing(),
            ..pb::SoundtrackFinished::default()
        };
        assert_eq!(finished(1, event), Some(reported(1, answered.clone())));
        assert!(matches!(answered, SoundtrackOutcome::Ready { shortfall, .. } if shortfall == missing()));
    }
}
