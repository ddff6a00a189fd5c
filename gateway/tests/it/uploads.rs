//! Files uploaded by multipart.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::Method;
use protos::asset::v1 as pb;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    assets::an_asset,
    world::{Answer, PATIENCE, World, answer},
};

fn part(bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name("Lobby 1.JPG").mime_str("image/jpeg").expect("a type")
}

async fn upload(world: &World, path: &str, form: Form) -> Answer {
    answer(world.request(Method::POST, path).multipart(form)).await
}

#[tokio::test]
async fn the_file_may_come_before_or_after_the_fields() {
    let world = World::start().await;
    world.asset.on("create_asset", an_asset(None));
    let before = Form::new().part("file", part(b"bytes")).text("campaign_id", "c-1").text("tags", "a,b");
    let after =
        Form::new().text("campaign_id", "c-1").text("tags", "[\"a\",\"b\"]").part("file", part(b"bytes"));
    for form in [before, after] {
        upload(&world, "/api/v3/assets", form).await.ok(201);
    }
    let mut asked: Vec<pb::CreateAssetRequest> = world.asset.asked("create_asset");
    let ids: Vec<String> = asked.iter_mut().map(|asked| std::mem::take(&mut asked.command_id)).collect();
    assert_ne!(ids[0], ids[1], "without a key each request is a command of its own");
    assert_eq!(asked[0], asked[1]);
    let fields = asked[0].fields.clone().expect("fields");
    assert_eq!(
        (fields.campaign_id.as_deref(), fields.tags),
        (Some("c-1"), vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(asked[0].file_name, "Lobby 1.JPG");
    let blob = asked[0].blob.clone().expect("a blob");
    assert_eq!((blob.size, blob.content_type.as_str()), (5, "image/jpeg"));
    assert_eq!(world.blobs.size(&blob.sha256).await.expect("a store"), Some(5));
}

#[tokio::test]
async fn a_file_wins_over_a_url_on_every_route() {
    let world = World::start().await;
    world.asset.on("create_asset", pb::Asset { thumbnail: Some(Default::default()), ..an_asset(None) });
    for path in ["/api/v3/assets", "/api/v3/assets/from-url", "/api/v3/assets/unified"] {
        let form =
            Form::new().text("source_url", "https://x.example/a.jpg").part("file", part(path.as_bytes()));
        let reply = upload(&world, path, form).await.ok(201);
        let meta = if path.ends_with("unified") { json!({"has_thumbnail": true}) } else { json!(null) };
        assert_eq!(reply["meta"], meta);
    }
    assert!(world.asset.asked::<pb::ImportAssetRequest>("import_asset").is_empty());
}

#[tokio::test]
async fn a_multipart_body_without_a_file_may_name_a_url() {
    let world = World::start().await;
    world.asset.on("import_asset", an_asset(None));
    let form = Form::new().text("url", "https://x.example/a.jpg").text("clientId", "cl-1");
    upload(&world, "/api/v3/assets", form).await.ok(201);
    let asked: pb::ImportAssetRequest = world.asset.asked_once("import_asset");
    assert_eq!(asked.fields.and_then(|fields| fields.client_id).as_deref(), Some("cl-1"));
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_leaves_nothing() {
    let world = World::with(|settings| settings.max_upload_bytes = 100_000).await;
    let form = Form::new().text("campaign_id", "c-1").part("file", part(&vec![7; 300_000])).text("name", "n");
    let body = upload(&world, "/api/v3/assets", form).await.problem(413, "too_large");
    assert_eq!(body["errors"]["detail"], "Request Entity Too Large");
    assert_eq!(world.stored_files(), 0);
    assert!(world.asset.asked::<pb::CreateAssetRequest>("create_asset").is_empty());
    world.asset.on("create_asset", an_asset(None));
    let form = Form::new().part("file", part(&vec![7; 100_000]));
    upload(&world, "/api/v3/assets", form).await.ok(201);
}

#[tokio::test]
async fn a_large_file_of_unknown_length_goes_through_in_pieces() {
    let world = World::start().await;
    world.asset.on("create_asset", an_asset(None));
    let piece = Bytes::from(vec![3_u8; 1 << 20]);
    let pieces = stream::iter(0..64).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
    let file = Part::stream(reqwest::Body::wrap_stream(pieces)).file_name("long.mp4");
    upload(&world, "/api/v3/assets", Form::new().part("file", file)).await.ok(201);
    let asked: pb::CreateAssetRequest = world.asset.asked_once("create_asset");
    assert_eq!(asked.blob.expect("a blob").size, 64 << 20);
}

#[tokio::test]
async fn an_empty_file_is_passed_on_for_the_service_to_judge() {
    let world = World::start().await;
    world.asset.refuse("create_asset", || {
        kit::ServiceError::validation([("base", "either blob_data or source_url must be present")])
    });
    let form = Form::new().part("file", part(b"")).text("campaign_id", "c-1");
    let body = upload(&world, "/api/v3/assets", form).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"base": ["either blob_data or source_url must be present"]}));
}

#[tokio::test]
async fn two_files_in_one_body_are_refused() {
    let world = World::start().await;
    let form = Form::new().part("file", part(b"one")).part("file", part(b"two"));
    let body = upload(&world, "/api/v3/assets", form).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"file": ["must be given once"]}));
}

#[tokio::test]
async fn fields_together_may_not_exceed_the_limit_of_a_body() {
    let world = World::start().await;
    let form = Form::new().text("name", "n".repeat(5_000_000)).text("description", "d".repeat(4_000_000));
    upload(&world, "/api/v3/assets", form).await.problem(413, "too_large");
}

/// Sends raw bytes and reads what comes back until the other side closes.
async fn raw(world: &World, text: &str, finish: bool) -> String {
    let mut socket = TcpStream::connect(world.address).await.expect("a connection");
    socket.write_all(text.as_bytes()).await.expect("a write");
    if finish {
        socket.shutdown().await.expect("a half close");
    }
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("in time").expect("a read");
    String::from_utf8_lossy(&answer).into_owned()
}

fn cut_off(declared: usize, body: &str) -> String {
    format!(
        "POST /api/v3/assets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {declared}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_file_that_ends_too_early_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nonly the beginn";
    let answer = raw(&world, &cut_off(body.len(), body), false).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("\"error\":\"Invalid file format\""), "{answer}");
    // The client that goes away gets no answer, and leaves nothing either.
    raw(&world, &cut_off(10_000, body), true).await;
    assert_eq!(world.stored_files(), 0);
}

#[tokio::test]
async fn a_multipart_body_that_cannot_be_read_is_a_bad_request() {
    let world = World::start().await;
    for (kind, body) in [("multipart/form-data", "x"), ("multipart/form-data; boundary=b", "no parts here")] {
        let request = world.request(Method::POST, "/api/v3/assets").header("content-type", kind).body(body);
        let body = answer(request).await.problem(400, "bad_request");
        assert_eq!(body["errors"]["detail"], "Bad Request");
    }
}
