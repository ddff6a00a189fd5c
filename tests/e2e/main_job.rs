//! The main job: photographs in, a finished video with music out.

use std::path::Path;

use filmstrip::{client::Client, demo::inspect};
use serde_json::Value;

use crate::world::{Stage, World, approved_job, campaign, finished};

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_video_keeps_every_promise() {
    let world = World::with(Stage::DRAFT, Default::default()).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 8).await;
    let job = approved_job(&client, &campaign, 3).await;
    keeps_every_promise(&client, job, world.scratch.path()).await;

    let ledger = world.stage.control().ledger().await.unwrap();
    assert_eq!(ledger.of_kind("video").filter(|p| p.charged).count(), 3);
    assert!(ledger.of_kind("music").filter(|p| p.charged).count() >= 1);
}

/// The job finishes with everything a user was promised of it; returns it.
pub(crate) async fn keeps_every_promise(client: &Client, job: i64, scratch: &Path) -> Value {
    let done = finished(client, job).await;
    assert_eq!((&done["status"], &done["outcome"]), (&"completed".into(), &"full".into()), "{done}");
    assert_eq!(done["progress_percentage"], 100);
    assert_eq!(done["current_stage"], "completed");

    let mut expected = 0.0;
    for scene in done["scenes"].as_array().unwrap() {
        assert_eq!(scene["status"], "completed");
        let clip = scratch.join("clip.mp4");
        let path = format!("/api/v3/videos/{job}/clips/{}.mp4", scene["id"].as_str().unwrap());
        client.download(&path, &clip).await.unwrap();
        expected += inspect::duration(&clip).await.unwrap();
    }
    let video = scratch.join("video.mp4");
    client.download(&format!("/api/v3/videos/{job}/combined"), &video).await.unwrap();
    let seen = inspect::inspect(&video).await.unwrap();
    assert_eq!(seen.faults(expected), Vec::<String>::new(), "{seen}");
    assert!(money(&done["actual_cost"]) >= money(&done["estimated_cost"]), "{done}");
    let listed = client.get("/api/v3/generated-videos").await.unwrap();
    assert_eq!(listed["data"][0]["job_id"], job);
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scene_shows_its_own_two_photographs() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 8).await;
    let job = approved_job(&client, &campaign, 4).await;
    let done = finished(&client, job).await;
    let scenes = done["storyboard"]["scenes"].as_array().unwrap().clone();
    let mut pairs: Vec<Value> = scenes.iter().map(|scene| scene["asset_ids"].clone()).collect();
    assert!(pairs.iter().all(|pair| pair.as_array().unwrap().len() == 2 && pair[0] != pair[1]), "{pairs:?}");
    pairs.sort_by_key(Value::to_string);
    pairs.dedup();
    assert_eq!(pairs.len(), 4, "no pair is shown twice");
}

fn money(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no amount: {value}"))
}
