//! The control plane and the rules of charging.

use serde_json::json;

use crate::scratch::{MUSICGEN, Scratch, VEO, clip};

#[tokio::test]
async fn success_is_charged_and_failure_is_not() {
    let stage = Scratch::start().await;
    stage
        .faults(json!([
            {"when": {"kind": "video", "prompt_contains": "bad"}, "then": {"fault": "fail", "code": "E6716"}},
            {"when": {"kind": "video", "prompt_contains": "stopped"}, "then": {"fault": "abort"}},
        ]))
        .await;
    let good = stage.run(VEO, clip("good")).await;
    let bad = stage.run(VEO, clip("bad")).await;
    let stopped = stage.run(VEO, clip("stopped")).await;
    assert_eq!(good["status"], "succeeded");
    assert_eq!(bad["error"], "Timeout starting prediction (E6716)");
    assert_eq!(stopped["status"], "aborted");
    let ledger = stage.control.ledger().await.expect("a ledger");
    let charged: Vec<_> =
        ledger.predictions.iter().map(|p| (p.status.as_str(), p.charged, p.cost_usd)).collect();
    assert_eq!(charged, [("succeeded", true, 0.8), ("failed", false, 0.0), ("aborted", false, 0.0)]);
    stage.stop().await;
}

#[tokio::test]
async fn a_cancel_is_charged_only_after_the_start() {
    let stage = Scratch::start().await;
    stage
        .faults(json!([
            {"when": {"prompt_contains": "early"}, "then": {"fault": "hold", "at": "starting"}},
            {"when": {"prompt_contains": "late"}, "then": {"fault": "hold"}},
        ]))
        .await;
    let early = stage.create(VEO, clip("early")).await;
    let late = stage.create(VEO, clip("late")).await;
    stage.until(&late, |p| p["status"] == "processing").await;
    for id in [&early, &late] {
        let answer = stage.post(&format!("/v1/predictions/{id}/cancel"), &json!({})).await;
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(body["status"], "canceled");
    }
    let ledger = stage.control.ledger().await.expect("a ledger");
    let charged: Vec<_> = ledger.predictions.iter().map(|p| (p.canceled, p.charged)).collect();
    assert_eq!(charged, [(true, false), (true, true)]);
    stage.stop().await;
}

#[tokio::test]
async fn the_high_water_mark_counts_unfinished_predictions_per_kind() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "hold"}}])).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(stage.create(VEO, clip(&format!("scene {n}"))).await);
    }
    stage.run(MUSICGEN, json!({"prompt": "calm", "duration": 1, "output_format": "mp3"})).await;
    assert_eq!(stage.control.release().await.expect("released"), 5);
    for id in ids {
        assert_eq!(stage.finished(&id).await["status"], "succeeded");
    }
    stage.control.reset().await.expect("reset");
    stage.run(VEO, clip("after")).await;
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert_eq!((ledger.max_in_flight.video, ledger.max_in_flight.music), (5, 1));
    assert_eq!(ledger.requests["create"], 7);
    stage.stop().await;
}

#[tokio::test]
async fn rules_that_are_not_understood_are_refused_and_name_the_problem() {
    let stage = Scratch::start().await;
    let error =
        stage.control.faults(json!({"rules": [{"then": {"fault": "explode"}}]})).await.expect_err("refused");
    assert!(error.to_string().contains("explode"), "{error}");
    stage.stop().await;
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_refused_and_repeated() {
    let stage = Scratch::start().await;
    stage.control.accept_keys(Some(&["the-right-key"])).await.expect("keys");
    let with = |key: &str| {
        let request = stage.http.get(format!("{}/v1/predictions", stage.stage.base_url()));
        request.header("authorization", format!("Bearer {key}")).send()
    };
    assert_eq!(with("the-right-key").await.expect("an answer").status(), 200);
    let refused = with("a-wrong-key").await.expect("an answer");
    assert_eq!(refused.status(), 401);
    assert!(refused.text().await.expect("text").contains("a-wrong-key"));
    let music = stage.http.post(format!("{}/v1/music", stage.stage.base_url()));
    let refused = music.header("xi-api-key", "another-wrong-key").send().await.expect("an answer");
    assert_eq!(refused.status(), 401);
    assert!(refused.text().await.expect("text").contains("another-wrong-key"));
    stage.control.accept_keys(None).await.expect("any key");
    assert_eq!(with("a-wrong-key").await.expect("an answer").status(), 200);
    stage.stop().await;
}

#[tokio::test]
async fn a_stage_that_listens_is_ready() {
    let stage = Scratch::start().await;
    let answer =
        stage.http.get(format!("{}/readyz", stage.stage.base_url())).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    stage.stop().await;
}
