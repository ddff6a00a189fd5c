//! What a person writes over a scene is shown, and changes nothing of what is bought.

use reqwest::Method;
use serde_json::{Value, json};
use soundstage::report::Ledger;

use crate::{
    leaks::Held,
    world::{PATIENCE, World, approved_job, campaign, finished, pause},
};

/// Ids of all renders that were bought, and whether each was canceled.
fn bought(ledger: &Ledger) -> Vec<(String, bool)> {
    ledger.of_kind("video").map(|prediction| (prediction.id.clone(), prediction.canceled)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scene_that_is_shown_as_failed_is_rendered_and_paid_for_like_any_other() {
    let world = World::instant().await;
    let (client, control) = (world.client(), world.stage.control());
    world.stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "hold"}}])).await;
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = approved_job(&client, &campaign, 2).await;
    let asked = async {
        while control.ledger().await.unwrap().of_kind("video").count() < 2 {
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("both renders are asked for");
    let data = world.server.data_dir().clone();
    let held =
        Held::new(|service| data.join(format!("db/{service}.sqlite")).display().to_string(), Vec::new())
            .await;
    let before = bought(&control.ledger().await.unwrap());
    assert_eq!(held.now().await["render: slots taken"], 2);

    let scenes = client.job(job).await.unwrap()["scenes"].clone();
    let path = format!("/api/v3/jobs/{job}/scenes/{}", scenes[0]["id"].as_str().unwrap());
    let put = async |status: &str| {
        client.call(Method::PUT, &path, Some(json!({ "status": status }))).await.unwrap()
    };
    let shown = put("failed").await;
    assert_eq!((shown.status.as_u16(), &shown.body["scene"]["status"]), (200, &json!("failed")));
    let refused = put("completed").await;
    assert_eq!((refused.status.as_u16(), &refused.body["type"]), (422, &json!("/errors/validation_failed")));
    assert!(refused.body["details"]["status"].is_array(), "{}", refused.body);
    let shown = client.job(job).await.unwrap();
    assert_eq!((&shown["status"], &shown["scenes"][0]["status"]), (&json!("processing"), &json!("failed")));
    assert_eq!(bought(&control.ledger().await.unwrap()), before);
    assert_eq!(held.now().await["render: slots taken"], 2, "nothing is freed by it");

    control.reset().await.unwrap();
    control.release().await.unwrap();
    let done = finished(&client, job).await;
    assert_eq!((&done["status"], &done["outcome"]), (&json!("completed"), &json!("full")), "{done}");
    let completed = |scene: &Value| scene["status"] == "completed";
    assert!(done["scenes"].as_array().unwrap().iter().all(completed), "what happens wins: {done}");
    let ledger = control.ledger().await.unwrap();
    assert_eq!(bought(&ledger), before, "nothing is bought again or canceled");
    assert_eq!(ledger.of_kind("video").filter(|prediction| prediction.charged).count(), 2);
}
