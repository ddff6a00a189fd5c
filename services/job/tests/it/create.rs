//! Making jobs.

use futures::future::join_all;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::stage::{Stage, image};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_new_job_waits_for_a_person_with_a_storyboard_and_a_price() {
    let mut stage = Stage::new().await;
    let job = stage.create_with(|request| {
        request.num_pairs = Some(3);
        request.clip_duration = Some(6.0);
    });
    let job = job.await.unwrap();
    assert_eq!((job.id, job.status.as_str(), job.kind.as_str()), (1, "pending", "image_pairs"));
    assert_eq!((job.video_name.as_str(), job.planner.as_str()), ("Spring 1", "template"));
    assert_eq!((job.client_id.as_deref(), job.video_model.as_str()), (Some("northwind"), "veo3"));
    assert_eq!((job.estimated_cost_micros, job.actual_cost_micros), (3 * 6 * 200_000, 0));
    assert_eq!((job.total_assets, job.scenes.len()), (8, 3));
    let progress = job.progress.clone().unwrap();
    assert_eq!((progress.percentage, progress.stage.as_str()), (0, "storyboard_ready"));
    let storyboard = parsed(&job.storyboard_json);
    assert_eq!(storyboard["total_duration"], json!(18.0));
    let scene = &storyboard["scenes"][0];
    assert_eq!((&scene["index"], &scene["duration"]), (&json!(0), &json!(6.0)));
    assert_eq!(scene["asset_ids"].as_array().unwrap().len(), 2);
    for (at, scene) in job.scenes.iter().enumerate() {
        assert_eq!((scene.index, scene.status.as_str(), scene.billed_seconds), (at as i32, "pending", 6));
        assert!(scene.first_asset_id.starts_with("spring-") && scene.last_asset_id.starts_with("spring-"));
    }
    assert!(job.position > 0 && job.created_at.ends_with('Z'));
    assert_eq!(stage.workers.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_server_knows_wins_over_the_callers_parameters() {
    let mut stage = Stage::new().await;
    let own = json!({"mood": "calm", "estimated_cost": 0.01, "video_name": "Mine", "campaign_id": "other",
                     "video_model": "hailuo-02", "aspect_ratio": "9:16"});
    let job = stage.create_with(|request| request.parameters_json = own.to_string()).await.unwrap();
    let parameters = parsed(&job.parameters_json);
    assert_eq!(parameters["mood"], "calm");
    assert_eq!(
        (&parameters["video_name"], &parameters["campaign_id"]),
        (&json!("Spring 1"), &json!("spring"))
    );
    assert_eq!((&parameters["clip_duration"], &parameters["num_pairs"]), (&json!(5.0), &json!(10)));
    assert_eq!((&parameters["video_model"], job.video_model.as_str()), (&json!("hilua-2.5"), "hilua-2.5"));
    assert_eq!(parameters["estimated_cost"], json!(job.estimated_cost_micros as f64 / 1e6));
}

async fn refused(stage: &mut Stage, change: impl FnOnce(&mut pb::CreateJobRequest)) -> ServiceError {
    let refused = stage.create_with(change).await.expect_err("the request is refused");
    assert_eq!(stage.log.head().await.unwrap(), 0, "nothing is stored");
    refused
}

#[tokio::test]
async fn refusals_have_the_contracts_texts_and_store_nothing() {
    let mut stage = Stage::new().await;
    stage.assets.campaign("empty", "Empty", 0);
    stage.assets.campaign("one", "One", 1);
    for (campaign, kind, code, reason, text) in [
        ("", "image_pairs", Code::Invalid, "campaign_id_required", "campaign_id is required"),
        ("nowhere", "image_pairs", Code::NotFound, "campaign_not_found", "Campaign not found"),
        ("empty", "image_pairs", Code::Invalid, "no_assets", "Campaign has no assets"),
        ("empty", "property_photos", Code::Invalid, "no_assets", "Campaign has no assets"),
        (
            "one",
            "image_pairs",
            Code::Invalid,
            "too_few_images",
            "Need at least 2 image assets to start the pipeline, found 1",
        ),
    ] {
        let error = refused(&mut stage, |request| {
            (request.campaign_id, request.kind) = (campaign.to_owned(), kind.to_owned());
        });
        let error = error.await;
        assert_eq!((error.code, error.reason.as_str(), error.message.as_str()), (code, reason, text));
    }
}

#[tokio::test]
async fn what_no_model_can_make_is_refused_with_its_field() {
    let mut stage = Stage::new().await;
    type Change = fn(&mut pb::CreateJobRequest);
    let cases: [(&str, Change); 9] = [
        ("video_model", |r| r.video_model = Some("sora".into())),
        ("aspect_ratio", |r| r.aspect_ratio = Some("1:1".into())),
        ("clip_duration", |r| r.clip_duration = Some(0.0)),
        ("clip_duration", |r| r.clip_duration = Some(f64::NAN)),
        ("clip_duration", |r| r.clip_duration = Some(3_600.0)),
        ("num_pairs", |r| r.num_pairs = Some(0)),
        ("resolution", |r| r.resolution = Some("8k".into())),
        ("parameters", |r| r.parameters_json = "[1]".into()),
        ("planner", |r| r.planner = "oracle".into()),
    ];
    for (field, change) in cases {
        let error = refused(&mut stage, change).await;
        assert_eq!((error.code, error.message.as_str()), (Code::Validation, "Validation failed"), "{field}");
        assert_eq!(error.violations[0].0, field);
    }
}

#[tokio::test]
async fn a_video_is_never_longer_than_a_minute() {
    let mut stage = Stage::new().await;
    let error = refused(&mut stage, |request| {
        (request.num_pairs, request.clip_duration) = (Some(8), Some(8.0));
    });
    assert_eq!(error.await.violations[0].0, "num_pairs");
    let job = stage.create_with(|request| request.clip_duration = Some(8.0)).await.unwrap();
    assert_eq!(job.scenes.len(), 7);
}

#[tokio::test]
async fn a_tiny_image_is_refused_as_a_frame_unless_enough_others_are_left() {
    let mut stage = Stage::new().await;
    let mut tiny = image("tiny");
    (tiny.width, tiny.height) = (Some(4_000), Some(63));
    stage.assets.campaign_of("tiny", "Tiny", vec![image("a"), tiny.clone()]);
    let error = refused(&mut stage, |request| request.campaign_id = "tiny".to_owned()).await;
    assert_eq!((error.code, error.violations.len()), (Code::Validation, 1));
    assert!(error.violations[0].1.contains("tiny has 4000x63 pixels"), "{:?}", error.violations);
    stage.assets.campaign_of("tiny", "Tiny", vec![image("a"), tiny, image("b")]);
    let job = stage.create_with(|request| request.campaign_id = "tiny".to_owned()).await.unwrap();
    assert!(job.scenes.iter().all(|scene| scene.first_asset_id != "tiny" && scene.last_asset_id != "tiny"));
    assert_eq!(job.total_assets, 3);
}

#[tokio::test]
async fn property_photos_use_only_the_types_allowed() {
    let mut stage = Stage::new().await;
    let job = stage.create_with(|request| {
        request.kind = "property_photos".to_owned();
        request.property_types = vec!["pool".to_owned(), "sauna".to_owned()];
    });
    let job = job.await.unwrap();
    assert!(job.scenes.iter().all(|scene| ["pool", "sauna"].contains(&scene.scene_type.as_str())));
    let parameters = parsed(&job.parameters_json);
    assert_eq!(parameters["property_types"], json!(["pool", "sauna"]));
    assert_eq!(parameters.get("clip_duration"), None);
}

#[tokio::test]
async fn a_repeated_create_is_the_same_job() {
    let mut stage = Stage::new().await;
    let first = stage.create_with(|request| request.command_id = "c-1".to_owned()).await.unwrap();
    stage.approve(first.id).await;
    stage.over(first.id).await;
    let again = stage.create_with(|request| request.command_id = "c-1".to_owned()).await.unwrap();
    assert_eq!(again, first);
    let other = stage.create_with(|request| {
        (request.command_id, request.num_pairs) = ("c-1".to_owned(), Some(2));
    });
    let error = other.await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Conflict, "idempotency_key_reused"));
    assert_eq!(stage.create(2).await.video_name, "Spring 2");
}

#[tokio::test]
async fn the_same_create_sent_twice_at_once_makes_one_job() {
    let mut stage = Stage::new().await;
    let client = stage.client.clone();
    let create = || {
        let mut client = client.clone();
        let request = pb::CreateJobRequest {
            command_id: "c-2".to_owned(),
            kind: "image_pairs".to_owned(),
            campaign_id: "spring".to_owned(),
            ..pb::CreateJobRequest::default()
        };
        async move { client.create_job(request).await.unwrap().into_inner().id }
    };
    let ids = join_all((0..4).map(|_| create())).await;
    assert_eq!(ids, [1, 1, 1, 1]);
    assert_eq!(stage.create(2).await.id, 2);
}

#[tokio::test]
async fn forty_jobs_made_at_once_number_their_campaign_without_gaps() {
    let stage = Stage::new().await;
    stage.assets.campaign("autumn", "", 2);
    let create = |campaign: &str| {
        let mut client = stage.client.clone();
        let request = pb::CreateJobRequest {
            kind: "image_pairs".to_owned(),
            campaign_id: campaign.to_owned(),
            ..pb::CreateJobRequest::default()
        };
        async move { client.create_job(request).await.unwrap().into_inner() }
    };
    let calls = (0..80).map(|call| create(if call % 2 == 0 { "spring" } else { "autumn" }));
    let jobs = join_all(calls).await;
    for (campaign, name) in [("spring", "Spring"), ("autumn", "Video")] {
        let of_campaign = jobs.iter().filter(|job| job.campaign_id == campaign);
        let mut names: Vec<_> = of_campaign.map(|job| job.video_name.clone()).collect();
        let mut wanted: Vec<_> = (1..=40).map(|number| format!("{name} {number}")).collect();
        names.sort();
        wanted.sort();
        assert_eq!(names, wanted);
    }
    let mut ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=80).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_asset_service_that_is_away_is_no_bad_request() {
    let mut stage = Stage::with(|settings| settings.asset = "127.0.0.1:1".to_owned()).await;
    assert_eq!(refused(&mut stage, |_| {}).await.code, Code::Unavailable);
}
