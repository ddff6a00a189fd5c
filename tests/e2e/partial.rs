//! What becomes of a job when scenes fail for good, and how a person mends it.

use bytes::Bytes;
use filmstrip::client::Client;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::world::{World, campaign, finished, new_job, until};

fn refuse(prompt: &str) -> Value {
    json!({"when": {"kind": "video", "prompt_contains": prompt},
           "then": {"fault": "fail", "error": "The input was flagged as sensitive", "code": "E005"}})
}

fn prompts(job: &Value) -> Vec<String> {
    let scenes = job["storyboard"]["scenes"].as_array().unwrap();
    scenes.iter().map(|scene| scene["prompt"].as_str().unwrap().to_owned()).collect()
}

fn video(job: &Value) -> String {
    job["video_url"].as_str().unwrap_or_else(|| panic!("no video: {job}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_job_says_so_plays_on_and_becomes_full_by_buying_only_what_was_missing() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 12).await;
    let job = new_job(&client, &campaign, 6).await;
    let prompts = prompts(&client.job(job).await.unwrap());
    let distinct: std::collections::HashSet<_> = prompts.iter().collect();
    assert_eq!(distinct.len(), 6, "each scene has its own prompt: {prompts:?}");
    world.stage.faults(json!([refuse(&prompts[1]), refuse(&prompts[4])])).await;
    client.approve(job).await.unwrap();

    let partial = finished(&client, job).await;
    assert_eq!(
        (&partial["status"], &partial["outcome"]),
        (&json!("completed"), &json!("partial")),
        "{partial}"
    );
    let statuses: Vec<&str> =
        partial["scenes"].as_array().unwrap().iter().map(|scene| scene["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["completed", "failed", "completed", "completed", "failed", "completed"]);
    let reason = partial["scenes"][1]["error"].as_str().unwrap();
    assert!(reason.contains("sensitive"), "{reason}");
    let first = world.scratch.path().join("first.mp4");
    client.download(&video(&partial), &first).await.unwrap();
    let seconds = filmstrip::demo::inspect::duration(&first).await.unwrap();
    assert!((seconds - 16.0).abs() < 0.5, "four clips of 4 s, not {seconds}");
    let before =
        world.stage.control().ledger().await.unwrap().charged().filter(|p| p.kind == "video").count();
    assert_eq!(before, 4);

    world.stage.control().reset().await.unwrap();
    world.stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "hold"}}])).await;
    for index in [1, 4] {
        let id = partial["scenes"][index]["id"].as_str().unwrap();
        let path = format!("/api/v3/jobs/{job}/scenes/{id}/regenerate");
        let answer = client.call(reqwest::Method::POST, &path, None).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let mending = until(&client, job, |job| !job["next_cut"].is_null()).await;
    assert_eq!(mending["status"], "completed");
    assert_eq!(mending["progress_percentage"], 100);
    let again = world.scratch.path().join("again.mp4");
    client.download(&video(&mending), &again).await.unwrap();
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&again).unwrap(), "the partial video plays on");
    release_until(&world, job).await;

    let full = until(&client, job, |job| job["next_cut"].is_null() && job["outcome"] == "full").await;
    client.download(&video(&full), &again).await.unwrap();
    let seconds = filmstrip::demo::inspect::duration(&again).await.unwrap();
    assert!((seconds - 24.0).abs() < 0.5, "six clips of 4 s, not {seconds}");
    let after = world.stage.control().ledger().await.unwrap().charged().filter(|p| p.kind == "video").count();
    assert_eq!(after - before, 2, "only the two missing scenes are bought");
}

/// Lets held predictions go until both have been accepted.
async fn release_until(world: &World, _job: i64) {
    let control = world.stage.control();
    control.reset().await.unwrap();
    let both = async {
        while control.ledger().await.unwrap().of_kind("video").count() < 8 {
            crate::world::pause().await;
        }
        control.release().await.unwrap();
    };
    tokio::time::timeout(crate::world::PATIENCE, both).await.expect("both scenes are asked for");
}

/// What a media route answered.
struct Seen {
    status: u16,
    tag: String,
    /// Where these bytes stay.
    location: String,
    caching: String,
    bytes: Bytes,
}

/// Gets `path`, with the tag of what is known already.
async fn see(client: &Client, path: &str, known: Option<&str>) -> Seen {
    let mut request = client.request(Method::GET, path);
    if let Some(tag) = known {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let answer = request.send().await.unwrap();
    let text = |name: header::HeaderName| {
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (tag, location) = (text(header::ETAG), text(header::CONTENT_LOCATION));
    let (status, caching) = (answer.status().as_u16(), text(header::CACHE_CONTROL));
    Seen { status, tag, location, caching, bytes: answer.bytes().await.unwrap() }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_regenerate_the_old_tag_gets_the_new_video_and_the_old_bytes_stay_where_they_were() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = new_job(&client, &campaign, 2).await;
    let prompts = prompts(&client.job(job).await.unwrap());
    world.stage.faults(json!([refuse(&prompts[1])])).await;
    client.approve(job).await.unwrap();
    let partial = finished(&client, job).await;
    assert_eq!(partial["outcome"], "partial", "{partial}");
    let combined = format!("/api/v3/videos/{job}/combined");
    let older = see(&client, &combined, None).await;
    assert!(older.status == 200 && older.tag.len() > 60, "{}", older.tag);
    assert_eq!(see(&client, &combined, Some(&older.tag)).await.status, 304, "nothing is new yet");

    world.stage.control().reset().await.unwrap();
    let scene = partial["scenes"][1]["id"].as_str().unwrap();
    let path = format!("/api/v3/jobs/{job}/scenes/{scene}/regenerate");
    assert_eq!(client.call(Method::POST, &path, None).await.unwrap().status, 200);
    until(&client, job, |job| job["next_cut"].is_null() && job["outcome"] == "full").await;

    let newer = see(&client, &combined, Some(&older.tag)).await;
    assert_eq!(newer.status, 200, "the old tag is of something else");
    assert!(newer.tag != older.tag && newer.location != older.location && newer.bytes != older.bytes);
    let again = see(&client, &combined, Some(&newer.tag)).await;
    assert_eq!((again.status, again.tag.as_str(), again.bytes.len()), (304, newer.tag.as_str(), 0));
    for seen in [older, newer] {
        assert!(seen.caching.contains("no-cache"), "{}", seen.caching);
        let kept = see(&client, &seen.location, None).await;
        assert_eq!((kept.status, kept.tag), (200, seen.tag), "{}", seen.location);
        assert!(kept.bytes == seen.bytes && kept.caching.contains("immutable"), "{}", seen.location);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_scenes_all_fail_is_failed_and_says_why() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = new_job(&client, &campaign, 2).await;
    world.stage.faults(json!([refuse("")])).await;
    client.approve(job).await.unwrap();
    let failed = finished(&client, job).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("sensitive"), "{failed}");
    let charged =
        world.stage.control().ledger().await.unwrap().charged().filter(|p| p.kind == "video").count();
    assert_eq!(charged, 0);
    let path = format!("/api/v3/videos/{job}/combined");
    assert_eq!(client.call(reqwest::Method::GET, &path, None).await.unwrap().status, 404);
}
