//! Keys and signed links.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use kit::signing::UrlSigner;
use protos::{asset::v1 as asset, job::v1 as pb};
use serde_json::Value;

use crate::{
    assets::an_asset,
    world::{Answer, KEY, LINK_SECRET, World, a_job, answer},
};

const REFUSAL: &str = "missing or invalid x-api-key header";

/// Every operation of the API: method, path with its variable parts filled, and what opens it.
fn operations() -> Vec<(Method, String, Vec<String>)> {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("a document");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase().parse().expect("a method");
            let openers = operation["security"].as_array().expect("security").iter();
            let openers = openers.flat_map(|one| one.as_object().expect("a requirement").keys().cloned());
            operations.push((method, path.clone(), openers.collect()));
        }
    }
    operations
}

#[tokio::test]
async fn every_route_that_is_not_public_refuses_without_a_key() {
    let world = World::locked().await;
    let mut public = Vec::new();
    for (method, path, openers) in operations() {
        let answer = answer(world.request(method.clone(), &path)).await;
        match openers.as_slice() {
            [] => {
                assert_ne!(answer.status, 401, "{method} {path}");
                public.push(format!("{method} {path}"));
            }
            [only] if only == "signed_link" => {
                answer.problem(403, "link_refused");
            }
            _ => {
                let body = answer.problem(401, "unauthorized");
                assert_eq!(body["error"], REFUSAL, "{method} {path}");
                assert_eq!(answer.header("www-authenticate"), "");
            }
        }
    }
    public.sort();
    let wanted = [
        "GET /api/openapi",
        "GET /api/openapi.json",
        "GET /api/v2/assets/1/data",
        "GET /api/v3/assets/1/data",
        "GET /api/v3/assets/1/thumbnail",
        "GET /api/v3/audio/segments/1",
        "GET /api/v3/testing/ui",
        "GET /errors/1",
        "GET /livez",
        "GET /readyz",
        "GET /swaggerui",
        "GET /swaggerui/1",
        "GET /version",
        "POST /api/webhooks/replicate",
        "POST /api/webhooks/replicate/1/1",
    ];
    assert_eq!(public, wanted);
}

async fn with_keys(world: &World, keys: &[&str]) -> Answer {
    let request = world.request(Method::GET, "/api/v3/jobs/43");
    answer(keys.iter().fold(request, |request, key| request.header("X-API-Key", *key))).await
}

#[tokio::test]
async fn exactly_one_right_key_opens() {
    let world = World::locked().await;
    world.job.on("get_job", a_job(None));
    for keys in [[KEY], ["k-other"]] {
        with_keys(&world, &keys).await.ok(200);
    }
    for keys in
        [&[][..], &["k-wrong"], &["K-CORRECT"], &[""], &[KEY, KEY], &[KEY, "k-wrong"], &["k-correct,k-other"]]
    {
        let body = with_keys(&world, keys).await.problem(401, "unauthorized");
        assert_eq!(body["error"], REFUSAL, "{keys:?}");
    }
}

#[tokio::test]
async fn without_configured_keys_everything_is_open_but_signed_links() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    with_keys(&world, &[]).await.ok(200);
    with_keys(&world, &["anything"]).await.ok(200);
    world.get(&format!("/api/v3/media/{}", "ab".repeat(32))).await.problem(403, "link_refused");
}

#[tokio::test]
async fn without_configured_keys_other_web_sites_may_only_read() {
    let world = World::start().await;
    let from = |site: &'static str| {
        world.request(Method::POST, "/api/v3/jobs/1/approve").header("sec-fetch-site", site)
    };
    let refused = answer(from("cross-site")).await;
    assert_eq!(refused.problem(401, "unauthorized")["error"], REFUSAL);
    assert_ne!(answer(from("same-origin")).await.status, 401);
}

#[tokio::test]
async fn an_unknown_route_is_404_even_without_a_key() {
    let world = World::locked().await;
    world.get("/api/v3/nope").await.problem(404, "not_found");
    let answer = answer(world.request(Method::PATCH, "/api/v3/jobs/43")).await;
    answer.problem(405, "method_not_allowed");
}

#[test]
fn a_list_of_keys_is_split_and_trimmed() {
    use secrecy::ExposeSecret as _;
    let keys = gateway::Settings::parse_keys(" one, two ,, ");
    let keys: Vec<_> = keys.iter().map(|key| key.expose_secret()).collect();
    assert_eq!(keys, ["one", "two"]);
    assert!(gateway::Settings::parse_keys("  ").is_empty());
}

#[tokio::test]
async fn the_links_of_a_job_open_without_a_key_until_they_expire() {
    let world = World::locked().await;
    let bytes = world.blob(b"bytes", "video/mp4").await;
    let audio = pb::AudioState { soundtrack: Some(bytes.clone()), ..Default::default() };
    let job = pb::Job {
        video: Some(bytes.clone()),
        poster: Some(bytes.clone()),
        audio: Some(audio),
        status: "completed".into(),
        ..a_job(Some(bytes))
    };
    world.job.on("get_job", job);
    let body = with_keys(&world, &[KEY]).await.ok(200);
    let links = ["video", "thumbnail", "audio", "events"].map(|name| body["links"][name].clone());
    let clip = body["scenes"][0]["clip_url"].clone();
    let links: Vec<String> =
        links.into_iter().chain([clip]).map(|link| link.as_str().expect("a link").to_owned()).collect();
    for link in &links {
        assert_eq!(world.get(link).await.status, 200, "{link}");
        assert_eq!(answer(world.request(Method::HEAD, link)).await.status, 200, "{link}");
        let (path, query) = link.split_once('?').expect("a signature");
        for wrong in
            [path.to_owned(), format!("{path}?{query}x"), format!("{path}?expires=x&{query}&signature=")]
        {
            let body = world.get(&wrong).await.problem(401, "unauthorized");
            assert_eq!(body["error"], REFUSAL);
        }
    }
    let (_, query) = links[0].split_once('?').expect("a signature");
    world.get(&format!("/api/v3/videos/44/combined?{query}")).await.problem(401, "unauthorized");
    world.get(&format!("/api/v3/jobs/43?{query}")).await.problem(401, "unauthorized");
    world.clock.advance(std::time::Duration::from_secs(3602));
    let body = world.get(&links[0]).await.problem(401, "unauthorized");
    assert!(body["detail"].as_str().expect("text").contains("expired"), "{body}");
}

fn signed(path: &str, from_now: i64) -> String {
    let now: Timestamp = "2026-03-04T05:06:07Z".parse().expect("a time");
    let signer = UrlSigner::new(LINK_SECRET.into());
    format!("{path}?{}&mark=attempt-1", signer.query(path, now + SignedDuration::from_secs(from_now)))
}

#[tokio::test]
async fn media_by_hash_opens_with_a_fresh_link_only_and_tells_its_type() {
    let world = World::locked().await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR rest";
    let blob = world.blob(png, "whatever/it-was").await;
    let path = format!("/api/v3/media/{}", blob.sha256);
    let answer = world.get(&signed(&path, 60)).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, png.as_slice()));
    assert_eq!(answer.header("content-type"), "image/png");
    let ranged = world.get_with(&signed(&path, 60), &[("range", "bytes=1-3")]).await;
    assert_eq!((ranged.status.as_u16(), ranged.bytes.as_slice()), (206, b"PNG".as_slice()));
    let body = world.get(&signed(&path, -1)).await.problem(403, "link_refused");
    assert!(body["error"].as_str().expect("text").contains("expired"));
    world.get_with(&path, &[("x-api-key", KEY)]).await.problem(403, "link_refused");
    let other = format!("/api/v3/media/{}", "cd".repeat(32));
    world.get(&signed(&other, 60)).await.problem(404, "not_found");
    world.get(&signed("/api/v3/media/not-a-hash", 60)).await.problem(404, "not_found");
}

#[tokio::test]
async fn asset_bytes_are_public() {
    let world = World::locked().await;
    let blob = world.blob(b"bytes", "image/jpeg").await;
    world.asset.on("get_asset", an_asset(Some(blob)));
    assert_eq!(world.get("/api/v3/assets/a-1/data").await.status, 200);
}

/// Else one link would open everything for ever: each snapshot would bring newer ones.
#[tokio::test]
async fn what_a_link_leads_to_gives_no_links_that_end_after_it() {
    let world = World::locked().await;
    let video = world.blob(b"bytes", "video/mp4").await;
    world.job.on(
        "get_job",
        pb::Job { video: Some(video), audio: None, status: "completed".into(), ..a_job(None) },
    );
    let ends = |link: &str| {
        let (_, rest) = link.split_once("expires=").expect("an end");
        rest.split(['&', '"']).next().expect("a number").parse::<i64>().expect("a number")
    };
    let body = with_keys(&world, &[KEY]).await.ok(200);
    let link = body["links"]["events"].as_str().expect("a link").to_owned();
    world.clock.advance(std::time::Duration::from_secs(1800));
    let later = with_keys(&world, &[KEY]).await.ok(200);
    assert!(ends(later["links"]["video"].as_str().expect("a link")) > ends(&link));
    let stream = world.get(&link).await;
    assert_eq!(stream.status, 200);
    let snapshot = String::from_utf8(stream.bytes).expect("text");
    let given: Vec<i64> = snapshot.match_indices("expires=").map(|(at, _)| ends(&snapshot[at..])).collect();
    assert!(given.len() >= 2 && given.iter().all(|end| *end == ends(&link)), "{snapshot}");
}

#[tokio::test]
async fn a_thumbnail_is_for_everyone_and_a_frame_at_a_time_for_who_has_a_key() {
    let world = World::locked().await;
    let blob = world.blob(b"small", "image/jpeg").await;
    let video = asset::Asset { thumbnail: Some(blob.clone()), ..an_asset(Some(blob.clone())) };
    world.asset.on("get_asset", video);
    world.asset.on("get_picture", asset::GetPictureReply { image: Some(blob) });
    let path = "/api/v3/assets/a-1/thumbnail";
    for open in ["", "?width=640"] {
        assert_eq!(world.get(&format!("{path}{open}")).await.status, 200, "{open}");
    }
    world.get(&format!("{path}?t=1.5")).await.problem(401, "unauthorized");
    assert_eq!(world.get_with(&format!("{path}?t=1.5"), &[("x-api-key", KEY)]).await.status, 200);
    let link = signed(path, 60);
    assert_eq!(world.get(&format!("{link}&t=1.5")).await.status, 200);
}
