//! `Idempotency-Key`.

use http::Method;
use kit::{Code, ServiceError};
use protos::{asset::v1 as asset, job::v1 as job};
use serde_json::json;

use crate::{
    clients::a_client,
    world::{KEY, World, a_job, answer},
};

#[tokio::test]
async fn a_key_names_a_write_within_its_route() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    world.job.on("approve_job", a_job(None));
    world.job.on("cancel_job", a_job(None));
    for path in ["/api/v3/clients", "/api/v3//clients/", "/api/v3/jobs/43/approve", "/api/v3/jobs/43/cancel"]
    {
        let request = world.request(Method::POST, path).header("Idempotency-Key", "k-1").json(&json!({}));
        assert!(answer(request).await.status.is_success(), "{path}");
    }
    let clients: Vec<asset::CreateClientRequest> = world.asset.asked("create_client");
    assert_eq!(clients[0].command_id, clients[1].command_id);
    assert_eq!(clients[0].command_id, "POST /api/v3/clients k-1");
    let approved: job::ApproveJobRequest = world.job.asked_once("approve_job");
    let canceled: job::CancelJobRequest = world.job.asked_once("cancel_job");
    assert_ne!(approved.command_id, canceled.command_id);
}

#[tokio::test]
async fn a_write_without_a_key_has_an_id_of_its_own() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    for _ in 0..2 {
        world.post("/api/v3/clients", json!({"name": "n"})).await.ok(201);
    }
    let clients: Vec<asset::CreateClientRequest> = world.asset.asked("create_client");
    assert!(clients.iter().all(|client| uuid::Uuid::try_parse(&client.command_id).is_ok()));
    assert_ne!(clients[0].command_id, clients[1].command_id, "each is a write of its own");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_refused_before_anything_is_done() {
    let world = World::start().await;
    let long = "k".repeat(201);
    for keys in [&[""][..], &["with blank"], &[long.as_str()], &["one", "two"]] {
        let request = world.request(Method::POST, "/api/v3/clients").json(&json!({"name": "n"}));
        let request = keys.iter().fold(request, |request, key| request.header("Idempotency-Key", *key));
        let body = answer(request).await.problem(400, "idempotency_key_invalid");
        assert_eq!(body["error"]["code"], "idempotency_key_invalid");
    }
    assert!(world.asset.asked::<asset::CreateClientRequest>("create_client").is_empty());
}

#[tokio::test]
async fn a_key_used_for_another_write_is_a_conflict() {
    let world = World::start().await;
    world.job.refuse("approve_job", || {
        ServiceError::new(Code::Conflict, "idempotency_key_reused", "This Idempotency-Key was used before.")
    });
    let request = world.request(Method::POST, "/api/v3/jobs/43/approve").header("Idempotency-Key", "k");
    answer(request).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_job_that_is_asked_for_again_is_answered_with_the_same_bytes_also_in_its_signed_links() {
    let world = World::locked().await;
    world.job.on("create_job", job::Job { status: "pending".into(), ..a_job(None) });
    let path = "/api/v3/jobs/from-image-pairs";
    let mut bodies = Vec::new();
    for seconds in [0, 2, 600] {
        world.clock.advance(std::time::Duration::from_secs(seconds));
        let request =
            world.request(Method::POST, path).header("x-api-key", KEY).header("Idempotency-Key", "k-1");
        let answer = answer(request.json(&json!({"campaign_id": "c-1"}))).await;
        assert!(answer.ok(201)["links"]["events"].as_str().expect("a link").contains("signature="));
        bodies.push(answer.bytes);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    world.clock.advance(std::time::Duration::from_secs(7200));
    let request = world.request(Method::POST, path).header("x-api-key", KEY).header("Idempotency-Key", "k-1");
    let late = answer(request.json(&json!({"campaign_id": "c-1"}))).await.ok(201);
    let link = late["links"]["events"].as_str().expect("a link").to_owned();
    assert_ne!(world.get(&link).await.status, 401, "nobody is given a link that has ended");
}
