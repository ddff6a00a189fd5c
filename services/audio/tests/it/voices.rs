//! Scripts that are spoken: once, kept, and never bought twice.

use audio::voice::events::Event;
use audio::voice::script::Request;
use jiff::Timestamp;
use kit::{Code, ServiceError};
use media::{Media, MediaSettings};
use protos::audio::v1::{GetVoiceRequest, RequestVoiceRequest, SoundtrackVoice, Voice};
use protos::common::v1::BlobRef;
use serde_json::{Value, json};
use soundstage::report::LedgerEntry;

use crate::world::{Audio, DEADLINE, World};

pub(crate) const KEY: &str = "testing/voice-1";

pub(crate) fn wanted(key: &str, script: &str) -> RequestVoiceRequest {
    RequestVoiceRequest {
        key: key.into(),
        digest: format!("digest of {script}"),
        script: script.into(),
        speed: Some(1.1),
        ..RequestVoiceRequest::default()
    }
}

pub(crate) async fn request(audio: &Audio, request: RequestVoiceRequest) -> Result<Voice, ServiceError> {
    Ok(audio.voices.clone().request_voice(request).await.map_err(ServiceError::from)?.into_inner())
}

pub(crate) async fn settled(audio: &Audio, key: &str) -> Voice {
    let mut appended = audio.log.appended();
    let waiting = async {
        loop {
            appended.borrow_and_update();
            let voice = audio.voices.clone().get_voice(GetVoiceRequest { key: key.into() }).await.unwrap();
            let voice = voice.into_inner();
            if ["ready", "failed"].contains(&voice.state.as_str()) {
                return voice;
            }
            appended.changed().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("it settles")
}

pub(crate) async fn bought(world: &World) -> Vec<LedgerEntry> {
    world.control.ledger().await.unwrap().of_kind("speech").cloned().collect()
}

async fn faults(world: &World, rule: Value) {
    world.control.faults(json!({ "rules": [rule] })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_spoken_kept_and_paid_once() {
    let world = World::new().await;
    let audio = world.start().await;
    let script = "Welcome to the lodge. Enjoy the view.";
    for _ in 0..2 {
        request(&audio, wanted(KEY, script)).await.unwrap();
    }
    let voice = settled(&audio, KEY).await;
    assert_eq!((voice.state.as_str(), voice.cost_micros), ("ready", 3_700), "{voice:?}");
    let blob = voice.audio.clone().unwrap();
    let media = Media::new(MediaSettings::new(world.dir.path().join("look"))).unwrap();
    let probe = media.probe(audio.blobs.path(&blob.sha256).unwrap()).await.unwrap();
    assert!(probe.require_audio().is_ok() && (1_000..6_000).contains(&probe.duration_ms), "{probe:?}");
    assert_eq!(probe.duration_ms, voice.duration_ms());
    let again = request(&audio, wanted(KEY, script)).await.unwrap();
    assert_eq!(again, voice);
    let bought = bought(&world).await;
    assert_eq!(bought.len(), 1);
    assert_eq!(
        (bought[0].prompt.as_str(), &bought[0].input["voice_settings"]),
        (script, &json!({"speed": 1.1}))
    );
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_script() {
    let world = World::new().await;
    let audio = world.start().await;
    request(&audio, wanted(KEY, "One.")).await.unwrap();
    assert_eq!(request(&audio, wanted(KEY, "Another.")).await.unwrap_err().code, Code::Conflict);
    settled(&audio, KEY).await;
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_is_refused_with_the_list() {
    let world = World::new().await;
    let audio = world.start().await;
    let refused = request(&audio, RequestVoiceRequest { provider: "polly".into(), ..wanted(KEY, "One.") });
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.violations, [("options.provider".to_owned(), "must be one of elevenlabs".to_owned())]);
    assert!(bought(&world).await.is_empty());
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_call_is_made_again_and_a_refused_one_is_not() {
    let world = World::new().await;
    let audio = world.start().await;
    let throttled = json!({"when": {"kind": "speech", "times": 1}, "then": {"fault": "status", "code": 429, "retry_after": 0}});
    faults(&world, throttled).await;
    request(&audio, wanted(KEY, "One.")).await.unwrap();
    assert_eq!(settled(&audio, KEY).await.state, "ready");
    faults(&world, json!({"when": {"kind": "speech"}, "then": {"fault": "status", "code": 401}})).await;
    request(&audio, wanted("testing/voice-2", "Two.")).await.unwrap();
    let refused = settled(&audio, "testing/voice-2").await;
    assert_eq!((refused.state.as_str(), refused.retryable, refused.cost_micros), ("failed", false, 0));
    assert!(refused.reason.unwrap().contains("Nothing was charged"));
    assert_eq!(bought(&world).await.len(), 1);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_answer_is_lost_is_never_made_again() {
    let world = World::new().await;
    let audio = world.start().await;
    let lost =
        json!({"when": {"kind": "speech"}, "then": {"fault": "status", "code": 502, "accepted": true}});
    faults(&world, lost).await;
    request(&audio, wanted(KEY, "One.")).await.unwrap();
    let voice = settled(&audio, KEY).await;
    assert_eq!((voice.state.as_str(), voice.retryable), ("failed", true));
    assert!(voice.reason.unwrap().contains("not known whether"), "a person decides");
    assert_eq!(bought(&world).await.len(), 1, "it was charged, and is not charged again");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_outlived_its_process_is_not_made_again_by_the_next_one() {
    let world = World::new().await;
    let log = world.open().await;
    let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let wished = Request {
        key: KEY.into(),
        digest: "d".into(),
        script: "One.".into(),
        voice: "v".into(),
        model: "m".into(),
        stability: None,
        similarity_boost: None,
        speed: None,
    };
    for event in [Event::VoiceRequested(wished), Event::VoiceCalled { key: KEY.into(), attempt: 1 }] {
        assert!(audio::voice::store::append(&log, &event, at, None).await.unwrap());
    }
    let audio = world.start().await;
    let voice = settled(&audio, KEY).await;
    assert!(voice.reason.unwrap().contains("the process that asked for it stopped"));
    assert!(bought(&world).await.is_empty());
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_lies_over_the_music_of_a_soundtrack_and_both_are_paid_once() {
    let world = World::new().await;
    let audio = world.start().await;
    let key = "job-43/soundtrack-1";
    let script = "Welcome to the lodge.";
    let mut request = crate::world::wanted(key, 7);
    request.voice = Some(SoundtrackVoice { script: script.into(), voice: "calm".into() });
    audio.request(request.clone()).await.unwrap();
    let ready = audio.until(key, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000 + 2_100), "{ready:?}");
    assert!((7_900..=8_100).contains(&ready.duration_ms()), "{ready:?}");
    assert_eq!(audio.request(request).await.unwrap().audio, ready.audio);
    assert_eq!((bought(&world).await.len(), world.bought().await.len()), (1, 1));
    assert_eq!(audio.published(1).await[0].1["cost_micros"], json!("82100"));
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn music_is_delivered_without_a_voice_that_cannot_be_had() {
    let world = World::new().await;
    let audio = world.start().await;
    faults(&world, json!({"when": {"kind": "speech"}, "then": {"fault": "status", "code": 401}})).await;
    let mut request = crate::world::wanted("job-43/soundtrack-1", 7);
    request.voice = Some(SoundtrackVoice { script: "Welcome.".into(), voice: String::new() });
    audio.request(request).await.unwrap();
    let ready = audio.until("job-43/soundtrack-1", &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000), "{ready:?}");
    world.end(audio).await;
}

#[test]
fn stored_events_keep_their_shape_and_are_not_published() {
    let request = Request {
        key: KEY.into(),
        digest: "d1".into(),
        script: "Welcome.".into(),
        voice: "21m00Tcm4TlvDq8ikWAM".into(),
        model: "eleven_multilingual_v2".into(),
        stability: Some(0.5),
        similarity_boost: Some(0.75),
        speed: Some(1.0),
    };
    let key = || KEY.to_owned();
    let audio = BlobRef { sha256: "ab".repeat(32), size: 48_000, content_type: "audio/mpeg".into() };
    let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let all = [
        Event::VoiceRequested(request),
        Event::VoiceCalled { key: key(), attempt: 1 },
        Event::VoiceDelayed { key: key(), attempt: 1, reason: "busy".into(), retry_at: at },
        Event::VoiceCanceled { key: key(), reason: "not wanted".into() },
        Event::VoiceSpoken { key: key(), audio: audio.clone(), duration_ms: 3_000, cost_micros: 800 },
        Event::VoiceReused {
            key: key(),
            from: "testing/voice-0".into(),
            audio: audio.clone(),
            duration_ms: 3_000,
        },
        Event::VoiceFailed { key: key(), reason: "refused".into(), retryable: false, cost_micros: 0 },
    ];
    for event in all {
        let new = event.to_stored(at).unwrap();
        let path = format!("{}/tests/golden/{}.v1.json", env!("CARGO_MANIFEST_DIR"), event.kind());
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(json!({ "stored": new.data.value().unwrap() }), golden, "{}", event.kind());
        assert_eq!(Event::from_stored(event.kind(), &(&golden["stored"]).into()).unwrap(), event);
        let ours = audio::events::Event::from_stored(event.kind(), &new.data).unwrap();
        assert_eq!(ours, None, "it is no soundtrack's, so it is not published");
    }
}
