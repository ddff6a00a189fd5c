//! Every event that is stored or published keeps its shape.

use audio::events::{Event, OnFailure, Request, Scene};
use audio::publish;
use eventlog::{Meta, StoredEvent};
use protos::common::v1::BlobRef;
use serde_json::{Value, json};

const KEY: &str = "job-43/soundtrack-1";

fn key() -> String {
    KEY.to_owned()
}

fn all() -> Vec<Event> {
    let scene = Scene {
        title: "Kitchen".into(),
        description: "soft piano".into(),
        style: "ambient".into(),
        energy: "low".into(),
        duration_ms: 6000,
    };
    let audio = BlobRef { sha256: "ab".repeat(32), size: 960_000, content_type: "audio/mpeg".into() };
    vec![
        Event::SoundtrackRequested(Request {
            key: key(),
            digest: "d1".into(),
            job_id: 43,
            campaign_id: "c1".into(),
            duration_ms: 40_000,
            scenes: vec![scene],
            prompt: Some("a waltz".into()),
            on_failure: OnFailure::Repeat,
            fade_ms: None,
            voice: None,
        }),
        Event::SoundtrackCancelRequested { key: key(), job_id: 43, reason: "not wanted".into() },
        Event::SoundtrackFinished {
            key: key(),
            job_id: 43,
            audio,
            duration_ms: 41_000,
            cost_micros: 160_000,
            segments: 2,
            shortfall: None,
        },
        Event::SoundtrackFailed {
            key: key(),
            job_id: 43,
            reason: "refused".into(),
            retryable: false,
            cost_micros: 0,
        },
        Event::SoundtrackCanceled { key: key(), job_id: 43, cost_micros: 80_000 },
    ]
}

fn golden(kind: &str) -> Value {
    let path = format!("{}/tests/golden/{kind}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn stored(event: &Event) -> StoredEvent {
    let new = event.to_stored("2026-01-02T03:04:05Z".parse().unwrap()).unwrap();
    StoredEvent {
        id: new.id,
        stream: KEY.into(),
        version: 1,
        position: 1,
        kind: new.kind,
        schema_version: new.schema_version,
        data: new.data,
        meta: Meta::default(),
        recorded_at: new.recorded_at,
    }
}

#[test]
fn stored_events_keep_their_shape_and_are_read_back() {
    for event in all() {
        let stored = stored(&event);
        let golden = golden(event.kind());
        assert_eq!(json!({"stored": stored.data}), json!({"stored": golden["stored"]}), "{}", event.kind());
        assert_eq!(Event::from_stored(event.kind(), &(&golden["stored"]).into()).unwrap(), Some(event));
    }
}

#[test]
fn what_was_added_to_a_request_is_written_and_read() {
    let Event::SoundtrackRequested(request) = all().remove(0) else { panic!("a request") };
    let event = Event::SoundtrackRequested(Request {
        on_failure: OnFailure::Silence,
        fade_ms: Some(1_500),
        ..request
    });
    let stored = stored(&event);
    let data = stored.data.value().unwrap();
    assert_eq!((&data["on_failure"], &data["fade_ms"]), (&json!("silence"), &json!(1500)));
    assert_eq!(Event::from_stored(event.kind(), &stored.data).unwrap(), Some(event));
}

#[test]
fn what_is_missing_of_a_soundtrack_is_published() {
    let mut all = all();
    let Event::SoundtrackFinished { shortfall, .. } = &mut all[2] else { panic!("the end of one") };
    *shortfall = Some("there is no voice over it".into());
    let published = publish::translate(&stored(&all[2])).unwrap().unwrap();
    let mut shape = golden("SoundtrackFinished")["published"]["data"].clone();
    shape["shortfall"] = json!("there is no voice over it");
    assert_eq!(published.data, shape);
}

#[test]
fn published_events_keep_their_shape() {
    for event in all() {
        let published = publish::translate(&stored(&event)).unwrap();
        let shape = published.map(|p| json!({"entity": p.entity, "name": p.name, "data": p.data}));
        assert_eq!(shape.unwrap_or_default(), golden(event.kind())["published"], "{}", event.kind());
    }
}

#[test]
fn the_facts_of_orders_are_not_published() {
    let mut event = stored(&all()[0]);
    event.kind = "OrderPlaced".into();
    assert_eq!(publish::translate(&event).unwrap(), None);
}
