//! A message on the wire: CloudEvents 1.0 in binary mode (<https://cloudevents.io>, NATS protocol binding).

use async_nats::{HeaderMap, header};
use bytes::Bytes;

use crate::Message;

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";
/// Extension: position in the producer's log.
pub(super) const POSITION: &str = "ce-position";
/// Extension: joins everything that one request from outside led to.
const CORRELATION: &str = "ce-correlationid";

/// The headers and the body that carry `message`.
pub(super) fn encode(message: &Message) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_MESSAGE_ID, message.id.to_string());
    headers.insert("ce-specversion", SPEC_VERSION);
    headers.insert("ce-id", message.id.to_string());
    headers.insert("ce-source", format!("/filmstrip/{}", message.source));
    headers.insert("ce-type", format!("filmstrip.{}.v1.{}", message.source, message.name));
    headers.insert("ce-subject", message.entity.as_str());
    headers.insert("ce-time", message.recorded_at.to_string());
    headers.insert("ce-datacontenttype", CONTENT_TYPE);
    headers.insert(POSITION, message.position.to_string());
    if !message.correlation_id.is_empty() {
        headers.insert(CORRELATION, message.correlation_id.as_str());
    }
    if let Some(traceparent) = &message.traceparent {
        headers.insert("traceparent", traceparent.as_str());
    }
    (headers, message.data.to_string().into())
}

/// The message that headers and body carry.
///
/// # Errors
/// What is missing or cannot be read.
pub(super) fn decode(subject: &str, headers: &HeaderMap, body: &[u8]) -> Result<Message, String> {
    let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    let need = |name: &str| text(name).ok_or_else(|| format!("the header {name} is missing"));
    let version = need("ce-specversion")?;
    if version != SPEC_VERSION {
        return Err(format!("CloudEvents {version:?} is not {SPEC_VERSION}"));
    }
    let kind = need("ce-type")?;
    let mut parts = kind.splitn(4, '.');
    let (Some("filmstrip"), Some(source), Some("v1"), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(format!("{kind:?} is no type of ours"));
    };
    let bad =
        |name: &str, error: &dyn std::fmt::Display| format!("the header {name} cannot be read: {error}");
    Ok(Message {
        id: need("ce-id")?.parse().map_err(|error| bad("ce-id", &error))?,
        source: source.to_owned(),
        subject: subject.to_owned(),
        entity: need("ce-subject")?,
        name: name.to_owned(),
        position: need(POSITION)?.parse().map_err(|error| bad(POSITION, &error))?,
        recorded_at: need("ce-time")?.parse().map_err(|error| bad("ce-time", &error))?,
        traceparent: text("traceparent"),
        correlation_id: text(CORRELATION).unwrap_or_default(),
        data: serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message() -> Message {
        Message {
            id: Uuid::from_u128(7),
            source: "render".into(),
            subject: "filmstrip.render.v1.43.render_finished".into(),
            entity: "43".into(),
            name: "render_finished".into(),
            position: 12,
            recorded_at: "2026-03-01T12:00:00.5Z".parse().unwrap(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            correlation_id: "c".into(),
            data: json!({"key": "job-43/scene-2/take-1"}),
        }
    }

    #[test]
    fn a_message_comes_back_as_it_went_in() {
        let (headers, body) = encode(&message());
        assert_eq!(decode(&message().subject, &headers, &body), Ok(message()));
        assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), Uuid::from_u128(7).to_string());
    }

    #[test]
    fn what_a_later_version_says_besides_is_passed_over() {
        let (mut headers, _) = encode(&message());
        for (name, value) in
            [("ce-mood", "calm"), ("ce-dataschema", "https://x.example/2"), ("tracestate", "a=b")]
        {
            headers.insert(name, value);
        }
        let body = json!({"key": "job-43/scene-2/take-1", "mood": {"of": ["the day"]}});
        let later = Message { data: body.clone(), ..message() };
        assert_eq!(decode(&message().subject, &headers, body.to_string().as_bytes()), Ok(later));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let (headers, _) = encode(&message());
        assert!(decode("s", &headers, b"{").unwrap_err().contains("no JSON"));
        assert!(decode("s", &HeaderMap::new(), b"{}").unwrap_err().contains("ce-specversion"));
    }
}
