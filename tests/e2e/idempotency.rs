//! A write under an `Idempotency-Key` is done once, however often and however fast it is sent.

use std::collections::BTreeSet;

use filmstrip::client::Client;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Servers, Stage, World, campaign};

const API_KEY: &str = "only-for-this-test";
const CREATE: &str = "/api/v3/jobs/from-image-pairs";

/// Status and bytes of the answer.
async fn create(client: &Client, key: &str, wish: &Value) -> (u16, Vec<u8>) {
    let request = client.request(Method::POST, CREATE).header("idempotency-key", key).json(wish);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_creates_at_once_under_one_key_make_one_job_and_are_answered_with_the_same_bytes() {
    let servers = Servers::start().await;
    let mut options = servers.options();
    options.variables.push(("API_AUTH_KEY".to_owned(), API_KEY.to_owned()));
    let world = World::with(Stage::INSTANT, options).await;
    let client = world.client().with_key(API_KEY);
    let campaign = campaign(&client, "Quay House", 4).await;
    let wish = json!({"campaign_id": campaign, "num_pairs": 2, "planner": "template"});
    let answers = join_all((0..200).map(|_| create(&client, "double-click", &wish))).await;
    let distinct: BTreeSet<_> =
        answers.iter().map(|(status, bytes)| (status, String::from_utf8_lossy(bytes))).collect();
    assert_eq!(distinct.len(), 1, "{distinct:#?}");
    let (status, bytes) = &answers[0];
    let made: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!((*status, &made["scene_count"]), (201, &json!(2)), "{made}");

    let other = json!({"campaign_id": campaign, "num_pairs": 1, "planner": "template"});
    let (status, bytes) = create(&client, "double-click", &other).await;
    let refused: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((status, &refused["type"]), (422, &json!("/errors/idempotency_key_reused")), "{refused}");
    assert_eq!(client.get("/api/v3/jobs").await.unwrap()["meta"]["total"], 1);

    // Events are published in their order: whatever the creates led to is there before the job's end.
    let cancel = format!("/api/v3/jobs/{}/cancel", made["job_id"]);
    assert_eq!(client.call(Method::POST, &cancel, None).await.unwrap().status, 202);
    let events = servers.published_of("job", "job_canceled", 1).await;
    assert_eq!(events.iter().filter(|event| *event == "job_created").count(), 1, "{events:?}");
}
