//! Routes of the older API.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{World, a_job, a_scene};

const ACTIONS: &str = "/api/v3/jobs/43/actions";

#[tokio::test]
async fn one_route_approves_cancels_and_regenerates() {
    let world = World::start().await;
    world.job.on("approve_job", a_job(None));
    world.job.on("cancel_job", a_job(None));
    world.job.on("regenerate_scenes", a_job(None));
    let reply = world.post(ACTIONS, json!({"action": "approve"})).await.ok(200);
    assert_eq!(reply["data"], json!({"message": "Job approved successfully"}));
    assert_eq!(
        (&reply["error"], &reply["meta"]["timestamp"]),
        (&json!(null), &json!("2026-03-04T05:06:00Z"))
    );
    let body = json!({"action": "cancel", "payload": {"reason": "wrong photos"}});
    assert_eq!(world.post(ACTIONS, body).await.ok(200)["data"]["message"], "Job canceled");
    let body = json!({"action": "regenerate_scene", "payload": {"sceneId": "s-1"}});
    let reply = world.post(ACTIONS, body).await.ok(200);
    assert_eq!(reply["data"]["message"], "Scene marked for regeneration");
    assert_eq!(reply["data"]["scene"]["id"], "s-1");
    assert_eq!(world.job.asked_once::<pb::CancelJobRequest>("cancel_job").reason, "wrong photos");
    let asked: pb::RegenerateScenesRequest = world.job.asked_once("regenerate_scenes");
    assert_eq!((asked.job_id, asked.scene_ids), (43, vec!["s-1".to_owned()]));
}

#[tokio::test]
async fn an_action_that_cannot_be_done_is_refused_as_its_own_route_would() {
    let world = World::start().await;
    world.job.refuse("approve_job", || {
        ServiceError::new(Code::Precondition, "job_not_approvable", "Job cannot be approved")
            .fact("current_status", "processing")
    });
    let body = world.post(ACTIONS, json!({"action": "approve"})).await.problem(422, "job_not_pending");
    assert_eq!(body["current_status"], "processing");
    for (body, field) in [
        (json!({}), "action"),
        (json!({"action": "reject"}), "action"),
        (json!({"action": "regenerate_scene"}), "payload.sceneId"),
        (
            json!({"action": "regenerate_scene", "payload": {"sceneId": "s", "feedback": "warmer"}}),
            "payload.feedback",
        ),
        (json!({"action": "approve", "payload": "now"}), "payload"),
    ] {
        let refused = world.post(ACTIONS, body).await.problem(422, "validation_failed");
        assert!(refused["details"][field].is_array(), "{refused}");
    }
    let missing = world.post("/api/v3/jobs/x/actions", json!({"action": "cancel"})).await;
    missing.problem(404, "job_not_found");
}

#[tokio::test]
async fn sub_jobs_are_the_scenes_with_what_they_were_asked_for_and_cost() {
    let world = World::start().await;
    let clip = world.blob(b"a clip", "video/mp4").await;
    let mut job = pb::Job { price_micros_per_second: 200_000, ..a_job(Some(clip.clone())) };
    job.scenes[0].clip_duration_ms = Some(6_040);
    job.scenes[0].actual_cost_micros = 1_200_000;
    (job.scenes[0].progress, job.scenes[1].progress, job.scenes[1].attempt) = (100, 25, 3);
    (job.scenes[0].started_at, job.scenes[0].ended_at) = (Some("a".into()), Some("b".into()));
    world.job.on("get_job", job);
    let reply = world.get("/api/v3/jobs/43/sub-jobs").await.ok(200);
    let summary = json!({"total": 2, "pending": 0, "processing": 1, "completed": 1, "failed": 0});
    assert_eq!(reply["data"]["summary"], summary);
    let first = &reply["data"]["subJobs"][0];
    for (member, value) in [
        ("id", json!("s-1")),
        ("jobId", json!(43)),
        ("subJobNumber", json!(1)),
        ("image1AssetId", json!("a-1")),
        ("image2AssetId", json!("a-2")),
        ("replicatePredictionId", json!("p-1")),
        ("modelId", json!("veo3")),
        ("status", json!("completed")),
        ("progress", json!(1.0)),
        ("videoUrl", json!("/api/v3/videos/43/clips/s-1.mp4")),
        ("videoBlobId", json!(clip.sha256)),
        ("durationSeconds", json!(6.04)),
        ("estimatedCost", json!(1.2)),
        ("actualCost", json!(1.2)),
        ("retryCount", json!(0)),
        ("startedAt", json!("a")),
        ("completedAt", json!("b")),
    ] {
        assert_eq!(first[member], value, "{member}");
    }
    assert_eq!(first["inputParameters"]["prompt"], "Slow push-in");
    let second = &reply["data"]["subJobs"][1];
    assert_eq!(
        (&second["progress"], &second["retryCount"], &second["videoUrl"]),
        (&json!(0.25), &json!(2), &json!(null))
    );
}

/// As the page's decoder reads an entry: what it needs is there and of its type, or the page fails as a whole.
fn decoded(video: &Value) {
    for text in ["id", "modelId", "videoUrl", "thumbnailUrl", "status", "createdAt", "prompt"] {
        assert!(video[text].is_string(), "{text}: {video}");
    }
    for whole in ["jobId", "subJobNumber"] {
        assert!(video[whole].is_i64(), "{whole}: {video}");
    }
    for number in ["durationSeconds", "progress"] {
        assert!(video[number].is_number(), "{number}: {video}");
    }
    for optional in ["errorMessage", "completedAt"] {
        assert!(video.get(optional).is_none_or(Value::is_string), "{optional}: {video}");
    }
}

#[tokio::test]
async fn clips_are_listed_as_the_older_page_decodes_them() {
    let world = World::locked().await;
    let clip = world.blob(b"a clip", "video/mp4").await;
    let with_clip =
        pb::Scene { clip: Some(clip), clip_duration_ms: Some(6_040), progress: 100, ..a_scene("s-1", 0) };
    let bare = pb::Scene { id: "s-2".into(), ..Default::default() };
    let failed = pb::Scene {
        error: Some("refused".into()),
        ended_at: Some("2026-03-04T05:00:00Z".into()),
        ..a_scene("s-3", 2)
    };
    let listed = |scene| pb::ListedScene { job_id: 43, scene: Some(scene), video_model: "veo3".into() };
    let scenes = vec![listed(with_clip), listed(bare), listed(failed)];
    world.job.on("list_scenes", pb::ListScenesReply { scenes, total: 41, next: Some(7) });
    let key = [("X-API-Key", crate::world::KEY)];
    let reply = world.get_with("/api/v3/ai-videos?limit=20&offset=20&status=completed", &key).await.ok(200);
    assert_eq!((&reply["data"]["total"], &reply["error"]), (&json!(41), &json!(null)));
    let videos = reply["data"]["videos"].as_array().expect("videos");
    videos.iter().for_each(decoded);
    assert!(videos[0]["videoUrl"].as_str().expect("a link").contains("/clips/s-1.mp4?"), "a signed link");
    assert_eq!((&videos[0]["durationSeconds"], &videos[0]["progress"]), (&json!(6.04), &json!(1.0)));
    assert_eq!((&videos[1]["videoUrl"], &videos[1]["prompt"]), (&json!(""), &json!("Job 43 - Clip 1")));
    assert_eq!((&videos[2]["errorMessage"], &videos[2]["subJobNumber"]), (&json!("refused"), &json!(3)));
    let asked: pb::ListScenesRequest = world.job.asked_once("list_scenes");
    assert_eq!((asked.status.as_deref(), asked.limit, asked.offset), (Some("completed"), 20, 20));
    for query in ["", "?status=all"] {
        world.get_with(&format!("/api/v3/ai-videos{query}"), &key).await.ok(200);
    }
    let asked: Vec<pb::ListScenesRequest> = world.job.asked("list_scenes");
    assert!(asked[1..].iter().all(|asked| asked.status.is_none() && asked.limit == 20));
}

#[tokio::test]
async fn sub_jobs_come_in_pages() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    let page = world.get("/api/v3/jobs/43/sub-jobs?limit=1").await.ok(200);
    assert_eq!(
        (&page["data"]["subJobs"][0]["id"], &page["data"]["summary"]["total"]),
        (&json!("s-1"), &json!(2))
    );
    let cursor = page["meta"]["next_cursor"].as_str().expect("a cursor").to_owned();
    let rest = world.get(&format!("/api/v3/jobs/43/sub-jobs?cursor={cursor}")).await.ok(200);
    assert_eq!(rest["data"]["subJobs"][0]["id"], "s-2");
    assert_eq!(
        (rest["data"]["subJobs"].as_array().map(Vec::len), &rest["meta"]["next_cursor"]),
        (Some(1), &json!(null))
    );
    world.get(&format!("/api/v3/jobs/44/sub-jobs?cursor={cursor}")).await.problem(400, "bad_request");
}
