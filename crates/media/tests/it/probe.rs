//! What a file really holds.

use media::{Family, FileType, MediaError, Ratio, sniff};
use proptest::prelude::*;

use crate::studio::Studio;

#[tokio::test]
async fn a_video_is_described() {
    let studio = Studio::new();
    let clip = studio.clip("a.mp4", "64x36", "24", 36);
    let probe = studio.media.probe(&clip).await.unwrap();
    let video = probe.video.clone().unwrap();
    assert_eq!((video.codec.as_str(), video.width, video.height), ("h264", 64, 36));
    assert_eq!((video.fps, video.frames, video.sar), (Ratio { num: 24, den: 1 }, Some(36), Ratio::ONE));
    assert_eq!((video.pix_fmt.as_str(), video.duration_us), ("yuv420p", 1_500_000));
    assert_eq!((probe.duration_ms, probe.audio), (1500, None));
    assert_eq!(probe.size, std::fs::metadata(clip).unwrap().len());
}

#[tokio::test]
async fn sound_alone_is_sound_alone() {
    let studio = Studio::new();
    let probe = studio.media.probe(studio.music("a.wav", 0.5)).await.unwrap();
    let audio = probe.audio.clone().unwrap();
    assert_eq!((audio.codec.as_str(), audio.sample_rate, audio.channels), ("pcm_s16le", 44_100, 2));
    assert_eq!((audio.duration_us, probe.duration_ms), (500_000, 500));
    assert!(probe.require_video().unwrap_err().is_about_the_input());
}

#[tokio::test]
async fn what_only_calls_itself_a_video_is_not_media() {
    let studio = Studio::new();
    let picture = studio.make("-f lavfi -i testsrc2=s=64x64 -frames:v 1", "picture.jpg");
    let picture = std::fs::read(picture).unwrap();
    let playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n";
    let script = b"ffconcat version 1.0\nfile '/etc/hostname'\n";
    let files: [(&str, &[u8]); 5] = [
        ("text.mp4", b"This is not a video at all, whatever its name says.\n"),
        ("empty.mp4", b""),
        ("picture.mp4", &picture),
        ("playlist.mp4", playlist),
        ("list.mp4", script),
    ];
    for (name, bytes) in files {
        let error = studio.media.probe(studio.write(name, bytes)).await.unwrap_err();
        assert!(matches!(error, MediaError::NotMedia { .. }), "{name}: {error:?}");
        assert!(!error.to_string().contains(name), "no path of ours in {error}");
    }
}

#[tokio::test]
async fn a_missing_file_is_not_the_inputs_fault() {
    let studio = Studio::new();
    let error = studio.media.probe(studio.path("nowhere.mp4")).await.unwrap_err();
    assert!(matches!(error, MediaError::Io { .. }) && !error.is_about_the_input(), "{error:?}");
}

#[tokio::test]
async fn an_mp4_with_its_index_at_the_end_is_whole_too() {
    let studio = Studio::new();
    let args = "-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 12 -c:v libx264 -preset ultrafast";
    studio.media.probe(studio.make(args, "late.mp4")).await.unwrap();
}

/// No part of an MP4 file passes for the whole, wherever it is cut and wherever its index is.
#[test]
fn a_cut_off_mp4_is_never_accepted() {
    let studio = Studio::new();
    let args = "-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 12 -c:v libx264 -preset ultrafast";
    let late = std::fs::read(studio.make(args, "late.mp4")).unwrap();
    let early = std::fs::read(studio.clip("early.mp4", "64x36", "24", 12)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    runner
        .run(&(any::<bool>(), 16..early.len().min(late.len())), |(index_first, length)| {
            let whole = if index_first { &early } else { &late };
            let part = studio.write("part.mp4", &whole[..length]);
            let error = runtime.block_on(studio.media.probe(part)).unwrap_err();
            prop_assert!(error.is_about_the_input(), "{:?}", error);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn the_type_is_read_from_the_bytes_not_the_name() {
    let studio = Studio::new();
    let source = "-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 2";
    let made = [
        (studio.make(&format!("{source} -c:v libx264"), "a.mp4"), Family::Video, "video/mp4"),
        (studio.make(&format!("{source} -c:v libx264"), "a.mov"), Family::Video, "video/quicktime"),
        (studio.make("-f lavfi -i testsrc2=s=8x8 -frames:v 1", "a.jpg"), Family::Image, "image/jpeg"),
        (studio.make("-f lavfi -i testsrc2=s=8x8 -frames:v 1", "a.png"), Family::Image, "image/png"),
        (studio.music("a.mp3", 0.2), Family::Audio, "audio/mpeg"),
        (studio.music("a.wav", 0.2), Family::Audio, "audio/wav"),
        (studio.music("a.m4a", 0.2), Family::Audio, "audio/mp4"),
    ];
    for (path, family, content_type) in made {
        let lying = path.with_extension("txt");
        std::fs::rename(&path, &lying).unwrap();
        let found = sniff(&lying).await.unwrap().unwrap();
        assert_eq!((found.family, found.content_type), (family, content_type), "{}", path.display());
    }
    assert_eq!(FileType::of(b"%PDF-1.7\n").unwrap().family, Family::Document);
    assert_eq!(FileType::of(b"just text"), None);
    assert_eq!(sniff(studio.write("empty", b"")).await.unwrap(), None);
}
