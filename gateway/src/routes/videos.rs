//! The videos of a job: the whole, its clips, and pictures of both.

use axum::{extract::State, response::Response};
use http::HeaderMap;
use kit::ServiceError;
use protos::{common::v1::BlobRef, stitch::v1::GetFrameRequest};

use super::jobs;
use crate::{
    app::App,
    media::{Media, MediaRequest, PictureWish, REVALIDATE, picture},
    params::{InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
};

/// Size of a clip's picture, pixels; the contract's.
const FRAME: (u32, u32) = (640, 360);

/// The video of a job as it is now: whole, or one range.
#[utoipa::path(
    get, path = "/api/v3/videos/{job_id}/combined", tag = "Videos", operation_id = "get_video",
    params(("job_id" = String, Path, description = "Job id, an integer"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The video", content_type = "video/mp4"),
        (status = 206, description = "A range of it", content_type = "video/mp4"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Job not found, or its video not ready", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn combined(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let held = jobs::held(&app, &job_id, request.headers()).await?;
    let job = &held.job;
    let video = job
        .video
        .clone()
        .ok_or_else(|| Problem::flat(Kind::VideoNotReady, "Video not ready - job processing incomplete"))?;
    let name = format!("combined_{}.mp4", job.id);
    request.answer(&app, Media::inline(video, &name).versioned(&app)).await
}

/// A picture of the video of a job.
#[utoipa::path(
    get, path = "/api/v3/videos/{job_id}/thumbnail", tag = "Videos", operation_id = "get_video_thumbnail",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("width" = Option<u32>, Query, description = "Pixels at most: 160, 320, 480, 640, 960 or 1280; 640 when only `t` is named"),
        ("t" = Option<f64>, Query, description = "Second of the frame, in tenths"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Job not found, or its video not ready", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "No such width, or a time past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn thumbnail(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
    params: Params,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let wish = PictureWish::read(&params)?;
    let job = jobs::find(&app, &job_id).await?;
    let shown = match (wish, job.poster, job.video) {
        (Some(wish), _, Some(video)) => picture(&app, video, wish, FRAME.0).await?,
        (_, Some(poster), _) => poster,
        (None, None, Some(video)) => frame(&app, video).await?,
        (_, None, None) => return Err(Problem::flat(Kind::VideoNotReady, "Video not ready")),
    };
    request.answer(&app, Media::picture(shown, REVALIDATE)).await
}

/// The clip of a scene: `{scene_id}`, `{scene_id}.mp4`, `clip_{scene_id}` or `clip_{scene_id}.mp4`.
#[utoipa::path(
    get, path = "/api/v3/videos/{job_id}/clips/{filename}", tag = "Videos", operation_id = "get_clip",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("filename" = String, Path, description = "Scene id, with or without `clip_` before and `.mp4` after it"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The clip", content_type = "video/mp4"),
        (status = 206, description = "A range of it", content_type = "video/mp4"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Clip not found, or not ready", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn clip(
    State(app): State<App>,
    InPath((job_id, file_name)): InPath<(String, String)>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let (scene_id, clip) = find_clip(&app, &job_id, &file_name, request.headers()).await?;
    let name = format!("clip_{scene_id}.mp4");
    request.answer(&app, Media::inline(clip, &name).versioned(&app)).await
}

/// A picture of the clip of a scene.
#[utoipa::path(
    get, path = "/api/v3/videos/{job_id}/clips/{filename}/thumbnail", tag = "Videos", operation_id = "get_clip_thumbnail",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("filename" = String, Path, description = "As for the clip"),
        ("width" = Option<u32>, Query, description = "Pixels at most: 160, 320, 480, 640, 960 or 1280; 640 when only `t` is named"),
        ("t" = Option<f64>, Query, description = "Second of the frame, in tenths"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Clip not found, or not ready", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "No such width, or a time past the end", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 500, description = "The picture could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn clip_thumbnail(
    State(app): State<App>,
    InPath((job_id, file_name)): InPath<(String, String)>,
    params: Params,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let wish = PictureWish::read(&params)?;
    let (_, clip) = find_clip(&app, &job_id, &file_name, request.headers()).await?;
    let shown = match wish {
        Some(wish) => picture(&app, clip, wish, FRAME.0).await?,
        None => frame(&app, clip).await?,
    };
    request.answer(&app, Media::picture(shown, REVALIDATE)).await
}

/// The clip that a path names. A job that does not exist has no clips, says the contract.
async fn find_clip(
    app: &App,
    job_id: &str,
    file_name: &str,
    headers: &HeaderMap,
) -> Result<(String, BlobRef), Problem> {
    let not_found = || Problem::flat(Kind::ClipNotFound, "Clip not found");
    let held = match jobs::held(app, job_id, headers).await {
        Err(problem) if problem.is(Kind::JobNotFound) => return Err(not_found()),
        found => found?,
    };
    let scene = held.job.scenes.iter().find(|scene| scene.id == scene_id(file_name)).ok_or_else(not_found)?;
    let clip = scene.clip.clone().ok_or_else(|| Problem::flat(Kind::ClipNotReady, "Clip video not ready"))?;
    Ok((scene.id.clone(), clip))
}

fn scene_id(file_name: &str) -> &str {
    let name = file_name.strip_suffix(".mp4").unwrap_or(file_name);
    name.strip_prefix("clip_").unwrap_or(name)
}

/// A picture of a video, made once by the stitch service.
async fn frame(app: &App, video: BlobRef) -> Result<BlobRef, Problem> {
    let request = GetFrameRequest { video: Some(video), width: FRAME.0, height: FRAME.1 };
    let made = app.backends.stitch().get_frame(request).await.map_err(ServiceError::from);
    let image = match made {
        Ok(reply) => reply.into_inner().image,
        Err(error) if error.is_retryable() => return Err(JOBS.refused(error)),
        Err(error) => {
            tracing::warn!(error = %error, "a picture of a video could not be made");
            None
        }
    };
    image.ok_or_else(|| Problem::flat(Kind::ThumbnailFailed, "Thumbnail generation failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_has_four_names() {
        for name in ["s-1", "s-1.mp4", "clip_s-1", "clip_s-1.mp4"] {
            assert_eq!(scene_id(name), "s-1", "{name}");
        }
    }
}
