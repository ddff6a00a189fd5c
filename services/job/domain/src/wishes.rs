//! What a caller may ask for when making a job, checked before anything is planned or stored.

mod length;

use crate::estimate::MAX_TOTAL_SECONDS;
use crate::models::{self, Model};
use crate::refusal::Violation;

/// The property types used when the caller names none.
pub const DEFAULT_PROPERTY_TYPES: [&str; 6] =
    ["exterior", "interior", "kitchen", "bedroom", "bathroom", "living_room"];
/// The length of a scene for which nobody asked a length, in milliseconds.
pub const DEFAULT_CLIP_MS: i64 = 5_000;

/// The longest that words about look or music may be, in characters.
const MOST_WORDS: usize = 200;

/// What the caller sent, read but not checked. `None` is "not asked for".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawWishes {
    /// Name of a model.
    pub video_model: Option<String>,
    /// Length of a scene in milliseconds.
    pub clip_duration_ms: Option<i64>,
    /// How many scenes.
    pub num_pairs: Option<i64>,
    /// Aspect ratio.
    pub aspect_ratio: Option<String>,
    /// Resolution.
    pub resolution: Option<String>,
    /// Allowed scene types.
    pub property_types: Option<Vec<String>>,
    /// Length of the whole film in milliseconds: says what number and length of scenes do not.
    pub total_ms: Option<i64>,
    /// What the film should look like.
    pub style: Option<String>,
    /// What its music should be.
    pub music_genre: Option<String>,
}

/// What the caller asks for, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// The model.
    pub model: &'static Model,
    /// Length of every scene in milliseconds; none leaves it to the planner.
    pub clip_duration_ms: Option<i64>,
    /// How many scenes; none leaves it to the planner.
    pub num_pairs: Option<u32>,
    /// Aspect ratio, white space removed.
    pub aspect_ratio: Option<String>,
    /// Resolution.
    pub resolution: Option<String>,
    /// The scene types that may be used, in the caller's order.
    pub property_types: Vec<String>,
    /// What the film should look like, such as `modern`.
    pub style: Option<String>,
    /// What its music should be, such as `upbeat`.
    pub music_genre: Option<String>,
}

impl RawWishes {
    /// Checks every wish against the registry. `default_model` is used when none is named.
    /// Errors: every field that is wrong.
    pub fn check(self, default_model: &str) -> Result<Wishes, Vec<Violation>> {
        let name = self.video_model.as_deref().filter(|name| !name.trim().is_empty());
        let model =
            models::require("video_model", name.unwrap_or(default_model)).map_err(|wrong| vec![wrong])?;
        let aspect_ratio = self.aspect_ratio.map(|ratio| ratio.split_whitespace().collect::<String>());
        let property_types = property_types(self.property_types);
        let mut wrong = Vec::new();
        let (asked, clip_duration_ms) = match self.total_ms {
            Some(total) => match length::share_out(model, total, self.num_pairs, self.clip_duration_ms) {
                Ok((count, clip_ms)) => (Some(count), Some(clip_ms)),
                Err(violation) => {
                    wrong.push(violation);
                    (self.num_pairs, self.clip_duration_ms)
                }
            },
            None => (self.num_pairs, self.clip_duration_ms),
        };
        let num_pairs = asked.map(u32::try_from);
        let style = words("style", self.style, &mut wrong);
        let music_genre = words("music_genre", self.music_genre, &mut wrong);
        let mut note = |checked: Result<(), Violation>| wrong.extend(checked.err());
        if let Some(requested_ms) = clip_duration_ms {
            note(model.check_length("clip_duration", requested_ms));
        }
        if let Some(ratio) = &aspect_ratio {
            note(model.check_aspect("aspect_ratio", ratio));
        }
        if let Some(resolution) = &self.resolution {
            let length = clip_duration_ms.map(|requested_ms| model.billed(requested_ms));
            note(model.check_resolution("resolution", resolution, &Vec::from_iter(length)));
        }
        if num_pairs.is_some_and(|pairs| pairs.unwrap_or(0) == 0) {
            note(Err(Violation::new("num_pairs", "must be greater than 0")));
        }
        if property_types.is_empty() {
            note(Err(Violation::new("property_types", "must not be empty")));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Wishes {
            model,
            clip_duration_ms,
            num_pairs: num_pairs.and_then(Result::ok),
            aspect_ratio,
            resolution: self.resolution,
            property_types,
            style,
            music_genre,
        })
    }
}

/// Words on one line; blank ones say nothing.
fn words(field: &str, given: Option<String>, wrong: &mut Vec<Violation>) -> Option<String> {
    let words = given?.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > MOST_WORDS {
        wrong.push(Violation::new(field, format!("should be at most {MOST_WORDS} character(s)")));
    }
    Some(words).filter(|words| !words.is_empty())
}

fn property_types(given: Option<Vec<String>>) -> Vec<String> {
    let given = given.unwrap_or_else(|| DEFAULT_PROPERTY_TYPES.map(str::to_owned).to_vec());
    let mut types: Vec<String> = Vec::new();
    for kind in given.iter().map(|kind| kind.trim()).filter(|kind| !kind.is_empty()) {
        if !types.iter().any(|known| known == kind) {
            types.push(kind.to_owned());
        }
    }
    types
}

impl Wishes {
    /// Seconds that a scene bills when nobody says more about it.
    #[must_use]
    pub fn usual_billed_seconds(&self) -> u32 {
        self.model.billed(self.clip_duration_ms.unwrap_or(DEFAULT_CLIP_MS))
    }

    /// The most scenes that fit into a video.
    #[must_use]
    pub fn most_scenes(&self) -> usize {
        (MAX_TOTAL_SECONDS / self.usual_billed_seconds().max(1)) as usize
    }

    /// How many scenes there must be for so many usable images: the number asked for, as far as the images go;
    /// none when nobody asked. Errors: so many scenes do not fit into a video.
    pub fn scene_count(&self, images: usize) -> Result<Option<usize>, Violation> {
        let Some(pairs) = self.num_pairs else { return Ok(None) };
        let count = (pairs as usize).min(images);
        if count <= self.most_scenes() {
            return Ok(Some(count));
        }
        let (seconds, most) = (self.usual_billed_seconds(), self.most_scenes());
        Err(Violation::new(
            "num_pairs",
            format!(
                "at {seconds} seconds a scene, a video of {MAX_TOTAL_SECONDS} seconds has at most {most} scenes"
            ),
        ))
    }
}
