//! Whether all of an MP4 or QuickTime file is there: its top-level boxes must end where the file does.
//!
//! ffprobe reads the header and is content, also when the second half of the frames is missing.

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};

use crate::MediaError;

/// More top-level boxes than any real file has.
const MOST_BOXES: usize = 100_000;

/// The size of the file in bytes, once its structure is found whole; other formats pass unseen.
pub(crate) async fn check_whole(path: &Path) -> Result<u64, MediaError> {
    let reading = || MediaError::io("reading the media file");
    let mut file = File::open(path).await.map_err(reading())?;
    let size = file.metadata().await.map_err(reading())?.len();
    if size == 0 {
        return Err(MediaError::not_media("it is empty"));
    }
    let mut at = 0_u64;
    let mut has_index = false;
    for _ in 0..MOST_BOXES {
        let Some((kind, length)) = box_at(&mut file, at, size).await.map_err(reading())? else {
            return if at == 0 { Ok(size) } else { Err(cut_off(at + 8, size)) };
        };
        if at == 0 && &kind != b"ftyp" {
            return Ok(size);
        }
        has_index |= matches!(&kind, b"moov" | b"moof");
        if length < 8 {
            return Err(MediaError::not_media("its structure is broken"));
        }
        match at.checked_add(length) {
            Some(end) if end <= size => at = end,
            _ => return Err(cut_off(at.saturating_add(length), size)),
        }
        if at == size {
            return if has_index { Ok(size) } else { Err(no_index(size)) };
        }
    }
    Err(MediaError::not_media("its structure is broken"))
}

fn cut_off(promised: u64, size: u64) -> MediaError {
    MediaError::Truncated { detail: format!("it has {size} bytes, its structure needs at least {promised}") }
}

fn no_index(size: u64) -> MediaError {
    MediaError::Truncated { detail: format!("after {size} bytes there is still no index of its frames") }
}

/// Kind and whole length of the box at a position; none when not even its header is there.
async fn box_at(file: &mut File, at: u64, size: u64) -> std::io::Result<Option<([u8; 4], u64)>> {
    if size - at < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at)).await?;
    let length = u64::from(file.read_u32().await?);
    let mut kind = [0_u8; 4];
    file.read_exact(&mut kind).await?;
    let length = match length {
        0 => size - at,
        1 if size - at >= 16 => file.read_u64().await?,
        // A long length that is itself cut off: needs more than there is.
        1 => size - at + 1,
        short => short,
    };
    Ok(Some((kind, length)))
}
