//! The HTTP client against scripted answers.

use std::time::Duration;

use blobs::{Blobs, Budget};
use kit::Clock;
use predictions::{
    Provider, ProviderError, ReplicateConfig,
    provider::Create,
    replicate::{Client, wire::Status},
};
use serde_json::json;
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_partial_json, body_string_contains, header, method, path, query_param},
};

struct World {
    server: MockServer,
    client: Client,
    blobs: Blobs,
    dir: TempDir,
}

async fn world() -> World {
    let server = MockServer::start().await;
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::local(dir.path().join("blobs")).unwrap();
    let mut config = ReplicateConfig::replicate(server.uri().parse().unwrap(), "r8_secret".to_owned().into());
    config.max_output_bytes = 1000;
    let client = Client::new(&config, blobs.clone(), Clock::system()).unwrap();
    World { server, client, blobs, dir }
}

fn create() -> Create {
    Create {
        model: "google/veo-3.1".into(),
        model_key: "veo3".into(),
        input: json!({"prompt": "a \"kitchen\" at 100%\n"}),
        webhook: Some("https://us/api/webhooks/replicate?service=render&attempt=1".into()),
        cancel_after_seconds: 1800,
    }
}

#[tokio::test]
async fn a_create_call_carries_key_input_webhook_and_an_end() {
    let world = world().await;
    Mock::given(method("POST"))
        .and(path("/v1/predictions"))
        .and(header("authorization", "Bearer r8_secret"))
        .and(header("cancel-after", "1800s"))
        .and(body_partial_json(json!({
            "version": "google/veo-3.1",
            "input": {"prompt": "a \"kitchen\" at 100%\n"},
            "webhook_events_filter": ["start", "completed"],
        })))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({"id": "p1", "status": "starting"})))
        .expect(1)
        .mount(&world.server)
        .await;
    let prediction = world.client.create(&create()).await.unwrap();
    assert_eq!((prediction.id.as_str(), prediction.status), ("p1", Status::Starting));
}

#[tokio::test]
async fn a_create_call_is_sent_once_whatever_the_answer() {
    for (status, body) in [(500, "{}"), (503, "{}"), (429, "{}"), (201, "<html>"), (201, "{}")] {
        let world = world().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(status).set_body_string(body))
            .expect(1)
            .mount(&world.server)
            .await;
        let error = world.client.create(&create()).await.unwrap_err();
        match status {
            429 => assert_eq!(error, ProviderError::Throttled(Duration::from_secs(10))),
            _ => assert!(matches!(error, ProviderError::Ambiguous(_)), "{status} {body}: {error}"),
        }
    }
}

#[tokio::test]
async fn nobody_listening_means_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let dir = tempfile::tempdir().unwrap();
    let config = ReplicateConfig::soundstage(url.parse().unwrap());
    let client = Client::new(&config, Blobs::local(dir.path()).unwrap(), Clock::system()).unwrap();
    let error = client.create(&create()).await.unwrap_err();
    assert!(matches!(error, ProviderError::NotSent(_)), "{error}");
}

#[tokio::test]
async fn an_uploaded_file_is_named_after_its_attempt() {
    let world = world().await;
    let blob = world.blobs.put_bytes("jpeg", "image/jpeg").await.unwrap();
    Mock::given(method("POST"))
        .and(path("/v1/files"))
        .and(body_string_contains("attempt-7-image.jpg"))
        .and(body_string_contains(r#"{"attempt":"attempt-7"}"#))
        .respond_with(
            ResponseTemplate::new(201).set_body_json(json!({"id": "f", "urls": {"get": "https://f/1"}})),
        )
        .mount(&world.server)
        .await;
    let url = world.client.upload(&blob, "attempt-7-image.jpg", "attempt-7").await.unwrap();
    assert_eq!(url, "https://f/1");
}

#[tokio::test]
async fn the_list_is_followed_by_its_next_address_on_the_same_host_only() {
    let world = world().await;
    let next = format!("{}/v1/predictions?cursor=abc", world.server.uri());
    Mock::given(path("/v1/predictions"))
        .and(query_param("cursor", "abc"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"next": null, "results": []})))
        .with_priority(1)
        .mount(&world.server)
        .await;
    Mock::given(path("/v1/predictions"))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"next": next, "previous": null, "results": [
                {"id": "p", "status": "processing", "input": {"image": "https://f/1"}, "output": null,
                 "created_at": "2025-11-24T10:00:00.123Z", "started_at": null, "data_removed": false}
            ]}),
        ))
        .mount(&world.server)
        .await;
    let page = world.client.list(None).await.unwrap();
    assert_eq!(page.results.len(), 1);
    assert!(world.client.list(page.next.as_deref()).await.unwrap().results.is_empty());
    let elsewhere = world.client.list(Some("https://evil.example/v1/predictions")).await.unwrap_err();
    assert!(matches!(elsewhere, ProviderError::ForeignHost { .. }));
}

#[tokio::test]
async fn outputs_come_from_the_providers_hosts_only() {
    let world = world().await;
    let mut to = world.blobs.scratch_file("output-").unwrap();
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://replicate.delivery/clip.mp4",
        "https://evilreplicate.delivery/clip.mp4",
        "https://replicate.delivery.evil.example/clip.mp4",
        "file:///etc/passwd",
    ] {
        let error = world.client.download(url, &mut to).await.unwrap_err();
        assert!(matches!(error, ProviderError::ForeignHost { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_download_has_a_limit_and_no_key() {
    let world = world().await;
    let mut to = world.blobs.scratch_file("output-").unwrap();
    Mock::given(path("/small"))
        .respond_with(ResponseTemplate::new(200).set_body_string("clip"))
        .mount(&world.server)
        .await;
    Mock::given(path("/large"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![0; 1001]))
        .mount(&world.server)
        .await;
    assert_eq!(world.client.download(&format!("{}/small", world.server.uri()), &mut to).await.unwrap(), 4);
    assert_eq!(std::fs::read(to.path()).unwrap(), b"clip");
    let error = world.client.download(&format!("{}/large", world.server.uri()), &mut to).await.unwrap_err();
    assert_eq!(error, ProviderError::TooLarge { limit: 1000 });
    let requests = world.server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[tokio::test]
async fn an_output_waits_for_room_in_scratch_and_takes_no_more_than_it_has() {
    let World { server, client, blobs, dir: _dir } = world().await;
    let blobs = blobs.with_budget(Budget::of(1 << 20));
    Mock::given(path("/clip"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![7; 1000]))
        .mount(&server)
        .await;
    let others = blobs.budget().try_reserve(1 << 20).unwrap();
    let mut to = blobs.scratch_file("output-").unwrap();
    let url = format!("{}/clip", server.uri());
    let mut downloading = Box::pin(client.download(&url, &mut to));
    // Until it was asked for: nothing is written without room.
    while server.received_requests().await.unwrap().is_empty() {
        tokio::select! { biased; _ = &mut downloading => unreachable!(), () = tokio::task::yield_now() => {} }
    }
    assert_eq!(blobs.budget().reserved(), 1 << 20);
    drop(others);
    assert_eq!(downloading.await.unwrap(), 1000);
    assert_eq!(blobs.budget().reserved(), 4096);
    drop(to);
    assert_eq!(blobs.budget().reserved(), 0);
}

#[tokio::test]
async fn keys_appear_in_no_debug_text() {
    let world = world().await;
    let config =
        ReplicateConfig::replicate(world.server.uri().parse().unwrap(), "r8_secret".to_owned().into());
    assert!(!format!("{:?}{config:?}", world.client).contains("r8_secret"));
}
