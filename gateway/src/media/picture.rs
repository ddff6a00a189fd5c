//! Pictures that a caller asks for: of a width, and of videos at a time.

use kit::{Code, ServiceError};
use protos::{asset::v1::GetPictureRequest, common::v1::BlobRef};

use crate::{
    app::App,
    params::{Fields, Params},
    problem::{ASSETS, Family, Kind, Problem},
};

/// Milliseconds between the frames that may be asked for: a video has so many pictures and no more.
const STEP: f64 = 100.0;

/// The picture that a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PictureWish {
    /// Pixels at most.
    width: Option<u32>,
    /// Which frame of a video.
    at_ms: Option<u64>,
}

impl PictureWish {
    /// Reads `width` and `t`; none when neither is named.
    ///
    /// # Errors
    /// One of them is no number, or negative.
    pub(crate) fn read(params: &Params) -> Result<Option<Self>, Problem> {
        let mut fields = Fields::of(params);
        let width = match fields.scalar("width", &[]) {
            None => None,
            Some(text) => text.trim().parse().ok().or_else(|| fields.reject("width", "is invalid")),
        };
        let at_ms = match fields.scalar("t", &[]) {
            None => None,
            Some(text) => match text.trim().parse::<f64>() {
                Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Some(milliseconds(seconds)),
                Ok(seconds) if seconds < 0.0 => fields.reject("t", "must be greater than or equal to 0"),
                _ => fields.reject("t", "is invalid"),
            },
        };
        fields.finish(Family::Flat)?;
        Ok((width.is_some() || at_ms.is_some()).then_some(Self { width, at_ms }))
    }

    /// Whether it is a frame that the caller chose.
    pub(crate) fn is_at_a_time(self) -> bool {
        self.at_ms.is_some()
    }
}

/// Rounded to the step.
fn milliseconds(seconds: f64) -> u64 {
    ((seconds * 1000.0 / STEP).round() * STEP) as u64
}

/// The picture of an image or a video, `width` pixels wide unless the caller names a width.
///
/// # Errors
/// There is no such width, the video ends before the time, there is no picture in it, or it cannot be drawn.
pub(crate) async fn picture(
    app: &App,
    source: BlobRef,
    wish: PictureWish,
    width: u32,
) -> Result<BlobRef, Problem> {
    let width = wish.width.unwrap_or(width);
    let request = GetPictureRequest { source: Some(source), width, at_ms: wish.at_ms };
    let drawn = app.backends.patient_asset().get_picture(request).await.map_err(ServiceError::from);
    let image = match drawn {
        Ok(reply) => reply.into_inner().image,
        Err(error) => return Err(refused(error)),
    };
    image.ok_or_else(failed)
}

fn refused(error: ServiceError) -> Problem {
    match error.code {
        Code::Precondition => Problem::flat(Kind::ThumbnailNotAvailable, "Thumbnail not available"),
        Code::NotFound => Problem::flat(Kind::BlobUnavailable, "Media unavailable").detail(error.to_string()),
        Code::Validation => ASSETS.refused(error),
        _ if error.is_retryable() => ASSETS.refused(error),
        _ => {
            tracing::warn!(%error, "a picture could not be drawn");
            failed()
        }
    }
}

fn failed() -> Problem {
    Problem::flat(Kind::ThumbnailFailed, "Thumbnail generation failed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: serde_json::Value) -> Result<Option<PictureWish>, Problem> {
        PictureWish::read(&Params::of_object(query.as_object().cloned().unwrap_or_default()))
    }

    #[test]
    fn a_wish_names_a_width_a_time_or_both() {
        assert_eq!(read(json!({})).expect("nothing"), None);
        for (query, width, at_ms) in [
            (json!({"width": "320"}), Some(320), None),
            (json!({"t": "2.5"}), None, Some(2500)),
            (json!({"t": "0", "width": 160}), Some(160), Some(0)),
            (json!({"t": "1.2345"}), None, Some(1200)),
            (json!({"t": "1e300"}), None, Some(u64::MAX)),
        ] {
            assert_eq!(read(query.clone()).expect("a wish"), Some(PictureWish { width, at_ms }), "{query}");
        }
        for query in [
            json!({"width": "wide"}),
            json!({"width": "-1"}),
            json!({"t": "-0.1"}),
            json!({"t": "NaN"}),
            json!({"t": []}),
        ] {
            assert!(read(query.clone()).expect_err("a refusal").is(Kind::ValidationFailed), "{query}");
        }
    }
}
