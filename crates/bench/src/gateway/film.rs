//! A video of any size: a short one, and behind it a box that players skip.

use std::{
    fs::File,
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, ensure};

/// Bytes of the head of a large box: its size in 64 bits.
const HEAD: u64 = 16;

/// Makes a video of exactly `bytes` bytes.
pub(super) async fn make(file: &Path, bytes: u64) -> anyhow::Result<()> {
    std::fs::create_dir_all(file.parent().context("a file has a directory")?)?;
    let made = tokio::process::Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-nostdin",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=24:duration=2",
        ])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"])
        .arg(file)
        .stdin(Stdio::null())
        .status()
        .await
        .context("starting ffmpeg")?;
    ensure!(made.success(), "ffmpeg made no video");
    let video = std::fs::metadata(file)?.len();
    ensure!(bytes > video + HEAD, "a video of {bytes} bytes is smaller than the short one of {video}");
    pad(file, bytes - video).context("making the video larger")
}

/// Adds a box of type `free` of so many bytes, filled with what cannot be packed.
fn pad(file: &Path, bytes: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::options().append(true).open(file)?);
    out.write_all(&1_u32.to_be_bytes())?;
    out.write_all(b"free")?;
    out.write_all(&bytes.to_be_bytes())?;
    let mut left = bytes - HEAD;
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    while left > 0 {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let piece = noise.to_be_bytes();
        let length = usize::try_from(left.min(8)).unwrap_or(8);
        out.write_all(&piece[..length])?;
        left -= length as u64;
    }
    out.flush()
}

/// Makes other bytes of it, as long and as good a video.
pub(super) fn change(file: &Path, mark: u64) -> anyhow::Result<()> {
    let mut file = File::options().write(true).open(file).context("opening the video")?;
    file.seek(SeekFrom::End(-8))
        .and_then(|_| file.write_all(&mark.to_be_bytes()))
        .context("changing the video")
}
