//! What a file really holds, by ffprobe.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::run::{Tool, last_lines};
use crate::{Media, MediaError, boxes};

/// The containers that are read. A playlist or a script that calls itself a video is none of them.
pub(crate) const CONTAINERS: &str = "mov,matroska,webm,avi,mpegts,flv,mp3,wav,flac,ogg,aac";

/// What is in a video or sound file.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// ffprobe's name of the container, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// Length of the longest stream, in milliseconds.
    pub duration_ms: u64,
    /// Bytes of the file.
    pub size: u64,
    /// The first video stream; cover pictures do not count.
    pub video: Option<VideoStream>,
    /// The first audio stream.
    pub audio: Option<AudioStream>,
}

impl Probe {
    /// The video stream.
    ///
    /// # Errors
    /// [`MediaError::NotMedia`] when there is none.
    pub fn require_video(&self) -> Result<&VideoStream, MediaError> {
        self.video.as_ref().ok_or_else(|| MediaError::not_media("there is no video in it, only sound"))
    }

    /// The audio stream.
    ///
    /// # Errors
    /// [`MediaError::NotMedia`] when there is none.
    pub fn require_audio(&self) -> Result<&AudioStream, MediaError> {
        self.audio.as_ref().ok_or_else(|| MediaError::not_media("there is no sound in it"))
    }
}

/// A video stream.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoStream {
    /// Such as `h264`.
    pub codec: String,
    /// Pixels a row as coded.
    pub width: u32,
    /// Rows as coded.
    pub height: u32,
    /// Frames a second.
    pub fps: Ratio,
    /// Such as `yuv420p`.
    pub pix_fmt: String,
    /// The unit of its timestamps, in seconds.
    pub timebase: Ratio,
    /// Width to height of one pixel; 1/1 when the file does not say.
    pub sar: Ratio,
    /// Degrees that a player turns the picture counter-clockwise, as the container says.
    pub rotation: i32,
    /// Number of frames, when the container says it.
    pub frames: Option<u64>,
    /// Length in microseconds.
    pub duration_us: u64,
    /// Hash of the decoder's setup data: two streams that differ in it cannot simply follow each other.
    pub setup: Option<String>,
}

impl VideoStream {
    /// Width and height as shown: pixels made square, picture turned.
    #[must_use]
    pub fn shown_size(&self) -> (u32, u32) {
        let width = (f64::from(self.width) * self.sar.as_f64()).round().max(1.0) as u32;
        if self.rotation.rem_euclid(180) == 90 { (self.height, width) } else { (width, self.height) }
    }
}

/// An audio stream.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioStream {
    /// Such as `aac`.
    pub codec: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Length in microseconds.
    pub duration_us: u64,
}

/// A fraction as media files write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Above the line.
    pub num: u32,
    /// Below the line.
    pub den: u32,
}

impl Ratio {
    /// One.
    pub const ONE: Self = Self { num: 1, den: 1 };

    /// Its value; 0 when the denominator is.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        if self.den == 0 { 0.0 } else { f64::from(self.num) / f64::from(self.den) }
    }

    /// Reads `24/1` or `1:1`; none when it is neither or has a zero in it.
    fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once(['/', ':'])?;
        let ratio = Self { num: num.parse().ok()?, den: den.parse().ok()? };
        (ratio.num > 0 && ratio.den > 0).then_some(ratio)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// A file to read, and what is known of its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What an earlier look at the very same bytes found: it is not looked at again.
    pub probe: Option<Probe>,
}

impl<P: AsRef<Path>> From<P> for Source {
    fn from(path: P) -> Self {
        Self { path: path.as_ref().to_owned(), probe: None }
    }
}

impl Media {
    /// What a file holds, from an earlier look if there was one. Whether all of it is there is looked at anew.
    pub(crate) async fn known(&self, source: &Source) -> Result<Probe, MediaError> {
        match &source.probe {
            Some(probe) if boxes::check_whole(&source.path).await? == probe.size => Ok(probe.clone()),
            _ => self.probe(&source.path).await,
        }
    }

    /// Reads what a video or sound file holds.
    ///
    /// # Errors
    /// [`MediaError::NotMedia`] for anything else, also for an image; [`MediaError::Truncated`] when an
    /// MP4 file ends before its own structure does.
    pub async fn probe(&self, path: impl AsRef<Path>) -> Result<Probe, MediaError> {
        let path = path.as_ref();
        let size = boxes::check_whole(path).await?;
        let run = self
            .run(Tool::Ffprobe, "reading the file")
            .args(["-show_format", "-show_streams", "-show_data_hash", "sha256", "-print_format", "json"])
            .unseen_input(path)?;
        let output = match run.go().await {
            Err(MediaError::Failed { stderr, .. }) => {
                return Err(MediaError::not_media(without_path(&stderr, path)));
            }
            other => other?,
        };
        parse(&output.stdout, size).map_err(|missing| {
            let said = if output.stderr.trim().is_empty() {
                String::new()
            } else {
                format!(": {}", last_lines(&output.stderr))
            };
            MediaError::not_media(format!("{missing}{}", without_path(&said, path)))
        })
    }
}

/// Paths of ours mean nothing to whoever reads the error.
fn without_path(text: &str, path: &Path) -> String {
    let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    text.replace(&format!("{}: ", shown.display()), "").replace(&shown.display().to_string(), "the file")
}

#[derive(Deserialize)]
struct Shown {
    format: Option<ShownFormat>,
    #[serde(default)]
    streams: Vec<ShownStream>,
}

#[derive(Deserialize)]
struct ShownFormat {
    format_name: Option<String>,
    duration: Option<String>,
}

#[derive(Deserialize)]
struct ShownStream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    pix_fmt: Option<String>,
    time_base: Option<String>,
    sample_aspect_ratio: Option<String>,
    nb_frames: Option<String>,
    duration: Option<String>,
    extradata_hash: Option<String>,
    sample_rate: Option<String>,
    channels: Option<u32>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

/// Frame rates beyond this are timer ticks of files without a fixed rate, not rates.
const FASTEST: f64 = 120.0;

fn parse(json: &[u8], size: u64) -> Result<Probe, String> {
    let shown: Shown = serde_json::from_slice(json).map_err(|error| format!("ffprobe's answer: {error}"))?;
    let format = shown.format.ok_or("its container is not known")?;
    let whole = micros(format.duration.as_deref());
    let of = |kind: &str| {
        let is = |s: &&ShownStream| s.codec_type.as_deref() == Some(kind) && s.disposition.attached_pic == 0;
        shown.streams.iter().find(is)
    };
    let video = of("video").map(|stream| video_stream(stream, whole)).transpose()?;
    let audio = of("audio").map(|stream| audio_stream(stream, whole)).transpose()?;
    if video.is_none() && audio.is_none() {
        return Err("there is neither video nor sound in it".into());
    }
    let lengths = [video.as_ref().map(|v| v.duration_us), audio.as_ref().map(|a| a.duration_us)];
    let longest = lengths.into_iter().flatten().max().unwrap_or_default();
    Ok(Probe {
        container: format.format_name.unwrap_or_default(),
        duration_ms: (longest + 500) / 1000,
        size,
        video,
        audio,
    })
}

fn video_stream(stream: &ShownStream, whole: Option<u64>) -> Result<VideoStream, String> {
    let (Some(width), Some(height)) = (stream.width.filter(|w| *w > 0), stream.height.filter(|h| *h > 0))
    else {
        return Err("its picture has no size".into());
    };
    let ratio = |text: &Option<String>| text.as_deref().and_then(Ratio::parse);
    let nominal = ratio(&stream.r_frame_rate).filter(|rate| rate.as_f64() <= FASTEST);
    Ok(VideoStream {
        codec: stream.codec_name.clone().ok_or("its video coding is not known")?,
        width,
        height,
        fps: nominal.or(ratio(&stream.avg_frame_rate)).ok_or("its frame rate is not known")?,
        pix_fmt: stream.pix_fmt.clone().ok_or("its video cannot be decoded")?,
        timebase: ratio(&stream.time_base).ok_or("its video has no time base")?,
        sar: ratio(&stream.sample_aspect_ratio).unwrap_or(Ratio::ONE),
        rotation: stream.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0) as i32,
        frames: stream.nb_frames.as_deref().and_then(|count| count.parse().ok()),
        duration_us: micros(stream.duration.as_deref()).or(whole).ok_or("its length is not known")?,
        setup: stream.extradata_hash.clone(),
    })
}

fn audio_stream(stream: &ShownStream, whole: Option<u64>) -> Result<AudioStream, String> {
    let rate = stream.sample_rate.as_deref().and_then(|rate| rate.parse().ok());
    Ok(AudioStream {
        codec: stream.codec_name.clone().ok_or("its audio coding is not known")?,
        sample_rate: rate.filter(|rate| *rate > 0).ok_or("its sample rate is not known")?,
        channels: stream.channels.filter(|channels| *channels > 0).ok_or("its sound has no channels")?,
        duration_us: micros(stream.duration.as_deref()).or(whole).ok_or("its length is not known")?,
    })
}

/// Seconds as ffprobe writes them, to microseconds; none unless there is a length.
fn micros(seconds: Option<&str>) -> Option<u64> {
    let seconds: f64 = seconds?.parse().ok()?;
    let micros = (seconds * 1e6).round();
    (micros.is_finite() && micros >= 1.0).then_some(micros as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_read_in_both_spellings_and_zeros_are_none() {
        assert_eq!(Ratio::parse("24000/1001"), Some(Ratio { num: 24000, den: 1001 }));
        assert_eq!(Ratio::parse("4:3"), Some(Ratio { num: 4, den: 3 }));
        for broken in ["0/1", "1/0", "N/A", "", "24"] {
            assert_eq!(Ratio::parse(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_cover_picture_is_no_video() {
        let json = br#"{"format":{"format_name":"mp3","duration":"3.0"},"streams":[
            {"codec_type":"video","codec_name":"mjpeg","width":9,"height":9,"disposition":{"attached_pic":1}},
            {"codec_type":"audio","codec_name":"mp3","sample_rate":"44100","channels":2}]}"#;
        let probe = parse(json, 7).unwrap();
        assert_eq!(probe.video, None);
        assert_eq!(
            probe.audio.unwrap().duration_us,
            3_000_000,
            "the container's length when the stream has none"
        );
    }

    #[test]
    fn a_turned_video_is_shown_turned() {
        let json = br#"{"format":{"format_name":"mov","duration":"1"},"streams":[{"codec_type":"video",
            "codec_name":"h264","width":640,"height":360,"pix_fmt":"yuv420p","r_frame_rate":"90000/1",
            "avg_frame_rate":"30/1","time_base":"1/600","side_data_list":[{"rotation":-90}]}]}"#;
        let video = parse(json, 7).unwrap().video.unwrap();
        assert_eq!(video.shown_size(), (360, 640));
        assert_eq!(video.fps, Ratio { num: 30, den: 1 }, "timer ticks are not a frame rate");
    }

    #[test]
    fn an_answer_without_streams_or_length_is_refused() {
        for json in
            [r"{}", r#"{"format":{}}"#, r#"{"format":{},"streams":[{"codec_type":"data"}]}"#, "nonsense"]
        {
            assert!(parse(json.as_bytes(), 7).is_err(), "{json}");
        }
    }
}
