//! A cut with its soundtrack.

use media::{Media, MediaSettings};

use crate::stage::Stage;

#[tokio::test]
async fn a_mix_has_sound_exactly_as_long_as_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let (cut, music) = (stage.clip(48, 0).await, stage.music(1.2).await);
    stage.mix("job-43/mix-1", &cut, &music).await.unwrap();
    let mix = stage.settled("job-43/mix-1").await;
    assert_eq!((mix.state.as_str(), mix.kind.as_str(), mix.duration_ms), ("ready", "mix", Some(2000)));
    assert!(mix.poster.is_some());
    let media = Media::new(MediaSettings::new(dir.path().join("look"))).unwrap();
    let probe = media.probe(stage.blobs.path(&mix.video.unwrap().sha256).unwrap()).await.unwrap();
    assert!(probe.audio.unwrap().duration_us.abs_diff(2_000_000) <= 50_000);
    assert_eq!(stage.published().await.name, "mix_finished");
}

#[tokio::test]
async fn a_soundtrack_without_sound_fails_the_mix() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let cut = stage.clip(12, 0).await;
    stage.mix("job-43/mix-1", &cut, &cut).await.unwrap();
    let mix = stage.settled("job-43/mix-1").await;
    assert_eq!(mix.state, "failed");
    assert!(mix.reason.as_ref().unwrap().contains("no sound"), "{:?}", mix.reason);
    assert_eq!(stage.published().await.name, "mix_failed");
}
