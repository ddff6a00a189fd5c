//! Every stored event that was ever written can still be read and is published the same way.

use eventlog::{Meta, StoredEvent};
use protos::common::v1::BlobRef;
use render::{events::Event, publish, request::Take};
use serde_json::{Value, json};

fn events() -> Vec<Event> {
    let key = || "job-43/scene-2/take-1".to_owned();
    let take = || Take { job_id: 43, scene_id: "s2".into(), scene_index: 2, take: 1, seconds: 6 };
    let clip = BlobRef { sha256: "ab".repeat(32), size: 4711, content_type: "video/mp4".into() };
    vec![
        Event::RenderStarted { key: key(), take: take(), prediction_id: "p1".into(), attempt: 1 },
        Event::RenderFinished {
            key: key(),
            take: take(),
            clip,
            duration_ms: 5875,
            prediction_id: "p1".into(),
            cost_micros: 1_200_000,
        },
        Event::RenderFailed {
            key: key(),
            take: take(),
            reason: "why".into(),
            retryable: true,
            cost_micros: 0,
        },
        Event::RenderCanceled { key: key(), take: take(), cost_micros: 1_200_000 },
    ]
}

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn stored_and_published_events_keep_their_shape() {
    let at = "2025-11-24T10:00:00Z".parse().unwrap();
    for event in events() {
        let kind = event.kind();
        let stored = event.to_stored(at).unwrap();
        assert_eq!(stored.data, golden(kind), "{kind} as it is stored");
        assert_eq!(
            Event::from_stored(kind, &golden(kind).into()).unwrap(),
            Some(event),
            "{kind} as it is read"
        );
        let stored = StoredEvent {
            id: stored.id,
            stream: "render-job-43/scene-2/take-1".into(),
            version: 1,
            position: 1,
            kind: stored.kind,
            schema_version: 1,
            data: stored.data,
            meta: Meta::default(),
            recorded_at: at,
        };
        let published = publish::translate(&stored).unwrap().unwrap();
        assert_eq!(published.entity, "job-43-scene-2-take-1");
        let message = json!({ "name": published.name, "data": published.data });
        assert_eq!(message, golden(&format!("published-{}", published.name)), "{kind} as it is published");
    }
}
