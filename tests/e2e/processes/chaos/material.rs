//! Files to upload that are not photographs of the repository: made by ffmpeg, like nobody else's.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Of photographs and pictures.
pub(super) const JPEG: &str = "image/jpeg";
/// Of the film.
pub(super) const FILM: &str = "video/mp4";
/// Of the sound.
pub(super) const SOUND: &str = "audio/wav";
/// How many pictures there are.
const PICTURES: usize = 8;

/// Where they lie.
#[derive(Debug)]
pub(super) struct Material {
    /// All different: clips that are made of one are made of no other one.
    pub(super) pictures: Vec<PathBuf>,
    pub(super) film: PathBuf,
    pub(super) sound: PathBuf,
}

impl Material {
    /// Makes all of it in `directory`.
    pub(super) async fn make(directory: &Path) -> Self {
        let mut pictures = Vec::new();
        for number in 0..PICTURES {
            let turned = format!("testsrc2=size=1280x960,hue=h={}", 45 * number);
            let picture = directory.join(format!("picture-{number}.jpg"));
            pictures.push(ffmpeg(&["-i", &turned, "-frames:v", "1"], picture).await);
        }
        let film = ["-i", "testsrc2=size=320x240:duration=1", "-pix_fmt", "yuv420p"];
        let film = ffmpeg(&film, directory.join("film.mp4")).await;
        let sound = ffmpeg(&["-i", "sine=frequency=440:duration=1"], directory.join("sound.wav")).await;
        Self { pictures, film, sound }
    }
}

async fn ffmpeg(from: &[&str], to: PathBuf) -> PathBuf {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-y", "-loglevel", "error", "-f", "lavfi"]).args(from).arg(&to);
    let ended = command.output().await.unwrap();
    assert!(ended.status.success(), "{}: {}", to.display(), String::from_utf8_lossy(&ended.stderr));
    to
}
