//! Makes small media with ffmpeg itself, and looks into what came out.

use std::path::{Path, PathBuf};
use std::process::Command;

use media::{Media, MediaSettings};

/// Scratch ground with the tools; fails the test that leaves work directories behind.
pub(crate) struct Studio {
    pub(crate) media: Media,
    pub(crate) dir: tempfile::TempDir,
}

impl Studio {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut MediaSettings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = MediaSettings::new(dir.path().join("scratch"));
        change(&mut settings);
        Self { media: Media::new(settings).unwrap(), dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs ffmpeg on arguments; the last one is a name in this directory.
    pub(crate) fn make(&self, args: &str, name: &str) -> PathBuf {
        let to = self.path(name);
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-y", "-v", "error"])
            .args(args.split_whitespace())
            .arg(&to)
            .output()
            .unwrap();
        assert!(made.status.success(), "{args}: {}", String::from_utf8_lossy(&made.stderr));
        to
    }

    /// A silent H.264 clip with a moving test picture.
    pub(crate) fn clip(&self, name: &str, size: &str, rate: &str, frames: u32) -> PathBuf {
        self.make(
            &format!("-f lavfi -i testsrc2=s={size}:r={rate} -frames:v {frames} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -movflags +faststart"),
            name,
        )
    }

    /// Music of sorts: two tones, stereo.
    pub(crate) fn music(&self, name: &str, seconds: f64) -> PathBuf {
        self.make(
            &format!("-f lavfi -i aevalsrc=0.1*sin(2*PI*330*t)|0.1*sin(2*PI*440*t):s=44100:d={seconds}"),
            name,
        )
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        let left = std::fs::read_dir(self.dir.path().join("scratch")).unwrap().count();
        assert!(left == 0 || std::thread::panicking(), "{left} work directories were left behind");
    }
}

fn tool(program: &str, args: &[&str], file: &Path) -> String {
    let (before, after): (&[&str], &[&str]) = match args.iter().position(|arg| *arg == "IN") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &[]),
    };
    let shown = Command::new(program).args(before).arg(file).args(after).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    format!("{}{}", String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr))
}

/// A hash of each decoded frame.
pub(crate) fn frame_hashes(file: &Path) -> Vec<String> {
    let text = tool("ffmpeg", &["-v", "error", "-i", "IN", "-map", "0:v:0", "-f", "framemd5", "-"], file);
    let hash = |line: &str| line.rsplit(',').next().unwrap().trim().to_owned();
    text.lines().filter(|line| !line.starts_with('#')).map(hash).collect()
}

/// Mean volume in dB of a part of the sound.
pub(crate) fn volume(file: &Path, from: f64, length: f64) -> f64 {
    let filter = format!("atrim=start={from}:duration={length},volumedetect");
    let text = tool(
        "ffmpeg",
        &["-nostats", "-hide_banner", "-i", "IN", "-map", "0:a:0", "-af", &filter, "-f", "null", "-"],
        file,
    );
    let at = text.find("mean_volume: ").expect("a measurement");
    text[at + 13..].split_whitespace().next().unwrap().parse().unwrap()
}

/// Integrated loudness in LUFS.
pub(crate) fn loudness(file: &Path) -> f64 {
    let args = ["-nostats", "-hide_banner", "-i", "IN", "-map", "0:a:0", "-af", "ebur128", "-f", "null", "-"];
    let text = tool("ffmpeg", &args, file);
    let at = text.rfind("I: ").expect("a measurement");
    text[at + 3..].split_whitespace().next().unwrap().parse().unwrap()
}

/// The picture as RGB bytes.
pub(crate) fn pixels(file: &Path) -> Vec<u8> {
    let args = ["-v", "error", "-i"];
    let shown = Command::new("ffmpeg")
        .args(args)
        .arg(file)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    shown.stdout
}

/// Whether the index of an MP4 file comes before its frames.
pub(crate) fn starts_fast(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap();
    let find = |kind: &[u8]| bytes.windows(4).position(|four| four == kind).unwrap();
    find(b"moov") < find(b"mdat")
}
