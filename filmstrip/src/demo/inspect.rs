//! Looks at a finished video as a viewer would: streams, lengths, picture, sound, fade-out, faststart.

use std::{fmt, io::Read as _, path::Path, process::Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;

/// What was found in a video file.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Codec of the picture, such as "h264".
    pub video_codec: String,
    /// Codec of the sound, such as "aac".
    pub audio_codec: String,
    /// Pixels.
    pub width: i64,
    /// Pixels.
    pub height: i64,
    /// Seconds of picture.
    pub video_seconds: f64,
    /// Seconds of sound.
    pub audio_seconds: f64,
    /// Whether playing can begin before the last byte has come.
    pub faststart: bool,
    /// Mean brightness, 0 to 255.
    pub brightness: f64,
    /// Mean loudness of the sound but its end, dB below full scale.
    pub mean_volume: f64,
    /// Mean loudness of the last quarter second, dB below full scale.
    pub last_volume: f64,
}

/// Below this a sound counts as silence, dB.
const SILENCE: f64 = -60.0;
/// Brightness of a black picture in limited range.
const BLACK: f64 = 20.0;

impl Inspection {
    /// What is wrong with a video whose clips last `expected` seconds together; empty when it is right.
    #[must_use]
    pub fn faults(&self, expected: f64) -> Vec<String> {
        let mut faults = Vec::new();
        let mut promise = |kept: bool, broken: String| {
            if !kept {
                faults.push(broken);
            }
        };
        promise(self.video_codec == "h264", format!("the picture is {}, not h264", self.video_codec));
        promise(self.audio_codec == "aac", format!("the sound is {:?}, not aac", self.audio_codec));
        promise(
            (self.video_seconds - expected).abs() <= 0.2,
            format!("it lasts {:.2} s, its clips together {expected:.2} s", self.video_seconds),
        );
        promise(
            (self.audio_seconds - self.video_seconds).abs() <= 0.05,
            format!("the sound lasts {:.3} s, the picture {:.3} s", self.audio_seconds, self.video_seconds),
        );
        promise(self.faststart, "it cannot be played while it loads (moov is behind mdat)".to_owned());
        promise(self.brightness > BLACK, format!("it is black (mean brightness {:.0})", self.brightness));
        promise(self.mean_volume > SILENCE, format!("it is silent (mean {:.0} dB)", self.mean_volume));
        promise(
            self.last_volume < self.mean_volume - 10.0,
            format!(
                "it is not faded out ({:.0} dB, at the end {:.0} dB)",
                self.mean_volume, self.last_volume
            ),
        );
        faults
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  picture {} {}x{}, {:.3} s, mean brightness {:.0}\n  sound   {}, {:.3} s, mean {:.1} dB, last quarter second {:.1} dB\n  {}",
            self.video_codec,
            self.width,
            self.height,
            self.video_seconds,
            self.brightness,
            self.audio_codec,
            self.audio_seconds,
            self.mean_volume,
            self.last_volume,
            if self.faststart { "faststart" } else { "no faststart" },
        )
    }
}

/// Inspects the file.
///
/// # Errors
/// It cannot be read, or ffprobe or ffmpeg cannot be run on it.
pub async fn inspect(file: &Path) -> anyhow::Result<Inspection> {
    let streams = probe(file).await?;
    let (video, audio) = (&streams["video"], &streams["audio"]);
    let video_seconds = seconds(video);
    let tail = (video_seconds - 0.25).max(0.0);
    Ok(Inspection {
        video_codec: text(video, "codec_name"),
        audio_codec: text(audio, "codec_name"),
        width: video["width"].as_i64().unwrap_or(0),
        height: video["height"].as_i64().unwrap_or(0),
        video_seconds,
        audio_seconds: seconds(audio),
        faststart: faststart(file)?,
        brightness: brightness(file).await?,
        mean_volume: volume(file, 0.0, (video_seconds - 2.0).max(0.5)).await?,
        last_volume: volume(file, tail, 1.0).await?,
    })
}

/// Seconds of picture in the file.
///
/// # Errors
/// ffprobe cannot be run on it.
pub async fn duration(file: &Path) -> anyhow::Result<f64> {
    Ok(seconds(&probe(file).await?["video"]))
}

async fn probe(file: &Path) -> anyhow::Result<Value> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_streams", "-of", "json"]).arg(file);
    let found: Value = serde_json::from_str(&run(command).await?.0).context("ffprobe said no JSON")?;
    let mut streams = serde_json::Map::new();
    for stream in found["streams"].as_array().into_iter().flatten() {
        let kind = text(stream, "codec_type");
        streams.entry(kind).or_insert_with(|| stream.clone());
    }
    Ok(Value::Object(streams))
}

async fn brightness(file: &Path) -> anyhow::Result<f64> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-i"]).arg(file).args([
        "-vf",
        "fps=2,scale=64:36,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-",
        "-an",
        "-f",
        "null",
        "-",
    ]);
    let values: Vec<f64> = run(command)
        .await?
        .0
        .lines()
        .filter_map(|line| line.strip_prefix("lavfi.signalstats.YAVG=")?.parse().ok())
        .collect();
    ensure!(!values.is_empty(), "no frame of {} could be read", file.display());
    #[allow(clippy::cast_precision_loss, reason = "a count of frames")]
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean loudness from `start`, for `length` seconds; -91 when there is nothing to hear.
async fn volume(file: &Path, start: f64, length: f64) -> anyhow::Result<f64> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-i"]).arg(file);
    let filter = format!("atrim=start={start:.3}:duration={length:.3},volumedetect");
    command.args(["-vn", "-af", &filter, "-f", "null", "-"]);
    let said = run(command).await?.1;
    let mean = said.lines().find_map(|line| {
        let text = line.split("mean_volume:").nth(1)?;
        text.trim().trim_end_matches("dB").trim().parse().ok()
    });
    Ok(mean.unwrap_or(-91.0))
}

/// Whether `moov` comes before `mdat` among the file's top-level boxes (ISO/IEC 14496-12 §4.2).
fn faststart(file: &Path) -> anyhow::Result<bool> {
    use std::io::{Seek as _, SeekFrom};
    let mut reader = std::fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let mut at = 0;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let mut header = [0; 16];
        if reader.read(&mut header)? < 8 {
            return Ok(false);
        }
        let short = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
        let size = if short == 1 {
            u64::from_be_bytes([
                header[8], header[9], header[10], header[11], header[12], header[13], header[14], header[15],
            ])
        } else {
            short
        };
        match &header[4..8] {
            b"moov" => return Ok(true),
            b"mdat" => return Ok(false),
            _ if size < 8 => return Ok(false),
            _ => at += size,
        }
    }
}

async fn run(mut command: Command) -> anyhow::Result<(String, String)> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("running {:?}", command.as_std().get_program()))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{:?} failed: {said}", command.as_std().get_program());
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), said))
}

fn text(stream: &Value, member: &str) -> String {
    stream[member].as_str().unwrap_or_default().to_owned()
}

fn seconds(stream: &Value) -> f64 {
    stream["duration"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0)
}
