//! What was made for trying out: kept, and fetched by its name.

use std::time::Duration;

use axum::{extract::State, response::Response};
use kit::{Code, ServiceError};
use protos::{
    audio::v1::{self as audio, GetSoundtrackRequest, GetVoiceRequest},
    common::v1::BlobRef,
    stitch::v1::GetProductRequest,
};
use tonic::Status;

use super::refused;
use crate::{
    app::App,
    media::{Media, MediaRequest},
    params::InPath,
    problem::{Kind, Problem, ProblemSchema},
};

/// How long an answer waits for what is being made; then it says where it will be.
const PATIENCE: Duration = Duration::from_secs(100);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// Something that was asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// `music-{name}`
    Music(String),
    /// `voice-{name}`
    Voice(String),
    /// `overlay-{job}-{name}`
    Overlay {
        /// The job.
        job: i32,
        /// The name.
        name: String,
    },
}

/// How something stands.
pub(super) enum Standing {
    /// It is there.
    Ready(Made),
    /// It will not come; why, for a person.
    Failed(String),
    /// It is being made.
    Making,
}

/// Something that is there.
pub(super) struct Made {
    pub(super) blob: BlobRef,
    /// What its maker calls the prompt; music only.
    pub(super) prompt: String,
    /// Milliseconds.
    pub(super) duration_ms: u64,
}

impl Kept {
    /// The key under which its service knows it.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Music(name) => format!("testing/music-{name}"),
            Self::Voice(name) => format!("testing/voice-{name}"),
            Self::Overlay { job, name } => format!("job-{job}/overlay-{name}"),
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Music(name) => format!("music-{name}"),
            Self::Voice(name) => format!("voice-{name}"),
            Self::Overlay { job, name } => format!("overlay-{job}-{name}"),
        }
    }

    /// What an id in a path names.
    fn parse(id: &str) -> Option<Self> {
        let (kind, rest) = id.split_once('-')?;
        let named = |name: &str| {
            let is_name = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_name.then(|| name.to_owned())
        };
        match kind {
            "music" => named(rest).map(Self::Music),
            "voice" => named(rest).map(Self::Voice),
            "overlay" => {
                let (job, name) = rest.split_once('-')?;
                Some(Self::Overlay { job: super::super::text::job_id(job)?, name: named(name)? })
            }
            _ => None,
        }
    }

    /// Where it can be fetched.
    pub(super) fn url(&self, app: &App) -> String {
        app.link(&format!("/api/v3/testing/media/{}", self.id()))
    }

    /// How it stands now.
    async fn look(&self, app: &App) -> Result<Standing, Status> {
        let key = self.key();
        Ok(match self {
            Self::Music(_) => {
                music(app.backends.audio().get_soundtrack(GetSoundtrackRequest { key }).await?.into_inner())
            }
            Self::Voice(_) => {
                let voice = app.backends.voice().get_voice(GetVoiceRequest { key }).await?.into_inner();
                standing(&voice.state, voice.audio, voice.duration_ms, voice.reason, String::new())
            }
            Self::Overlay { .. } => {
                let product =
                    app.backends.stitch().get_product(GetProductRequest { key }).await?.into_inner();
                standing(&product.state, product.video, product.duration_ms, product.reason, String::new())
            }
        })
    }

    /// Waits until it is there; none when it takes longer than an answer may.
    pub(super) async fn made(&self, app: &App) -> Result<Option<Made>, Problem> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.look(app).await {
                Ok(Standing::Ready(made)) => return Ok(Some(made)),
                Ok(Standing::Failed(reason)) => {
                    return Err(Problem::flat(Kind::MediaFailed, "It could not be made").detail(reason));
                }
                Ok(Standing::Making) => {}
                // It goes on being made while its service is away for a moment.
                Err(status) if ServiceError::from(status.clone()).is_retryable() => {}
                Err(status) => return Err(super::failed(status)),
            }
            if tokio::time::Instant::now() >= until {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn music(soundtrack: audio::Soundtrack) -> Standing {
    let audio::Soundtrack { state, audio, duration_ms, reason, prompt_used, .. } = soundtrack;
    standing(&state, audio, duration_ms, reason, prompt_used)
}

fn standing(
    state: &str,
    blob: Option<BlobRef>,
    duration_ms: Option<u64>,
    reason: Option<String>,
    prompt: String,
) -> Standing {
    match (state, blob) {
        ("ready", Some(blob)) => {
            Standing::Ready(Made { blob, prompt, duration_ms: duration_ms.unwrap_or_default() })
        }
        ("failed" | "canceled", _) => {
            Standing::Failed(reason.unwrap_or_else(|| "nobody said why".to_owned()))
        }
        _ => Standing::Making,
    }
}

/// What was made for trying out, by the id in its `audio_url` or `video_url`.
#[utoipa::path(
    get, path = "/api/v3/testing/media/{id}", tag = "Testing", operation_id = "fetch_testing_media",
    params(("id" = String, Path, description = "As in `audio_url` or `video_url`"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The sound or the video", content_type = "*/*"),
        (status = 206, description = "A range of it", content_type = "*/*"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Nothing was made under this id, or it is not there yet", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "It could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn fetch(
    State(app): State<App>,
    InPath(id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let nothing = || Problem::flat(Kind::NotFound, "Nothing was made under this id");
    let kept = Kept::parse(&id).ok_or_else(nothing)?;
    match kept.look(&app).await {
        Ok(Standing::Ready(made)) => {
            let end = made.blob.content_type.rsplit('/').next().map_or("bin", |kind| match kind {
                "mpeg" => "mp3",
                other => other,
            });
            let name = format!("{}.{end}", kept.id());
            request.answer(&app, Media::inline(made.blob, &name)).await
        }
        Ok(Standing::Failed(reason)) => {
            Err(Problem::flat(Kind::MediaFailed, "It could not be made").detail(reason))
        }
        Ok(Standing::Making) => Err(Problem::flat(Kind::NotFound, "It is not there yet")
            .detail("It is being made; ask again in a moment.")),
        Err(status) if ServiceError::from(status.clone()).code == Code::NotFound => Err(nothing()),
        Err(status) => Err(refused(status, Kind::NotFound, "Nothing was made under this id")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_what_was_made_and_nothing_else() {
        let name = "ab".repeat(16);
        for kept in [
            Kept::Music(name.clone()),
            Kept::Voice(name.clone()),
            Kept::Overlay { job: 43, name: name.clone() },
        ] {
            assert_eq!(Kept::parse(&kept.id()), Some(kept));
        }
        for other in ["", "music", "music-x", "overlay-43", "overlay-x-ab", "music-../../etc/passwd", "cut-1"]
        {
            assert_eq!(Kept::parse(other), None, "{other}");
        }
    }
}
