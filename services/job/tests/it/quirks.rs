//! What the older backend got wrong around jobs, one test for each.

use futures::future::join_all;
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::stage::{Script, Stage};

fn parameters(job: &pb::Job) -> Value {
    serde_json::from_str(&job.parameters_json).unwrap()
}

/// As `POST /campaigns/{id}/create-job` asks.
fn of_campaign(request: &mut pb::CreateJobRequest) {
    request.kind = "property_photos".to_owned();
    request.keep_campaign = true;
    request.style = Some("art deco".to_owned());
    request.music_genre = Some("swing".to_owned());
    request.total_seconds = Some(24.0);
    request.num_pairs = Some(3);
}

#[tokio::test]
async fn q21_a_job_of_a_campaign_is_made_as_every_other_and_its_wishes_are_obeyed() {
    let mut stage = Stage::new().await;
    let job = stage.create_with(|request| {
        of_campaign(request);
        request.video_model = Some("hailuo-02".to_owned());
        request.client_id = Some("another".to_owned());
    });
    let job = job.await.unwrap();
    assert_eq!(stage.kinds(job.id).await, ["JobCreated", "StoryboardDrafted"], "it is told as every other");
    assert_eq!((job.video_model.as_str(), job.client_id.as_deref()), ("hilua-2.5", Some("another")));
    assert_eq!(job.scenes.iter().map(|scene| scene.requested_seconds).collect::<Vec<_>>(), [8.0; 3]);
    assert!(job.scenes.iter().all(|scene| scene.prompt.ends_with("; art deco style")));
    let kept = parameters(&job);
    for (name, value) in [
        ("style", json!("art deco")),
        ("music_genre", json!("swing")),
        ("duration_seconds", json!(24.0)),
        ("campaign_brief", json!("A sunny \"lodge\", 100% quiet")),
        ("asset_count", json!(8)),
        ("campaign_name", json!("Spring")),
    ] {
        assert_eq!(kept[name], value, "{name}");
    }
    stage.approve(job.id).await;
    stage.over(job.id).await;
    let soundtrack = stage.workers.soundtrack("job-1/soundtrack-1");
    assert_eq!(soundtrack.prompt.as_deref(), Some("swing"));
}

#[tokio::test]
async fn q23_a_job_belongs_to_the_client_of_its_campaign_unless_it_names_one() {
    let mut stage = Stage::new().await;
    let own = stage.approved(2).await;
    let named = stage.create_with(|request| {
        (request.client_id, request.num_pairs) = (Some("7".to_owned()), Some(2));
    });
    let named = named.await.unwrap().id;
    stage.approve(named).await;
    stage.over(own).await;
    stage.over(named).await;
    for (client, wanted) in [("northwind", own), ("7", named)] {
        let client_id = Some(client.to_owned());
        let request = pb::ListVideosRequest { client_id, ..Default::default() };
        let found = stage.client.list_videos(request).await.unwrap().into_inner();
        assert_eq!(found.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [wanted]);
    }
}

#[tokio::test]
async fn q24_number_and_length_of_the_clips_are_those_asked_for() {
    let mut stage = Stage::new().await;
    let job = stage.create_with(|request| (request.num_pairs, request.clip_duration) = (Some(3), Some(8.0)));
    let job = job.await.unwrap();
    assert_eq!(job.scenes.iter().map(|scene| scene.billed_seconds).collect::<Vec<_>>(), [8, 8, 8]);
}

#[tokio::test]
async fn q25_one_model_prices_and_renders_and_what_the_server_owns_wins() {
    let mut stage = Stage::new().await;
    let own = json!({"video_model": "hailuo-02", "estimated_cost": 0.01, "video_name": "Mine", "cost_currency": "EUR"});
    let job = stage.create_with(|request| {
        request.video_model = Some("veo-3.1".to_owned());
        request.parameters_json = own.to_string();
        request.num_pairs = Some(2);
    });
    let job = job.await.unwrap();
    let kept = parameters(&job);
    assert_eq!((&kept["video_model"], &kept["video_name"]), (&json!("veo3"), &json!("Spring 1")));
    assert_eq!((&kept["cost_currency"], &kept["estimated_cost"]), (&json!("USD"), &json!(1.6)));
    stage.approve(job.id).await;
    stage.over(job.id).await;
    let render = stage.workers.render("job-1/scene-1/take-1");
    assert_eq!((render.model.as_str(), render.price_per_second_micros), ("google/veo-3.1", 200_000));
}

#[tokio::test]
async fn q26_of_two_approvals_one_counts_and_an_approved_job_outlives_the_process() {
    let mut stage = Stage::new().await;
    let id = stage.create(2).await.id;
    let approve = |client: &crate::stage::Client| {
        let mut client = client.clone();
        async move { client.approve_job(pb::ApproveJobRequest { command_id: String::new(), job_id: id }).await }
    };
    let client = stage.client.clone();
    let answers = join_all((0..8).map(|_| approve(&client))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(stage.kinds(id).await.iter().filter(|kind| *kind == "JobApproved").count(), 1);
    stage.restart().await;
    assert_eq!(stage.over(id).await.outcome.as_deref(), Some("full"));
}

#[tokio::test]
async fn q26_a_job_and_its_scenes_are_made_together_or_not_at_all() {
    let (mut stage, gate) = Stage::gated().await;
    let job = stage.create(3).await;
    assert_eq!((gate.appends(), stage.kinds(job.id).await.len()), (1, 2), "one write");
    let rows = stage.log.query("SELECT id FROM scene WHERE job_id = 1", Vec::new()).await.unwrap();
    assert_eq!(rows.len(), job.scenes.len());
}

#[tokio::test]
async fn q45_videos_of_a_campaign_are_numbered_without_gaps_or_doubles() {
    let stage = Stage::new().await;
    let create = || {
        let mut client = stage.client.clone();
        let request = pb::CreateJobRequest {
            kind: "image_pairs".to_owned(),
            campaign_id: "spring".to_owned(),
            ..pb::CreateJobRequest::default()
        };
        async move { client.create_job(request).await.unwrap().into_inner().video_name }
    };
    let mut names = join_all((0..9).map(|_| create())).await;
    names.sort();
    assert_eq!(names, (1..=9).map(|number| format!("Spring {number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn q48_a_render_that_cannot_end_ends_the_scene_with_a_reason() {
    let mut stage = Stage::with(|settings| settings.give_up_after = std::time::Duration::ZERO).await;
    stage.workers.script("job-1/scene-2/take-1", Script::Away(u32::MAX));
    let id = stage.approved(2).await;
    let job = stage.over(id).await;
    assert_eq!(job.scenes[1].status, "failed");
    assert!(job.scenes[1].error.as_ref().unwrap().contains("could not be reached"));
}
