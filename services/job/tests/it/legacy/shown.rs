//! The service with jobs that came.

use futures::StreamExt as _;
use job::legacy::open;
use kit::{Clock, ServiceError};
use protos::{
    common::v1::ImportOutcome,
    job::v1::{self as pb, LegacyJob},
};

use super::{blob, bring, came, failed, said, scene};
use crate::stage::{PATIENCE, Replicas, Stage};

impl Stage {
    async fn bring(&self, job: LegacyJob) -> (ImportOutcome, i32, String) {
        let request = pb::ImportJobRequest { job: Some(job), leave_up_to: 0 };
        said(self.legacy().import(request).await.unwrap().into_inner())
    }
}

#[tokio::test]
async fn a_job_that_came_is_shown_as_it_was() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.bring(came(7)).await, (ImportOutcome::Imported, 7, String::new()));
    let job = stage.job(7).await;
    assert_eq!(
        (job.status.as_str(), job.outcome.as_deref(), job.error.as_deref()),
        ("completed", Some("full"), None)
    );
    assert_eq!((job.video_name.as_str(), job.campaign_id.as_str()), ("Spring 7", "spring"));
    assert_eq!(
        (job.created_at.as_str(), job.updated_at.as_str()),
        ("2025-11-23T12:00:00Z", "2025-11-23T12:06:00Z")
    );
    assert_eq!((job.estimated_cost_micros, job.actual_cost_micros), (1_000_000, 750_000));
    assert_eq!(
        (job.video, job.poster),
        (Some(blob("video-7", "video/mp4")), Some(blob("poster", "image/jpeg")))
    );
    assert_eq!((job.video_duration_ms, job.next_cut), (Some(8_000), None));
    let audio = job.audio.unwrap();
    assert_eq!(
        (audio.status.as_str(), audio.soundtrack),
        ("completed_and_merged", Some(blob("music-7", "audio/mpeg")))
    );
    assert_eq!(job.warnings, ["The waveform was missing"]);
    let progress = job.progress.unwrap();
    assert_eq!((progress.percentage, progress.total_scenes, progress.completed_scenes), (100, 2, 2));
    let parameters: serde_json::Value = serde_json::from_str(&job.parameters_json).unwrap();
    assert_eq!((&parameters["legacy_id"], &parameters["style"]), (&7.into(), &"modern".into()));
    let board: serde_json::Value = serde_json::from_str(&job.storyboard_json).unwrap();
    assert_eq!((&board["total_duration"], &board["scenes"][0]["duration"]), (&3.0.into(), &1.5.into()));
    assert_eq!(board["scenes"][0]["asset_ids"], serde_json::json!(["a-1", "a-1"]));
    let scene = &job.scenes[1];
    assert_eq!((scene.status.as_str(), scene.index, scene.take), ("completed", 1, 1));
    assert_eq!(
        (scene.clip.as_ref(), scene.provider_id.as_deref()),
        (Some(&blob("clip-7-2", "video/mp4")), Some("p-7-2"))
    );
    assert_eq!((scene.actual_cost_micros, scene.created_at.as_str()), (300_000, "2025-11-23T12:00:00Z"));
}

#[tokio::test]
async fn a_job_that_came_is_in_every_list_and_sum() {
    let mut stage = Stage::new().await;
    for job in [came(7), failed(8)] {
        stage.bring(job).await;
    }
    let videos = stage.client.list_videos(pb::ListVideosRequest::default()).await.unwrap().into_inner();
    assert_eq!((videos.total, videos.jobs[0].clone()), (1, stage.job(7).await));
    let before = Some("2025-11-23T12:00:01Z".to_owned());
    let old = pb::ListJobsRequest { created_before: before, ..Default::default() };
    let jobs = stage.client.list_jobs(old).await.unwrap().into_inner();
    assert_eq!(jobs.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [8, 7]);
    let status = Some("completed".to_owned());
    let scenes = pb::ListScenesRequest { status, ..Default::default() };
    assert_eq!(stage.client.list_scenes(scenes).await.unwrap().into_inner().total, 4);
    let found = stage.client.get_scene(pb::GetSceneRequest { scene_id: scene(8, 1).id }).await.unwrap();
    assert_eq!(found.into_inner().job_id, 8);
    let spend = pb::GetSpendRequest { campaign_ids: vec!["spring".to_owned()], client_id: None };
    let spend = stage.client.get_spend(spend).await.unwrap().into_inner();
    assert_eq!((spend.jobs, spend.paid_jobs, spend.spent_micros), (2, 2, 1_500_000));
    let job = stage.job(8).await;
    assert_eq!((job.status.as_str(), job.video.is_some()), ("failed", false));
    assert!(job.error.unwrap().contains("not finished"));
}

#[tokio::test]
async fn the_feed_tells_that_it_came_and_is_over() {
    let mut stage = Stage::new().await;
    let feed = stage.client.watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    stage.bring(came(7)).await;
    let mut feed = feed;
    let item = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
    let told = (item.job_id, item.event.as_str(), item.status.as_str(), item.terminal);
    assert_eq!(told, (7, "job_imported", "completed", true));
    let read = pb::ReadFeedRequest { job_id: 7, after_position: 0 };
    assert_eq!(stage.client.read_feed(read).await.unwrap().into_inner().items, [item]);
    let strip = stage.client.get_strip(pb::GetStripRequest { job_id: 7 }).await.unwrap().into_inner();
    let wanted = "job 7 \"Spring 7\" imported from phoenix (jobs 7): completed, 2 scenes, $0.75";
    assert_eq!((strip.lines.len(), strip.lines[0].text.as_str()), (1, wanted));
}

#[tokio::test]
async fn later_jobs_count_on_above_those_that_came() {
    let mut stage = Stage::new().await;
    assert_eq!((stage.create(2).await.id, stage.job(1).await.video_name.as_str()), (1, "Spring 1"));
    stage.bring(came(40)).await;
    // The number in its name is taken: it keeps the name, and the next number is not given twice.
    stage.bring(LegacyJob { video_name: "Spring 40".to_owned(), ..came(38) }).await;
    stage.bring(LegacyJob { video_name: "A villa".to_owned(), ..came(3) }).await;
    let next = stage.create(2).await;
    assert_eq!((next.id, next.video_name.as_str()), (41, "Spring 43"));
    assert_eq!(stage.job(38).await.video_name, "Spring 40");
    let (outcome, id, _) = stage.bring(LegacyJob { video_name: "Spring 1".to_owned(), ..came(1) }).await;
    assert_eq!((outcome, id), (ImportOutcome::Imported, 42));
    let parameters: serde_json::Value = serde_json::from_str(&stage.job(42).await.parameters_json).unwrap();
    assert_eq!(parameters["legacy_id"], 1);
}

#[tokio::test]
async fn nothing_is_asked_of_anybody_for_a_job_that_came() {
    let mut stage = Stage::new().await;
    for job in [came(7), failed(8), LegacyJob { status: "canceled".to_owned(), ..failed(9) }] {
        stage.bring(job).await;
    }
    let mut before = Vec::new();
    for id in 7..=9 {
        before.push(stage.job(id).await);
    }
    // The runner has seen them, twice, once a job that came after them is done.
    for _ in 0..2 {
        stage.restart().await;
        let id = stage.approved(2).await;
        stage.over(id).await;
    }
    let asked = stage.workers.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|key| key.starts_with("job-10/") || key.starts_with("job-11/"))
    );
    assert!(stage.workers.canceled().is_empty());
    for job in before {
        assert_eq!(stage.job(job.id).await, job, "a replay is the job");
        assert_eq!(stage.kinds(job.id).await, ["JobImported"]);
    }
}

#[tokio::test]
async fn what_would_be_made_again_is_refused_and_a_note_is_not() {
    let mut stage = Stage::new().await;
    stage.bring(came(7)).await;
    let (job_id, scene_id) = (7, scene(7, 1).id);
    let request =
        pb::RegenerateScenesRequest { job_id, scene_ids: vec![scene_id.clone()], ..Default::default() };
    let error = ServiceError::from(stage.client.regenerate_scenes(request).await.unwrap_err());
    assert_eq!(error.reason, "scene_not_regenerable");
    assert!(error.facts["reason"].contains("older database"), "{error:?}");
    let request = pb::RemoveSceneRequest { job_id, scene_id: scene_id.clone(), ..Default::default() };
    let error = ServiceError::from(stage.client.remove_scene(request).await.unwrap_err());
    assert_eq!(error.reason, "scene_not_removable");
    let request = pb::WishSoundtrackRequest { job_id, merge_with_video: true, ..Default::default() };
    let error = ServiceError::from(stage.pipeline().wish_soundtrack(request).await.unwrap_err());
    assert_eq!(error.reason, "soundtrack_not_regenerable");
    assert_eq!(stage.kinds(7).await, ["JobImported"]);

    let status = Some("failed".to_owned());
    let request = pb::OverrideSceneRequest { job_id, scene_id, status, ..Default::default() };
    let noted = stage.client.override_scene(request).await.unwrap().into_inner();
    assert_eq!(noted.scenes[0].status, "failed");
    let request = pb::ListImportedJobsRequest { source: "phoenix".to_owned(), ..Default::default() };
    let listed = stage.legacy().list_imported(request).await.unwrap().into_inner().jobs.remove(0);
    let wanted = pb::ImportedJob { job_id: 7, came: Some(came(7)), touched: true, differs: String::new() };
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn a_job_whose_bytes_are_found_later_plays_from_then_on() {
    let mut stage = Stage::new().await;
    stage.bring(failed(7)).await;
    assert_eq!(stage.job(7).await.status, "failed");
    assert_eq!(stage.bring(came(7)).await, (ImportOutcome::Completed, 7, String::new()));
    let job = stage.job(7).await;
    assert_eq!((job.status.as_str(), job.updated_at.as_str()), ("completed", "2025-11-23T12:06:00Z"));
    let videos = stage.client.list_videos(pb::ListVideosRequest::default()).await.unwrap().into_inner();
    assert_eq!(videos.jobs, [job]);
    assert_eq!(stage.kinds(7).await, ["JobImported", "JobImported"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_came_to_one_process_is_over_for_the_other() {
    let mut replicas = Replicas::new(|_| {}).await;
    let (first, second) = (replicas.start().await, replicas.start().await);
    let mut feed =
        second.client.clone().watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    let legacy = open(first.log.clone(), Clock::system());
    assert_eq!(bring(&legacy, came(7)).await.1, 7);
    let item = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((item.event.as_str(), item.terminal), ("job_imported", true));
    assert_eq!(second.job(7).await, first.job(7).await);
    let next = second.create("", 2).await;
    assert_eq!((next.id, next.video_name.as_str()), (8, "Spring 8"));
    assert!(replicas.workers.asked().is_empty());
}
