//! What the older API did wrong and this one does not, as far as the gateway alone decides it. Others are beside
//! their services; each is named by its number.

use http::Method;
use kit::ServiceError;
use protos::{asset::v1 as pb, job::v1 as job};
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    assets::an_asset,
    campaigns::a_campaign,
    clients::a_client,
    world::{KEY, World, a_job, answer},
};

#[tokio::test]
async fn q09_an_upload_needs_no_type() {
    let world = World::start().await;
    world.asset.on("create_asset", an_asset(None));
    let form = Form::new()
        .text("campaign_id", "c-1")
        .part("file", Part::bytes(b"bytes".to_vec()).file_name("a.jpg"));
    answer(world.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
    let asked: pb::CreateAssetRequest = world.asset.asked_once("create_asset");
    assert_eq!(asked.fields.expect("fields").r#type, None);
}

#[tokio::test]
async fn q13_bytes_have_their_own_type_a_tag_and_ranges() {
    let world = World::start().await;
    let blob = world.blob(b"webp bytes", "image/webp").await;
    world.asset.on("get_asset", an_asset(Some(blob)));
    let answer = world.get_with("/api/v3/assets/a-1/data", &[("range", "bytes=0-3")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (206, "image/webp"));
    assert_eq!((answer.header("content-range"), answer.header("etag").len()), ("bytes 0-3/10", 66));
}

#[tokio::test]
async fn q14_ranges_and_conditions_follow_the_rfc() {
    let world = World::start().await;
    let video = world.blob(b"0123456789", "video/mp4").await;
    let tag = format!("\"{}\"", video.sha256);
    world.job.on("get_job", job::Job { video: Some(video), ..a_job(None) });
    for (headers, status, range) in [
        (vec![("range", "bytes=8-99")], 206, "bytes 8-9/10"),
        (vec![("range", "bytes=0-1,4-5")], 200, ""),
        (vec![("range", "bytes=nonsense")], 200, ""),
        (vec![("range", "bytes=10-")], 416, "bytes */10"),
        (vec![("range", "bytes=0-1"), ("if-range", "\"older\"")], 200, ""),
        (vec![("if-none-match", "\"x\", W/\"y\", *")], 304, ""),
    ] {
        let answer = world.get_with("/api/v3/videos/43/combined", &headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-range")), (status, range), "{headers:?}");
        let cache = if status == 416 { "max-age=0, private, must-revalidate" } else { "no-cache" };
        assert_eq!(answer.header("cache-control"), cache, "{headers:?}");
        assert_eq!(answer.header("etag"), if status == 416 { "" } else { &tag }, "{headers:?}");
    }
}

#[tokio::test]
async fn q20_an_upload_may_be_larger_than_eight_megabytes() {
    let world = World::start().await;
    world.asset.on("create_asset", an_asset(None));
    let form = Form::new().part("file", Part::bytes(vec![7; 9_000_000]).file_name("a.mp4"));
    answer(world.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
}

#[tokio::test]
async fn q30_times_are_rfc_3339_with_their_zone() {
    let world = World::start().await;
    world.asset.on("get_client", a_client());
    world.asset.on("get_campaign", a_campaign("x"));
    world.asset.on("get_asset", an_asset(None));
    world.job.on("get_job", a_job(None));
    for (path, members) in [
        ("clients/1", ["/data/inserted_at", "/data/updated_at"]),
        ("campaigns/1", ["/data/createdAt", "/data/updatedAt"]),
        ("assets/1", ["/data/uploadedAt"; 2]),
        ("jobs/43", ["/inserted_at", "/updated_at"]),
    ] {
        let body = world.get(&format!("/api/v3/{path}")).await.ok(200);
        for member in members {
            let time = body.pointer(member).and_then(|time| time.as_str()).expect("a time");
            assert!(
                time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(),
                "{path} {member}: {time}"
            );
        }
    }
}

#[tokio::test]
async fn q31_each_family_of_errors_keeps_its_member_and_all_are_problems() {
    let world = World::start().await;
    for call in ["get_client", "get_campaign", "get_asset"] {
        world.asset.refuse(call, || ServiceError::not_found("Nothing is there"));
    }
    let object = |text: &str| json!({"message": text, "code": "not_found"});
    for (path, code, member, value) in [
        ("clients/x", "client_not_found", "error", object("Client not found")),
        ("campaigns/x", "campaign_not_found", "error", object("Campaign not found")),
        ("assets/x", "asset_not_found", "error", json!("Asset not found")),
        ("jobs/x", "job_not_found", "error", json!("Job not found")),
        ("nope", "not_found", "errors", json!({"detail": "Not Found"})),
    ] {
        assert_eq!(world.get(&format!("/api/v3/{path}")).await.problem(404, code)[member], value, "{path}");
    }
}

#[tokio::test]
async fn q32_input_is_read_in_both_spellings() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    world.asset.on("update_campaign", a_campaign("x"));
    for body in
        [json!({"name": "N", "brand_guidelines": "calm"}), json!({"name": "N", "brandGuidelines": "calm"})]
    {
        world.post("/api/v3/clients", body).await.ok(201);
    }
    let asked: Vec<pb::CreateClientRequest> = world.asset.asked("create_client");
    assert!(asked.iter().all(|asked| asked.brand_guidelines.as_deref() == Some("calm")));
    for body in [json!({"product_url": "u", "client_id": "c"}), json!({"productUrl": "u", "clientId": "c"})] {
        answer(world.request(Method::PATCH, "/api/v3/campaigns/1").json(&body)).await.ok(200);
    }
    let asked: Vec<pb::UpdateCampaignRequest> = world.asset.asked("update_campaign");
    assert!(asked.iter().all(|asked| asked.fields == ["client_id", "product_url"]));
    assert!(asked.iter().all(|asked| asked.product_url.as_deref() == Some("u")));
}

#[tokio::test]
async fn q33_a_brief_keeps_its_type_unless_it_is_an_object_or_an_array() {
    let world = World::start().await;
    for (brief, shown) in [
        ("123", json!("123")),
        ("null", json!("null")),
        ("true", json!("true")),
        ("{\"a\":1}", json!({"a": 1})),
        ("[1]", json!([1])),
    ] {
        world.asset.clear("get_campaign");
        world.asset.on("get_campaign", a_campaign(brief));
        assert_eq!(world.get("/api/v3/campaigns/c-1").await.ok(200)["data"]["brief"], shown);
    }
}

#[tokio::test]
async fn q38_all_media_have_quoted_strong_tags_and_revalidate_where_they_can_change() {
    let world = World::start().await;
    let bytes = world.blob(b"bytes", "video/mp4").await;
    let audio = job::AudioState { soundtrack: Some(bytes.clone()), ..Default::default() };
    let made = job::Job {
        video: Some(bytes.clone()),
        poster: Some(bytes.clone()),
        audio: Some(audio),
        ..a_job(Some(bytes.clone()))
    };
    world.job.on("get_job", made);
    for path in ["videos/43/combined", "videos/43/thumbnail", "videos/43/clips/s-1.mp4", "audio/43/download"]
    {
        let answer = world.get(&format!("/api/v3/{path}")).await;
        let tag = format!("\"{}\"", bytes.sha256);
        assert_eq!(
            (answer.header("etag"), answer.header("cache-control")),
            (tag.as_str(), "no-cache"),
            "{path}"
        );
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The logger is the process's, so that what is logged on any thread is kept.
#[tokio::test]
async fn q40_no_key_and_no_signature_is_ever_logged() {
    let kept = Kept::default();
    let logger = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(kept.clone());
    tracing::subscriber::set_global_default(logger.finish()).expect("the only logger");
    let world = World::locked().await;
    world.job.on("get_job", a_job(None));
    world.asset.refuse("get_key_ring", || ServiceError::unavailable("away"));
    let canary = "canary-7f3a";
    let kept_key = format!("fsk_{canary}");
    let query = format!("/api/v3/jobs/43/events?expires=1&signature={canary}");
    for (path, key) in [
        ("/api/v3/jobs/43", KEY),
        ("/api/v3/jobs/43", canary),
        ("/api/v3/jobs/43", kept_key.as_str()),
        (query.as_str(), canary),
    ] {
        let headers =
            [("x-api-key", key), ("authorization", canary), ("cookie", canary), ("idempotency-key", "key-1")];
        world.get_with(path, &headers).await;
    }
    let logged = String::from_utf8(kept.0.lock().expect("a lock").clone()).expect("text");
    assert!(logged.contains("answered"), "requests are logged");
    assert!(!logged.contains(canary) && !logged.contains(KEY), "{logged}");
}

#[tokio::test]
async fn q40_keys_that_almost_fit_are_refused_like_any_other() {
    let world = World::locked().await;
    for key in ["k-correc", "k-correctx", "K-correct", "k-correct,k-other", ""] {
        world.get_with("/api/v3/jobs/43", &[("x-api-key", key)]).await.problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn q42_a_browser_opens_media_with_a_signed_link() {
    let world = World::locked().await;
    let bytes = world.blob(b"bytes", "video/mp4").await;
    world.job.on("get_job", job::Job { video: Some(bytes), ..a_job(None) });
    let body = world.get_with("/api/v3/jobs/43", &[("x-api-key", KEY)]).await.ok(200);
    let link = body["links"]["video"].as_str().expect("a link");
    assert_eq!(world.get(link).await.status, 200);
    world.get("/api/v3/videos/43/combined").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn q43_media_are_given_whatever_is_accepted() {
    let world = World::start().await;
    let bytes = world.blob(b"bytes", "video/mp4").await;
    world.job.on("get_job", job::Job { video: Some(bytes.clone()), ..a_job(None) });
    world.asset.on("get_asset", an_asset(Some(bytes)));
    for path in ["/api/v3/videos/43/combined", "/api/v3/assets/a-1/data"] {
        for accept in ["video/mp4", "image/*", "text/html"] {
            assert_eq!(world.get_with(path, &[("accept", accept)]).await.status, 200, "{path} {accept}");
        }
    }
}
