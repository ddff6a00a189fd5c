//! Canceling a job reaches the predictions in flight.

use reqwest::Method;
use serde_json::json;

use crate::world::{PATIENCE, World, approved_job, campaign, finished, pause, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_job_cancels_what_is_in_flight_and_stays_canceled() {
    let mut world = World::instant().await;
    let client = world.client();
    world.stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "hold"}}])).await;
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = approved_job(&client, &campaign, 2).await;
    let control = world.stage.control();
    let accepted = async {
        while control.ledger().await.unwrap().of_kind("video").count() < 2 {
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, accepted).await.expect("both renders are asked for");

    let path = format!("/api/v3/jobs/{job}/cancel");
    let answer = client.call(Method::POST, &path, None).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (202, &json!("canceled")),
        "{}",
        answer.body
    );
    let canceled = finished(&client, job).await;
    assert_eq!(canceled["status"], "canceled");
    for scene in canceled["scenes"].as_array().unwrap() {
        assert_eq!((&scene["status"], &scene["error"]), (&json!("failed"), &json!("canceled")), "{scene}");
    }
    let over = async {
        loop {
            let ledger = control.ledger().await.unwrap();
            if ledger.of_kind("video").all(|prediction| prediction.canceled) {
                return;
            }
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("the predictions are canceled at the provider");

    let again = client.call(Method::POST, &path, None).await.unwrap();
    assert_eq!(again.status, 422, "{}", again.body);
    world.server.kill().await;
    world.server.restart().await;
    let still = until(&world.client(), job, |job| job["status"] == "canceled").await;
    assert_eq!(still["status"], "canceled");
    assert_eq!(control.ledger().await.unwrap().of_kind("video").count(), 2, "nothing was bought again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_job_that_is_canceled_never_costs_anything() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = crate::world::new_job(&client, &campaign, 2).await;
    let path = format!("/api/v3/jobs/{job}/cancel");
    assert_eq!(client.call(Method::POST, &path, None).await.unwrap().status, 202);
    let approve = client.call(Method::POST, &format!("/api/v3/jobs/{job}/approve"), None).await.unwrap();
    assert_eq!((approve.status.as_u16(), &approve.body["current_status"]), (422, &json!("canceled")));
    assert_eq!(world.stage.control().ledger().await.unwrap().predictions.len(), 0);
}
