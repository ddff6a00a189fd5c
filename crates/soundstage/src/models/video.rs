//! The two image-to-video models.

use serde_json::Value;

use super::input::{Invalid, Reader};

/// A clip to make.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClipJob {
    pub(crate) prompt: String,
    /// Where the first frame is.
    pub(crate) first: String,
    /// Where the last frame is; the first again when none was given.
    pub(crate) last: Option<String>,
    pub(crate) seconds: u32,
    pub(crate) shape: Shape,
    /// Lines of the long and short side at full quality.
    pub(crate) short_side: u32,
    /// A quiet sound track beside the pictures.
    pub(crate) sound: bool,
    /// A combination that the model refuses only once it runs.
    pub(crate) refusal: Option<String>,
}

/// The outline of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Landscape,
    Portrait,
    /// Whatever the first frame is.
    LikeFirstFrame,
}

/// `google/veo-3.1`.
pub(super) fn veo(input: &Value) -> Result<ClipJob, Vec<Invalid>> {
    let mut reader = Reader::new(input);
    reader.required("prompt");
    // The real model also makes clips from words alone; the stage has nothing to show then.
    reader.required("image");
    let job = ClipJob {
        prompt: reader.string("prompt").unwrap_or_default(),
        first: reader.uri("image").unwrap_or_default(),
        last: reader.uri("last_frame"),
        seconds: seconds(reader.integer_of("duration", &[4, 6, 8], 8)),
        shape: match reader.choice("aspect_ratio", &["16:9", "9:16"], "16:9").as_str() {
            "9:16" => Shape::Portrait,
            _ => Shape::Landscape,
        },
        short_side: match reader.choice("resolution", &["720p", "1080p"], "1080p").as_str() {
            "720p" => 720,
            _ => 1080,
        },
        sound: reader.boolean("generate_audio", true),
        refusal: None,
    };
    if reader.wrong.is_empty() { Ok(job) } else { Err(reader.wrong) }
}

/// `minimax/hailuo-02`.
pub(super) fn hailuo(input: &Value) -> Result<ClipJob, Vec<Invalid>> {
    let mut reader = Reader::new(input);
    reader.required("prompt");
    reader.required("first_frame_image");
    let duration = reader.integer_of("duration", &[6, 10], 6);
    let resolution = reader.choice("resolution", &["512p", "768p", "1080p"], "1080p");
    reader.boolean("prompt_optimizer", true);
    let refusal = (duration == 10 && resolution != "768p")
        .then(|| format!("10 second videos are only supported at 768p resolution, not at {resolution}"));
    let job = ClipJob {
        prompt: reader.string("prompt").unwrap_or_default(),
        first: reader.uri("first_frame_image").unwrap_or_default(),
        last: reader.uri("last_frame_image"),
        seconds: seconds(duration),
        shape: Shape::LikeFirstFrame,
        short_side: match resolution.as_str() {
            "512p" => 512,
            "768p" => 768,
            _ => 1080,
        },
        sound: false,
        refusal,
    };
    if reader.wrong.is_empty() { Ok(job) } else { Err(reader.wrong) }
}

fn seconds(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn veo_takes_only_its_own_durations_and_outlines() {
        let input = json!({"prompt": "a", "image": "http://x/1.jpg", "duration": 5, "aspect_ratio": "1:1"});
        let wrong = veo(&input).expect_err("refused");
        let fields: Vec<_> = wrong.iter().map(|w| w.field.as_str()).collect();
        assert_eq!(fields, ["input.duration", "input.aspect_ratio"]);
    }

    #[test]
    fn a_missing_prompt_and_a_wrong_type_are_named() {
        let wrong = veo(&json!({"image": 7})).expect_err("refused");
        let text: Vec<_> = wrong.iter().map(|w| w.description.as_str()).collect();
        assert_eq!(text, ["prompt is required", "Invalid type. Expected: string, given: integer"]);
    }

    #[test]
    fn hailuo_refuses_ten_seconds_in_full_hd_only_when_it_runs() {
        let input = json!({"prompt": "a", "first_frame_image": "http://x/1.jpg", "duration": 10});
        assert!(hailuo(&input).expect("accepted").refusal.is_some());
        let input = json!({"prompt": "a", "first_frame_image": "http://x/1.jpg", "duration": 10, "resolution": "768p"});
        assert_eq!(hailuo(&input).expect("accepted").refusal, None);
    }
}
