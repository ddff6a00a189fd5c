//! Texts, music and voices made for trying out: kept, fetched, asked for once.

use http::Method;
use kit::{Code, ServiceError};
use protos::{audio::v1 as audio, common::v1::BlobRef, job::v1 as job, stitch::v1 as stitch};
use serde_json::{Value, json};

use crate::{
    testing::{get, post, settings, template},
    world::{KEY, World, a_job, answer},
};

fn ready(blob: &BlobRef) -> audio::Soundtrack {
    audio::Soundtrack {
        state: "ready".into(),
        audio: Some(blob.clone()),
        duration_ms: Some(8_000),
        prompt_used: "Instrumental music".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn q39_a_voice_provider_is_chosen_by_its_name_in_json() {
    let world = World::start().await;
    let blob = world.blob(b"speech", "audio/mpeg").await;
    let voice = audio::Voice {
        state: "ready".into(),
        audio: Some(blob),
        duration_ms: Some(2_500),
        ..Default::default()
    };
    world.audio.on("request_voice", voice.clone());
    world.audio.on("get_voice", voice);
    let options = json!({"provider": "elevenlabs", "voice": "calm", "speed": "1.1", "other": 1});
    let body = post(&world, "/voiceover/generate", json!({"script": "Welcome home.", "options": options}))
        .await
        .ok(200);
    assert_eq!(body["audio_size_bytes"], 6);
    assert_eq!((&body["status"], &body["estimated_duration"]), (&json!("completed"), &json!(2.5)));
    assert_eq!(body["options"], json!({"provider": "elevenlabs", "voice": "calm", "speed": "1.1"}));
    let asked: audio::RequestVoiceRequest = world.audio.asked_once("request_voice");
    assert_eq!((asked.provider.as_str(), asked.speed), ("elevenlabs", Some(1.1)));
    let fetched = world.get(body["audio_url"].as_str().expect("a URL")).await;
    assert_eq!((fetched.status.as_u16(), fetched.bytes.as_slice()), (200, b"speech".as_slice()));
    world.audio.clear("request_voice");
    world.audio.refuse("request_voice", || {
        ServiceError::validation([("options.provider", "must be one of elevenlabs")])
    });
    let refused =
        post(&world, "/voiceover/generate", json!({"script": "a", "options": {"provider": "polly"}})).await;
    let refused = refused.problem(422, "validation_failed");
    assert_eq!(refused["details"]["options.provider"][0], "must be one of elevenlabs");
}

#[tokio::test]
async fn music_is_kept_and_the_same_key_asks_for_the_same() {
    let world = World::locked().await;
    let blob = world.blob(b"music", "audio/mpeg").await;
    world.job.on("get_pipeline", settings());
    world.audio.on("request_soundtrack", audio::Soundtrack { state: "waiting".into(), ..Default::default() });
    world.audio.on("get_soundtrack", ready(&blob));
    let press = async |path: &str, key: &str, body: Value| {
        let request = world.request(Method::POST, &format!("/api/v3/testing{path}"));
        answer(request.header("X-API-Key", KEY).header("Idempotency-Key", key).json(&body)).await
    };
    let scene = json!({"title": "Pool", "music_description": "waves", "music_style": "ambient"});
    let first = press("/music/single-scene", "k-1", json!({"scene": scene})).await.ok(200);
    let again = press("/music/single-scene", "k-1", json!({"scene": scene})).await.ok(200);
    assert_eq!(first["audio_url"], again["audio_url"]);
    let shown = [&first["scene_title"], &first["audio_size_bytes"], &first["prompt_used"]];
    assert_eq!(shown, [&json!("Pool"), &json!(5), &json!("Instrumental music")]);
    let asked = world.audio.asked::<audio::RequestSoundtrackRequest>("request_soundtrack");
    assert_eq!((&asked[0].key, &asked[0].digest), (&asked[1].key, &asked[1].digest));
    assert_eq!((asked[0].duration_ms, asked[0].scenes[0].description.as_str()), (4_000, "waves"));
    let fetched = world.get(first["audio_url"].as_str().expect("a URL")).await;
    assert_eq!(
        (fetched.status.as_u16(), fetched.bytes.as_slice()),
        (200, b"music".as_slice()),
        "the link is signed"
    );

    let scenes = json!([{"title": "Pool", "duration": 6}, {"title": "Hall"}]);
    let many = press("/music/multi-scene", "k-2", json!({"scenes": scenes})).await.ok(200);
    assert_eq!((&many["scene_count"], &many["expected_duration_seconds"]), (&json!(2), &json!(10.0)));
    assert_eq!(many["scenes_processed"][1]["duration"], 4.0);
    assert_ne!(many["audio_url"], first["audio_url"]);

    world.audio.clear("request_soundtrack");
    world.audio.refuse("request_soundtrack", || {
        ServiceError::new(Code::Conflict, "digest_mismatch", "it was asked for with another content")
    });
    press("/music/single-scene", "k-1", json!({"scene": {}})).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn music_from_templates_is_made_for_the_types_that_are_named() {
    let world = World::start().await;
    let blob = world.blob(b"music", "audio/mpeg").await;
    world.job.on("get_pipeline", settings());
    world.job.on(
        "list_templates",
        job::ListTemplatesReply { templates: vec![template("hook"), template("outro")] },
    );
    world.audio.on("request_soundtrack", ready(&blob));
    world.audio.on("get_soundtrack", ready(&blob));
    let body = post(&world, "/music/from-templates", json!({})).await.ok(200);
    assert_eq!((&body["scene_count"], &body["total_duration_seconds"]), (&json!(2), &json!(8.0)));
    let body =
        post(&world, "/music/from-templates", json!({"scene_types": ["outro"], "default_duration": 3}))
            .await
            .ok(200);
    assert_eq!((&body["scene_count"], &body["scenes"][0]["duration"]), (&json!(1), &json!(3.0)));
}

#[tokio::test]
async fn music_that_cannot_be_made_says_why() {
    let world = World::start().await;
    world.job.on("get_pipeline", settings());
    let failed = audio::Soundtrack {
        state: "failed".into(),
        reason: Some("the music model broke".into()),
        ..Default::default()
    };
    world.audio.on("request_soundtrack", failed.clone());
    world.audio.on("get_soundtrack", failed);
    let body = post(&world, "/music/single-scene", json!({"scene": {}})).await.problem(422, "media_failed");
    assert_eq!(body["detail"], "the music model broke");
}

#[tokio::test]
async fn a_text_over_a_jobs_video_is_kept() {
    let world = World::start().await;
    let video = world.blob(b"video", "video/mp4").await;
    let output = world.blob(b"video with text", "video/mp4").await;
    world.job.on("get_job", job::Job { video: Some(video.clone()), ..a_job(None) });
    let product = stitch::Product { state: "ready".into(), video: Some(output), ..Default::default() };
    world.stitch.on("request_overlay", stitch::Product { state: "waiting".into(), ..Default::default() });
    world.stitch.on("get_product", product);
    let options =
        json!({"font_size": 30, "color": "#ff0000", "fade_in": 0.25, "duration": "2", "unknown": 1});
    let wanted = json!({"job_id": "43", "text": "Spring", "options": options});
    let body = post(&world, "/overlay/text", wanted.clone()).await.ok(200);
    assert_eq!(
        (&body["job_id"], &body["original_size"], &body["output_size"]),
        (&json!(43), &json!(5), &json!(15))
    );
    assert_eq!(
        body["options"],
        json!({"font_size": 30, "color": "#ff0000", "fade_in": 0.25, "duration": "2"})
    );
    let again = post(&world, "/overlay/text", wanted).await.ok(200);
    assert_eq!(
        again["video_url"], body["video_url"],
        "the same text over the same video is the same product"
    );
    let asked = world.stitch.asked::<stitch::RequestOverlayRequest>("request_overlay");
    let overlay = asked[0].overlay.clone().expect("an overlay");
    assert_eq!(
        (overlay.fade_in_ms, overlay.fade_out_ms, overlay.duration_ms),
        (Some(250), None, Some(2_000))
    );
    assert_eq!(asked[0].video, Some(video));
    let fetched = world.get(body["video_url"].as_str().expect("a URL")).await;
    assert_eq!(fetched.bytes, b"video with text");
    assert_eq!(fetched.header("content-type"), "video/mp4");
}

#[tokio::test]
async fn a_text_needs_a_job_with_a_video() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    let body =
        post(&world, "/overlay/text", json!({"job_id": 43, "text": "a"})).await.problem(400, "bad_request");
    assert_eq!(body["error"], "Job has no video result yet");
    for id in [json!("x"), json!(-1), json!({"a": 1})] {
        let body = post(&world, "/overlay/text", json!({"job_id": id, "text": "a"})).await;
        body.problem(404, "job_not_found");
    }
}

#[tokio::test]
async fn nothing_is_fetched_by_an_id_that_nobody_made() {
    let world = World::start().await;
    let name = "ab".repeat(16);
    world.audio.refuse("get_soundtrack", || ServiceError::not_found("there is no soundtrack"));
    for id in ["x", "music-..%2Fx", "overlay-43", &format!("music-{name}")] {
        get(&world, &format!("/media/{id}")).await.problem(404, "not_found");
    }
    world.audio.on("get_voice", audio::Voice { state: "speaking".into(), ..Default::default() });
    let body = get(&world, &format!("/media/voice-{name}")).await.problem(404, "not_found");
    assert_eq!(body["error"], "It is not there yet");
}
