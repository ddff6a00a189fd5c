//! What was read a moment ago, given to others.

use std::time::Duration;

use http::Method;
use protos::{asset::v1 as asset, job::v1 as job};
use serde_json::{Value, json};

use crate::{
    assets::an_asset,
    clients::a_client,
    world::{World, a_job, answer},
};

const JOB: &str = "/api/v3/jobs/43";

/// A world that holds what it read for longer than any test takes.
async fn holding() -> World {
    let world = World::with(|settings| settings.hold = Duration::from_secs(3600)).await;
    world.job.on("get_job", a_job(None));
    world
}

fn asked(world: &World) -> usize {
    world.job.asked::<job::GetJobRequest>("get_job").len()
}

async fn status(world: &World) -> Value {
    world.get(JOB).await.ok(200)["status"].clone()
}

#[tokio::test]
async fn a_job_is_asked_for_once_while_nothing_happens() {
    let world = holding().await;
    let first = world.get(JOB).await;
    for _ in 0..3 {
        let again = world.get(JOB).await;
        assert_eq!(
            (again.bytes.as_slice(), again.header("content-type")),
            (first.bytes.as_slice(), first.header("content-type"))
        );
    }
    assert_eq!(asked(&world), 1);
    world.get("/api/v3/jobs/43/scenes").await.ok(200);
    assert_eq!(asked(&world), 2, "only the job itself and its media are held");
}

#[tokio::test]
async fn whoever_writes_reads_what_they_wrote() {
    let world = holding().await;
    assert_eq!(status(&world).await, "processing");
    world.job.on("cancel_job", a_job(None));
    world.job.clear("get_job");
    world.job.on("get_job", job::Job { status: "canceled".into(), ..a_job(None) });
    assert_eq!(status(&world).await, "processing", "nothing happened here");
    world.post("/api/v3/jobs/43/cancel", json!({})).await.ok(202);
    assert_eq!(status(&world).await, "canceled");
}

#[tokio::test]
async fn a_write_about_anything_ends_what_is_held() {
    let world = holding().await;
    world.asset.on("create_client", a_client());
    status(&world).await;
    world.post("/api/v3/clients", json!({"name": "a"})).await.ok(201);
    status(&world).await;
    assert_eq!(asked(&world), 2);
}

#[tokio::test]
async fn a_caller_who_wants_it_anew_has_it_read_anew() {
    let world = holding().await;
    for wish in ["no-cache", "no-store", "max-age=0"] {
        world.get_with(JOB, &[("cache-control", wish)]).await.ok(200);
    }
    assert_eq!(asked(&world), 3);
}

#[tokio::test]
async fn the_bytes_of_an_asset_are_looked_up_once_until_it_is_deleted() {
    let world = holding().await;
    let blob = world.blob(b"bytes", "image/jpeg").await;
    world.asset.on("get_asset", an_asset(Some(blob)));
    for _ in 0..3 {
        assert_eq!(world.get("/api/v3/assets/a-1/data").await.bytes, b"bytes");
    }
    assert_eq!(world.asset.asked::<asset::GetAssetRequest>("get_asset").len(), 1);
    world.asset.on("delete_asset", asset::Deleted::default());
    assert_eq!(answer(world.request(Method::DELETE, "/api/v3/assets/a-1")).await.status, 204);
    world.get("/api/v3/assets/a-1/data").await;
    assert_eq!(world.asset.asked::<asset::GetAssetRequest>("get_asset").len(), 2);
}
