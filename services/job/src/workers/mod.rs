//! The three workers: what they are asked, and what their answers mean for the job.

pub mod audio;
pub mod render;
pub mod stitch;

use job_domain::{Command, Effect, Job, command::Failure, state::Product};
use kit::grpc::{BadAddress, Channel, channel};
use protos::{
    audio::v1::audio_service_client::AudioServiceClient, common::v1 as pb,
    render::v1::render_service_client::RenderServiceClient,
    stitch::v1::stitch_service_client::StitchServiceClient,
};
use tonic::Status;

use crate::settings::Settings;

pub use stitch::{cut_reported, mix_reported};

/// Code of a failure that a cancel led to.
pub const CANCELED: &str = "canceled";
/// Code of a request that a worker refused.
const REFUSED: &str = "worker_refused";
/// Code of a failure that a worker explained in words only.
const FAILED: &str = "worker_failed";
/// Code of a request that was given up because its worker stayed away.
const AWAY: &str = "worker_away";

/// The workers, over gRPC. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workers {
    render: RenderServiceClient<Channel>,
    stitch: StitchServiceClient<Channel>,
    audio: AudioServiceClient<Channel>,
}

/// Why asking a worker led to nothing.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The worker says no, and will say no again.
    #[error("{0}")]
    Refused(String),
    /// The worker is away or out of order: ask again later.
    #[error("{0}")]
    Away(String),
}

impl Workers {
    /// The workers at the addresses of the settings; nothing is dialled yet.
    ///
    /// # Errors
    /// An address is not a URI.
    pub fn new(settings: &Settings) -> Result<Self, BadAddress> {
        Ok(Self {
            render: RenderServiceClient::new(channel(&settings.render)?),
            stitch: StitchServiceClient::new(channel(&settings.stitch)?),
            audio: AudioServiceClient::new(channel(&settings.audio)?),
        })
    }

    /// Asks for what an effect says. The answer as a report to the job; none while the worker is at it.
    ///
    /// # Errors
    /// The worker refuses or is away.
    pub async fn ask(&self, job: &Job, effect: &Effect) -> Result<Option<Command>, AskError> {
        match effect {
            Effect::RenderScene { .. } | Effect::CancelScene { .. } => {
                render::ask(self.render.clone(), job, effect).await
            }
            Effect::MakeSoundtrack { .. } | Effect::CancelSoundtrack { .. } => {
                audio::ask(self.audio.clone(), job, effect).await
            }
            Effect::Cut { .. } | Effect::Mix { .. } | Effect::CancelProduct { .. } => {
                stitch::ask(self.stitch.clone(), job, effect).await
            }
        }
    }
}

/// What the job is told when a request is refused.
#[must_use]
pub fn refused(effect: &Effect, why: &str) -> Command {
    let reason = format!("The request was refused: {why}");
    given_up(effect, Failure { code: REFUSED.to_owned(), reason, retryable: false })
}

/// What the job is told when a worker stayed away for too long.
#[must_use]
pub fn away(effect: &Effect, why: &str) -> Command {
    let reason = format!("The service that makes it could not be reached for too long: {why}");
    given_up(effect, Failure { code: AWAY.to_owned(), reason, retryable: true })
}

fn given_up(effect: &Effect, failure: Failure) -> Command {
    match effect {
        Effect::RenderScene { scene, take, .. } | Effect::CancelScene { scene, take, .. } => {
            render::failed(scene, *take, failure)
        }
        Effect::MakeSoundtrack { take, .. } | Effect::CancelSoundtrack { take, .. } => {
            audio::failed(*take, failure)
        }
        Effect::Cut { cut, .. } => stitch::failed(Product::Cut, *cut, failure),
        Effect::Mix { cut, .. } => stitch::failed(Product::Mix, *cut, failure),
        Effect::CancelProduct { product, cut, .. } => stitch::failed(*product, *cut, failure),
    }
}

/// What a refused call means. Our own words and those of a worker are for people; the transport's are not.
fn ask_error(status: Status) -> AskError {
    let code = status.code();
    let error = kit::ServiceError::from(status);
    let why = error.to_string();
    match code {
        tonic::Code::InvalidArgument
        | tonic::Code::AlreadyExists
        | tonic::Code::FailedPrecondition
        | tonic::Code::NotFound
        | tonic::Code::OutOfRange => AskError::Refused(why),
        _ => AskError::Away(why),
    }
}

/// An answer that makes no sense; asking again may bring a better one.
fn nonsense(worker: &str, what: &str) -> AskError {
    AskError::Away(format!("the {worker} service answered without {what}"))
}

fn failure(reason: Option<String>, retryable: bool) -> Failure {
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    let reason = reason.unwrap_or_else(|| "It failed; no reason was given.".to_owned());
    Failure { code: FAILED.to_owned(), reason, retryable }
}

fn canceled(reason: Option<String>) -> Failure {
    let reason = reason.filter(|reason| !reason.trim().is_empty()).unwrap_or_else(|| CANCELED.to_owned());
    Failure { code: CANCELED.to_owned(), reason, retryable: true }
}

fn blob_out(blob: &job_domain::BlobRef) -> pb::BlobRef {
    pb::BlobRef { sha256: blob.sha256.clone(), size: blob.size, content_type: blob.content_type.clone() }
}

fn blob_in(blob: pb::BlobRef) -> job_domain::BlobRef {
    job_domain::BlobRef { sha256: blob.sha256, size: blob.size, content_type: blob.content_type }
}

fn length_in(duration_ms: u64) -> i64 {
    i64::try_from(duration_ms).unwrap_or(i64::MAX)
}

fn length_out(duration_ms: i64) -> u64 {
    u64::try_from(duration_ms).unwrap_or_default()
}
