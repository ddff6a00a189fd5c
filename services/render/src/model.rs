//! What each model gets. Which models there are, and what they allow, is the registry's business.

use job_domain::models::{self, Model};
use serde_json::{Value, json};

use crate::request::Wish;

/// The names under which a model takes the two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameFields {
    /// The first frame's.
    pub first: &'static str,
    /// The last frame's.
    pub last: &'static str,
}

/// A model's input without its frames; none for a model that this service has no input for.
#[must_use]
pub fn input(model: &Model, wish: &Wish) -> Option<(Value, FrameFields)> {
    let prompt = one_line(&wish.prompt);
    match model.slug {
        "google/veo-3.1" => Some((
            json!({
                "prompt": prompt,
                "duration": wish.seconds,
                "resolution": wish.resolution,
                "aspect_ratio": model.aspect_to_send(wish.aspect_ratio.as_deref()),
                "generate_audio": false,
            }),
            FrameFields { first: "image", last: "last_frame" },
        )),
        // The clip has the shape of its first frame.
        "minimax/hailuo-02" => Some((
            json!({
                "prompt": prompt,
                "duration": wish.seconds,
                "resolution": wish.resolution,
                "prompt_optimizer": true,
            }),
            FrameFields { first: "first_frame_image", last: "last_frame_image" },
        )),
        _ => None,
    }
}

/// What traces and metrics call the model that the provider calls `slug`.
#[must_use]
pub fn key(slug: &str) -> &'static str {
    // One that is not there any more was ordered of an earlier build.
    models::registry().iter().find(|model| model.slug == slug).map_or("other", |model| model.key)
}

/// Models read a prompt as one line.
fn one_line(prompt: &str) -> String {
    prompt.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(slug: &str) -> Wish {
        Wish {
            prompt: " a \"bright\"\r\n kitchen,\t100% ".into(),
            seconds: 6,
            resolution: "1080p".into(),
            aspect_ratio: Some("9:16".into()),
            model: slug.into(),
            ..Wish::default()
        }
    }

    #[test]
    fn every_model_of_the_registry_has_an_input() {
        for model in models::registry() {
            assert!(input(model, &wish(model.slug)).is_some(), "{}", model.slug);
        }
    }

    #[test]
    fn metrics_know_models_by_the_registrys_keys() {
        for model in models::registry() {
            assert_eq!(key(model.slug), model.key);
        }
        assert_eq!(key("somebody/else:4711"), "other");
    }

    #[test]
    fn veo_gets_shape_and_silence() {
        let (input, fields) = input(models::find("veo3").unwrap(), &wish("google/veo-3.1")).unwrap();
        let expected = json!({"prompt": "a \"bright\" kitchen, 100%", "duration": 6, "resolution": "1080p",
            "aspect_ratio": "9:16", "generate_audio": false});
        assert_eq!(input, expected);
        assert_eq!(fields, FrameFields { first: "image", last: "last_frame" });
    }

    #[test]
    fn hailuo_gets_no_shape() {
        let (input, fields) = input(models::find("hailuo-02").unwrap(), &wish("minimax/hailuo-02")).unwrap();
        assert_eq!(input.get("aspect_ratio"), None);
        assert_eq!(input["prompt_optimizer"], json!(true));
        assert_eq!(fields, FrameFields { first: "first_frame_image", last: "last_frame_image" });
    }
}
