//! Texts over videos.

use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;

use crate::stage::Stage;

fn text(text: &str) -> pb::Overlay {
    pb::Overlay { text: text.into(), font_size: 12, ..pb::Overlay::default() }
}

/// The mean difference of the pictures of two videos, frame by frame.
fn differences(stage: &Stage, one: &BlobRef, other: &BlobRef) -> Vec<f64> {
    let [one, other] = [one, other].map(|video| stage.blobs.path(&video.sha256).unwrap());
    let shown = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(one)
        .arg("-i")
        .arg(other)
        .args([
            "-lavfi",
            "[0:v][1:v]blend=all_mode=difference,signalstats,metadata=print:file=-",
            "-f",
            "null",
            "-",
        ])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let value = |line: &str| line.strip_prefix("lavfi.signalstats.YAVG=")?.parse().ok();
    shown.lines().filter_map(value).collect()
}

#[tokio::test]
async fn a_text_is_laid_over_a_video_and_its_sound_and_length_stay() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let args = "-f lavfi -i color=gray:s=160x90:r=24:d=2 -f lavfi -i sine=d=2 -c:v libx264 -preset ultrafast \
                -pix_fmt yuv420p -c:a aac -shortest";
    let video = stage.make(args, "mp4", "video/mp4").await;
    let overlay =
        pb::Overlay { start_ms: 1_000, fade_in_ms: Some(0), fade_out_ms: Some(0), ..text("Spring") };
    stage.overlay("job-43/overlay-1", &video, overlay).await.unwrap();
    let made = stage.settled("job-43/overlay-1").await;
    assert_eq!((made.state.as_str(), made.kind.as_str()), ("ready", "overlay"), "{:?}", made.reason);
    assert_eq!(made.duration_ms, Some(2_000));
    let differences = differences(&stage, &video, &made.video.unwrap());
    assert_eq!(differences.len(), 48);
    assert!(differences[..23].iter().all(|difference| *difference < 0.5), "{differences:?}");
    assert!(differences[25..].iter().all(|difference| *difference > 0.5), "{differences:?}");
}

#[tokio::test]
async fn a_hostile_text_is_printed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let video = stage.clip(12, 0).await;
    let hostile = [
        "':x=0:textfile=/etc/passwd",
        "%{metadata:x}%{pict_type} %{expr_int_format:1:x:9}",
        "\\\\:',;[0:v]nullsink;movie=/etc/passwd[v]",
        "$(touch here) `id` \u{202e}\u{7} \r\n\n\n",
        "🏡 Zürich — 東京",
    ];
    for (number, words) in hostile.iter().enumerate() {
        let key = format!("job-43/overlay-{number}");
        stage.overlay(&key, &video, text(words)).await.unwrap();
        let made = stage.settled(&key).await;
        assert_eq!(
            (made.state.as_str(), made.duration_ms),
            ("ready", Some(500)),
            "{words}: {:?}",
            made.reason
        );
    }
}

#[tokio::test]
async fn options_that_are_none_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let video = stage.clip(12, 0).await;
    let wrong = pb::Overlay {
        color: "red:enable='0'".into(),
        position: "x=w/2".into(),
        font_size: 1_000,
        ..text(" ")
    };
    let refusal = stage.overlay("job-43/overlay-1", &video, wrong).await.unwrap_err();
    let fields: Vec<String> =
        kit::ServiceError::from(refusal).violations.into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["text", "options.font_size", "options.color", "options.position"]);
    assert!(stage.kinds().await.is_empty());
}

#[tokio::test]
async fn a_preview_fills_in_what_is_usual_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let asked = pb::Overlay { text: "Spring".into(), ..Default::default() };
    let shown = stage.overlays.clone().preview_overlay(asked).await.unwrap().into_inner();
    assert_eq!(shown.expression, "x=(w-text_w)/2:y=h-text_h-50");
    assert_eq!(shown.overlay.unwrap().font_size, 48);
    assert!(stage.kinds().await.is_empty());
}

#[tokio::test]
async fn a_cut_may_have_a_text_over_it() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clips = vec![stage.clip(12, 0).await, stage.clip(12, 90).await];
    stage.cut("job-43/cut-1", &clips).await.unwrap();
    let request = pb::RequestCutRequest {
        key: "job-43/cut-2".into(),
        digest: "d2".into(),
        job_id: 43,
        clips,
        overlay: Some(text("Spring")),
    };
    stage.client.clone().request_cut(request).await.unwrap();
    let (plain, under) = (stage.settled("job-43/cut-1").await, stage.settled("job-43/cut-2").await);
    assert_eq!((under.state.as_str(), under.kind.as_str()), ("ready", "cut"), "{:?}", under.reason);
    assert_eq!(under.duration_ms, plain.duration_ms);
    let differences = differences(&stage, &plain.video.unwrap(), &under.video.unwrap());
    assert!(differences.iter().any(|difference| *difference > 0.5), "{differences:?}");
}
