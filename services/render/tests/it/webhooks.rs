//! Webhooks as the provider sends them, through a stand-in for the gateway: frames by signed address, deliveries
//! forged, doubled and out of order.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use blobs::Blobs;
use kit::{Clock, grpc::Channel, signing::UrlSigner};
use predictions::PublicUrls;
use protos::render::v1::{ReceiveWebhookRequest, render_service_client::RenderServiceClient};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::world::{DEADLINE, World};

struct Edge {
    blobs: Blobs,
    signer: UrlSigner,
    /// Set once the service is there.
    render: watch::Sender<Option<RenderServiceClient<Channel>>>,
    /// What became of each delivery; none: it is to be sent again.
    verdicts: watch::Sender<Vec<Option<bool>>>,
}

async fn media(
    State(edge): State<Arc<Edge>>,
    Path(sha256): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Body, StatusCode> {
    let expires = query.get("expires").and_then(|text| text.parse().ok()).unwrap_or(0);
    let signature = query.get("signature").map(String::as_str).unwrap_or_default();
    let path = format!("/api/v3/media/{sha256}");
    let now = Clock::system().now();
    edge.signer.verify(&path, expires, signature, now).map_err(|_| StatusCode::FORBIDDEN)?;
    let reader = edge.blobs.open(&sha256, None).await.map_err(|_| StatusCode::NOT_FOUND)?;
    Ok(Body::from_stream(reader))
}

async fn webhook(
    State(edge): State<Arc<Edge>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    assert_eq!(query.get("service").map(String::as_str), Some("render"));
    let Some(mut client) = edge.render.borrow().clone() else { return StatusCode::SERVICE_UNAVAILABLE };
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let request = ReceiveWebhookRequest {
        attempt_id: query.get("attempt").cloned().unwrap_or_default(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_vec(),
    };
    let verdict = client.receive_webhook(request).await.ok().map(|reply| reply.into_inner().accepted);
    edge.verdicts.send_modify(|verdicts| verdicts.push(verdict));
    if verdict.is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[tokio::test]
async fn a_webhook_ends_the_waiting_and_lies_change_nothing() {
    let mut world = World::new().await;
    // So long that only a webhook can bring the news within the test.
    world.settings.policy.poll_first = Duration::from_secs(3600);
    world.settings.policy.poll_most = Duration::from_secs(3600);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let signer = UrlSigner::new("a secret".to_owned().into());
    world.settings.replicate.public = Some(PublicUrls::new(base.parse().unwrap(), signer.clone(), "render"));
    let edge = Arc::new(Edge {
        blobs: world.blobs.clone(),
        signer,
        render: watch::Sender::new(None),
        verdicts: watch::Sender::new(Vec::new()),
    });
    let router = Router::new()
        .route("/api/v3/media/{sha256}", get(media))
        .route("/api/webhooks/replicate", post(webhook))
        .with_state(edge.clone());
    let stop = CancellationToken::new();
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let served = tokio::spawn(async move { served.await });

    world
        .faults(json!({"rules": [
            {"when": {"kind": "video"}, "then": {"fault": "slow", "seconds": 1}},
            {"when": {"kind": "video"}, "then": {"fault": "webhook_forged"}},
            {"when": {"kind": "video"}, "then": {"fault": "webhook_duplicate"}},
            {"when": {"kind": "video"}, "then": {"fault": "webhook_out_of_order"}},
        ]}))
        .await;
    let service = world.service().await;
    edge.render.send_replace(Some(service.client.clone()));
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts), ("rendered", 1), "{render:?}");

    // Two pieces of news, each with a lie before it and a repetition after it.
    let mut verdicts = edge.verdicts.subscribe();
    let all = verdicts.wait_for(|verdicts| verdicts.len() >= 6);
    let verdicts = tokio::time::timeout(DEADLINE, all).await.expect("all deliveries come").unwrap().clone();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Some(true)).count(), 4, "{verdicts:?}");
    assert_eq!(service.get(&wish.key).await, render, "nothing changes after the end");
    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (1, 1));
    let frame = ledger.predictions[0].input["image"].as_str().unwrap().to_owned();
    assert!(frame.starts_with(&base) && frame.contains("attempt="), "{frame}");
    assert_eq!(
        ledger.requests.get("files"),
        None,
        "the photo was fetched, not uploaded: {:?}",
        ledger.requests
    );

    service.stop().await;
    stop.cancel();
    world.stop().await;
    served.await.unwrap().unwrap();
}
