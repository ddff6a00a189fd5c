//! Media straight from S3: redirects to links of the bucket, for whoever may have the bytes.

use blobs::{BlobAddress, Blobs, S3Options};
use gateway::Settings;
use http::{Method, header};
use protos::job::v1 as pb;
use testservers::S3Server;

use crate::world::{Answer, KEY, PATIENCE, World, a_job, answer};

const VIDEO: &[u8] = b"0123456789";
const PATH: &str = "/api/v3/videos/43/combined";

/// A world over S3.
async fn over(server: &S3Server, change: impl FnOnce(&mut Settings)) -> World {
    let options = S3Options {
        endpoint: server.endpoint(),
        region: server.region().to_owned(),
        access_key_id: server.access_key().to_owned(),
        secret_access_key: server.secret_key().to_owned().into(),
        path_style: None,
    };
    let address = BlobAddress::parse(&server.blob_url(), options).expect("an address");
    World::over(|dir| Blobs::at(&address, dir).expect("a store"), change).await
}

/// A world over S3 with a completed job.
async fn filmed(server: &S3Server, change: impl FnOnce(&mut Settings)) -> World {
    let world = over(server, change).await;
    let video = world.blob(VIDEO, "video/mp4").await;
    let poster = world.blob(b"poster", "image/jpeg").await;
    world
        .job
        .on("get_job", pb::Job { video: Some(video.clone()), poster: Some(poster), ..a_job(Some(video)) });
    world
}

fn redirecting(settings: &mut Settings) {
    settings.redirect_media = true;
}

/// Sends a request without following where the answer leads.
async fn ask(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let stay = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().no_proxy().redirect(stay).timeout(PATIENCE).build();
    let request = client.expect("a client").request(method, world.url(path));
    answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

#[tokio::test]
async fn a_get_is_answered_with_a_link_that_ends_soon_and_is_not_kept() {
    let server = S3Server::start().await.expect("S3");
    let world = filmed(&server, redirecting).await;
    for path in [PATH, "/api/v3/videos/43/thumbnail", "/api/v3/videos/43/clips/s-1.mp4"] {
        let told = ask(&world, Method::GET, path, &[]).await;
        assert_eq!(
            (told.status.as_u16(), told.header("cache-control"), told.bytes.len()),
            (307, "no-store", 0)
        );
        let link = reqwest::Url::parse(told.header("location")).expect("a URL");
        assert!(link.as_str().starts_with(&format!("{}/{}/", server.endpoint(), server.bucket())), "{link}");
        assert!(link.query_pairs().any(|pair| pair == ("X-Amz-Expires".into(), "600".into())), "{link}");
        assert_eq!(told.header("etag"), "", "a tag would be that of the redirect");
    }
    let told = ask(&world, Method::GET, PATH, &[]).await;
    assert!(told.header("location").contains("response-content-disposition=inline"), "{told:?}");
}

#[tokio::test]
async fn whoever_follows_the_link_gets_the_bytes_and_ranges_of_them() {
    let server = S3Server::start().await.expect("S3");
    let world = filmed(&server, redirecting).await;
    let whole = world.get(PATH).await;
    assert_eq!((whole.status.as_u16(), whole.bytes.as_slice()), (200, VIDEO));
    assert_eq!(whole.header("content-type"), "video/mp4");
    let part = world.get_with(PATH, &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, b"234".as_slice()));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
}

#[tokio::test]
async fn what_is_no_get_of_bytes_is_answered_here() {
    let server = S3Server::start().await.expect("S3");
    let world = filmed(&server, redirecting).await;
    let head = ask(&world, Method::HEAD, PATH, &[]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "10"));
    let tag = head.header(header::ETAG.as_str()).to_owned();
    let same = ask(&world, Method::GET, PATH, &[("if-none-match", &tag)]).await;
    assert_eq!((same.status.as_u16(), same.header("etag")), (304, tag.as_str()));
    let beyond = ask(&world, Method::GET, PATH, &[("range", "bytes=10-12")]).await;
    beyond.problem(416, "range_not_satisfiable");
    ask(&world, Method::GET, "/api/v3/jobs/43", &[]).await.ok(200);
}

#[tokio::test]
async fn without_the_setting_the_bytes_come_through_the_gateway() {
    let server = S3Server::start().await.expect("S3");
    let world = filmed(&server, |_| {}).await;
    let part = ask(&world, Method::GET, PATH, &[("range", "bytes=2-4")]).await;
    assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, b"234".as_slice()));
    assert_eq!(part.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn a_store_in_a_directory_has_no_links_to_redirect_to() {
    let world = World::with(redirecting).await;
    let video = world.blob(VIDEO, "video/mp4").await;
    world.job.on("get_job", pb::Job { video: Some(video), ..a_job(None) });
    let answer = ask(&world, Method::GET, PATH, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, VIDEO));
}

#[tokio::test]
async fn a_link_is_for_callers_with_a_key_only() {
    let server = S3Server::start().await.expect("S3");
    let world = filmed(&server, |settings| {
        redirecting(settings);
        settings.api_keys = vec![KEY.into()];
    })
    .await;
    let refused = ask(&world, Method::GET, PATH, &[]).await;
    assert_eq!((refused.status.as_u16(), refused.header("location")), (401, ""));
    let told = ask(&world, Method::GET, PATH, &[("x-api-key", KEY)]).await;
    assert_eq!(told.status, 307);
    assert!(!told.header("location").contains(server.secret_key()) && !told.header("location").contains(KEY));
}

#[tokio::test]
async fn bytes_that_cannot_be_linked_to_are_a_502() {
    let server = S3Server::start().await.expect("S3");
    let world = over(&server, redirecting).await;
    let bad = protos::common::v1::BlobRef { sha256: "no hash".into(), size: 10, content_type: String::new() };
    world.job.on("get_job", pb::Job { video: Some(bad), ..a_job(None) });
    ask(&world, Method::GET, PATH, &[]).await.problem(502, "blob_unavailable");
}
