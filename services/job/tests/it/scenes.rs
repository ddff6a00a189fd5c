//! What people do to scenes: show them as something else, take them out, edit and reorder the storyboard.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::stage::{Script, Stage, image};

async fn show(
    stage: &mut Stage,
    command_id: &str,
    job_id: i32,
    scene: &pb::Scene,
    status: &str,
) -> Result<pb::Job, ServiceError> {
    let request = pb::OverrideSceneRequest {
        command_id: command_id.to_owned(),
        job_id,
        scene_id: scene.id.clone(),
        status: Some(status.to_owned()),
        provider_id: None,
    };
    Ok(stage.client.override_scene(request).await.map_err(ServiceError::from)?.into_inner())
}

async fn remove(
    stage: &mut Stage,
    command_id: &str,
    job_id: i32,
    scene_id: &str,
) -> Result<pb::Job, ServiceError> {
    let (command_id, scene_id) = (command_id.to_owned(), scene_id.to_owned());
    let request = pb::RemoveSceneRequest { command_id, job_id, scene_id };
    Ok(stage.client.remove_scene(request).await.map_err(ServiceError::from)?.into_inner())
}

async fn edit(
    stage: &mut Stage,
    job_id: i32,
    index: u32,
    change: impl FnOnce(&mut pb::EditSceneRequest),
) -> Result<pb::Job, ServiceError> {
    let mut request = pb::EditSceneRequest { job_id, index, ..pb::EditSceneRequest::default() };
    change(&mut request);
    Ok(stage.client.edit_scene(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn an_override_is_shown_and_changes_nothing_that_is_asked_for() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-1/take-1", Script::Hold);
    let id = stage.approved(2).await;
    let begun = |job: &pb::Job| job.scenes[0].provider_id.is_some() && job.scenes[1].status == "completed";
    let job = stage.until(id, begun).await;
    let shown = show(&mut stage, "o-1", id, &job.scenes[0], "failed").await.unwrap();
    assert_eq!((shown.scenes[0].status.as_str(), shown.status.as_str()), ("failed", "processing"));
    assert_eq!(shown.progress.unwrap().failed_scenes, 1);
    let again = show(&mut stage, "o-1", id, &job.scenes[0], "failed").await.unwrap();
    assert_eq!((again.position, again.scenes[0].status.as_str()), (shown.position, "failed"));
    stage.workers.script("job-1/scene-1/take-1", Script::Deliver);
    let over = stage.over(id).await;
    assert_eq!((over.outcome.as_deref(), over.scenes[0].status.as_str()), (Some("full"), "completed"));
    let renders = stage.workers.asked().into_iter().filter(|key| key.contains("/scene-1/take-"));
    assert!(renders.into_iter().all(|key| key.ends_with("take-1")), "nothing was bought by it");
}

#[tokio::test]
async fn an_override_that_cannot_be_true_is_refused() {
    let mut stage = Stage::new().await;
    let job = stage.create(2).await;
    for (status, message) in
        [("completed", "can't be completed: the scene has no clip"), ("done", "is invalid")]
    {
        let error = show(&mut stage, "", job.id, &job.scenes[0], status).await.unwrap_err();
        assert_eq!(error.violations, [("status".to_owned(), message.to_owned())]);
    }
    let stranger = pb::Scene { id: "nobody".to_owned(), ..pb::Scene::default() };
    let error = show(&mut stage, "", job.id, &stranger, "failed").await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::NotFound, "scene_not_found"));
}

#[tokio::test]
async fn a_scene_taken_out_of_a_completed_job_makes_a_new_cut() {
    let mut stage = Stage::new().await;
    let id = stage.approved(3).await;
    let before = stage.over(id).await;
    let gone = before.scenes[1].id.clone();
    let removed = remove(&mut stage, "r-1", id, &gone).await.unwrap();
    assert_eq!((removed.scenes.len(), removed.status.as_str()), (2, "completed"));
    let again = remove(&mut stage, "r-1", id, &gone).await.unwrap();
    assert_eq!(again.scenes.len(), 2, "the same command is the same answer, though the scene is gone");
    let after = stage.until(id, |job| job.next_cut.is_none() && job.video != before.video).await;
    assert_eq!(after.video.unwrap().sha256, "video job-1/cut-2/mix");
    let error = remove(&mut stage, "", id, &gone).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::NotFound, "scene_not_found"));
    let request = pb::GetSceneRequest { scene_id: gone };
    assert_eq!(ServiceError::from(stage.client.get_scene(request).await.unwrap_err()).code, Code::NotFound);
}

#[tokio::test]
async fn no_scene_is_taken_out_while_the_job_is_processing() {
    let mut stage = Stage::new().await;
    stage.workers.script("job-1/scene-1/take-1", Script::Hold);
    let id = stage.approved(2).await;
    let job = stage.until(id, |job| job.status == "processing").await;
    let error = remove(&mut stage, "", id, &job.scenes[1].id).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "scene_not_removable"));
    assert_eq!(error.facts["reason"], "Cannot delete scene while job is processing");
    assert_eq!(error.facts["scene_id"], job.scenes[1].id);
}

#[tokio::test]
async fn a_storyboard_is_edited_and_its_price_follows() {
    let mut stage = Stage::new().await;
    let job = stage.create(2).await;
    let edited = edit(&mut stage, job.id, 1, |request| {
        request.title = Some("The pool".to_owned());
        request.duration = Some(8.0);
        request.last_asset_id = Some("spring-7".to_owned());
        request.music_style = Some("jazz".to_owned());
    });
    let edited = edited.await.unwrap();
    assert_eq!(edited.estimated_cost_micros, (4 + 8) * 200_000);
    let (before, scene) = (&job.scenes[1], &edited.scenes[1]);
    assert_eq!((scene.title.as_str(), scene.billed_seconds), ("The pool", 8));
    assert_eq!((&scene.first_asset_id, scene.last_asset_id.as_str()), (&before.first_asset_id, "spring-7"));
    let storyboard: Value = serde_json::from_str(&edited.storyboard_json).unwrap();
    assert_eq!(
        (&storyboard["total_duration"], &storyboard["scenes"][1]["music_style"]),
        (&json!(12.0), &json!("jazz"))
    );
    stage.approve(job.id).await;
    stage.over(job.id).await;
    let render = stage.workers.render("job-1/scene-2/take-1");
    assert_eq!((render.seconds, render.last_frame.unwrap().sha256.as_str()), (8, "sha-spring-7"));
}

#[tokio::test]
async fn an_edit_takes_only_images_of_the_campaign_that_can_be_frames() {
    let mut stage = Stage::new().await;
    let mut tiny = image("tiny");
    tiny.width = Some(20);
    stage.assets.campaign_of("pair", "Pair", vec![image("a"), image("b"), tiny]);
    let job = stage.create_with(|request| request.campaign_id = "pair".to_owned()).await.unwrap();
    for (asset, message) in [("spring-1", "is no image of the job's campaign"), ("tiny", "pixels")] {
        let error = edit(&mut stage, job.id, 0, |request| request.first_asset_id = Some(asset.to_owned()));
        let error = error.await.unwrap_err();
        assert_eq!(error.violations[0].0, "first_asset_id");
        assert!(error.violations[0].1.contains(message), "{:?}", error.violations);
    }
    let error =
        edit(&mut stage, job.id, 9, |request| request.title = Some("x".to_owned())).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::NotFound, "scene_not_found"));
}

#[tokio::test]
async fn a_repeated_edit_needs_its_frames_no_more() {
    let mut stage = Stage::new().await;
    let job = stage.create(2).await;
    let swap = |request: &mut pb::EditSceneRequest| {
        request.command_id = "e-1".to_owned();
        request.first_asset_id = Some("spring-8".to_owned());
    };
    let first = edit(&mut stage, job.id, 0, swap).await.unwrap();
    stage.assets.campaign("spring", "Spring", 2);
    assert_eq!(edit(&mut stage, job.id, 0, swap).await.unwrap(), first);
}

#[tokio::test]
async fn an_order_that_was_no_news_does_not_undo_what_others_did_since() {
    let mut stage = Stage::new().await;
    let job = stage.create(2).await;
    let ids = |job: &pb::Job| job.scenes.iter().map(|scene| scene.id.clone()).collect::<Vec<_>>();
    let reorder = |command_id: &str, scene_ids: Vec<String>| pb::ReorderScenesRequest {
        command_id: command_id.to_owned(),
        job_id: job.id,
        scene_ids,
    };
    let (same, mut other) = (ids(&job), ids(&job));
    other.reverse();
    let first = stage.client.reorder_scenes(reorder("r-1", same.clone())).await.unwrap().into_inner();
    stage.client.reorder_scenes(reorder("", other.clone())).await.unwrap();
    let again = stage.client.reorder_scenes(reorder("r-1", same)).await.unwrap().into_inner();
    assert_eq!((again.scenes, again.updated_at), (first.scenes, first.updated_at));
    assert_eq!(ids(&stage.job(job.id).await), other);
    let reused = stage.client.reorder_scenes(reorder("r-1", other)).await.map_err(ServiceError::from);
    assert_eq!(reused.unwrap_err().reason, "idempotency_key_reused");
}

#[tokio::test]
async fn the_scenes_of_a_pending_job_are_put_into_another_order() {
    let mut stage = Stage::new().await;
    let job = stage.create(3).await;
    let mut scene_ids: Vec<_> = job.scenes.iter().map(|scene| scene.id.clone()).collect();
    scene_ids.reverse();
    let reorder = |scene_ids: &[String]| pb::ReorderScenesRequest {
        command_id: String::new(),
        job_id: job.id,
        scene_ids: scene_ids.to_vec(),
    };
    let ordered = stage.client.reorder_scenes(reorder(&scene_ids)).await.unwrap().into_inner();
    let now: Vec<_> = ordered.scenes.iter().map(|scene| scene.id.clone()).collect();
    assert_eq!(now, scene_ids);
    assert_eq!(ordered.scenes.iter().map(|scene| scene.index).collect::<Vec<_>>(), [0, 1, 2]);
    let error = stage.client.reorder_scenes(reorder(&scene_ids[1..])).await.map_err(ServiceError::from);
    assert_eq!(error.unwrap_err().violations[0].0, "order");
    stage.approve(job.id).await;
    let error = edit(&mut stage, job.id, 0, |request| request.title = Some("late".to_owned()));
    assert_eq!(error.await.unwrap_err().reason, "storyboard_not_editable");
}
