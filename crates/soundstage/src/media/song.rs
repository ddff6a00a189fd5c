//! Composes: chords, bass, a broken-chord accompaniment, a melody that ends its phrases, soft percussion.
//! Pure: the same song is written for the same seed, words and length.

use super::synth::{Note, RATE, Voice, play};

/// What kind of music the words ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Warm,
    Ambient,
    Cinematic,
    Acoustic,
    Electronic,
}

/// A song before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Song {
    /// Picks chords and melody.
    pub(super) seed: u64,
    /// Picks the key: the same for all pieces of one stage, so that joined pieces agree.
    pub(super) key: u64,
    pub(super) style: Style,
    /// 0 calm, 1 moderate, 2 lively.
    pub(super) energy: u8,
}

const STYLES: [(Style, &[&str]); 4] = [
    (Style::Ambient, &["ambient", "calm", "piano", "serene", "peaceful", "spa"]),
    (Style::Cinematic, &["cinematic", "orchestral", "epic", "grand", "dramatic", "elegant"]),
    (Style::Acoustic, &["acoustic", "guitar", "folk", "cozy", "cosy", "rustic"]),
    (Style::Electronic, &["electronic", "house", "modern", "synth", "lounge", "pop"]),
];
const LIVELY: [&str; 6] = ["high", "upbeat", "energetic", "lively", "driving", "uplifting"];
const CALM: [&str; 6] = ["low", "calm", "gentle", "soft", "slow", "peaceful"];

/// Roots of four bars, as steps of the major scale.
const PROGRESSIONS: [[i32; 4]; 5] = [[0, 4, 5, 3], [5, 3, 0, 4], [0, 5, 3, 4], [3, 0, 4, 5], [1, 4, 0, 5]];
const MAJOR: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];
/// Steps of the scale that go with every chord.
const PENTATONIC: [i32; 5] = [0, 1, 2, 4, 5];
const KEYS: [i32; 5] = [0, 2, 5, 7, 9];

impl Song {
    /// Reads style and energy from a prompt.
    pub(super) fn asked_for(prompt: &str, seed: u64, key: u64) -> Self {
        let text = prompt.to_lowercase();
        let said = |word: &&str| text.split(|c: char| !c.is_alphanumeric()).any(|w| w == *word);
        let style = STYLES.iter().find(|(_, words)| words.iter().any(said)).map_or(Style::Warm, |(s, _)| *s);
        let energy = match (LIVELY.iter().any(said), CALM.iter().any(said)) {
            (true, false) => 2,
            (false, true) => 0,
            _ => 1,
        };
        Self { seed, key, style, energy }
    }

    /// Stereo samples of exactly `seconds`.
    pub(super) fn render(&self, seconds: f64) -> Vec<f32> {
        let frames = (seconds * f64::from(RATE)).round() as usize;
        play(&self.notes(seconds), frames, self.beat() * 0.75)
    }

    /// Seconds per beat.
    fn beat(&self) -> f64 {
        60.0 / [76.0, 92.0, 108.0][usize::from(self.energy.min(2))]
    }

    fn notes(&self, seconds: f64) -> Vec<Note> {
        let bar = self.beat() * 4.0;
        let bars = (seconds / bar).ceil() as u32;
        let mut writer = Writer { song: *self, dice: self.seed | 1, step: 4, notes: Vec::new() };
        for number in 0..bars {
            let chords = PROGRESSIONS[(self.seed % 5) as usize];
            let root = chords[number as usize % 4];
            writer.bar(f64::from(number) * bar, number, root);
        }
        writer.notes
    }
}

struct Writer {
    song: Song,
    dice: u64,
    /// Where the melody is, in pentatonic steps.
    step: i32,
    notes: Vec<Note>,
}

impl Writer {
    fn bar(&mut self, at: f64, number: u32, root: i32) {
        self.chord(at, root);
        self.bass(at, root);
        self.accompaniment(at, root);
        self.melody(at, number, root);
        self.percussion(at);
    }

    /// A step of the scale as a MIDI note, `octave` 4 being the middle one.
    fn pitch(&self, step: i32, octave: i32) -> f32 {
        let key = KEYS[(self.song.key % 5) as usize];
        let semitones = MAJOR[step.rem_euclid(7) as usize] + 12 * step.div_euclid(7);
        (12 * (octave + 1) + key + semitones) as f32
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn add(&mut self, voice: Voice, at: f64, length: f64, pitch: f32, gain: f32, pan: f32) {
        self.notes.push(Note { voice, at, length, pitch, gain, pan });
    }

    fn chord(&mut self, at: f64, root: i32) {
        let length = self.song.beat() * 4.0;
        let gain = match self.song.style {
            Style::Cinematic | Style::Ambient => 0.16,
            Style::Acoustic => 0.07,
            _ => 0.11,
        };
        for (third, pan) in [(0, -0.5), (2, 0.0), (4, 0.5), (8, 0.3)] {
            let pitch = self.pitch(root + third, 3);
            self.add(Voice::Pad, at, length, pitch, gain, pan);
        }
    }

    fn bass(&mut self, at: f64, root: i32) {
        let beat = self.song.beat();
        let low = self.pitch(root, 2);
        let beats: &[f64] = match self.song.energy {
            0 => &[0.0],
            1 => &[0.0, 2.5],
            _ => &[0.0, 1.5, 2.0, 3.5],
        };
        for &offset in beats {
            self.add(Voice::Bass, at + offset * beat, beat * 1.4, low, 0.34, 0.0);
        }
    }

    fn accompaniment(&mut self, at: f64, root: i32) {
        if self.song.style == Style::Cinematic && self.song.energy == 0 {
            return;
        }
        let beat = self.song.beat();
        let pattern = [0, 4, 7, 9, 7, 4, 9, 7];
        let every = if self.song.energy == 0 { 2 } else { 1 };
        for (i, step) in pattern.iter().enumerate().step_by(every) {
            let pan = if i % 2 == 0 { -0.45 } else { 0.45 };
            let accent = if i == 0 { 0.17 } else { 0.11 };
            let pitch = self.pitch(root + step, 4);
            self.add(Voice::Pluck, at + i as f64 * beat / 2.0, beat * 0.5, pitch, accent, pan);
        }
    }

    /// Two bars of question, two of answer; strong beats lean on the chord, every fourth bar comes to rest.
    fn melody(&mut self, at: f64, number: u32, root: i32) {
        let beat = self.song.beat();
        let rests = number % 4 == 3;
        let rhythm: &[(f64, f64)] = match (rests, self.roll(3)) {
            (true, _) => &[(0.0, 3.0)],
            (false, 0) => &[(0.0, 1.5), (1.5, 0.5), (2.0, 1.8)],
            (false, 1) => &[(0.5, 1.0), (1.5, 1.0), (2.5, 0.5), (3.0, 0.9)],
            _ => &[(0.0, 1.0), (1.0, 1.0), (2.5, 1.4)],
        };
        for &(offset, length) in rhythm {
            self.step = (self.step + [-2, -1, -1, 1, 1, 2][self.roll(6) as usize]).clamp(1, 9);
            let degree = PENTATONIC[(self.step % 5) as usize] + 7 * (self.step / 5);
            let degree = if offset == 0.0 { nearest_of_chord(degree, root) } else { degree };
            let pitch = self.pitch(degree, 4);
            self.add(Voice::Bell, at + offset * beat, length * beat, pitch, 0.24, 0.12);
        }
    }

    fn percussion(&mut self, at: f64) {
        let beat = self.song.beat();
        let soft = matches!(self.song.style, Style::Ambient | Style::Cinematic);
        if soft && self.song.energy < 2 {
            return;
        }
        let kicks: &[f64] = match (self.song.style, self.song.energy) {
            (Style::Electronic, 1..) => &[0.0, 1.0, 2.0, 3.0],
            (_, 0) => &[0.0],
            _ => &[0.0, 2.0],
        };
        for &offset in kicks {
            self.add(Voice::Kick, at + offset * beat, 0.1, 0.0, 0.42, 0.0);
        }
        if self.song.energy == 0 {
            return;
        }
        for offset in [1.0, 3.0] {
            self.add(Voice::Brush, at + offset * beat, 0.1, 0.0, 0.13, -0.1);
        }
        for eighth in 0..8 {
            let gain = if eighth % 2 == 0 { 0.05 } else { 0.085 };
            self.add(Voice::Shaker, at + f64::from(eighth) * beat / 2.0, 0.05, 0.0, gain, 0.35);
        }
    }
}

/// The step of the chord on `root` that is closest to `degree`.
fn nearest_of_chord(degree: i32, root: i32) -> i32 {
    (degree - 3..=degree + 3)
        .filter(|step| [0, 2, 4].contains(&(step - root).rem_euclid(7)))
        .min_by_key(|step| (step - degree).abs())
        .unwrap_or(degree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_choose_style_and_energy() {
        let song = Song::asked_for("Upbeat acoustic guitar", 1, 0);
        assert_eq!((song.style, song.energy), (Style::Acoustic, 2));
        let song = Song::asked_for("slow and grand", 1, 0);
        assert_eq!((song.style, song.energy), (Style::Cinematic, 0));
    }

    #[test]
    fn the_same_seed_writes_the_same_song_and_another_a_different_one() {
        let song = Song::asked_for("modern", 11, 0);
        assert_eq!(song.notes(12.0), song.notes(12.0));
        assert_ne!(song.notes(12.0), Song { seed: 12, ..song }.notes(12.0));
    }

    #[test]
    fn all_pitches_belong_to_the_key() {
        for key in 0..5 {
            let song = Song { seed: 3, key, style: Style::Warm, energy: 2 };
            for note in song.notes(20.0).iter().filter(|n| n.pitch > 0.0) {
                let semitone = (note.pitch as i32 - KEYS[key as usize]).rem_euclid(12);
                assert!(MAJOR.contains(&semitone), "{note:?}");
            }
        }
    }
}
