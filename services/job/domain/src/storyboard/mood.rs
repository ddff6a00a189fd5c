//! Look and music that a caller asks for, carried into scenes that no planner drew after them.

use crate::scene::SceneDraft;
use crate::wishes::Wishes;

/// Says the style in each prompt, and the genre before the music of each scene.
pub(super) fn set(scenes: &mut [SceneDraft], wishes: &Wishes) {
    for scene in scenes {
        if let Some(style) = &wishes.style {
            scene.prompt = format!("{}; {style} style", scene.prompt);
        }
        if let Some(genre) = &wishes.music_genre {
            let before = std::mem::take(&mut scene.music.style);
            scene.music.style = if before.is_empty() { genre.clone() } else { format!("{genre}, {before}") };
        }
    }
}
