//! Assets by URL, and how they are shown, listed and served.

use kit::{Code, ServiceError};
use protos::{asset::v1 as pb, common::v1::BlobRef};
use serde_json::json;

use crate::world::World;

pub(crate) fn an_asset(blob: Option<BlobRef>) -> pb::Asset {
    pb::Asset {
        id: "a-1".into(),
        r#type: "image".into(),
        client_id: Some("cl-1".into()),
        campaign_id: Some("c-1".into()),
        name: Some("Lobby 1".into()),
        tags: vec!["lobby".into()],
        blob,
        format: "jpeg".into(),
        width: Some(1600),
        height: Some(900),
        created_at: "2025-03-04T05:06:07Z".into(),
        updated_at: "2025-03-04T05:06:07Z".into(),
        ..Default::default()
    }
}

fn a_blob() -> BlobRef {
    BlobRef { sha256: "ab".repeat(32), size: 48_211, content_type: "image/jpeg".into() }
}

#[tokio::test]
async fn an_image_is_shown_with_what_its_bytes_say() {
    let world = World::start().await;
    world.asset.on("get_asset", an_asset(Some(a_blob())));
    let expected = json!({"data": {
        "id": "a-1", "userId": "", "clientId": "cl-1", "campaignId": "c-1", "name": "Lobby 1",
        "url": "/api/v3/assets/a-1/data", "size": 48211, "uploadedAt": "2025-03-04T05:06:07Z", "description": null,
        "tags": ["lobby"], "thumbnailBlobId": null, "sourceUrl": null, "type": "image", "format": "jpeg",
        "width": 1600, "height": 900, "contentType": "image/jpeg", "sha256": "ab".repeat(32),
    }});
    assert_eq!(world.get("/api/v3/assets/a-1").await.ok(200), expected);
}

#[tokio::test]
async fn a_video_and_a_sound_have_members_of_their_own_and_metadata_fills_gaps() {
    let world = World::start().await;
    let metadata = r#"{"user_id":"u-1","originalName":"tour.mp4","caption":"A tour","tags":"a, b"}"#;
    let bare = pb::Asset {
        r#type: "video".into(),
        name: None,
        tags: vec![],
        metadata_json: Some(metadata.into()),
        duration_ms: Some(6_040),
        ..an_asset(Some(a_blob()))
    };
    world.asset.on("get_asset", bare.clone());
    world.asset.on("get_asset", pb::Asset { r#type: "audio".into(), duration_ms: None, ..bare });
    let video = &world.get("/api/v3/assets/a-1").await.ok(200)["data"];
    assert_eq!(video["userId"], "u-1");
    assert_eq!(video["name"], "tour.mp4");
    assert_eq!(video["description"], "A tour");
    assert_eq!(video["tags"], json!(["a", "b"]));
    assert_eq!(video["duration"], 6);
    assert_eq!(video["thumbnailUrl"], "/api/v3/assets/a-1/thumbnail");
    let audio = &world.get("/api/v3/assets/a-1").await.ok(200)["data"];
    assert_eq!(audio["duration"], 0);
    assert!(audio.as_object().expect("an object").contains_key("waveformUrl"));
}

#[tokio::test]
async fn an_asset_is_imported_under_any_name_of_its_url() {
    let world = World::start().await;
    world.asset.on("import_asset", an_asset(Some(a_blob())));
    for (path, name) in [
        ("/api/v3/assets", "source_url"),
        ("/api/v3/assets/from-url", "sourceUrl"),
        ("/api/v3/assets/unified", "url"),
    ] {
        let body = json!({name: "https://img.example/a.jpg", "campaignId": "c-1", "caption": "hi", "tag_list": "x,y",
            "meta": {"room_type": "kitchen"}, "asset_type": "image", "name": "n"});
        let reply = world.post(path, body).await.ok(201);
        assert_eq!(reply["data"]["id"], "a-1");
    }
    for asked in world.asset.asked::<pb::ImportAssetRequest>("import_asset") {
        assert_eq!(asked.source_url, "https://img.example/a.jpg");
        let fields = asked.fields.expect("fields");
        assert_eq!(fields.campaign_id.as_deref(), Some("c-1"));
        assert_eq!(fields.description.as_deref(), Some("hi"));
        assert_eq!(fields.tags, ["x", "y"]);
        assert_eq!(fields.metadata_json.as_deref(), Some(r#"{"room_type":"kitchen"}"#));
        assert_eq!(fields.r#type.as_deref(), Some("image"));
    }
}

#[tokio::test]
async fn without_a_source_each_route_says_what_it_wants() {
    let world = World::start().await;
    for path in ["/api/v3/assets", "/api/v3/assets/unified"] {
        let body = world.post(path, json!({"campaign_id": "c-1", "source_url": " "})).await;
        assert_eq!(
            body.problem(400, "source_missing")["error"],
            "Either file upload or source_url must be provided"
        );
    }
    let body = world.post("/api/v3/assets/from-url", json!({})).await.problem(400, "source_missing");
    assert_eq!(body["error"], "source_url is required");
}

#[tokio::test]
async fn a_failed_download_says_why() {
    let world = World::start().await;
    world.asset.refuse("import_asset", || {
        ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL")
            .fact("reason", "HTTP 404")
    });
    let body =
        world.post("/api/v3/assets/from-url", json!({"url": "https://x.example", "client_id": "cl-1"})).await;
    let body = body.problem(400, "download_failed");
    assert_eq!(
        (&body["error"], &body["reason"]),
        (&json!("Failed to download from URL"), &json!("HTTP 404"))
    );
}

#[tokio::test]
async fn rejected_fields_are_listed_in_the_flat_family() {
    let world = World::start().await;
    world.asset.refuse("import_asset", || {
        let text = "must include campaign_id or client_id";
        ServiceError::validation([("campaign_id", text), ("client_id", text)])
    });
    let body = world.post("/api/v3/assets", json!({"url": "https://x.example"})).await;
    let body = body.problem(422, "validation_failed");
    assert_eq!(body["error"], "Validation failed");
    let wanted = json!({"campaign_id": ["must include campaign_id or client_id"], "client_id": ["must include campaign_id or client_id"]});
    assert_eq!(body["details"], wanted);
    let body = world.post("/api/v3/assets", json!({"url": "https://x.example", "tags": ["a", 3]})).await;
    assert_eq!(body.problem(422, "validation_failed")["details"], json!({"tags": ["is invalid"]}));
}

#[tokio::test]
async fn bounds_of_pages_and_unknown_types_are_forgiven() {
    let world = World::start().await;
    world
        .asset
        .on("list_assets", pb::ListAssetsReply { assets: vec![an_asset(None)], total: 57, next: None });
    let list = world.get("/api/v3/assets").await.ok(200);
    assert_eq!(list["meta"], json!({"total": 57, "limit": 25, "offset": 0, "next_cursor": null}));
    assert_eq!(list["data"][0]["size"], json!(null));
    for (query, limit, offset) in [
        ("limit=0&offset=-3", 1, 0),
        ("limit=5000", 1000, 0),
        ("limit=12abc&offset=x", 12, 0),
        ("limit=abc", 25, 0),
    ] {
        let meta = &world.get(&format!("/api/v3/assets?{query}")).await.ok(200)["meta"];
        assert_eq!(
            *meta,
            json!({"total": 57, "limit": limit, "offset": offset, "next_cursor": null}),
            "{query}"
        );
    }
    world.get("/api/v3/assets?asset_type=IMAGE&campaignId=c-1&client_id=").await.ok(200);
    world.get("/api/v3/assets?type=document").await.ok(200);
    world.get("/api/v3/assets?type=page").await.ok(200);
    let asked: Vec<pb::ListAssetsRequest> = world.asset.asked("list_assets");
    let [.., filtered, documents, unknown] = asked.as_slice() else { panic!("three requests") };
    assert_eq!(documents.r#type.as_deref(), Some("document"));
    assert_eq!(filtered.r#type.as_deref(), Some("image"));
    assert_eq!((filtered.campaign_id.as_deref(), filtered.client_id.as_deref()), (Some("c-1"), None));
    assert_eq!(unknown.r#type, None);
}

#[tokio::test]
async fn the_bytes_carry_their_own_type_and_a_name() {
    let world = World::start().await;
    let blob = world.blob(b"png bytes", "image/png").await;
    world.asset.on("get_asset", pb::Asset { format: "png".into(), ..an_asset(Some(blob.clone())) });
    let answer = world.get("/api/v3/assets/a-1/data").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"png bytes".as_slice()));
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(answer.header("content-disposition"), "inline; filename=\"a-1.png\"");
    assert_eq!(answer.header("etag"), format!("\"{}\"", blob.sha256));
    assert_eq!(answer.header("content-length"), "9");
    assert_eq!(answer.header("accept-ranges"), "bytes");
}

#[tokio::test]
async fn a_thumbnail_is_served_or_not_available() {
    let world = World::start().await;
    let thumbnail = world.blob(b"small", "image/jpeg").await;
    world.asset.on("get_asset", pb::Asset { thumbnail: Some(thumbnail), ..an_asset(None) });
    world.asset.on("get_asset", an_asset(None));
    let answer = world.get("/api/v3/assets/a-1/thumbnail").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"small".as_slice()));
    assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    assert_eq!(answer.header("content-type"), "image/jpeg");
    let body = world.get("/api/v3/assets/a-1/thumbnail").await.problem(404, "thumbnail_not_available");
    assert_eq!(body["error"], "Thumbnail not available");
}

#[tokio::test]
async fn a_document_is_saved_and_not_shown() {
    let world = World::start().await;
    let drawing = world.blob(b"<svg/>", "image/svg+xml").await;
    let document = pb::Asset { r#type: "document".into(), ..an_asset(Some(drawing)) };
    world.asset.on("get_asset", pb::Asset { format: "svg".into(), ..document.clone() });
    let answer = world.get("/api/v3/assets/a-1/data").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"<svg/>".as_slice()));
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"a-1.svg\"");
    let body = world.get("/api/v3/assets/a-1/thumbnail").await.problem(404, "thumbnail_not_available");
    assert_eq!(body["error"], "Thumbnail not available");
}

#[tokio::test]
async fn what_an_older_database_called_things_is_no_file_name() {
    for (id, format, name) in
        [("a-1", "svg\"; x", "a-1"), ("a/../1", "jpeg", "asset.jpg"), ("a-1", "", "a-1")]
    {
        let world = World::start().await;
        let blob = world.blob(b"bytes", "image/jpeg").await;
        let odd = pb::Asset { id: id.into(), format: format.into(), ..an_asset(Some(blob)) };
        world.asset.on("get_asset", odd);
        let answer = world.get("/api/v3/assets/a-1/data").await;
        assert_eq!(answer.header("content-disposition"), format!("inline; filename=\"{name}\""));
    }
}

#[tokio::test]
async fn a_thumbnail_that_is_lacking_is_drawn() {
    let world = World::start().await;
    let blob = world.blob(b"bytes", "image/jpeg").await;
    let drawn = world.blob(b"drawn", "image/jpeg").await;
    world.asset.on("get_asset", an_asset(Some(blob.clone())));
    world.asset.on("get_picture", pb::GetPictureReply { image: Some(drawn) });
    let answer = world.get("/api/v3/assets/a-1/thumbnail").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"drawn".as_slice()));
    assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    let asked: pb::GetPictureRequest = world.asset.asked_once("get_picture");
    assert_eq!((asked.width, asked.at_ms, asked.source), (320, None, Some(blob)));
    world.asset.clear("get_picture");
    world.asset.refuse("get_picture", || ServiceError::validation([("blob_data", "is invalid")]));
    let body = world.get("/api/v3/assets/a-1/thumbnail").await.problem(404, "thumbnail_not_available");
    assert_eq!(body["error"], "Thumbnail not available");
}

#[tokio::test]
async fn an_asset_or_its_bytes_may_be_missing() {
    let world = World::start().await;
    world.asset.refuse("get_asset", || ServiceError::not_found("There is no asset."));
    for path in ["/api/v3/assets/nope", "/api/v3/assets/nope/data", "/api/v3/assets/nope/thumbnail"] {
        assert_eq!(world.get(path).await.problem(404, "asset_not_found")["error"], "Asset not found");
    }
    let world = World::start().await;
    world.asset.on("get_asset", an_asset(Some(a_blob())));
    let body = world.get("/api/v3/assets/a-1/data").await.problem(502, "blob_unavailable");
    assert_eq!(body["error"], "Asset blob unavailable");
    let world = World::start().await;
    world.asset.on("get_asset", an_asset(None));
    let body = world.get("/api/v3/assets/a-1/data").await.problem(502, "blob_unavailable");
    assert_eq!(body["error"], "Asset blob unavailable", "as brought over");
    let shown = &world.get("/api/v3/assets/a-1").await.ok(200)["data"];
    assert_eq!((&shown["size"], &shown["sha256"]), (&json!(null), &json!(null)));
}
