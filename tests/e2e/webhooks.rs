//! With a public address, providers fetch frames by signed links and tell us when they are done.

use std::net::TcpListener;

use serde_json::json;

use crate::world::{Server, ServerOptions, Stage, approved_job, campaign, finished};

#[tokio::test(flavor = "multi_thread")]
async fn with_a_public_address_frames_go_by_signed_links_and_webhooks_come_back() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = Stage::start(scratch.path().join("stage"), Stage::INSTANT).await;
    let rules = json!([
        {"when": {"kind": "webhook", "probability": 0.3, "seed": 3}, "then": {"fault": "webhook_duplicate"}},
        {"when": {"kind": "webhook", "probability": 0.3, "seed": 5}, "then": {"fault": "webhook_forged"}},
        {"when": {"kind": "webhook", "probability": 0.3, "seed": 8}, "then": {"fault": "webhook_out_of_order"}},
    ]);
    stage.faults(rules).await;
    // The address must be known before the process that gets it starts.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}");
    let options = ServerOptions {
        variables: vec![
            ("PUBLIC_BASE_URL".into(), base.clone()),
            ("API_AUTH_KEY".into(), "key-1,key-2".into()),
        ],
        port,
        ..Default::default()
    };
    let server = Server::start(scratch.path().join("data"), Some(&stage), options).await;
    let client = server.client().with_key("key-2");
    let campaign = campaign(&client, "Quay House", 6).await;
    let job = approved_job(&client, &campaign, 3).await;
    let done = finished(&client, job).await;
    assert_eq!(done["outcome"], "full", "{done}");

    let ledger = stage.control().ledger().await.unwrap();
    assert_eq!(ledger.of_kind("video").filter(|p| p.charged).count(), 3);
    for prediction in ledger.of_kind("video") {
        let frame = prediction.input["image"].as_str().unwrap();
        assert!(frame.starts_with(&base) && frame.contains("signature="), "{frame}");
    }
    assert!(!ledger.webhooks.is_empty(), "webhooks were asked for");
    let video = ledger.of_kind("video").next().unwrap();
    let frame = video.input["image"].as_str().unwrap();
    assert_eq!(reqwest::get(frame).await.unwrap().status(), 200, "a signed link needs no key");
    let unsigned = frame.split('?').next().unwrap();
    assert_eq!(reqwest::get(unsigned).await.unwrap().status(), 403);
    let open = reqwest::get(format!("{base}/api/v3/jobs/{job}")).await.unwrap();
    assert_eq!(open.status(), 401, "everything else needs one");
    let log = server.log();
    assert!(
        !log.contains("key-1") && !log.contains("key-2") && !log.contains("signature="),
        "no secret in the log"
    );
}
