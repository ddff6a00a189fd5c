//! The outside world outlives a restart.

use serde_json::json;
use soundstage::{StageError, StageOptions};
use tokio_util::sync::CancellationToken;

use crate::scratch::{Scratch, VEO, clip, options};

#[tokio::test]
async fn unfinished_predictions_go_on_after_a_restart_under_the_same_port() {
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
    let (addr, secret) = (stage.stage.addr(), stage.get_json("/v1/webhooks/default/secret").await);
    let dir = stage.stop().await;

    let again = options(&dir);
    let stage = Scratch::with(dir, again).await;
    assert_eq!(stage.stage.addr(), addr);
    assert_eq!(stage.get_json("/v1/webhooks/default/secret").await, secret);
    // The hold is a fact about the prediction, not about the process.
    assert_eq!(stage.get_json(&format!("/v1/predictions/{early}")).await["status"], "starting");
    assert_eq!(stage.control.release().await.expect("released"), 2);
    for id in [&early, &late] {
        assert_eq!(stage.finished(id).await["status"], "succeeded");
    }
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert_eq!(ledger.charged().count(), 2);
    assert_eq!(ledger.max_in_flight.video, 2);
    stage.stop().await;
}

#[tokio::test]
async fn a_directory_has_one_stage_at_a_time() {
    let stage = Scratch::start().await;
    let second = soundstage::start(options(&stage.dir), CancellationToken::new()).await;
    assert!(matches!(second, Err(StageError::InUse(_))));
    stage.stop().await;
}

#[tokio::test]
async fn a_time_scale_of_nothing_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = StageOptions { time_scale: 0.0, ..options(&dir) };
    let refused = soundstage::start(options, CancellationToken::new()).await;
    assert!(matches!(refused, Err(StageError::Option { name: "time_scale", .. })));
}
