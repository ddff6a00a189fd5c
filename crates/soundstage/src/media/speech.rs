//! A murmur with the rhythm of a text: a buzz through the two resonances of each vowel, hisses for consonants, pauses
//! where there are signs. Nobody understands it, but it has the length and the sound of speech.

use super::ffmpeg::{input, words};
use super::{Ffmpeg, MediaError, number};

const RATE: u32 = 44_100;
/// Seconds that a letter takes, about fifteen a second.
const LETTER: f64 = 0.066;
/// Seconds of rest after a word, and after the end of a sentence or a part of it.
const WORD: f64 = 0.03;
const SENTENCE: f64 = 0.35;

/// A text as MP3 in memory, at 128 kbit/s.
pub(crate) async fn speak_mp3(
    ffmpeg: &Ffmpeg,
    text: &str,
    voice: &str,
    speed: f64,
) -> Result<Vec<u8>, MediaError> {
    let _turn = ffmpeg.turn().await?;
    let (text, pitch) = (text.to_owned(), 95.0 + (number(1, voice) % 110) as f64);
    let samples = tokio::task::spawn_blocking(move || murmur(&text, pitch, speed))
        .await
        .map_err(|error| MediaError::new(error.to_string()))?;
    let raw: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let arguments =
        words(&format!("-f f32le -ar {RATE} -ac 1 -i pipe:0 -c:a libmp3lame -b:a 128k -f mp3 pipe:1"));
    ffmpeg.run(&arguments, input(Some(raw))).await
}

/// One sound of a voice, or a rest.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sound {
    /// The two resonances, in hertz.
    Vowel(f64, f64),
    Hiss,
    Rest,
}

fn sounds(text: &str) -> Vec<(Sound, f64)> {
    let sound = |letter: char| match letter.to_ascii_lowercase() {
        'a' => (Sound::Vowel(750.0, 1_200.0), LETTER),
        'e' => (Sound::Vowel(450.0, 1_900.0), LETTER),
        'i' | 'y' => (Sound::Vowel(300.0, 2_300.0), LETTER),
        'o' => (Sound::Vowel(480.0, 900.0), LETTER),
        'u' | 'w' => (Sound::Vowel(330.0, 750.0), LETTER),
        'l' | 'm' | 'n' | 'r' | 'v' | 'b' | 'd' | 'g' => (Sound::Vowel(280.0, 1_300.0), LETTER),
        '.' | ',' | ';' | ':' | '!' | '?' | '\n' => (Sound::Rest, SENTENCE),
        letter if letter.is_alphanumeric() && letter.is_ascii() => (Sound::Hiss, LETTER),
        letter if letter.is_alphanumeric() => (Sound::Vowel(500.0, 1_500.0), LETTER * 2.0),
        _ => (Sound::Rest, WORD),
    };
    text.chars().map(sound).collect()
}

fn murmur(text: &str, pitch: f64, speed: f64) -> Vec<f32> {
    let rate = f64::from(RATE);
    let mut out: Vec<f32> = Vec::new();
    let (mut phase, mut dice, mut level) = (0.0_f64, 0x2545_f491_4f6c_dd1d_u64, 0.0_f64);
    let mut resonators = [Resonator::default(), Resonator::default()];
    for (index, (sound, seconds)) in sounds(text).into_iter().enumerate() {
        let frames = (seconds / speed * rate) as usize;
        // The melody of a sentence: up and down a little, all the time.
        let tone = pitch * (1.0 + 0.12 * (index as f64 * 0.37).sin());
        for _ in 0..frames {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let white = (dice >> 40) as f64 / f64::from(1_u32 << 23) - 1.0;
            phase = (phase + tone / rate).fract();
            let (raw, wanted, (first, second)) = match sound {
                Sound::Vowel(first, second) => (1.0 - 2.0 * phase, 1.0, (first, second)),
                Sound::Hiss => (white, 0.35, (1_800.0, 4_500.0)),
                Sound::Rest => (0.0, 0.0, (500.0, 1_500.0)),
            };
            level += (wanted - level) * 0.002;
            let heard = resonators[0].pass(raw, first, rate) + 0.6 * resonators[1].pass(raw, second, rate);
            out.push(((heard * level * 0.5).tanh() * 0.5) as f32);
        }
    }
    // A provider never sends nothing.
    out.resize(out.len().max(RATE as usize / 4), 0.0);
    out
}

/// Lets one frequency through.
#[derive(Debug, Default)]
struct Resonator {
    before: [f64; 2],
}

impl Resonator {
    fn pass(&mut self, sample: f64, frequency: f64, rate: f64) -> f64 {
        let width = 110.0;
        let radius = (-std::f64::consts::PI * width / rate).exp();
        let turn = 2.0 * radius * (std::f64::consts::TAU * frequency / rate).cos();
        let [one, two] = self.before;
        let heard = (1.0 - radius) * sample * 4.0 + turn * one - radius * radius * two;
        self.before = [heard, one];
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_as_long_as_its_text_has_letters_and_faster_when_it_is_to_be() {
        let length = |text: &str, speed: f64| murmur(text, 120.0, speed).len() as f64 / f64::from(RATE);
        let text = "Welcome to the lodge. Enjoy the view";
        assert!((1.8..3.5).contains(&length(text, 1.0)), "{}", length(text, 1.0));
        assert!(length(text, 1.2) < length(text, 1.0));
        assert!(length("", 1.0) >= 0.25);
    }

    #[test]
    fn speech_is_heard_and_rests_are_not() {
        let samples = murmur("aaaaaaaaaa,,", 120.0, 1.0);
        let power = |part: &[f32]| part.iter().map(|sample| sample * sample).sum::<f32>() / part.len() as f32;
        let (heard, rest) = (&samples[2_000..20_000], &samples[samples.len() - 4_000..]);
        assert!(power(heard) > 100.0 * power(rest), "{} {}", power(heard), power(rest));
        assert!(samples.iter().all(|sample| sample.abs() < 1.0));
    }
}
