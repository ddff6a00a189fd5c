//! Buying again.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;

use crate::stage::{Script, Stage};

async fn regenerate(stage: &mut Stage, job_id: i32, scenes: &[&pb::Scene]) -> Result<pb::Job, ServiceError> {
    let scene_ids = scenes.iter().map(|scene| scene.id.clone()).collect();
    let request = pb::RegenerateScenesRequest { command_id: String::new(), job_id, scene_ids };
    Ok(stage.client.regenerate_scenes(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn regenerating_what_failed_makes_a_partial_video_full_and_buys_nothing_else() {
    let mut stage = Stage::new().await;
    for scene in [2, 5] {
        stage.workers.script(&format!("job-1/scene-{scene}/take-1"), Script::Fail("refused"));
        stage.workers.script(&format!("job-1/scene-{scene}/take-2"), Script::Hold);
    }
    let id = stage.approved(6).await;
    let partial = stage.over(id).await;
    assert_eq!(partial.outcome.as_deref(), Some("partial"));

    let wanted = regenerate(&mut stage, id, &[&partial.scenes[1], &partial.scenes[4]]).await.unwrap();
    assert_eq!((wanted.status.as_str(), wanted.video.as_ref()), ("completed", partial.video.as_ref()));
    let begun = |job: &pb::Job| job.scenes.iter().filter(|scene| scene.take == 2).count() == 2;
    let meanwhile = stage.until(id, begun).await;
    assert_eq!((meanwhile.status.as_str(), meanwhile.outcome.as_deref()), ("completed", Some("partial")));
    assert_eq!(meanwhile.progress.unwrap().percentage, 100);
    assert!(meanwhile.next_cut.unwrap().progress.unwrap().percentage < 100);

    for scene in [2, 5] {
        stage.workers.script(&format!("job-1/scene-{scene}/take-2"), Script::Deliver);
    }
    let full = stage.over(id).await;
    assert_eq!((full.outcome.as_deref(), full.next_cut.as_ref()), (Some("full"), None));
    assert_eq!(full.video.unwrap().sha256, "video job-1/cut-2/mix");
    let renders: Vec<_> = stage.workers.asked().into_iter().filter(|key| key.contains("/take-")).collect();
    assert_eq!(renders.len(), 8, "{renders:?}");
}

#[tokio::test]
async fn a_new_cut_that_comes_to_nothing_leaves_the_old_video() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-1/take-2", Script::Fail("refused again"));
    let id = stage.approved(2).await;
    let before = stage.over(id).await;
    regenerate(&mut stage, id, &[&before.scenes[0]]).await.unwrap();
    let failed = |job: &pb::Job| job.next_cut.as_ref().is_some_and(|next| next.error.is_some());
    let after = stage.until(id, failed).await;
    assert_eq!((after.status.as_str(), &after.video), ("completed", &before.video));
    assert!(after.next_cut.unwrap().error.unwrap().contains("refused again"));
}

#[tokio::test]
async fn a_failed_job_is_taken_up_again_only_by_a_person() {
    let mut stage = Stage::new().await;
    for scene in 1..=2 {
        stage.workers.script(&format!("job-1/scene-{scene}/take-1"), Script::Fail("no credit"));
    }
    let id = stage.approved(2).await;
    let failed = stage.over(id).await;
    regenerate(&mut stage, id, &[&failed.scenes[0], &failed.scenes[1]]).await.unwrap();
    let job = stage.until(id, |job| job.status == "completed").await;
    assert_eq!((job.outcome.as_deref(), job.error), (Some("full"), None));
}

#[tokio::test]
async fn a_scene_that_is_being_made_cannot_be_regenerated() {
    let mut stage = Stage::new().await;
    let pending = stage.create(2).await;
    let error = regenerate(&mut stage, pending.id, &[&pending.scenes[0]]).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "scene_not_regenerable"));
    assert_eq!(error.message, "Scene cannot be regenerated");
    assert_eq!(error.facts["reason"], "Scene is currently pending");
    let stranger = pb::Scene { id: "nobody".to_owned(), ..pb::Scene::default() };
    let error = regenerate(&mut stage, pending.id, &[&stranger]).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::NotFound, "scene_not_found"));
    assert_eq!(stage.workers.asked(), Vec::<String>::new());
}
