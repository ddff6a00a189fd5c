//! The seven templates. Keys, titles and words are known outside; the prompts are our own.

use crate::scene::Music;

/// One template of a property film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its key, used as the scene's type.
    pub key: &'static str,
    /// Title of the scene.
    pub title: &'static str,
    /// Second line of the title.
    pub subtitle: &'static str,
    /// Length in milliseconds when nobody asks for one.
    pub default_ms: i64,
    /// Camera movement.
    pub camera_movement: &'static str,
    /// What the movement is for.
    pub motion_goal: &'static str,
    /// What the video model is told.
    pub prompt: &'static str,
    /// Kinds of room or shot that suit it.
    pub scene_types: &'static [&'static str],
    /// Tags of photos that suit it best.
    pub preferred_tags: &'static [&'static str],
    /// Words in a photo's name or tags that suit it.
    pub keywords: &'static [&'static str],
    /// Style words of the music.
    pub music_style: &'static str,
    /// Energy of the music.
    pub energy: &'static str,
}

impl Template {
    /// What the music under it is like.
    #[must_use]
    pub fn music(&self) -> Music {
        Music {
            description: format!("{} music for \"{}\"", self.music_style, self.title),
            style: self.music_style.to_owned(),
            energy: self.energy.to_owned(),
        }
    }
}

/// The templates in the order of the film.
pub static TEMPLATES: [Template; 7] = [
    Template {
        key: "hook",
        title: "The Hook",
        subtitle: "Exterior Feature",
        default_ms: 1_500,
        camera_movement: "dolly_forward",
        motion_goal: "Draw the viewer in",
        prompt: "Low wide shot on a bright day; the camera glides slowly forward while water and leaves move gently",
        scene_types: &["exterior", "pool", "courtyard", "terrace", "water_feature"],
        preferred_tags: &["main_exterior", "hero_shot", "water"],
        keywords: &["pool", "water", "exterior", "courtyard", "terrace", "garden"],
        music_style: "cinematic, ambient, uplifting",
        energy: "medium-high",
    },
    Template {
        key: "bedroom",
        title: "The Hero Bedroom",
        subtitle: "Parallax",
        default_ms: 1_000,
        camera_movement: "truck_lateral",
        motion_goal: "Show depth by parallax",
        prompt: "The camera slides straight sideways past the bed; the foreground drifts against the background in \
                 soft light, without zoom",
        scene_types: &["bedroom", "master_bedroom", "suite"],
        preferred_tags: &["master_bedroom", "hero_bedroom", "primary_suite"],
        keywords: &["bedroom", "bed", "master", "suite", "sleeping"],
        music_style: "elegant, serene, sophisticated",
        energy: "medium",
    },
    Template {
        key: "vanity",
        title: "Bathroom Vanity",
        subtitle: "Symmetry",
        default_ms: 1_000,
        camera_movement: "truck_lateral_opposite",
        motion_goal: "Show symmetry and clean lines",
        prompt: "The camera slides sideways the other way along the vanity; reflections travel across the mirror in \
                 bright, even light",
        scene_types: &["bathroom", "vanity", "powder_room"],
        preferred_tags: &["double_vanity", "master_bath", "ensuite"],
        keywords: &["vanity", "bathroom", "mirror", "sink", "powder room"],
        music_style: "modern, clean, refined",
        energy: "medium",
    },
    Template {
        key: "tub",
        title: "The Feature Tub",
        subtitle: "Depth",
        default_ms: 1_000,
        camera_movement: "dolly_forward",
        motion_goal: "Show depth and calm",
        prompt: "A slow push towards the tub or shower while the view behind it stays steady; calm, spa-like light",
        scene_types: &["bathroom", "bathtub", "shower", "spa"],
        preferred_tags: &["freestanding_tub", "feature_bath", "spa_bathroom"],
        keywords: &["tub", "bathtub", "shower", "spa", "soaking"],
        music_style: "serene, spa, tranquil",
        energy: "low-medium",
    },
    Template {
        key: "living_room",
        title: "Living Room",
        subtitle: "The Sweep",
        default_ms: 1_000,
        camera_movement: "pan_sweep",
        motion_goal: "Show the whole room",
        prompt: "A wide, even sweep that follows the lines of the furniture through the room in daylight",
        scene_types: &["living_room", "great_room", "lounge", "sitting_area"],
        preferred_tags: &["main_living", "great_room", "open_concept"],
        keywords: &["living", "lounge", "sitting", "seating", "sofa", "great room"],
        music_style: "open, airy, sophisticated",
        energy: "medium",
    },
    Template {
        key: "dining",
        title: "Lifestyle / Dining Area",
        subtitle: "Atmosphere",
        default_ms: 1_000,
        camera_movement: "static_float",
        motion_goal: "Let the mood be felt",
        prompt: "An almost still frame with the faintest drift over the table; warm, inviting light",
        scene_types: &["dining", "dining_room", "outdoor_dining", "lifestyle"],
        preferred_tags: &["formal_dining", "outdoor_living", "lifestyle"],
        keywords: &["dining", "table", "eating", "kitchen table", "outdoor dining"],
        music_style: "warm, inviting, intimate",
        energy: "medium-low",
    },
    Template {
        key: "outro",
        title: "The Outro",
        subtitle: "Establishing Wide",
        default_ms: 3_500,
        camera_movement: "dolly_backward",
        motion_goal: "Leave with the whole place in view",
        prompt: "The camera draws back gently until the whole property lies in view in the glow of the evening",
        scene_types: &["exterior", "establishing", "wide_shot", "aerial", "entrance"],
        preferred_tags: &["hero_exterior", "establishing_shot", "signature_view"],
        keywords: &["exterior", "wide", "establishing", "aerial", "entrance", "deck", "view"],
        music_style: "cinematic, peaceful, resolving",
        energy: "medium-low",
    },
];
