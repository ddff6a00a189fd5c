//! Making jobs, and showing them.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{World, a_job, a_scene};

const PAIRS: &str = "/api/v3/jobs/from-image-pairs";
const PHOTOS: &str = "/api/v3/jobs/from-property-photos";

fn pending() -> pb::Job {
    pb::Job { status: "pending".into(), warnings: vec!["a-9 is too small".into()], ..a_job(None) }
}

#[tokio::test]
async fn a_job_from_image_pairs_answers_every_member_of_the_contract() {
    let world = World::start().await;
    world.job.on("create_job", pending());
    let body = json!({"campaignId": "c-1", "clientId": "cl-1", "clipDuration": "6", "numPairs": "2", "model": "veo3",
        "parameters": {"aspect_ratio": "9:16", "note": "x"}});
    let reply = world.post(PAIRS, body).await.ok(201);
    for (member, value) in [
        ("job_id", json!(43)),
        ("status", json!("pending")),
        ("type", json!("image_pairs")),
        ("scene_count", json!(2)),
        ("message", json!("Job created successfully")),
        ("video_name", json!("Spring 2")),
        ("estimated_cost", json!(2.4)),
        ("costs", json!({"estimated": 2.4, "currency": "USD"})),
        ("storyboard_ready", json!(true)),
        ("storyboard", json!({"scenes": [{"title": "Pool"}], "total_duration": 12.0})),
        ("campaign_id", json!("c-1")),
        ("client_id", json!("cl-1")),
        ("clip_duration", json!(6.0)),
        ("num_pairs", json!(2)),
        ("total_assets", json!(4)),
        ("warnings", json!(["a-9 is too small"])),
        ("planner", json!("template")),
    ] {
        assert_eq!(reply[member], value, "{member}");
    }
    assert_eq!(reply["links"]["approve"], "/api/v3/jobs/43/approve");
    let asked: pb::CreateJobRequest = world.job.asked_once("create_job");
    let wanted = pb::CreateJobRequest {
        // Made up for a request that brings none.
        command_id: asked.command_id.clone(),
        kind: "image_pairs".into(),
        campaign_id: "c-1".into(),
        client_id: Some("cl-1".into()),
        clip_duration: Some(6.0),
        num_pairs: Some(2),
        video_model: Some("veo3".into()),
        aspect_ratio: Some("9:16".into()),
        parameters_json: r#"{"aspect_ratio":"9:16","note":"x"}"#.into(),
        ..Default::default()
    };
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn what_image_pairs_leave_out_is_filled_in_by_the_service_and_echoed() {
    let world = World::start().await;
    let parameters_json = r#"{"clip_duration":5.0,"num_pairs":10}"#.into();
    world.job.on("create_job", pb::Job { parameters_json, ..pending() });
    let reply = world.post(PAIRS, json!({"campaign_id": "c-1", "clip_duration": ""})).await.ok(201);
    assert_eq!((&reply["clip_duration"], &reply["num_pairs"]), (&json!(5.0), &json!(10)));
    let asked: pb::CreateJobRequest = world.job.asked_once("create_job");
    assert_eq!(
        (asked.clip_duration, asked.num_pairs),
        (None, None),
        "nobody is told off for what they did not send"
    );
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_and_no_default_takes_its_place() {
    let world = World::start().await;
    for (field, value) in
        [("clip_duration", json!("soon")), ("num_pairs", json!("3 or 4")), ("num_pairs", json!(2.5))]
    {
        let body = world.post(PAIRS, json!({"campaign_id": "c-1", (field): value})).await;
        let body = body.problem(422, "validation_failed");
        assert_eq!(body["details"][field], json!(["is invalid"]));
    }
    assert!(world.job.asked::<pb::CreateJobRequest>("create_job").is_empty());
}

#[tokio::test]
async fn a_job_from_property_photos_echoes_its_types_and_none_of_the_pairs_members() {
    let world = World::start().await;
    let parameters = r#"{"property_types":["pool","kitchen"]}"#;
    let job = pb::Job { kind: "property_photos".into(), parameters_json: parameters.into(), ..pending() };
    world.job.on("create_job", job);
    let body = json!({"campaign_id": "c-1", "propertyTypes": ["pool", "kitchen"], "planner": "template"});
    let reply = world.post(PHOTOS, body).await.ok(201);
    assert_eq!(reply["property_types"], json!(["pool", "kitchen"]));
    for member in ["campaign_id", "client_id", "clip_duration", "num_pairs", "total_assets"] {
        assert!(reply.get(member).is_none(), "{member}");
    }
    let asked: pb::CreateJobRequest = world.job.asked_once("create_job");
    assert_eq!(asked.property_types, ["pool", "kitchen"]);
    assert_eq!((asked.planner.as_str(), asked.clip_duration, asked.num_pairs), ("template", None, None));
}

#[tokio::test]
async fn types_are_a_list_of_texts_and_absent_ones_mean_the_default() {
    let world = World::start().await;
    world.job.on("create_job", pending());
    world.post(PHOTOS, json!({"campaign_id": "c-1", "property_types": null})).await.ok(201);
    assert!(world.job.asked_once::<pb::CreateJobRequest>("create_job").property_types.is_empty());
    for (types, message) in [
        (json!([]), "can't be blank"),
        (json!("pool"), "must be an array of strings"),
        (json!(["pool", 3]), "must be an array of strings"),
    ] {
        let body = world.post(PHOTOS, json!({"campaign_id": "c-1", "property_types": types})).await;
        assert_eq!(body.problem(422, "validation_failed")["details"], json!({"property_types": [message]}));
    }
}

#[tokio::test]
async fn a_job_needs_a_campaign() {
    let world = World::start().await;
    let nothing = [
        json!({}),
        json!({"campaign_id": null, "campaignId": "c-1"}),
        json!({"campaign_id": 7}),
        json!({"campaign_id": "  "}),
    ];
    for path in [PAIRS, PHOTOS] {
        for body in nothing.clone() {
            let body = world.post(path, body).await.problem(400, "missing_field");
            assert_eq!(body["error"], "campaign_id is required");
        }
    }
    assert!(world.job.asked::<pb::CreateJobRequest>("create_job").is_empty());
}

#[tokio::test]
async fn parameters_of_the_wrong_shape_are_rejected() {
    let world = World::start().await;
    for (body, field) in [
        (json!({"parameters": "veo3"}), "parameters"),
        (json!({"clip_duration": []}), "clip_duration"),
        (json!({"num_pairs": 1e30}), "num_pairs"),
        (json!({"num_pairs": 2.5}), "num_pairs"),
        (json!({"video_model": 3}), "video_model"),
        (json!({"parameters": {"video_model": 3}}), "video_model"),
        (json!({"aspect_ratio": {}}), "aspect_ratio"),
        (json!({"parameters": {"note": "\0"}}), "parameters"),
    ] {
        let mut body: Value = body;
        body["campaign_id"] = json!("c-1");
        let problem = world.post(PAIRS, body).await.problem(422, "validation_failed");
        assert!(problem["details"][field].is_array(), "{problem}");
    }
}

/// What a refusal of the service becomes: status, type, and members.
async fn refused(refusal: fn() -> ServiceError, status: u16, code: &str, members: Value) {
    let world = World::start().await;
    world.job.refuse("create_job", refusal);
    let body = world.post(PHOTOS, json!({"campaign_id": "c-1"})).await.problem(status, code);
    for (member, value) in members.as_object().expect("members") {
        assert_eq!(&body[member], value, "{body}");
    }
}

#[tokio::test]
async fn what_keeps_a_job_from_being_made_is_told_in_the_contracts_words() {
    let not_found = || ServiceError::new(Code::NotFound, "campaign_not_found", "Campaign not found");
    refused(not_found, 404, "campaign_not_found", json!({"error": "Campaign not found"})).await;
    let none = || ServiceError::new(Code::Invalid, "no_assets", "Campaign has no assets");
    refused(none, 400, "campaign_has_no_assets", json!({"error": "Campaign has no assets"})).await;
    let one = || {
        let text = "Need at least 2 image assets to start the pipeline, found 1";
        ServiceError::new(Code::Invalid, "too_few_images", text)
    };
    let text = "Need at least 2 image assets to start the pipeline, found 1";
    refused(one, 400, "not_enough_assets", json!({"error": text})).await;
    let types = || {
        ServiceError::new(Code::Invalid, "invalid_scene_types", "bad")
            .fact("invalid_types", json!(["garage", null]))
    };
    let members = json!({"error": "Scene types do not match allowed property types", "invalid_types": ["garage", null]});
    refused(types, 400, "scene_types_not_allowed", members).await;
    let model = || ServiceError::validation([("video_model", "is not a model we know")]);
    let members =
        json!({"error": "Validation failed", "details": {"video_model": ["is not a model we know"]}});
    refused(model, 422, "validation_failed", members).await;
}

#[tokio::test]
async fn a_failing_planner_is_the_contracts_body_as_a_503_that_may_be_repeated() {
    let planner = || {
        let error =
            ServiceError::new(Code::Unavailable, "scene_generation_failed", "Failed to generate scenes");
        error.fact("details", "API request failed with status 503")
    };
    let members =
        json!({"error": "Failed to generate scenes", "details": "API request failed with status 503"});
    refused(planner, 503, "scene_generation_failed", members).await;
    let world = World::start().await;
    world.job.refuse("create_job", planner);
    let answer = world.post(PAIRS, json!({"campaign_id": "c-1"})).await;
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
}

#[tokio::test]
async fn a_job_is_shown_with_everything_the_older_api_had_and_more() {
    let world = World::start().await;
    let clip = world.blob(b"clip", "video/mp4").await;
    let job = pb::Job {
        status: "completed".into(),
        outcome: Some("partial".into()),
        error: Some("scene 2 was refused".into()),
        video: Some(clip.clone()),
        poster: Some(clip.clone()),
        video_duration_ms: Some(6_040),
        next_cut: Some(pb::NextCut {
            progress: Some(pb::Progress { percentage: 80, ..Default::default() }),
            error: None,
        }),
        ..a_job(Some(clip))
    };
    world.job.on("get_job", job);
    let body = world.get("/api/v3/jobs/43").await.ok(200);
    for (member, value) in [
        ("job_id", json!(43)),
        ("type", json!("image_pairs")),
        ("status", json!("completed")),
        ("outcome", json!("partial")),
        ("video_name", json!("Spring 2")),
        ("estimated_cost", json!(2.4)),
        ("actual_cost", json!(1.0)),
        ("costs", json!({"estimated": 2.4, "currency": "USD"})),
        ("progress_percentage", json!(42)),
        ("current_stage", json!("starting_render")),
        ("parameters", json!({"campaign_id": "c-1", "clip_duration": 6.0, "num_pairs": 2})),
        ("inserted_at", json!("2026-03-04T05:00:00Z")),
        ("created_at", json!("2026-03-04T05:00:00Z")),
        ("updated_at", json!("2026-03-04T05:06:00Z")),
        ("error", json!("scene 2 was refused")),
        ("video_url", json!("/api/v3/videos/43/combined")),
        ("video_duration", json!(6.04)),
        ("warnings", json!([])),
        ("audio_status", json!("generating")),
    ] {
        assert_eq!(body[member], value, "{member}");
    }
    assert_eq!(body["next_cut"]["progress"]["percentage"], 80);
    assert_eq!(body["progress"]["completed_scenes"], 1);
    assert_eq!(body["scenes"][0]["clip_url"], "/api/v3/videos/43/clips/s-1.mp4");
    assert_eq!(body["scenes"][1]["clip_url"], json!(null));
    assert_eq!(body["links"]["video"], "/api/v3/videos/43/combined");
    assert_eq!(body["links"]["audio"], json!(null));
}

#[tokio::test]
async fn a_job_without_progress_is_at_an_unknown_stage() {
    let world = World::start().await;
    world.job.on("get_job", pb::Job { id: 1, scenes: vec![a_scene("s", 0)], ..Default::default() });
    let body = world.get("/api/v3/jobs/1").await.ok(200);
    assert_eq!((&body["progress_percentage"], &body["current_stage"]), (&json!(0), &json!("unknown")));
    assert_eq!(
        (&body["parameters"], &body["storyboard"], &body["video_url"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_eq!(body["audio_status"], "not_started");
}

#[tokio::test]
async fn a_job_that_does_not_exist_is_asked_for_only_when_its_id_can_be_one() {
    let world = World::start().await;
    world.job.refuse("get_job", || ServiceError::not_found("There is no job 99999."));
    for id in ["99999", "abc", "-1", "1.5", "99999999999999", "12abc"] {
        let body = world.get(&format!("/api/v3/jobs/{id}")).await.problem(404, "job_not_found");
        assert_eq!((&body["error"], &body["job_id"]), (&json!("Job not found"), &json!(id)));
    }
    assert_eq!(world.job.asked::<pb::GetJobRequest>("get_job").len(), 1);
}

#[tokio::test]
async fn what_events_carry_is_limited() {
    let world = World::start().await;
    let body = json!({"campaign_id": "c-1", "client_id": "c".repeat(256)});
    let body = world.post(PAIRS, body).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"client_id": ["should be at most 255 character(s)"]}));
    for (types, message) in [
        (json!(vec!["pool"; 101]), "should have at most 100 item(s)"),
        (json!("pool"), "must be an array of strings"),
    ] {
        let body = json!({"campaign_id": "c-1", "property_types": types});
        let body = world.post(PHOTOS, body).await.problem(422, "validation_failed");
        assert_eq!(body["details"], json!({"property_types": [message]}));
    }
    let body = json!({"reason": "r".repeat(1001)});
    let body = world.post("/api/v3/jobs/43/cancel", body).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"reason": ["should be at most 1000 character(s)"]}));
    assert!(world.job.asked::<pb::CancelJobRequest>("cancel_job").is_empty());
}
