//! What comes out of ffmpeg: clips that move, music that sounds.

use std::path::Path;

use serde_json::{Value, json};

use crate::scratch::{HAILUO, MUSICGEN, Scratch, VEO, clip, jpeg, output_of, photo, probe};

/// The pixels of the first, middle and last of `frames` frames, scaled small.
fn pixels(path: &Path, frames: u32) -> Vec<Vec<u8>> {
    let select = format!("select=eq(n\\,0)+eq(n\\,{})+eq(n\\,{}),scale=32:18", frames / 2, frames - 1);
    let path = path.to_str().expect("a path");
    let raw = output_of(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-nostdin",
            "-i",
            path,
            "-vf",
            &select,
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
    );
    raw.chunks(32 * 18 * 3).map(<[u8]>::to_vec).collect()
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

/// Stereo samples at 44.1 kHz.
fn samples(path: &Path) -> Vec<f32> {
    let path = path.to_str().expect("a path");
    let raw = output_of(
        "ffmpeg",
        &["-v", "error", "-nostdin", "-i", path, "-f", "f32le", "-ar", "44100", "-ac", "2", "-"],
    );
    raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

#[tokio::test]
async fn a_clip_moves_from_the_first_to_the_last_frame_and_is_exactly_as_long() {
    let stage = Scratch::start().await;
    let over = stage.run(VEO, clip("a")).await;
    let path = stage.download(&over).await;
    let stream = probe(&path, "stream=codec_name,width,height,pix_fmt,r_frame_rate,duration,nb_frames");
    assert_eq!(stream, "h264,320,180,yuv420p,24/1,4.000000,96");
    let seen = pixels(&path, 96);
    assert_eq!(seen.len(), 3);
    assert!(difference(&seen[0], &seen[1]) > 3.0);
    assert!(difference(&seen[1], &seen[2]) > 3.0);
    // The tints of the two photos.
    let red = |frame: &[u8]| frame.iter().step_by(3).map(|&r| f64::from(r)).sum::<f64>() / (32.0 * 18.0);
    assert!(red(&seen[0]) < 60.0 && red(&seen[2]) > 160.0, "{} {}", red(&seen[0]), red(&seen[2]));
    stage.stop().await;
}

#[tokio::test]
async fn one_photo_moves_too_and_outlines_are_kept() {
    let stage = Scratch::start().await;
    let one = json!({"prompt": "a", "image": photo(9), "duration": 4, "aspect_ratio": "9:16", "generate_audio": false});
    let path = stage.download(&stage.run(VEO, one).await).await;
    assert_eq!(probe(&path, "stream=width,height"), "180,320");
    let seen = pixels(&path, 96);
    assert!(difference(&seen[0], &seen[2]) > 2.0);
    let hailuo = json!({"prompt": "a", "first_frame_image": photo(9), "duration": 6});
    let path = stage.download(&stage.run(HAILUO, hailuo).await).await;
    assert_eq!(probe(&path, "stream=width,height,duration"), "320,180,6.000000");
    stage.stop().await;
}

#[tokio::test]
async fn veo_adds_sound_unless_told_not_to() {
    let stage = Scratch::start().await;
    let input = json!({"prompt": "a", "image": photo(9), "duration": 4});
    let path = stage.download(&stage.run(VEO, input).await).await;
    assert_eq!(probe(&path, "stream=codec_name"), "h264\naac");
    stage.stop().await;
}

#[tokio::test]
async fn the_same_frames_are_drawn_once() {
    let stage = Scratch::start().await;
    for n in 0..4 {
        stage.run(VEO, clip(&format!("prompt {n}"))).await;
    }
    let media = std::fs::read_dir(stage.dir.path().join("media")).expect("a directory").count();
    assert_eq!(media, 1);
    stage.stop().await;
}

#[tokio::test]
async fn two_hundred_and_forty_equal_clips_at_once_are_one_drawing() {
    let stage = Scratch::start().await;
    let mut frames = Vec::new();
    for tint in [20, 200] {
        frames.push(stage.upload(jpeg(tint)).await["urls"]["get"].clone());
    }
    let creating = (0..240).map(|n| {
        let input = json!({
            "prompt": format!("scene {n}"), "image": frames[0], "last_frame": frames[1], "duration": 4,
            "generate_audio": false,
        });
        stage.create(VEO, input)
    });
    futures::future::join_all(creating).await;
    stage.ledger_when(|ledger| ledger.charged().count() == 240).await;
    let media = std::fs::read_dir(stage.dir.path().join("media")).expect("a directory").count();
    assert_eq!(media, 1);
    stage.stop().await;
}

#[tokio::test]
async fn music_is_stereo_loud_enough_and_as_long_as_asked() {
    let stage = Scratch::start().await;
    let input = json!({"prompt": "upbeat modern", "duration": 3, "output_format": "mp3", "model_version": "stereo-large"});
    let path = stage.download(&stage.run(MUSICGEN, input).await).await;
    assert_eq!(probe(&path, "stream=codec_name,sample_rate,channels"), "mp3,44100,2");
    let heard = samples(&path);
    let seconds = heard.len() as f64 / 2.0 / 44_100.0;
    assert!((seconds - 3.0).abs() < 0.06, "{seconds}");
    assert!(rms(&heard) > 0.05);
    // Not one tone: it gets louder and softer.
    let parts: Vec<f32> = heard.chunks(8820).map(rms).collect();
    let (low, high) = parts.iter().fold((1.0f32, 0.0f32), |(l, h), &p| (l.min(p), h.max(p)));
    assert!(high > low * 1.15, "{low} {high}");
    stage.stop().await;
}

#[tokio::test]
async fn a_continuation_is_the_window_and_then_the_new_seconds() {
    let stage = Scratch::start().await;
    let base = |duration: u32| json!({"prompt": "calm", "duration": duration, "output_format": "wav"});
    let first = stage.run(MUSICGEN, base(4)).await;
    let mut input = base(2);
    input["continuation"] = true.into();
    input["input_audio"] = first["output"].clone();
    input["continuation_start"] = 1.into();
    input["continuation_end"] = 4.into();
    let second = stage.run(MUSICGEN, input.clone()).await;
    let (before, after) = (samples(&stage.download(&first).await), samples(&stage.download(&second).await));
    assert_eq!(after.len(), 5 * 44_100 * 2);
    let window = &before[44_100 * 2..];
    assert!(window.iter().zip(&after).all(|(a, b)| (a - b).abs() < 0.001));
    assert!(rms(&after[window.len()..]) > 0.05);
    input["continuation_start"] = 9.into();
    let outside: Value = stage.run(MUSICGEN, input).await;
    assert!(outside["error"].as_str().expect("an error").contains("continuation_start"));
    stage.stop().await;
}

#[tokio::test]
async fn eleven_labs_composes_in_one_call_and_is_in_the_ledger() {
    let stage = Scratch::start().await;
    let compose = |key: &'static str, length: u32| {
        let body = json!({"prompt": "cinematic", "music_length_ms": length, "seed": 5});
        let url = stage.url("/v1/music?output_format=mp3_44100_128");
        stage.http.post(url).header("xi-api-key", key).json(&body).send()
    };
    assert_eq!(compose("", 3000).await.expect("an answer").status(), 401);
    assert_eq!(compose("key", 10).await.expect("an answer").status(), 422);
    let answer = compose("key", 3000).await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "audio/mpeg");
    let first = answer.bytes().await.expect("a body");
    assert_eq!(first, compose("key", 3000).await.expect("an answer").bytes().await.expect("a body"));
    let path = stage.dir.path().join("composed.mp3");
    std::fs::write(&path, &first).expect("written");
    assert!(rms(&samples(&path)) > 0.05);
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert_eq!(ledger.of_kind("music").filter(|p| p.charged && p.model == "elevenlabs/music_v1").count(), 2);
    assert!(stage.get_json("/v1/predictions").await["results"].as_array().expect("a list").is_empty());
    stage.stop().await;
}
