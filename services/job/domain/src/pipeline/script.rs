//! What a voice says over a video: the check of what a language model wrote, and a script without one.

use crate::refusal::Violation;

/// The longest script, in characters.
pub const LONGEST: usize = 5_000;
/// The longest of any text in a brief, in characters.
const LONGEST_TEXT: usize = 1_000;
/// Most features and scenes.
const MOST: usize = 50;
/// Words a second of an even voice.
pub const WORDS_PER_SECOND: f64 = 2.5;

/// What a script is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brief {
    /// Name of the property.
    pub name: String,
    /// What it is, such as `villa`.
    pub kind: String,
    /// What is special about it.
    pub features: Vec<String>,
    /// Where it is.
    pub location: String,
    /// The scenes in order; none for one text over all.
    pub scenes: Vec<SceneLine>,
    /// Such as `warm`.
    pub tone: String,
    /// Such as `descriptive`.
    pub style: String,
    /// `short`, `medium` (also when empty) or `long`.
    pub length: String,
}

/// A scene as the voice knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SceneLine {
    /// Its title.
    pub title: String,
    /// What it shows.
    pub description: String,
}

impl Brief {
    /// What is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut wrong = Vec::new();
        let long = |text: &str| text.chars().count() > LONGEST_TEXT;
        let message = format!("should be at most {LONGEST_TEXT} character(s)");
        let texts = [
            ("property_details.name", &self.name),
            ("property_details.type", &self.kind),
            ("property_details.location", &self.location),
            ("options.tone", &self.tone),
            ("options.style", &self.style),
        ];
        wrong.extend(
            texts.iter().filter(|(_, text)| long(text)).map(|(field, _)| Violation::new(*field, &*message)),
        );
        if self.features.len() > MOST || self.features.iter().any(|feature| long(feature)) {
            let message = format!("should be at most {MOST} texts of at most {LONGEST_TEXT} character(s)");
            wrong.push(Violation::new("property_details.features", message));
        }
        let scene_is_long = |scene: &SceneLine| long(&scene.title) || long(&scene.description);
        if self.scenes.len() > MOST || self.scenes.iter().any(scene_is_long) {
            let message =
                format!("should be at most {MOST} scenes with texts of at most {LONGEST_TEXT} character(s)");
            wrong.push(Violation::new("scenes", message));
        }
        if !["", "short", "medium", "long"].contains(&self.length.as_str()) {
            wrong.push(Violation::new("options.length", "must be one of short, medium, long"));
        }
        wrong
    }

    /// About how many words it should have.
    #[must_use]
    pub fn words(&self) -> usize {
        let each = match self.length.as_str() {
            "short" => 10,
            "long" => 30,
            _ => 18,
        };
        each * self.parts().len()
    }

    /// The parts that are spoken: the scenes, or one over all.
    #[must_use]
    pub fn parts(&self) -> Vec<SceneLine> {
        if self.scenes.is_empty() { vec![SceneLine::default()] } else { self.scenes.clone() }
    }
}

/// The segments that a language model wrote, one line each. Errors: what is wrong with them.
pub fn check(brief: &Brief, segments: Vec<String>) -> Result<Vec<String>, String> {
    let wanted = brief.parts().len();
    let segments: Vec<String> = segments.iter().map(|segment| one_line(segment)).collect();
    if segments.len() != wanted {
        return Err(format!("it has {} segments instead of {wanted}", segments.len()));
    }
    if segments.iter().any(String::is_empty) {
        return Err("a segment of it is empty".to_owned());
    }
    let length: usize = segments.iter().map(|segment| segment.chars().count() + 1).sum();
    if length > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    Ok(segments)
}

/// A script without a language model: what is known of the property, spread over the scenes.
#[must_use]
pub fn template(brief: &Brief) -> Vec<String> {
    let parts = brief.parts();
    let last = parts.len() - 1;
    let mut features = brief.features.iter().map(|feature| one_line(feature)).filter(|text| !text.is_empty());
    let mut segments = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let mut said = Vec::new();
        if index == 0 {
            said.push(welcome(brief));
        }
        said.extend(about(part));
        let share = if index == last { usize::MAX } else { 1 };
        let named: Vec<String> = features.by_ref().take(share).collect();
        if !named.is_empty() {
            said.push(format!("Enjoy {}.", listed(&named)));
        }
        if index == last {
            said.push("Come and see it for yourself.".to_owned());
        }
        if said.is_empty() {
            said.push("Take your time and look around.".to_owned());
        }
        segments.push(said.join(" "));
    }
    segments
}

/// As much of a text as may be in a brief.
#[must_use]
pub fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The segments that can be said in so many seconds and make no script that is too long, one after the other; the
/// first in any case.
#[must_use]
pub fn fitted(segments: Vec<String>, seconds: u32) -> Vec<String> {
    let most = f64::from(seconds) * WORDS_PER_SECOND;
    let (mut words, mut length) = (0, 0);
    let mut fits = |segment: &String| {
        words += segment.split_whitespace().count();
        length += segment.chars().count() + 1;
        words as f64 <= most && length <= LONGEST
    };
    let kept = segments.iter().take_while(|segment| fits(segment)).count().max(1);
    segments.into_iter().take(kept).collect()
}

fn welcome(brief: &Brief) -> String {
    let [name, kind, location] = [&brief.name, &brief.kind, &brief.location].map(|text| one_line(text));
    let name = if name.is_empty() { "a place to remember".to_owned() } else { name };
    let kind = if kind.is_empty() { String::new() } else { format!(", {} {kind}", article(&kind)) };
    let place = if location.is_empty() { String::new() } else { format!(" in {location}") };
    format!("Welcome to {name}{kind}{place}.")
}

fn about(part: &SceneLine) -> Option<String> {
    let text = [&part.description, &part.title]
        .map(|text| one_line(text))
        .into_iter()
        .find(|text| !text.is_empty())?;
    Some(if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") })
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What cannot be spoken parts words.
fn one_line(text: &str) -> String {
    let parts = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
