//! Pure: the words that a music model gets.
//!
//! A person's own words win. Otherwise the words come from the scenes that a segment plays under, while the tempo
//! comes from all scenes together: a continuation that changes its tempo is heard as a break.

use crate::events::Scene;

/// Longest prompt, in characters; what does not fit is left out, scene by scene.
const LONGEST: usize = 600;
/// What music for a property is, when the scenes do not say.
const USUAL_STYLE: &str = "modern, warm, with piano, soft guitar and light percussion";

/// The prompt for the music from `from_ms` to `until_ms` of a track.
#[must_use]
pub fn compose(scenes: &[Scene], own: Option<&str>, from_ms: u64, until_ms: u64) -> String {
    if let Some(own) = own.map(one_line).filter(|own| !own.is_empty()) {
        return own;
    }
    let heard = heard(scenes, from_ms, until_ms);
    let energy = mean_energy(scenes);
    let style = joined(heard.iter().map(|scene| &scene.style), ", ");
    let style = if style.is_empty() { USUAL_STYLE } else { &style };
    let mut prompt = format!(
        "Instrumental music under a film about a property, {} and at {} BPM. Style: {style}.",
        mood(energy),
        tempo(energy)
    );
    let scenery = joined(heard.iter().map(|scene| &scene.description), "; then ");
    let ending = " Even level throughout, no voices, no fade at either end.";
    let room = LONGEST.saturating_sub(prompt.chars().count() + ending.chars().count() + 2);
    let scenery: String = scenery.chars().take(room).collect();
    if !scenery.is_empty() {
        prompt.push(' ');
        prompt.push_str(scenery.trim_end_matches(['.', ' ', ';']));
        prompt.push('.');
    }
    prompt.push_str(ending);
    prompt
}

/// The scenes that are on while this part of the track plays; the last one when it plays after all of them.
fn heard(scenes: &[Scene], from_ms: u64, until_ms: u64) -> Vec<&Scene> {
    let mut start = 0_u64;
    let mut heard = Vec::new();
    for scene in scenes {
        let end = start.saturating_add(scene.duration_ms);
        if start < until_ms && end > from_ms {
            heard.push(scene);
        }
        start = end;
    }
    if heard.is_empty() {
        heard.extend(scenes.last());
    }
    heard
}

/// Different texts, each on one line, in order.
fn joined<'a>(texts: impl Iterator<Item = &'a String>, between: &str) -> String {
    let mut different: Vec<String> = Vec::new();
    for text in texts.map(|text| one_line(text)) {
        if !text.is_empty() && !different.contains(&text) {
            different.push(text);
        }
    }
    different.join(between)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// From 1 (low) to 5 (high), weighted by how long each scene is on.
fn mean_energy(scenes: &[Scene]) -> f64 {
    let weighted = scenes.iter().map(|scene| (level(&scene.energy), scene.duration_ms.max(1)));
    let (sum, weight) = weighted.fold((0.0, 0.0), |(sum, weight), (level, duration)| {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds of a film")]
        let duration = duration as f64;
        (sum + level * duration, weight + duration)
    });
    if weight > 0.0 { sum / weight } else { level("") }
}

fn level(energy: &str) -> f64 {
    match energy.trim().to_lowercase().as_str() {
        "low" => 1.0,
        "low-medium" | "medium-low" => 2.0,
        "medium-high" | "high-medium" => 4.0,
        "high" => 5.0,
        _ => 3.0,
    }
}

fn mood(energy: f64) -> &'static str {
    match energy {
        e if e < 1.5 => "very calm",
        e if e < 2.5 => "calm",
        e if e < 3.5 => "relaxed but moving",
        e if e < 4.5 => "lively",
        _ => "energetic",
    }
}

/// Beats per minute, in fives from 70 to 120.
fn tempo(energy: f64) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 70 and 120")]
    let fives = (2.5 * (energy - 1.0).clamp(0.0, 4.0)).round() as u32;
    70 + 5 * fives
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(description: &str, style: &str, energy: &str, seconds: u64) -> Scene {
        Scene {
            title: String::new(),
            description: description.into(),
            style: style.into(),
            energy: energy.into(),
            duration_ms: seconds * 1000,
        }
    }

    #[test]
    fn a_persons_words_win_on_one_line() {
        let scenes = [scene("waves", "ambient", "low", 6)];
        assert_eq!(compose(&scenes, Some(" a slow\n waltz "), 0, 6_000), "a slow waltz");
        assert!(compose(&scenes, Some(" \n"), 0, 6_000).contains("waves"));
    }

    #[test]
    fn a_segment_is_about_the_scenes_it_plays_under() {
        let scenes = [scene("waves", "ambient", "low", 10), scene("a kitchen", "jazz", "high", 10)];
        let prompt = compose(&scenes, None, 0, 10_000);
        assert!(prompt.contains("waves") && !prompt.contains("kitchen"), "{prompt}");
        let prompt = compose(&scenes, None, 5_000, 30_000);
        assert!(prompt.contains("waves; then a kitchen.") && prompt.contains("ambient, jazz"), "{prompt}");
        let prompt = compose(&scenes, None, 60_000, 70_000);
        assert!(prompt.contains("a kitchen"), "{prompt}");
    }

    #[test]
    fn all_segments_share_one_tempo() {
        let scenes = [scene("a", "", "low", 10), scene("b", "", "high", 10)];
        assert!(compose(&scenes, None, 0, 10_000).contains("95 BPM"));
        assert!(compose(&scenes, None, 10_000, 20_000).contains("95 BPM"));
        assert_eq!([tempo(1.0), tempo(3.0), tempo(5.0)], [70, 95, 120]);
    }

    #[test]
    fn without_scenes_there_is_music_all_the_same() {
        assert!(compose(&[], None, 0, 10_000).contains(USUAL_STYLE));
    }

    #[test]
    fn a_long_text_is_cut_and_the_ending_kept() {
        let prompt = compose(&[scene(&"é".repeat(5_000), "", "", 5)], None, 0, 5_000);
        assert!(prompt.chars().count() <= LONGEST && prompt.ends_with("no fade at either end."));
    }
}
