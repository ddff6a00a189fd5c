//! What is stored and what is published keeps its shape, and the tables follow from the events.

use std::path::PathBuf;

use bus::Published;
use eventlog::{Meta, StoredEvent};
use jiff::Timestamp;
use protos::common::v1::BlobRef;
use serde_json::{Value, json};
use stitch::events::{Event, Of};
use stitch::overlay::Overlay;
use stitch::product::{Input, Kind, Made, Product, Request, Shape, SyncMode};
use stitch::{publish, store};
use uuid::Uuid;

fn blob(digit: char, content_type: &str) -> BlobRef {
    BlobRef { sha256: digit.to_string().repeat(64), size: 1234, content_type: content_type.into() }
}

fn of(kind: Kind) -> Of {
    Of { key: format!("job-43/{kind}-1"), kind, job_id: 43 }
}

fn made() -> Made {
    Made { video: blob('a', "video/mp4"), duration_ms: 16_000, poster: blob('b', "image/jpeg") }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Every kind of event in every form, by the name of its golden file.
fn all() -> Vec<(&'static str, Event)> {
    let request = |input: Input| Request {
        key: format!("job-43/{}-1", input.kind()),
        digest: "d1".into(),
        job_id: 43,
        input,
    };
    let clips = Input::Clips(vec![blob('c', "video/mp4"), blob('d', "video/mp4")]);
    let (cut, soundtrack) = (blob('a', "video/mp4"), blob('e', "audio/mpeg"));
    let shape = Some(Shape { sync: SyncMode::Stretch, fade_ms: Some(500) });
    let shaped = Input::CutAndSoundtrack { cut: cut.clone(), soundtrack: soundtrack.clone(), shape };
    let text = Overlay { text: "Spring".into(), ..Overlay::default() }.filled(None, None);
    let under = Input::ClipsUnder { clips: vec![blob('c', "video/mp4")], overlay: text.clone() };
    let over =
        Input::VideoUnder { video: cut.clone(), overlay: Overlay { duration_ms: Some(2_000), ..text } };
    let reason = || "clip 2 of 2: the file is cut off".to_owned();
    vec![
        ("product_requested.cut", Event::ProductRequested(request(clips))),
        (
            "product_requested.mix",
            Event::ProductRequested(request(Input::CutAndSoundtrack {
                cut: cut.clone(),
                soundtrack: soundtrack.clone(),
                shape: None,
            })),
        ),
        ("product_requested.shaped", Event::ProductRequested(request(shaped))),
        ("product_requested.cut_under", Event::ProductRequested(request(under))),
        ("product_requested.overlay", Event::ProductRequested(request(over))),
        ("product_finished.overlay", Event::ProductFinished { of: of(Kind::Overlay), made: made() }),
        (
            "product_attempt_failed",
            Event::ProductAttemptFailed { of: of(Kind::Cut), reason: "no space".into(), retry_at: at(9) },
        ),
        ("product_finished.cut", Event::ProductFinished { of: of(Kind::Cut), made: made() }),
        ("product_finished.mix", Event::ProductFinished { of: of(Kind::Mix), made: made() }),
        ("product_failed.cut", Event::ProductFailed { of: of(Kind::Cut), reason: reason() }),
        ("product_failed.mix", Event::ProductFailed { of: of(Kind::Mix), reason: reason() }),
        (
            "product_canceled",
            Event::ProductCanceled { of: of(Kind::Mix), reason: "the job was canceled".into() },
        ),
    ]
}

/// The golden value; written when the file is missing and `GOLDEN=write` is set.
fn golden(name: &str, found: &Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.v1.json"));
    if !path.exists() && std::env::var_os("GOLDEN").is_some_and(|word| word == "write") {
        std::fs::write(&path, format!("{found:#}\n")).unwrap();
    }
    serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display())))
        .unwrap()
}

#[test]
fn stored_events_keep_their_shape_and_old_ones_are_read() {
    for (name, event) in all() {
        let data = event.to_stored(at(0)).unwrap().data.value().unwrap();
        let kept = golden(&format!("stored.{name}"), &data);
        assert_eq!(data, kept, "{name}");
        assert_eq!(Event::from_stored(event.kind(), &kept.into()).unwrap(), event, "{name}");
    }
}

fn published(event: &Event) -> Option<Published> {
    let new = event.to_stored(at(0)).unwrap();
    publish::translate(&StoredEvent {
        id: Uuid::nil(),
        stream: event.of().key,
        version: 1,
        position: 1,
        kind: new.kind,
        schema_version: 1,
        data: new.data,
        meta: Meta::default(),
        recorded_at: at(0),
    })
    .unwrap()
}

#[test]
fn published_messages_keep_their_shape() {
    let mut names = Vec::new();
    for (name, event) in all() {
        let Some(Published { entity, name: published, data }) = published(&event) else { continue };
        let message = json!({ "entity": entity, "name": published, "data": data });
        assert_eq!(message, golden(&format!("published.{name}"), &message), "{name}");
        names.push(published);
    }
    assert_eq!(names, ["cut_finished", "mix_finished", "cut_failed", "mix_failed"]);
}

#[tokio::test]
async fn the_tables_follow_from_the_events_alone() {
    let (log, _dir) = eventlog::testing::scratch_log(&stitch::MIGRATIONS).await;
    let named = |name: &str| all().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let history = [
        named("product_requested.cut"),
        named("product_attempt_failed"),
        named("product_finished.cut"),
        named("product_requested.mix"),
        named("product_failed.mix"),
        Event::ProductCanceled {
            of: Of { key: "job-44/cut-1".into(), kind: Kind::Cut, job_id: 44 },
            reason: "gone".into(),
        },
    ];
    for (second, event) in history.iter().enumerate() {
        assert!(store::append(&log, event, None, at(second as i64)).await.unwrap());
    }
    let (again, _dir) = eventlog::testing::scratch_log(&stitch::MIGRATIONS).await;
    for stored in log.read_all(0, 100).await.unwrap() {
        let event = Event::from_stored(&stored.kind, &stored.data).unwrap();
        assert!(store::append(&again, &event, None, stored.recorded_at).await.unwrap());
    }
    for key in ["job-43/cut-1", "job-43/mix-1", "job-44/cut-1"] {
        let product: Product = store::product(&log, key).await.unwrap().unwrap();
        assert_eq!(store::product(&again, key).await.unwrap().unwrap(), product, "{key}");
    }
}

#[tokio::test]
async fn an_end_is_an_end() {
    let (log, _dir) = eventlog::testing::scratch_log(&stitch::MIGRATIONS).await;
    let named = |name: &str| all().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let canceled = Event::ProductCanceled { of: of(Kind::Cut), reason: "gone".into() };
    assert!(
        !store::append(&log, &named("product_finished.cut"), None, at(0)).await.unwrap(),
        "never asked for"
    );
    assert!(store::append(&log, &named("product_requested.cut"), None, at(0)).await.unwrap());
    assert!(
        !store::append(&log, &named("product_requested.cut"), None, at(0)).await.unwrap(),
        "asked for twice"
    );
    assert!(store::append(&log, &canceled, None, at(1)).await.unwrap());
    for late in
        ["product_finished.cut", "product_failed.cut", "product_attempt_failed", "product_requested.cut"]
    {
        assert!(!store::append(&log, &named(late), None, at(2)).await.unwrap(), "{late} after the end");
    }
    assert!(!store::append(&log, &canceled, None, at(2)).await.unwrap());
}
