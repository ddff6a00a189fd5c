//! Sounds without an encoder.

use crate::numbered::{be32, le32, text};

/// Samples a second.
const RATE: usize = 8000;

/// A WAV of a tone; another number, other bytes.
pub(crate) fn wav(seconds: usize, number: u64) -> Vec<u8> {
    let mut chunks = b"WAVEfmt ".to_vec();
    chunks.extend_from_slice(&le32(16));
    // PCM, one channel.
    chunks.extend_from_slice(&[1, 0, 1, 0]);
    chunks.extend_from_slice(&le32(RATE));
    chunks.extend_from_slice(&le32(RATE * 2));
    // Two bytes a sample.
    chunks.extend_from_slice(&[2, 0, 16, 0]);
    chunks.extend_from_slice(b"LIST");
    chunks.extend_from_slice(&le32(12 + 32));
    chunks.extend_from_slice(b"INFOICMT");
    chunks.extend_from_slice(&le32(32));
    chunks.extend(text(number, 32));
    chunks.extend_from_slice(b"data");
    chunks.extend_from_slice(&le32(seconds * RATE * 2));
    // A triangle of 200 Hz.
    for n in 0..seconds * RATE {
        let phase = i16::try_from(n % 40).unwrap_or(0);
        let level = if phase < 20 { phase - 10 } else { 30 - phase };
        chunks.extend_from_slice(&(level * 600).to_le_bytes());
    }
    let mut all = b"RIFF".to_vec();
    all.extend_from_slice(&le32(chunks.len()));
    all.append(&mut chunks);
    all
}

/// An MP3 of silence, with a tag; another number, other bytes.
pub(crate) fn mp3(seconds: usize, number: u64) -> Vec<u8> {
    /// MPEG 1, layer III, 128 kbit/s, 44.1 kHz, one channel: 417 bytes for 1,152 samples.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x90, 0xc4];
    const FRAME: usize = 417;
    let mut title = b"TIT2".to_vec();
    title.extend_from_slice(&be32(1 + 32));
    // No flags; Latin-1.
    title.extend_from_slice(&[0, 0, 0]);
    title.extend(text(number, 32));
    let mut all = b"ID3\x03\0\0".to_vec();
    // Seven bits a byte.
    all.extend_from_slice(&[0, 0, 0, u8::try_from(title.len()).unwrap_or(0x7f)]);
    all.append(&mut title);
    for _ in 0..(seconds * 44_100).div_ceil(1152) {
        all.extend_from_slice(&HEADER);
        all.resize(all.len() + FRAME - HEADER.len(), 0);
    }
    all
}
