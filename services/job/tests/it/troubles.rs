//! Lost messages, workers that are away or say no, and ends of the process.

use std::time::Duration;

use protos::{job::v1 as pb, render::v1 as render};

use crate::stage::{Script, Stage, Tell};

fn takes(kinds: &[String]) -> usize {
    kinds.iter().filter(|kind| *kind == "SceneTakeRequested").count()
}

#[tokio::test]
async fn a_lost_message_hangs_nothing() {
    let mut stage = Stage::new().await;
    stage.workers.tell(Tell::Silence);
    let id = stage.approved(3).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome.as_deref()), ("completed", Some("full")));
    assert!(stage.workers.calls("job-1/scene-1/take-1") >= 2);
}

#[tokio::test]
async fn a_worker_that_is_away_for_a_while_fails_nothing() {
    let mut stage = Stage::new().await;
    for key in ["job-1/scene-1/take-1", "job-1/cut-1", "job-1/soundtrack-1"] {
        stage.workers.script(key, Script::Away(3));
    }
    let id = stage.approved(2).await;
    assert_eq!(stage.over(id).await.outcome.as_deref(), Some("full"));
    assert_eq!(takes(&stage.kinds(id).await), 2);
}

#[tokio::test]
async fn a_worker_that_stays_away_settles_the_scene_with_a_reason() {
    let mut stage = Stage::with(|settings| settings.give_up_after = Duration::ZERO).await;
    stage.workers.script("job-1/scene-1/take-1", Script::Away(u32::MAX));
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!((job.status.as_str(), job.outcome.as_deref()), ("completed", Some("partial")));
    assert!(job.scenes[0].error.as_ref().unwrap().contains("could not be reached"), "{:?}", job.scenes[0]);
    assert!(job.scenes[0].retryable);
}

#[tokio::test]
async fn a_request_that_a_worker_refuses_settles_the_scene_with_its_words() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-1/take-1", Script::Refuse);
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!(job.outcome.as_deref(), Some("partial"));
    assert!(job.scenes[0].error.as_ref().unwrap().contains("prompt is not allowed"), "{:?}", job.scenes[0]);
    assert_eq!(stage.workers.calls("job-1/scene-1/take-1"), 1);
}

#[tokio::test]
async fn a_cut_that_cannot_be_made_fails_the_job_with_a_reason() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/cut-1", Script::Fail("the disk is full"));
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!(job.status, "failed");
    assert!(job.error.unwrap().contains("the disk is full"));
}

#[tokio::test]
async fn unfinished_jobs_go_on_after_a_restart_with_the_requests_they_had() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-2/take-1", Script::Hold);
    stage.workers.script("job-2/soundtrack-1", Script::Hold);
    let (first, second) = (stage.approved(2).await, stage.approved(2).await);
    stage.until(first, |job| job.scenes[0].status == "completed").await;
    stage.until(second, |job| job.progress.as_ref().is_some_and(|progress| progress.percentage == 90)).await;
    stage.stop().await;
    stage.workers.script("job-1/scene-2/take-1", Script::Deliver);
    stage.workers.script("job-2/soundtrack-1", Script::Deliver);
    stage.restart().await;
    for id in [first, second] {
        let job = stage.until(id, |job| job.status == "completed").await;
        assert_eq!(job.outcome.as_deref(), Some("full"));
        assert_eq!(takes(&stage.kinds(id).await), 2, "nothing is asked for anew");
    }
}

#[tokio::test]
async fn what_was_approved_just_before_the_end_is_not_forgotten() {
    let mut stage = Stage::new().await;
    let id = stage.create(2).await.id;
    stage.approve(id).await;
    stage.restart().await;
    assert_eq!(stage.until(id, |job| job.status == "completed").await.outcome.as_deref(), Some("full"));
    assert_eq!(takes(&stage.kinds(id).await), 2);
}

#[tokio::test]
async fn another_process_waits_for_the_lease_of_the_first() {
    let mut stage = Stage::with(|settings| settings.lease = Duration::from_millis(400)).await;
    stage.workers.script("job-1/scene-1/take-1", Script::Hold);
    let id = stage.approved(2).await;
    stage.until(id, |job| job.scenes[1].status == "completed").await;
    stage.stop().await;
    // The first process died without a word: its lease is still there.
    let held = eventlog::lease::claim(&stage.log, "runner/job-1", "job", Duration::from_millis(400)).await;
    assert!(held.unwrap().is_some());
    stage.settings.instance = "another".to_owned();
    stage.workers.script("job-1/scene-1/take-1", Script::Deliver);
    stage.restart().await;
    assert_eq!(stage.until(id, |job| job.status == "completed").await.outcome.as_deref(), Some("full"));
}

#[tokio::test]
async fn a_job_whose_task_panicked_is_started_again() {
    let (mut stage, trap) = Stage::trapped().await;
    trap.set(2);
    let id = stage.approved(2).await;
    assert_eq!(stage.over(id).await.outcome.as_deref(), Some("full"));
    assert_eq!(trap.left(), 0);
    assert_eq!(takes(&stage.kinds(id).await), 2);
}

#[tokio::test]
async fn messages_that_come_twice_late_or_for_nobody_change_nothing() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    let before = stage.kinds(id).await;
    let again = render::RenderFinished {
        key: "job-1/scene-1/take-1".to_owned(),
        job_id: id,
        scene_id: job.scenes[0].id.clone(),
        take: 1,
        clip: job.scenes[0].clip.clone(),
        duration_ms: 4_000,
        cost_micros: 800_000,
        ..render::RenderFinished::default()
    };
    stage.workers.publish("render_finished", &again).await;
    stage.workers.publish("render_finished", &render::RenderFinished { job_id: 77, ..again.clone() }).await;
    stage.workers.publish("render_finished", &render::RenderFinished { clip: None, ..again.clone() }).await;
    stage
        .workers
        .publish("render_failed", &render::RenderFailed { job_id: id, take: 9, ..Default::default() })
        .await;
    stage.workers.publish("render_said_something_new", &again).await;
    stage.workers.publish("render_failed", &serde_json::json!({ "job_id": "a lie" })).await;
    // Messages are heard in order: once a charge that came late is there, the others were heard.
    let charged = render::RenderFinished { cost_micros: 900_000, ..again };
    stage.workers.publish("render_finished", &charged).await;
    let after = stage.until(id, |job| job.scenes[0].actual_cost_micros == 900_000).await;
    assert_eq!(after.video, job.video);
    let mut wanted = before;
    wanted.push("SceneTakeCharged".to_owned());
    assert_eq!(stage.kinds(id).await, wanted);
}

#[tokio::test]
async fn many_jobs_run_side_by_side() {
    let mut stage = Stage::with(|settings| settings.calls_at_once = 8).await;
    stage.workers.tell(Tell::Message);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(stage.approved(5).await);
    }
    for id in ids {
        let job: pb::Job = stage.over(id).await;
        assert_eq!(job.outcome.as_deref(), Some("full"), "job {id}");
    }
}
