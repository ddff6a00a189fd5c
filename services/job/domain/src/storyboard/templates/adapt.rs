//! The templates with their places in time: all of them, or those for a storyboard of so many scenes.

use super::{LINE_MS, MIDDLE, TEMPLATES, Template, round_to_10};
use crate::refusal::Violation;

/// Most scenes that templates are adapted to.
const MOST: i32 = 100;

/// A template with its place in a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The template.
    pub template: &'static Template,
    /// Its place among all templates, from 1.
    pub order: u32,
    /// Where it starts, in milliseconds.
    pub start_ms: i64,
    /// Where it ends, in milliseconds.
    pub end_ms: i64,
}

/// All templates at their own lengths.
#[must_use]
pub fn all() -> Vec<Placed> {
    placed(&TEMPLATES.iter().collect::<Vec<_>>(), |ms| ms)
}

/// The templates for a storyboard of so many scenes: the first, the last, and between them those of which there are
/// photos (all, when no types are named), over ten seconds. Errors: fewer than two scenes, or too many.
pub fn adapted(count: i32, available: &[String]) -> Result<Vec<Placed>, Violation> {
    if !(2..=MOST).contains(&count) {
        return Err(Violation::new("scene_count", format!("must be from 2 to {MOST}")));
    }
    let fits = |template: &Template| {
        let has = |kind: &&str| available.iter().any(|available| available.trim().eq_ignore_ascii_case(kind));
        available.is_empty() || template.scene_types.iter().any(has)
    };
    let middle = usize::try_from(count - 2).unwrap_or_default();
    let chosen: Vec<&str> =
        MIDDLE.iter().copied().filter(|key| find(key).is_some_and(fits)).take(middle).collect();
    let kept = |template: &&&'static Template| {
        matches!(template.key, "hook" | "outro") || chosen.contains(&template.key)
    };
    let all: Vec<&'static Template> = TEMPLATES.iter().collect();
    let kept: Vec<&'static Template> = all.iter().filter(kept).copied().collect();
    let total: i64 = kept.iter().map(|template| template.default_ms).sum();
    Ok(placed(&kept, |ms| round_to_10(ms * LINE_MS, total)))
}

fn find(key: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.key == key)
}

fn placed(templates: &[&'static Template], scale: impl Fn(i64) -> i64) -> Vec<Placed> {
    let mut before = 0;
    let place = |template: &&'static Template| {
        let start = before;
        before += template.default_ms;
        let order = TEMPLATES.iter().position(|known| known.key == template.key).unwrap_or_default() + 1;
        Placed {
            template,
            order: u32::try_from(order).unwrap_or(u32::MAX),
            start_ms: scale(start),
            end_ms: scale(before),
        }
    };
    templates.iter().map(place).collect()
}
