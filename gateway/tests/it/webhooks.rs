//! Webhooks of the provider.

use http::Method;
use kit::ServiceError;
use protos::render::v1 as render;
use serde_json::json;
use tonic::Status;

use crate::world::{World, answer};

#[tokio::test]
async fn a_webhook_reaches_its_service_as_it_came() {
    let world = World::locked().await;
    world.render.on("receive_webhook", render::ReceiveWebhookReply { accepted: true });
    world.audio.on("receive_webhook", render::ReceiveWebhookReply { accepted: true });
    let body = b"{\"id\":\"p-1\", \"status\": \"succeeded\" }\n".as_slice();
    for (path, script) in [
        ("/api/webhooks/replicate/render/attempt-1", &world.render),
        ("/api/webhooks/replicate?service=audio&attempt=attempt-1", &world.audio),
    ] {
        let request = world
            .request(Method::POST, path)
            .header("Webhook-Signature", "v1,abc")
            .header("content-type", "text/plain")
            .body(body);
        assert_eq!(answer(request).await.ok(200), json!({"status": "ok"}));
        let asked: render::ReceiveWebhookRequest = script.asked_once("receive_webhook");
        assert_eq!((asked.attempt_id.as_str(), asked.body.as_slice()), ("attempt-1", body));
        assert_eq!(asked.headers["webhook-signature"], "v1,abc");
    }
}

#[tokio::test]
async fn an_unsigned_webhook_gets_the_same_answer() {
    let world = World::start().await;
    world.render.on("receive_webhook", render::ReceiveWebhookReply { accepted: false });
    let body = world.post("/api/webhooks/replicate/render/a", json!({"id": 7})).await.ok(200);
    assert_eq!(body, json!({"status": "ok"}));
}

#[tokio::test]
async fn a_webhook_that_could_not_be_stored_is_asked_for_again() {
    let world = World::start().await;
    world.render.refuse("receive_webhook", || ServiceError::internal(std::io::Error::other("disk full")));
    world.render.fail("receive_webhook", || Status::unavailable("gone"));
    for _ in 0..2 {
        let answer = world.post("/api/webhooks/replicate/render/a", json!({})).await;
        answer.problem(503, "unavailable");
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[tokio::test]
async fn a_webhook_without_an_attempt_has_no_effect() {
    let world = World::locked().await;
    for body in ["{\"id\":\"p-1\",\"status\":\"failed\"}", "not json", ""] {
        let request = world.request(Method::POST, "/api/webhooks/replicate").body(body);
        assert_eq!(answer(request).await.ok(200), json!({"status": "ok"}));
    }
    for script in [&world.render, &world.audio] {
        assert!(script.asked::<render::ReceiveWebhookRequest>("receive_webhook").is_empty());
    }
    world.post("/api/webhooks/replicate/stitch/a", json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_webhook_larger_than_any_prediction_is_refused() {
    let world = World::start().await;
    let request = world.request(Method::POST, "/api/webhooks/replicate/render/a").body(vec![b' '; 1_100_000]);
    answer(request).await.problem(413, "too_large");
}
