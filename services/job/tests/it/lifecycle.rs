//! From approval to the end.

use futures::StreamExt as _;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;

use crate::stage::{PATIENCE, Script, Stage, Tell};

fn sha(blob: Option<&protos::common::v1::BlobRef>) -> &str {
    blob.map_or("", |blob| blob.sha256.as_str())
}

#[tokio::test]
async fn an_approved_job_becomes_a_video_with_music() {
    let mut stage = Stage::new().await;
    let id = stage.create(2).await.id;
    assert_eq!(stage.approve(id).await.status, "approved");
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome.as_deref(), job.error), ("completed", Some("full"), None));
    let progress = job.progress.unwrap();
    assert_eq!(
        (progress.percentage, progress.stage.as_str(), progress.completed_scenes),
        (100, "completed", 2)
    );
    assert_eq!(sha(job.video.as_ref()), "video job-1/cut-1/mix");
    assert_eq!(sha(job.poster.as_ref()), "poster job-1/cut-1/mix");
    assert_eq!(job.actual_cost_micros, 2 * 4 * 200_000 + 90_000);
    let audio = job.audio.unwrap();
    assert_eq!(
        (audio.status.as_str(), sha(audio.soundtrack.as_ref())),
        ("completed_and_merged", "music job-1/soundtrack-1")
    );
    for scene in &job.scenes {
        assert_eq!(
            (scene.status.as_str(), scene.take, scene.clip_duration_ms),
            ("completed", 1, Some(4_000))
        );
        assert_eq!(scene.provider_id.as_deref().map(|id| id.starts_with("p-job-1/scene-")), Some(true));
    }
    let asked = [
        "job-1/cut-1",
        "job-1/cut-1/mix",
        "job-1/scene-1/take-1",
        "job-1/scene-2/take-1",
        "job-1/soundtrack-1",
    ];
    assert_eq!(stage.workers.asked(), asked);
}

#[tokio::test]
async fn the_workers_get_everything_that_decides_what_they_make() {
    let mut stage = Stage::new().await;
    let created = stage.create_with(|request| {
        request.num_pairs = Some(2);
        request.clip_duration = Some(6.0);
        request.aspect_ratio = Some("9:16".to_owned());
        request.parameters_json = r#"{"music_prompt":"a lone cello"}"#.to_owned();
    });
    let job = created.await.unwrap();
    stage.approve(job.id).await;
    stage.over(job.id).await;
    let render = stage.workers.render("job-1/scene-2/take-1");
    assert_eq!(
        (render.model.as_str(), render.seconds, render.aspect_ratio.as_str()),
        ("google/veo-3.1", 6, "9:16")
    );
    assert_eq!(
        (render.scene_index, render.take, render.scene_id.as_str()),
        (1, 1, job.scenes[1].id.as_str())
    );
    assert_eq!((render.campaign_id.as_str(), render.price_per_second_micros), ("spring", 200_000));
    assert_eq!(sha(render.first_frame.as_ref()), format!("sha-{}", job.scenes[1].first_asset_id));
    let soundtrack = stage.workers.soundtrack("job-1/soundtrack-1");
    assert_eq!((soundtrack.duration_ms, soundtrack.scenes.len()), (12_000, 2));
    assert_eq!(soundtrack.prompt.as_deref(), Some("a lone cello"));
}

#[tokio::test]
async fn results_that_come_by_message_are_heard() {
    let mut stage = Stage::with(|settings| settings.ask_again = std::time::Duration::from_secs(600)).await;
    stage.workers.tell(Tell::Message);
    let id = stage.approved(3).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome.as_deref()), ("completed", Some("full")));
    assert_eq!(stage.workers.calls("job-1/scene-1/take-1"), 1);
}

#[tokio::test]
async fn failures_that_come_by_message_are_heard() {
    let mut stage = Stage::with(|settings| settings.ask_again = std::time::Duration::from_secs(600)).await;
    stage.workers.tell(Tell::Message);
    stage.workers.script("job-1/scene-1/take-1", Script::Fail("refused"));
    stage.workers.script("job-1/soundtrack-1", Script::Fail("no music today"));
    stage.workers.script("job-2/cut-1", Script::Fail("the disk is full"));
    stage.workers.script("job-3/cut-1/mix", Script::Fail("the mix is too long"));
    let mut ends = Vec::new();
    for _ in 0..3 {
        let id = stage.approved(2).await;
        ends.push(stage.over(id).await);
    }
    assert_eq!(ends[0].outcome.as_deref(), Some("partial"));
    assert!(ends[0].warnings.iter().any(|warning| warning.contains("no music today")));
    assert_eq!((ends[1].status.as_str(), ends[1].video.as_ref()), ("failed", None));
    assert!(ends[1].error.as_ref().unwrap().contains("the disk is full"));
    assert_eq!((ends[2].status.as_str(), sha(ends[2].video.as_ref())), ("completed", "video job-3/cut-1"));
    assert!(ends[2].warnings.iter().any(|warning| warning.contains("the mix is too long")));
}

#[tokio::test]
async fn a_scene_that_fails_leaves_a_partial_video_that_says_so() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-2/take-1", Script::Fail("the prompt was refused"));
    let id = stage.approved(3).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome.as_deref()), ("completed", Some("partial")));
    assert_eq!(job.progress.unwrap().stage, "completed_partial");
    let statuses: Vec<_> = job.scenes.iter().map(|scene| scene.status.as_str()).collect();
    assert_eq!(statuses, ["completed", "failed", "completed"]);
    assert_eq!(job.scenes[1].error.as_deref(), Some("the prompt was refused"));
    assert!(
        job.warnings.iter().any(|warning| warning.contains("the prompt was refused")),
        "{:?}",
        job.warnings
    );
}

#[tokio::test]
async fn a_job_whose_scenes_all_fail_is_failed_with_the_reason() {
    let mut stage = Stage::new().await;
    for scene in 1..=2 {
        stage.workers.script(&format!("job-1/scene-{scene}/take-1"), Script::Fail("no credit"));
    }
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome), ("failed", None));
    assert!(job.error.unwrap().contains("no credit"));
    assert_eq!(job.video, None);
}

#[tokio::test]
async fn a_video_without_its_music_is_still_a_video() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/soundtrack-1", Script::Fail("the music model is down"));
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), sha(job.video.as_ref())), ("completed", "video job-1/cut-1"));
    assert_eq!(job.audio.unwrap().status, "failed");
    assert!(job.warnings.iter().any(|warning| warning.contains("the music model is down")));
}

async fn approve(stage: &mut Stage, command_id: &str, job_id: i32) -> Result<pb::Job, ServiceError> {
    let request = pb::ApproveJobRequest { command_id: command_id.to_owned(), job_id };
    Ok(stage.client.approve_job(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn only_a_pending_job_can_be_approved() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-1/take-1", Script::Hold);
    let id = stage.create(2).await.id;
    let first = approve(&mut stage, "a-1", id).await.unwrap();
    stage.until(id, |job| job.status == "processing").await;
    let error = approve(&mut stage, "a-2", id).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "job_not_approvable"));
    assert_eq!(
        (error.message.as_str(), error.facts["current_status"].as_str()),
        ("Job cannot be approved", "processing")
    );
    assert_eq!(error.facts["reason"], "Job must be in pending state to be approved");
    assert_eq!(approve(&mut stage, "a-1", id).await.unwrap(), first, "the same command is the same answer");
    let unknown = approve(&mut stage, "", 99).await.unwrap_err();
    assert_eq!(
        (unknown.code, unknown.message.as_str(), unknown.facts["job_id"].as_str()),
        (Code::NotFound, "Job not found", "99")
    );
}

async fn cancel(stage: &mut Stage, job_id: i32, reason: &str) -> Result<pb::Job, ServiceError> {
    let request = pb::CancelJobRequest { command_id: String::new(), job_id, reason: reason.to_owned() };
    Ok(stage.client.cancel_job(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn a_cancel_reaches_the_workers() {
    let mut stage = Stage::new().await;
    for key in ["job-1/scene-2/take-1", "job-1/scene-3/take-1", "job-1/soundtrack-1"] {
        stage.workers.script(key, Script::Hold);
    }
    let id = stage.approved(3).await;
    let begun = |job: &pb::Job| {
        job.scenes[0].status == "completed" && job.scenes[1..].iter().all(|scene| scene.provider_id.is_some())
    };
    stage.until(id, begun).await;
    let job = cancel(&mut stage, id, "wrong photos").await.unwrap();
    assert_eq!((job.status.as_str(), job.error.as_deref()), ("canceled", Some("canceled: wrong photos")));
    let closed = stage.until(id, |job| job.actual_cost_micros >= 3 * 800_000).await;
    let statuses: Vec<_> = closed.scenes.iter().map(|scene| scene.status.as_str()).collect();
    assert_eq!(statuses, ["completed", "failed", "failed"]);
    stage.stop().await;
    let canceled = stage.workers.canceled();
    assert!(
        ["job-1/scene-2/take-1", "job-1/scene-3/take-1"]
            .iter()
            .all(|key| canceled.contains(&(*key).to_owned()))
    );
    assert!(!canceled.contains(&"job-1/scene-1/take-1".to_owned()), "what is over is not canceled");
}

#[tokio::test]
async fn a_cancel_stops_the_cut_the_mix_and_the_soundtrack_that_are_being_made() {
    for (held, key) in [("job-1/cut-1", "job-1/cut-1"), ("job-1/cut-1/mix", "job-1/cut-1/mix")] {
        let mut stage = Stage::new().await;
        stage.workers.script(held, Script::Hold);
        let id = stage.approved(2).await;
        let asked = stage.workers.clone();
        stage.until(id, |_| asked.calls(key) > 0).await;
        cancel(&mut stage, id, "").await.unwrap();
        until_closed(&mut stage, id, "product_closed").await;
        assert_eq!(stage.workers.canceled(), [key]);
        assert_eq!(stage.job(id).await.status, "canceled");
    }
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/soundtrack-1", Script::Hold);
    let id = stage.approved(2).await;
    let cut_is_ready = |job: &pb::Job| job.progress.as_ref().is_some_and(|it| it.percentage == 90);
    stage.until(id, cut_is_ready).await;
    cancel(&mut stage, id, "").await.unwrap();
    until_closed(&mut stage, id, "soundtrack_failed").await;
    assert_eq!(stage.workers.canceled(), ["job-1/soundtrack-1"]);
}

/// Waits for an event of the job, new or old.
async fn until_closed(stage: &mut Stage, job_id: i32, event: &str) {
    let feed = stage.client.watch(pb::WatchRequest { after_position: 0 }).await.unwrap().into_inner();
    let found = feed.any(|item| {
        let item = item.unwrap();
        std::future::ready(item.job_id == job_id && item.event == event)
    });
    assert!(tokio::time::timeout(PATIENCE, found).await.expect("it is closed"));
}

#[tokio::test]
async fn a_job_that_is_over_cannot_be_canceled() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    stage.over(id).await;
    let error = cancel(&mut stage, id, "").await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "job_not_cancelable"));
    let pending = stage.create(2).await.id;
    assert_eq!(cancel(&mut stage, pending, "").await.unwrap().status, "canceled");
    assert_eq!(approve(&mut stage, "", pending).await.unwrap_err().facts["current_status"], "canceled");
}
