//! Lengths of the WAV files that our own runs write, read from their headers: exact, and without another program.

use std::io::SeekFrom;
use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::MediaError;
use crate::audio::RATE;

/// Bytes of one sample: two channels of four bytes.
const FRAME: u64 = 8;
/// `RIFF`, a size, `WAVE`.
const RIFF_HEADER: u64 = 12;
/// A chunk's name and size.
const CHUNK_HEADER: u64 = 8;
/// Chunks before the samples: format, facts, who wrote it.
const MOST_CHUNKS: usize = 16;

/// Samples of a file of 48 kHz stereo floating point, all of which must be there.
pub(crate) async fn samples(path: &Path) -> Result<u64, MediaError> {
    let failed = || MediaError::io(format!("reading {}", path.display()));
    let wrong = |detail: &str| MediaError::WrongResult { doing: "writing sound", detail: detail.to_owned() };
    let mut file = File::open(path).await.map_err(failed())?;
    let length = file.metadata().await.map_err(failed())?.len();
    let mut header = [0; RIFF_HEADER as usize];
    file.read_exact(&mut header).await.map_err(failed())?;
    if &header[..4] != b"RIFF" || &header[8..] != b"WAVE" {
        return Err(wrong("it is no WAV file"));
    }
    let mut is_ours = false;
    let mut at = RIFF_HEADER;
    for _ in 0..MOST_CHUNKS {
        let mut chunk = [0; CHUNK_HEADER as usize];
        file.read_exact(&mut chunk).await.map_err(failed())?;
        let size = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
        at += CHUNK_HEADER;
        match &chunk[..4] {
            b"fmt " => {
                let mut format = [0; 16];
                file.read_exact(&mut format).await.map_err(failed())?;
                is_ours = is_pcm(&format);
            }
            b"data" if !is_ours => return Err(wrong("it is not 48 kHz stereo in floating point")),
            b"data" if at + size != length || size % FRAME != 0 => return Err(wrong("it is not all there")),
            b"data" => return Ok(size / FRAME),
            _ => {}
        }
        // Chunks begin at even bytes.
        at += size + size % 2;
        file.seek(SeekFrom::Start(at)).await.map_err(failed())?;
    }
    Err(wrong("it holds no sound"))
}

/// Whether a format chunk says what [`samples`] counts. The number of the format is left out: ffmpeg writes
/// "floating point" or, with the layout of the channels, "extensible".
fn is_pcm(format: &[u8; 16]) -> bool {
    let channels = u16::from_le_bytes([format[2], format[3]]);
    let rate = u32::from_le_bytes([format[4], format[5], format[6], format[7]]);
    let frame = u16::from_le_bytes([format[12], format[13]]);
    channels == 2 && u64::from(rate) == RATE && u64::from(frame) == FRAME
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a format chunk, one of odd size and the samples.
    fn file(channels: u16, rate: u32, frames: u32, missing: usize) -> Vec<u8> {
        let data = frames * u32::from(channels) * 4;
        let mut bytes = [b"RIFF".as_slice(), &[0; 4], b"WAVE", b"fmt ", &16_u32.to_le_bytes()].concat();
        bytes.extend([3, 0]);
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend((channels * 4).to_le_bytes());
        bytes.extend([32, 0]);
        bytes.extend([b"LIST".as_slice(), &3_u32.to_le_bytes(), b"abc\0"].concat());
        bytes.extend([b"data".as_slice(), &data.to_le_bytes()].concat());
        bytes.resize(bytes.len() + data as usize - missing, 0);
        bytes
    }

    async fn read(bytes: &[u8]) -> Result<u64, String> {
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&path, bytes).unwrap();
        samples(path.path()).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn samples_are_counted_whatever_stands_before_them() {
        assert_eq!(read(&file(2, 48_000, 7, 0)).await, Ok(7));
        assert_eq!(read(&file(2, 48_000, 0, 0)).await, Ok(0), "no sound is no error here");
    }

    #[tokio::test]
    async fn a_file_that_is_cut_off_or_of_another_kind_is_refused() {
        let cut = read(&file(2, 48_000, 7, 1)).await.unwrap_err();
        assert!(cut.contains("not all there"), "{cut}");
        for other in [file(1, 48_000, 7, 0), file(2, 44_100, 7, 0)] {
            let error = read(&other).await.unwrap_err();
            assert!(error.contains("48 kHz stereo"), "{error}");
        }
        read(b"RIFF").await.unwrap_err();
        let error = read(b"ID3 something else").await.unwrap_err();
        assert!(error.contains("no WAV"), "{error}");
    }
}
