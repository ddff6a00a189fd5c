//! Generated videos.

use protos::job::v1 as pb;
use serde_json::json;

use crate::world::{World, a_job};

#[tokio::test]
async fn videos_are_listed_with_their_jobs() {
    let world = World::start().await;
    let job =
        pb::Job { status: "completed".into(), outcome: Some("full".into()), client_id: None, ..a_job(None) };
    world.job.on("list_videos", pb::ListVideosReply { jobs: vec![job], total: 7, next: Some(43) });
    let body = world.get("/api/v3/generated-videos").await.ok(200);
    let meta = &body["meta"];
    assert_eq!((&meta["limit"], &meta["offset"]), (&json!(25), &json!(0)));
    let video = &body["data"][0];
    for (member, value) in [
        ("job_id", json!(43)),
        ("video_name", json!("Spring 2")),
        ("status", json!("completed")),
        ("type", json!("image_pairs")),
        ("estimated_cost", json!(2.4)),
        ("costs", json!({"estimated": 2.4, "currency": "USD"})),
        ("campaign_id", json!("c-1")),
        ("client_id", json!(null)),
        ("inserted_at", json!("2026-03-04T05:00:00Z")),
        ("updated_at", json!("2026-03-04T05:06:00Z")),
        ("storyboard", json!({"scenes": [{"title": "Pool"}], "total_duration": 12.0})),
        ("total_duration", json!(12.0)),
        ("video_url", json!("/api/v3/videos/43/combined")),
    ] {
        assert_eq!(video[member], value, "{member}");
    }
}

#[tokio::test]
async fn filters_are_lenient_and_combine() {
    let world = World::start().await;
    world.job.on("list_videos", pb::ListVideosReply::default());
    for query in
        ["jobId=43x&campaignId=c-1&client_id=cl-1&limit=500&offset=-1", "job_id=abc&campaign_id=&limit=0"]
    {
        world.get(&format!("/api/v3/generated-videos?{query}")).await.ok(200);
    }
    let asked: Vec<pb::ListVideosRequest> = world.job.asked("list_videos");
    let wanted = pb::ListVideosRequest {
        job_id: Some(43),
        campaign_id: Some("c-1".into()),
        client_id: Some("cl-1".into()),
        limit: 100,
        offset: 0,
        after: None,
    };
    assert_eq!(asked[0], wanted);
    assert_eq!(asked[1], pb::ListVideosRequest { limit: 1, ..Default::default() });
}

#[tokio::test]
async fn q29_a_page_of_videos_says_how_many_there_are_in_all_and_where_the_next_begins() {
    let world = World::start().await;
    world.job.on("list_videos", pb::ListVideosReply { jobs: vec![a_job(None)], total: 7, next: Some(43) });
    world.job.on("list_videos", pb::ListVideosReply { jobs: vec![a_job(None)], total: 7, next: None });
    let meta = world.get("/api/v3/generated-videos?limit=1&client_id=cl-1").await.ok(200)["meta"].take();
    assert_eq!((&meta["count"], &meta["total"]), (&json!(1), &json!(7)));
    let cursor = meta["next_cursor"].as_str().expect("a cursor");
    let next = format!("/api/v3/generated-videos?limit=1&client_id=cl-1&cursor={cursor}");
    assert_eq!(world.get(&next).await.ok(200)["meta"]["next_cursor"], json!(null));
    let asked: Vec<pb::ListVideosRequest> = world.job.asked("list_videos");
    assert_eq!((asked[0].after, asked[1].after), (None, Some(43)));
    let other = format!("/api/v3/generated-videos?client_id=cl-2&cursor={cursor}");
    world.get(&other).await.problem(400, "bad_request");
}
