//! Storyboards without a planner: the seven templates of a property film, dealt out over the campaign's images.

mod adapt;
mod deal;
mod table;

pub use adapt::{Placed, adapted, all};
pub use table::{TEMPLATES, Template};

use super::frames::{PlanAsset, usable_frames};
use super::mood;
use crate::refusal::Violation;
use crate::scene::{Music, SceneDraft};
use crate::state::JobKind;
use crate::wishes::Wishes;

/// The most scenes of an image-pairs storyboard when nobody asks for a number.
const USUAL_PAIRS: usize = 7;
/// The most scenes of a property-photos storyboard when nobody asks for a number.
const USUAL_VIEWS: usize = 5;
/// The storyboard's own line of time, in milliseconds.
const LINE_MS: i64 = 10_000;
/// Middle templates in the order in which they are taken.
const MIDDLE: [&str; 5] = ["bedroom", "living_room", "vanity", "tub", "dining"];

/// Draws a storyboard. The same assets and wishes always give the same one; an empty list when no asset can be a
/// frame. Errors: the number of scenes asked for does not fit into a video.
pub fn draw(kind: JobKind, assets: &[PlanAsset], wishes: &Wishes) -> Result<Vec<SceneDraft>, Violation> {
    let images = usable_frames(assets);
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let asked = wishes.scene_count(images.len())?;
    let usual = match kind {
        JobKind::ImagePairs => USUAL_PAIRS,
        JobKind::PropertyPhotos => USUAL_VIEWS,
    };
    let count = asked.unwrap_or(usual.min(images.len()).min(wishes.most_scenes()));
    let mut scenes = match kind {
        JobKind::ImagePairs => pairs(&images, count, wishes),
        JobKind::PropertyPhotos => views(&images, count, wishes),
    };
    mood::set(&mut scenes, wishes);
    Ok(scenes)
}

/// The templates for a number of scenes: hook, middle ones by priority, outro; the middle repeats when it must.
#[must_use]
pub fn sequence(count: usize) -> Vec<&'static Template> {
    let find = |key: &str| TEMPLATES.iter().find(|template| template.key == key);
    let middle = MIDDLE.iter().cycle().take(count.saturating_sub(2)).copied();
    let outro = (count > 1).then_some("outro");
    let hook = (count > 0).then_some("hook");
    hook.into_iter().chain(middle).chain(outro).filter_map(find).collect()
}

fn pairs(images: &[&PlanAsset], count: usize, wishes: &Wishes) -> Vec<SceneDraft> {
    let templates = sequence(count);
    let total: i64 = templates.iter().map(|template| template.default_ms).sum();
    let place = |before: i64| round_to_10(before * LINE_MS, total);
    let mut before = 0;
    let scene = |(index, template): (usize, &&'static Template)| {
        let start = before;
        before += template.default_ms;
        let (first, last) = deal::pair(images, index);
        let requested_ms = wishes.clip_duration_ms.unwrap_or(template.default_ms);
        SceneDraft {
            title: template.title.to_owned(),
            description: template.prompt.to_owned(),
            prompt: template.prompt.to_owned(),
            scene_type: Some(template.key.to_owned()),
            transition: Some("fade".to_owned()),
            camera_movement: Some(template.camera_movement.to_owned()),
            motion_goal: Some(template.motion_goal.to_owned()),
            group_name: None,
            highlights: Vec::new(),
            time_start_ms: Some(place(start)),
            time_end_ms: Some(place(before)),
            music: template.music(),
            requested_ms,
            billed_seconds: wishes.model.billed(requested_ms),
            first_frame: first.frame(),
            last_frame: last.frame(),
        }
    };
    templates.iter().enumerate().map(scene).collect()
}

/// `amount / total`, to a hundredth of a second, half up.
fn round_to_10(amount: i64, total: i64) -> i64 {
    let total = total.max(1);
    (amount + total * 5).div_euclid(total * 10) * 10
}

fn views(images: &[&PlanAsset], count: usize, wishes: &Wishes) -> Vec<SceneDraft> {
    let types = &wishes.property_types;
    let chosen: Vec<&str> = (1..=count).map(|number| types[number % types.len()].as_str()).collect();
    let frames = deal::by_type(images, &chosen);
    let scene = |(index, (kind, (first, last))): (usize, (&&str, (&PlanAsset, &PlanAsset)))| {
        let number = index + 1;
        let requested_ms = wishes.clip_duration_ms.unwrap_or_else(|| view_ms(number, wishes));
        let words = kind.replace('_', " ");
        let text = format!("A slow, steady camera move through the {words}, in natural light");
        SceneDraft {
            title: format!("{} View {number}", title_case(&words)),
            description: text.clone(),
            prompt: text,
            scene_type: Some((*kind).to_owned()),
            transition: Some(["fade", "cut", "dissolve"][number % 3].to_owned()),
            camera_movement: None,
            motion_goal: None,
            group_name: None,
            highlights: vec![format!("{words} in detail"), "natural light".into(), "room to move".into()],
            time_start_ms: None,
            time_end_ms: None,
            music: Music { style: "cinematic, ambient".into(), energy: "medium".into(), ..Music::default() },
            requested_ms,
            billed_seconds: wishes.model.billed(requested_ms),
            first_frame: first.frame(),
            last_frame: last.frame(),
        }
    };
    chosen.iter().zip(frames).enumerate().map(scene).collect()
}

/// 5, 6, 7, 4 seconds and again. Many scenes are kept short, so that they fit into a video.
fn view_ms(number: usize, wishes: &Wishes) -> i64 {
    let varied = 4_000 + 1_000 * i64::try_from(number % 4).unwrap_or_default();
    if wishes.num_pairs.is_some_and(|pairs| pairs as usize > USUAL_VIEWS) { 4_000 } else { varied }
}

fn title_case(words: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    words.split_whitespace().filter_map(capital).collect::<Vec<_>>().join(" ")
}
