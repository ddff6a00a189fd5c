//! Every stored event that was ever written can still be read.

use jiff::Timestamp;
use predictions::{
    Fact, Failure, FailureClass, MediaInput, Order, Outcome,
    fact::{End, Lost},
    mark::Mark,
};
use protos::common::v1::BlobRef;
use serde_json::{Value, json};

fn blob() -> BlobRef {
    BlobRef { sha256: "ab".repeat(32), size: 4711, content_type: "image/jpeg".into() }
}

fn facts() -> Vec<Fact> {
    let at: Timestamp = "2025-11-24T10:00:00Z".parse().unwrap();
    let attempt = || "019ab000-0000-7000-8000-000000000001".to_owned();
    vec![
        Fact::OrderPlaced {
            order: Box::new(Order {
                key: "job-43/scene-2/take-1".into(),
                digest: "d1".into(),
                campaign_id: "c1".into(),
                model: "google/veo-3.1".into(),
                input: json!({"prompt": "a kitchen"}),
                media: vec![MediaInput { field: "image".into(), blob: blob() }],
                mark_seed: None,
                price_micros: 1_200_000,
                context: json!({"job_id": 43}),
            }),
        },
        Fact::CancelRequested { reason: "job canceled".into() },
        Fact::AttemptIntended {
            attempt: attempt(),
            input: json!({"prompt": "a kitchen", "image": "https://x/1"}),
            mark: Mark { field: "image".into(), value: json!("https://x/1") },
        },
        Fact::AttemptAccepted { attempt: attempt(), prediction_id: "p1".into(), adopted: true },
        Fact::AttemptLost {
            attempt: attempt(),
            why: Lost::NotThere,
            failure: Failure::new(FailureClass::Unavailable, "not taken on"),
            retry_at: Some(at),
        },
        Fact::ProviderHinted { attempt: attempt(), prediction_id: "p1".into() },
        Fact::CancelSent { attempt: attempt() },
        Fact::AttemptEnded {
            attempt: attempt(),
            end: End::Succeeded { output_url: "https://x/clip.mp4".into() },
            charged_micros: 1_200_000,
            retry_at: None,
        },
        Fact::OrderSettled {
            outcome: Outcome::Delivered {
                blob: blob(),
                prediction_id: "p1".into(),
                found: json!({"duration_ms": 6000}),
            },
        },
    ]
}

#[test]
fn stored_facts_keep_their_shape() {
    for fact in facts() {
        let path = format!("{}/tests/golden/{}.v1.json", env!("CARGO_MANIFEST_DIR"), fact.kind());
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut whole = serde_json::to_value(&fact).unwrap();
        if text.is_empty() {
            let fresh = serde_json::to_string_pretty(&whole["data"]).unwrap();
            panic!("{path} is missing; this is what is written today:\n{fresh}");
        }
        let golden: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole["data"], golden, "{path}");
        whole["data"] = golden;
        assert_eq!(serde_json::from_value::<Fact>(whole).unwrap(), fact, "{path}");
    }
}
