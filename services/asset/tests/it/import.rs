//! Assets that are fetched from a URL.

use std::time::Duration;

use kit::{Code, ServiceError};
use protos::asset::v1 as pb;
use tonic::Response;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::files::jpeg;
use crate::world::{World, assert_unusable, assert_violations, in_campaign, ok, refused};

pub(crate) async fn import(world: &mut World, url: &str) -> Result<pb::Asset, ServiceError> {
    let campaign = world.campaign().await;
    let request = pb::ImportAssetRequest {
        fields: Some(in_campaign(&campaign)),
        source_url: url.into(),
        ..Default::default()
    };
    world.client.import_asset(request).await.map(Response::into_inner).map_err(ServiceError::from)
}

/// Why nothing could be downloaded.
#[track_caller]
pub(crate) fn reason(error: &ServiceError) -> String {
    assert_eq!((error.code, error.reason.as_str()), (Code::Invalid, "download_failed"), "{error}");
    assert_eq!(error.message, "Failed to download from URL");
    error.facts["reason"].clone()
}

pub(crate) async fn serving(at: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_url_becomes_an_asset_of_what_it_really_holds() {
    let mut world = World::new().await;
    let answer = ResponseTemplate::new(200).set_body_raw(jpeg(40, 20), "application/json");
    let server = serving("/rooms/lobby.mp4", answer).await;
    let url = format!("{}/rooms/lobby.mp4?size=1", server.uri());
    let asset = import(&mut world, &url).await.unwrap();
    assert_eq!((asset.r#type.as_str(), asset.width, asset.height), ("image", Some(40), Some(20)));
    assert_eq!((asset.source_url, asset.name.as_deref()), (Some(url), Some("lobby.mp4")));
    let blob = asset.blob.unwrap();
    assert_eq!(blob.content_type, "image/jpeg");
    assert_eq!(std::fs::read(world.blobs.path(&blob.sha256).unwrap()).unwrap(), jpeg(40, 20));
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.headers["accept-encoding"], "identity");
    world.stop().await;
}

#[tokio::test]
async fn a_repeated_import_fetches_nothing() {
    let mut world = World::new().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    let campaign = world.campaign().await;
    let request = pb::ImportAssetRequest {
        command_id: "key-1".into(),
        fields: Some(in_campaign(&campaign)),
        source_url: format!("{}/a.jpg", server.uri()),
    };
    let first = ok(world.client.import_asset(request.clone()).await);
    assert_eq!(ok(world.client.import_asset(request).await), first);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_request_that_is_refused_anyway_calls_nobody() {
    let mut world = World::new().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    let request =
        pb::ImportAssetRequest { source_url: format!("{}/a.jpg", server.uri()), ..Default::default() };
    let error = refused(world.client.import_asset(request).await);
    assert_eq!(error.code, Code::Validation);
    assert!(server.received_requests().await.unwrap().is_empty());
    world.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_not_200_is_no_file() {
    let mut world = World::new().await;
    for status in [201, 204, 304, 403, 404] {
        let server = serving("/a.jpg", ResponseTemplate::new(status)).await;
        let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
        assert_eq!(reason(&error), format!("HTTP {status}"));
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "asking again cannot help");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let mut world = World::new().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(3)
        .with_priority(1)
        .mount(&server)
        .await;
    import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
    let server = serving("/a.jpg", ResponseTemplate::new(500)).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert_eq!(reason(&error), "HTTP 500");
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_is_away_is_named_as_such() {
    let mut world = World::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = import(&mut world, &format!("http://{free}/a.jpg")).await.unwrap_err();
    assert!(reason(&error).to_lowercase().contains("refused"), "{:?}", error.facts);
    world.stop().await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let mut world = World::with(|import| import.max_bytes = 100).await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(64, 64))).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert_eq!(reason(&error), "the file is larger than 100 bytes");
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let mut world = World::with(|import| import.deadline = Duration::from_millis(300)).await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    let server = serving("/a.jpg", slow).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert!(reason(&error).contains("took longer"), "{:?}", error.facts);
    world.stop().await;
}

#[tokio::test]
async fn what_comes_must_be_media() {
    let mut world = World::new().await;
    let page = ResponseTemplate::new(200).set_body_raw("<!doctype html><html></html>", "image/jpeg");
    let server = serving("/a.jpg", page).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert_unusable(&error);
    let server = serving("/a.jpg", ResponseTemplate::new(200)).await;
    let error = import(&mut world, &format!("{}/a.jpg", server.uri())).await.unwrap_err();
    assert_violations(&error, &[("base", "either blob_data or source_url must be present")]);
    assert_eq!(world.assets().await, (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn a_text_that_is_no_url_is_a_wrong_field() {
    let mut world = World::new().await;
    for url in
        ["lobby.jpg", "ftp://img.example/a.jpg", "file:///etc/passwd", "http://", "http://a:b@img.example/"]
    {
        let error = import(&mut world, url).await.unwrap_err();
        assert_eq!(error.code, Code::Validation, "{url}");
        assert_eq!(error.violations[0], ("source_url".to_owned(), "is invalid".to_owned()), "{url}");
        assert!(!error.to_string().contains("a:b"));
    }
    let error = import(&mut world, " ").await.unwrap_err();
    assert_violations(&error, &[("base", "either blob_data or source_url must be present")]);
    world.stop().await;
}
