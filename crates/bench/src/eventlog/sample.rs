//! The event that everybody stores: as large as a scene's report in a real job, with everything set.

use eventlog::{Meta, NewEvent};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// Columns of the event table besides its position.
pub(super) const COLUMNS: &str = "event_id, stream, version, kind, schema_version, data, correlation_id, causation_id, \
                                  traceparent, actor, recorded_at";

/// The `number`th event.
pub(super) fn event(number: u64) -> NewEvent {
    let data = json!({
        "scene": format!("scene-{number}"), "take": 1, "attempt": 1,
        "clip": {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "size": 4_194_304, "content_type": "video/mp4"},
        "duration_ms": 6000, "width": 1920, "height": 1080, "cost_micros": 480_000,
    });
    let meta = Meta {
        correlation_id: "0198f4a1-7b2c-7def-8a11-000000000001".into(),
        causation_id: Some("0198f4a1-7b2c-7def-8a11-000000000002".into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        actor: "render".into(),
    };
    #[allow(clippy::disallowed_methods, reason = "a bench runs in the real time")]
    let now = Timestamp::now();
    NewEvent::new(Uuid::now_v7(), "SceneRendered", data, now).meta(meta)
}

/// The same event as the peers store it.
pub(super) struct Plain {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) version: i64,
    pub(super) kind: String,
    pub(super) data: String,
    pub(super) correlation: String,
    pub(super) causation: String,
    pub(super) traceparent: String,
    pub(super) actor: String,
    pub(super) recorded_at: String,
}

impl Plain {
    pub(super) fn new(stream: &str, version: i64) -> Self {
        let event = event(version.unsigned_abs());
        Self {
            id: event.id.to_string(),
            stream: stream.to_owned(),
            version,
            kind: event.kind,
            data: event.data.as_str().to_owned(),
            correlation: event.meta.correlation_id,
            causation: event.meta.causation_id.unwrap_or_default(),
            traceparent: event.meta.traceparent.unwrap_or_default(),
            actor: event.meta.actor,
            recorded_at: event.recorded_at.to_string(),
        }
    }
}
