//! The voices that can speak over a video, as the audio service takes them.

/// The voices that have a name.
pub const VOICES: [&str; 4] = ["professional", "friendly", "calm", "energetic"];
/// The voice of jobs whose settings name none.
pub const USUAL_VOICE: &str = VOICES[0];
/// The longest id that the provider gives a voice.
const LONGEST_ID: usize = 64;

/// Whether it is a voice: one of [`VOICES`], or what has the form of the provider's ids. A name is such a text, too.
#[must_use]
pub fn is_voice(text: &str) -> bool {
    let id = text.trim();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(fits)
}
