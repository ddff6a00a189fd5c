//! A small synthesiser: notes in, stereo samples out. Pure.

/// Samples per second.
pub(super) const RATE: u32 = 44_100;
/// The loudness that everything is brought to, as root mean square.
const TARGET_RMS: f32 = 0.13;
/// Samples of one period in a wave table.
const TABLE: usize = 2048;

/// What plays a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Pad,
    Bass,
    Pluck,
    Bell,
    Kick,
    Shaker,
    Brush,
}

/// One note or one stroke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Note {
    pub(super) voice: Voice,
    /// Seconds from the start of the piece.
    pub(super) at: f64,
    /// Seconds until it is let go; strokes ring as long as they like.
    pub(super) length: f64,
    /// MIDI note number.
    pub(super) pitch: f32,
    pub(super) gain: f32,
    /// −1 left, 1 right.
    pub(super) pan: f32,
}

/// The sound of a voice.
struct Tone {
    partials: &'static [f32],
    attack: f32,
    /// Seconds in which it falls to a third; none for a voice that holds.
    decay: Option<f32>,
    release: f32,
    /// Two strings this far apart, as a factor.
    detune: f32,
}

fn tone(voice: Voice) -> Tone {
    let (partials, attack, decay, release, detune): (&[f32], _, _, _, _) = match voice {
        Voice::Pad => (&[1.0, 0.42, 0.2, 0.1, 0.05], 0.4, None, 0.7, 1.004),
        Voice::Bass => (&[1.0, 0.35, 0.08], 0.012, Some(1.1), 0.12, 1.0),
        Voice::Pluck => (&[1.0, 0.5, 0.28, 0.14, 0.07], 0.004, Some(0.33), 0.2, 1.0),
        _ => (&[1.0, 0.22, 0.14, 0.05, 0.03], 0.006, Some(0.75), 0.4, 1.0015),
    };
    Tone { partials, attack, decay, release, detune }
}

/// Plays all notes into a piece of exactly `frames` stereo frames, left and right in turns.
pub(super) fn play(notes: &[Note], frames: usize, echo_seconds: f64) -> Vec<f32> {
    let mut out = vec![0.0f32; frames * 2];
    for voice in [Voice::Pad, Voice::Bass, Voice::Pluck, Voice::Bell] {
        let tone = tone(voice);
        let table = table(tone.partials);
        for note in notes.iter().filter(|note| note.voice == voice) {
            pitched(&mut out, note, &tone, &table);
        }
    }
    for note in notes {
        match note.voice {
            Voice::Kick => kick(&mut out, note),
            Voice::Shaker => noise(&mut out, note, 0.035, 0.85),
            Voice::Brush => noise(&mut out, note, 0.11, 0.45),
            _ => {}
        }
    }
    echo(&mut out, (echo_seconds * f64::from(RATE)) as usize);
    master(&mut out);
    out
}

fn table(partials: &[f32]) -> Vec<f32> {
    (0..=TABLE)
        .map(|i| {
            let phase = i as f32 / TABLE as f32 * std::f32::consts::TAU;
            partials.iter().zip(1u8..).map(|(gain, n)| gain * (phase * f32::from(n)).sin()).sum()
        })
        .collect()
}

/// Left and right gain of a note, equal power.
fn sides(note: &Note) -> (f32, f32) {
    let angle = (note.pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
    (note.gain * angle.cos(), note.gain * angle.sin())
}

fn first_frame(note: &Note) -> usize {
    (note.at.max(0.0) * f64::from(RATE)) as usize
}

fn pitched(out: &mut [f32], note: &Note, tone: &Tone, table: &[f32]) {
    let step = 440.0 * ((note.pitch - 69.0) / 12.0).exp2() / RATE as f32 * TABLE as f32;
    let rate = RATE as f32;
    let held = (note.length as f32 * rate).max(1.0);
    let attack = tone.attack * rate;
    let release = tone.release * rate;
    let fall = tone.decay.map_or(1.0, |seconds| (-1.0 / (seconds * rate)).exp());
    let (left, right) = sides(note);
    let (mut low, mut high) = (0.0f32, TABLE as f32 * 0.3);
    let mut level = 1.0f32;
    let start = (first_frame(note) * 2).min(out.len());
    let frames = out[start..].chunks_exact_mut(2);
    for (i, frame) in frames.take((held + release) as usize).enumerate() {
        let i = i as f32;
        let rise = (i / attack).min(1.0);
        let letting_go = if i > held { 1.0 - (i - held) / release } else { 1.0 };
        let gain = level * rise * letting_go * letting_go;
        let (a, b) = (look_up(table, low), look_up(table, high));
        // The two strings lean to different sides.
        frame[0] += gain * left * (a * 0.65 + b * 0.35);
        frame[1] += gain * right * (a * 0.35 + b * 0.65);
        low = wrap(low + step);
        high = wrap(high + step * tone.detune);
        level *= fall;
    }
}

fn wrap(phase: f32) -> f32 {
    if phase >= TABLE as f32 { phase - TABLE as f32 } else { phase }
}

fn look_up(table: &[f32], phase: f32) -> f32 {
    let index = (phase as usize).min(TABLE - 1);
    let part = phase - index as f32;
    table[index] + (table[index + 1] - table[index]) * part
}

fn kick(out: &mut [f32], note: &Note) {
    let (left, right) = sides(note);
    let mut phase = 0.0f32;
    let start = (first_frame(note) * 2).min(out.len());
    for (i, frame) in out[start..].chunks_exact_mut(2).take(RATE as usize / 3).enumerate() {
        let t = i as f32 / RATE as f32;
        phase += (46.0 + 80.0 * (-t * 32.0).exp()) / RATE as f32 * std::f32::consts::TAU;
        let gain = (t * 400.0).min(1.0) * (-t * 11.0).exp();
        frame[0] += left * gain * phase.sin();
        frame[1] += right * gain * phase.sin();
    }
}

/// A stroke of noise; `bright` is how much of the low end is taken away.
fn noise(out: &mut [f32], note: &Note, decay: f32, bright: f32) {
    let (left, right) = sides(note);
    let start = (first_frame(note) * 2).min(out.len());
    let mut dice = 0x9e37_79b9_7f4a_7c15u64 ^ (start as u64);
    let (mut slow, mut smooth) = (0.0f32, 0.0f32);
    let frames = (decay * 6.0 * RATE as f32) as usize;
    for (i, frame) in out[start..].chunks_exact_mut(2).take(frames).enumerate() {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let white = (dice >> 40) as f32 / (1u32 << 23) as f32 - 1.0;
        slow += (white - slow) * 0.12;
        smooth += ((white - slow * bright) - smooth) * 0.5;
        let t = i as f32 / RATE as f32;
        let gain = (t * 250.0).min(1.0) * (-t / decay).exp();
        frame[0] += left * gain * smooth;
        frame[1] += right * gain * smooth;
    }
}

/// One echo that changes sides, and its own fainter echoes.
fn echo(out: &mut [f32], delay: usize) {
    if delay == 0 {
        return;
    }
    for i in (delay * 2)..out.len() {
        let other_side = i ^ 1;
        out[i] += out[other_side - delay * 2] * 0.22;
    }
}

/// Equal loudness for all pieces; peaks are rounded off, the ends do not click.
fn master(out: &mut [f32]) {
    let power: f64 = out.iter().map(|s| f64::from(s * s)).sum();
    let rms = (power / out.len().max(1) as f64).sqrt() as f32;
    let gain = if rms > 1e-6 { TARGET_RMS / rms } else { 0.0 };
    let soft = (RATE as usize / 200).max(1) as f32;
    let frames = out.len() / 2;
    for (i, frame) in out.chunks_exact_mut(2).enumerate() {
        let ends = (i as f32 / soft).min((frames - 1 - i) as f32 / soft).min(1.0);
        for sample in frame {
            *sample = (*sample * gain).tanh() * ends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_as_long_as_asked_loud_enough_and_never_clips() {
        let note = |voice, at| Note { voice, at, length: 0.5, pitch: 57.0, gain: 0.4, pan: 0.2 };
        let notes = [
            note(Voice::Pad, 0.0),
            note(Voice::Bass, 0.2),
            note(Voice::Bell, 0.4),
            note(Voice::Kick, 0.5),
            note(Voice::Shaker, 0.9),
            // Rings past the end.
            note(Voice::Pluck, 0.98),
        ];
        let out = play(&notes, 44_100, 0.3);
        assert_eq!(out.len(), 88_200);
        assert!(out.iter().all(|s| s.abs() < 1.0));
        let rms = (out.iter().map(|s| s * s).sum::<f32>() / out.len() as f32).sqrt();
        assert!((0.08..0.2).contains(&rms), "{rms}");
    }
}
