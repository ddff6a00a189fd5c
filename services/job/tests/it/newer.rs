//! What workers of a later version publish is heard by this one: members that it does not know are passed over, and so
//! are messages.

use std::{fs, path::Path};

use bus::Message;
use jiff::Timestamp;
use job::consumers::report;
use job_domain::{Command, JobId, keys::Key};
use protos::{audio::v1 as audio, common::v1::BlobRef};
use serde_json::{Value, json};
use uuid::Uuid;

fn message(source: &str, name: &str, data: Value) -> Message {
    Message {
        id: Uuid::nil(),
        source: source.to_owned(),
        subject: format!("filmstrip.{source}.v1.job-43.{name}"),
        entity: "job-43".to_owned(),
        name: name.to_owned(),
        position: 1,
        recorded_at: Timestamp::UNIX_EPOCH,
        traceparent: None,
        correlation_id: String::new(),
        data,
    }
}

/// Everything that a worker publishes of a job, as its own tests keep it.
fn of_today() -> Vec<Message> {
    let mut messages = Vec::new();
    for source in ["render", "stitch"] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../{source}/tests/golden"));
        for file in fs::read_dir(golden).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("published")) {
                let mut kept: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
                let name = kept["name"].as_str().unwrap().to_owned();
                if name.starts_with("mix_") {
                    // Under a key as jobs make it.
                    kept["data"]["key"] = json!(Key::Mix { job: 43, cut: 1 }.to_string());
                }
                messages.push(message(source, &name, kept["data"].clone()));
            }
        }
    }
    let finished = audio::SoundtrackFinished {
        key: "job-43/soundtrack-1".to_owned(),
        audio: Some(BlobRef { sha256: "ab".repeat(32), size: 7, content_type: "audio/mpeg".to_owned() }),
        duration_ms: 8_000,
        ..audio::SoundtrackFinished::default()
    };
    messages.push(message("audio", "soundtrack_finished", serde_json::to_value(finished).unwrap()));
    messages
}

/// The same as a later version may tell it: with more members in every object.
fn grown(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(grown);
            members.insert("mood".to_owned(), json!("calm"));
            members.insert("seen".to_owned(), json!({"by": ["somebody"], "at": 7}));
        }
        Value::Array(items) => items.iter_mut().for_each(grown),
        _ => {}
    }
}

fn heard(message: &Message) -> Option<(JobId, Command)> {
    report(message).unwrap_or_else(|error| panic!("{}: {error:#}", message.subject))
}

#[test]
fn members_that_a_later_version_adds_change_nothing() {
    let messages = of_today();
    assert!(messages.len() >= 9, "{messages:?}");
    for today in messages {
        let mut later = today.clone();
        grown(&mut later.data);
        assert!(heard(&today).is_some(), "{}", today.subject);
        assert_eq!(heard(&later), heard(&today), "{}", today.subject);
    }
}

#[test]
fn messages_that_a_later_version_adds_are_passed_over() {
    for (source, name) in [
        ("render", "render_admired"),
        ("stitch", "cut_admired"),
        ("audio", "soundtrack_admired"),
        ("somebody", "render_finished"),
    ] {
        assert_eq!(
            heard(&message(source, name, json!({"key": "job-43/cut-1", "job_id": 43}))),
            None,
            "{name}"
        );
    }
}
