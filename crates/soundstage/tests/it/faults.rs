//! Every fault once.

use rstest::rstest;
use serde_json::{Value, json};
use soundstage::report::Ledger;

use crate::scratch::{Scratch, VEO, clip};

fn create(prompt: &str) -> Value {
    json!({"version": VEO, "input": clip(prompt)})
}

/// What the ledger says of the only prediction: status, charged, answer dropped.
async fn only(stage: &Scratch) -> (String, bool, bool) {
    let ledger = stage.control.ledger().await.expect("a ledger");
    let [one] = ledger.predictions.as_slice() else { panic!("{} predictions", ledger.predictions.len()) };
    (one.status.clone(), one.charged, one.answer_dropped)
}

async fn only_id(stage: &Scratch) -> String {
    stage.control.ledger().await.expect("a ledger").predictions[0].id.clone()
}

#[tokio::test]
async fn a_throttled_create_names_the_reset_and_accepts_nothing() {
    let stage = Scratch::start().await;
    let fault = json!({"fault": "status", "code": 429, "retry_after": 7});
    stage.faults(json!([{"when": {"kind": "video", "times": 1}, "then": fault}])).await;
    let answer = stage.post("/v1/predictions", &create("a")).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
    let body: Value = answer.json().await.expect("JSON");
    assert!(body["detail"].as_str().expect("text").contains("resets in ~7s"));
    assert!(stage.control.ledger().await.expect("a ledger").predictions.is_empty());
    stage.create(VEO, clip("a")).await;
    stage.stop().await;
}

#[tokio::test]
async fn an_accepted_prediction_whose_answer_is_an_error_runs_all_the_same() {
    let stage = Scratch::start().await;
    let fault = json!({"fault": "status", "code": 503, "accepted": true});
    stage.faults(json!([{"when": {"kind": "video"}, "then": fault}])).await;
    assert_eq!(stage.post("/v1/predictions", &create("a")).await.status(), 503);
    stage.finished(&only_id(&stage).await).await;
    assert_eq!(only(&stage).await, ("succeeded".to_owned(), true, true));
    stage.stop().await;
}

#[tokio::test]
async fn accept_then_drop_closes_the_connection_and_the_prediction_runs() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "accept_then_drop"}}])).await;
    let error = stage.try_post("/v1/predictions", &create("a")).await.expect_err("no answer");
    assert!(!error.is_timeout(), "{error}");
    stage.finished(&only_id(&stage).await).await;
    assert_eq!(only(&stage).await, ("succeeded".to_owned(), true, true));
    stage.stop().await;
}

/// Sends a create call that nobody waits for: it is given up once the ledger is as wanted.
async fn create_and_give_up(stage: &Scratch, prompt: &str, wanted: impl Fn(&Ledger) -> bool) -> Ledger {
    let request = stage.http.post(stage.url("/v1/predictions")).bearer_auth("key").json(&create(prompt));
    let asking = tokio::spawn(request.send());
    let ledger = stage.ledger_when(wanted).await;
    assert!(!asking.is_finished());
    asking.abort();
    ledger
}

#[tokio::test]
async fn a_late_answer_arrives_and_one_not_waited_for_counts_as_dropped() {
    let stage = Scratch::start().await;
    stage
        .faults(json!([
            {"when": {"kind": "video", "nth": 1}, "then": {"fault": "delayed_answer", "seconds": 0.2}},
            {"when": {"kind": "video", "nth": 2}, "then": {"fault": "delayed_answer", "seconds": 600}},
        ]))
        .await;
    stage.create(VEO, clip("a")).await;
    assert!(!only(&stage).await.2);
    create_and_give_up(&stage, "b", |ledger| ledger.predictions.len() == 2).await;
    stage.ledger_when(|ledger| ledger.predictions[1].answer_dropped).await;
    stage.stop().await;
}

#[rstest]
#[case::latency(json!({"fault": "latency", "seconds": 600}), 0)]
#[case::never_answers(json!({"fault": "never_answers"}), 0)]
#[case::never_answers_but_accepts(json!({"fault": "never_answers", "accepted": true}), 1)]
#[tokio::test]
async fn a_caller_that_gives_up_leaves_only_what_was_accepted(#[case] fault: Value, #[case] accepted: usize) {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": fault}])).await;
    let arrived = |ledger: &Ledger| {
        let dropped = ledger.predictions.iter().filter(|p| p.answer_dropped).count();
        ledger.requests.contains_key("create") && dropped == accepted
    };
    create_and_give_up(&stage, "a", arrived).await;
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert_eq!(ledger.predictions.len(), accepted);
    stage.stop().await;
}

#[rstest]
#[case(json!({"fault": "fail", "error": "The input was flagged as sensitive", "code": "E005"}), "failed", false)]
#[case(json!({"fault": "cancel"}), "canceled", true)]
#[case(json!({"fault": "abort"}), "aborted", false)]
#[case(json!({"fault": "unknown_status", "status": "mislaid"}), "mislaid", false)]
#[tokio::test]
async fn a_prediction_ends_as_told(#[case] fault: Value, #[case] status: &str, #[case] charged: bool) {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": fault}])).await;
    let over = stage.run(VEO, clip("a")).await;
    assert_eq!(over["status"], status);
    assert!(over["output"].is_null());
    assert_eq!(only(&stage).await, (status.to_owned(), charged, false));
    stage.stop().await;
}

#[tokio::test]
async fn success_can_name_no_output() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "no_output"}}])).await;
    let over = stage.run(VEO, clip("a")).await;
    assert_eq!((&over["status"], &over["output"]), (&json!("succeeded"), &Value::Null));
    stage.stop().await;
}

#[tokio::test]
async fn a_slow_prediction_takes_longer_by_the_scaled_clock() {
    let stage = Scratch::scaled(100.0).await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "slow", "seconds": 60}}])).await;
    let over = stage.run(VEO, clip("a")).await;
    assert!(over["metrics"]["predict_time"].as_f64().expect("a number") >= 0.6);
    stage.stop().await;
}

#[tokio::test]
async fn downloads_go_wrong_in_every_way() {
    let stage = Scratch::start().await;
    let over = stage.run(VEO, clip("a")).await;
    let url = over["output"].as_str().expect("a URL");
    let whole = stage.http.get(url).send().await.expect("an answer").bytes().await.expect("a body");
    let fault = |fault: Value| json!([{"when": {"kind": "download"}, "then": fault}]);

    stage.faults(fault(json!({"fault": "truncated_body"}))).await;
    let answer = stage.http.get(url).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-length"], whole.len().to_string());
    answer.bytes().await.expect_err("cut off");

    stage.faults(fault(json!({"fault": "wrong_media"}))).await;
    let text = stage.http.get(url).send().await.expect("an answer").text().await.expect("text");
    assert!(text.starts_with("This is not"));

    stage.faults(fault(json!({"fault": "wrong_media", "media": "jpeg"}))).await;
    let jpeg = stage.http.get(url).send().await.expect("an answer").bytes().await.expect("a body");
    assert_eq!(&jpeg[..3], [0xff, 0xd8, 0xff]);

    stage.faults(fault(json!({"fault": "output_gone", "code": 410}))).await;
    assert_eq!(stage.http.get(url).send().await.expect("an answer").status(), 410);

    stage.control.reset().await.expect("reset");
    let again = stage.http.get(url).send().await.expect("an answer").bytes().await.expect("a body");
    assert_eq!(again, whole);
    stage.stop().await;
}

#[tokio::test]
async fn an_output_fault_can_belong_to_one_prediction() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"when": {"kind": "video", "nth": 1}, "then": {"fault": "output_gone"}}])).await;
    let first = stage.run(VEO, clip("a")).await;
    let second = stage.run(VEO, clip("b")).await;
    let get = async |p: &Value| stage.http.get(p["output"].as_str().expect("a URL")).send().await;
    assert_eq!(get(&first).await.expect("an answer").status(), 404);
    assert_eq!(get(&second).await.expect("an answer").status(), 200);
    stage.stop().await;
}

#[tokio::test]
async fn answers_can_be_nonsense() {
    let stage = Scratch::start().await;
    let id = stage.create(VEO, clip("a")).await;
    stage.finished(&id).await;
    let garbage = |kind: &str| json!([{"when": {"kind": kind}, "then": {"fault": "garbage_json"}}]);
    for (kind, path) in [("get", format!("/v1/predictions/{id}")), ("list", "/v1/predictions".to_owned())] {
        stage.faults(garbage(kind)).await;
        let answer = stage.get(&path).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.expect_err("nonsense");
    }
    stage.faults(json!([{"when": {"kind": "get"}, "then": {"fault": "unknown_status"}}])).await;
    assert_eq!(stage.get_json(&format!("/v1/predictions/{id}")).await["status"], "paused");
    stage.stop().await;
}

#[tokio::test]
async fn the_list_can_lag() {
    let stage = Scratch::start().await;
    let listed =
        async || stage.get_json("/v1/predictions").await["results"].as_array().expect("a list").len();
    let lag = json!({"fault": "list_lags", "seconds": 600});
    stage.faults(json!([{"when": {"kind": "video"}, "then": lag}])).await;
    let id = stage.create(VEO, clip("a")).await;
    assert_eq!(stage.get(&format!("/v1/predictions/{id}")).await.status(), 200);
    assert_eq!(listed().await, 0);
    stage.control.reset().await.expect("reset");
    stage.create(VEO, clip("b")).await;
    assert_eq!(listed().await, 1);
    stage.faults(json!([{"when": {"kind": "list"}, "then": lag}])).await;
    assert_eq!(listed().await, 0);
    stage.stop().await;
}
