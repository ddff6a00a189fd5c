//! Routes for trying out the pipeline.

use kit::{Code, ServiceError};
use protos::{asset::v1 as asset, job::v1 as job, stitch::v1 as stitch};
use serde_json::{Value, json};

use crate::{
    assets::an_asset,
    world::{Answer, World, a_job},
};

pub(crate) async fn post(world: &World, path: &str, body: Value) -> Answer {
    world.post(&format!("/api/v3/testing{path}"), body).await
}

pub(crate) async fn get(world: &World, path: &str) -> Answer {
    world.get(&format!("/api/v3/testing{path}")).await
}

pub(crate) fn template(kind: &str) -> job::Template {
    job::Template {
        r#type: kind.into(),
        order: 1,
        title: "The Hook".into(),
        subtitle: "Exterior Feature".into(),
        end_ms: 1_500,
        default_ms: 1_500,
        scene_types: vec!["exterior".into()],
        video_prompt: "A low shot".into(),
        music_description: "soft music".into(),
        music_style: "ambient".into(),
        music_energy: "low".into(),
        ..Default::default()
    }
}

pub(crate) fn settings() -> job::Pipeline {
    job::Pipeline {
        config_json:
            r#"{"music_generation":{"enabled":true,"default_duration":4.0},"voiceover":{"enabled":false}}"#
                .into(),
        enabled_steps: vec!["music_generation".into()],
    }
}

#[tokio::test]
async fn q39_the_routes_are_gone_when_they_are_switched_off() {
    let world = World::with(|settings| settings.testing_routes = false).await;
    for path in ["/scene-templates", "/pipeline/config", "/ui", "/campaigns", "/media/music-x"] {
        get(&world, path).await.problem(404, "not_found");
    }
    post(&world, "/overlay/preview", json!({"text": "a"})).await.problem(404, "not_found");
}

#[tokio::test]
async fn q39_the_page_opens_without_a_key_and_asks_for_it_and_needs_no_other_host() {
    let world = World::locked().await;
    let answer = get(&world, "/ui").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/html; charset=utf-8"));
    let page = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(page.contains("X-API-Key") && page.contains("/api/v3/testing"), "it sends the key");
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing is loaded from elsewhere");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    get(&world, "/campaigns").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn q39_a_numeric_campaign_id_is_an_id_like_any_other() {
    let world = World::start().await;
    world.job.refuse("preview_storyboard", || ServiceError::not_found("Campaign not found"));
    let body = post(&world, "/image-selection", json!({"campaign_id": 7})).await;
    assert_eq!(body.problem(404, "campaign_not_found")["error"], "Campaign not found");
    let asked: job::PreviewStoryboardRequest = world.job.asked_once("preview_storyboard");
    assert_eq!(asked.campaign_id, "7");
}

#[tokio::test]
async fn q39_a_place_may_be_given_as_a_map() {
    let world = World::start().await;
    let shown = stitch::OverlayPreview {
        overlay: Some(stitch::Overlay { text: "Spring".into(), font_size: 48, ..Default::default() }),
        expression: "x=40:y=60".into(),
    };
    world.stitch.on("preview_overlay", shown);
    let options = json!({"position": {"x": 40, "y": 60}});
    let body = post(&world, "/overlay/preview", json!({"text": "Spring", "options": options})).await.ok(200);
    assert_eq!(body["preview"]["position"], "x=40:y=60");
    let asked: stitch::Overlay = world.stitch.asked_once("preview_overlay");
    assert_eq!((asked.x, asked.y), (Some(40), Some(60)));
    for position in [json!({"x": -1, "y": 2}), json!({"x": 1}), json!(7)] {
        let body = json!({"text": "Spring", "options": {"position": position}});
        let body = post(&world, "/overlay/preview", body).await.problem(422, "validation_failed");
        assert!(body["details"]["options.position"].is_array(), "{body}");
    }
}

#[tokio::test]
async fn q18_a_missing_field_is_400_and_a_wrong_one_names_itself() {
    let world = World::start().await;
    world.job.on("list_templates", job::ListTemplatesReply { templates: vec![template("hook")] });
    world.job.on("get_pipeline", settings());
    for path in [
        "/scene-templates/adapt",
        "/image-selection",
        "/music/single-scene",
        "/music/multi-scene",
        "/overlay/text",
        "/overlay/preview",
        "/voiceover/generate",
        "/pipeline/config",
        "/prompt-preview",
    ] {
        let body = post(&world, path, json!({})).await.problem(400, "missing_field");
        assert_eq!(body["errors"]["detail"], "Bad Request", "{path}");
    }
    for (path, wrong, field) in [
        ("/scene-templates/adapt", json!({"scene_count": "many"}), "scene_count"),
        (
            "/scene-templates/adapt",
            json!({"scene_count": 3, "available_scene_types": [1]}),
            "available_scene_types",
        ),
        ("/image-selection", json!({"campaign_id": {"a": 1}}), "campaign_id"),
        ("/music/single-scene", json!({"scene": "loud"}), "scene"),
        ("/music/single-scene", json!({"scene": {"duration": "long"}}), "scene.duration"),
        ("/music/single-scene", json!({"scene": {"duration": 500}}), "scenes"),
        ("/music/multi-scene", json!({"scenes": []}), "scenes"),
        ("/music/multi-scene", json!({"scenes": [1]}), "scenes[0]"),
        ("/music/multi-scene", json!({"scenes": [{"title": 3}]}), "scenes[0].title"),
        ("/music/multi-scene", json!({"scenes": [{}], "fade_duration": 99}), "fade_duration"),
        ("/music/from-templates", json!({"scene_types": ["helipad"]}), "scene_types[0]"),
        ("/overlay/preview", json!({"text": 3}), "text"),
        ("/overlay/preview", json!({"text": "a", "options": []}), "options"),
        ("/overlay/preview", json!({"text": "a", "options": {"fade_in": -1}}), "options.fade_in"),
        ("/overlay/preview", json!({"text": "a\u{0}b"}), "text"),
        ("/voiceover/generate", json!({"script": 3}), "script"),
        ("/voiceover/generate", json!({"script": "a", "options": {"speed": "fast"}}), "options.speed"),
        ("/voiceover/script", json!({"scenes": "all"}), "scenes"),
        ("/voiceover/script", json!({"property_details": {"features": "pool"}}), "property_details.features"),
        ("/pipeline/config", json!({"step": "voiceover", "updates": 3}), "updates"),
        ("/pipeline/config", json!({"config": []}), "config"),
        ("/avatar/preview", json!({"size": 3}), "size"),
    ] {
        let body = post(&world, path, wrong).await.problem(422, "validation_failed");
        assert!(body["details"][field].is_array(), "{path}: {body}");
        assert_eq!(body["error"], "Validation failed");
    }
}

#[tokio::test]
async fn q18_scene_counts_and_template_words_that_nobody_knows_are_refused() {
    let world = World::start().await;
    world.job.on("list_templates", job::ListTemplatesReply { templates: vec![template("hook")] });
    let body = post(&world, "/prompt-preview", json!({"scene_type": "helipad", "for": "video"})).await;
    assert_eq!(body.problem(404, "scene_type_not_found")["error"], "Scene type not found");
    let body = post(&world, "/prompt-preview", json!({"scene_type": "hook", "for": "smell"})).await;
    assert_eq!(
        body.problem(422, "validation_failed")["error"],
        "Invalid prompt type. Use 'video' or 'music'"
    );
    world.job.clear("list_templates");
    world
        .job
        .refuse("list_templates", || ServiceError::validation([("scene_count", "must be from 2 to 100")]));
    let body = post(&world, "/scene-templates/adapt", json!({"scene_count": 1})).await;
    body.problem(422, "validation_failed");
}

#[tokio::test]
async fn templates_and_prompts_are_shown_as_documented() {
    let world = World::start().await;
    world.job.on("list_templates", job::ListTemplatesReply { templates: vec![template("hook")] });
    let body = get(&world, "/scene-templates").await.ok(200);
    assert_eq!((&body["success"], &body["count"]), (&json!(true), &json!(1)));
    let shown = &body["templates"][0];
    assert_eq!(
        (&shown["type"], &shown["time_end"], &shown["default_duration"]),
        (&json!("hook"), &json!(1.5), &json!(1.5))
    );
    assert_eq!(shown["asset_criteria"]["requires_pairs"], true);
    assert!(shown.get("duration").is_none());
    let body =
        post(&world, "/scene-templates/adapt", json!({"sceneCount": "2", "available_scene_types": ["pool"]}))
            .await
            .ok(200);
    assert_eq!((&body["requested_count"], &body["available_types"]), (&json!(2), &json!(["pool"])));
    assert_eq!(body["adapted_templates"][0]["duration"], 1.5);
    let body = post(&world, "/prompt-preview", json!({"scene_type": "hook", "for": "video"})).await.ok(200);
    assert_eq!((&body["template"], &body["prompt"]), (&json!("The Hook"), &json!("A low shot")));
    let body = post(&world, "/prompt-preview", json!({"scene_type": "hook", "for": "music"})).await.ok(200);
    assert_eq!(body["generated_prompt"], "soft music. Style: ambient. Energy: low.");
}

#[tokio::test]
async fn the_settings_are_shown_and_changed_in_both_forms() {
    let world = World::start().await;
    world.job.on("get_pipeline", settings());
    world.job.on("configure_pipeline", settings());
    let body = get(&world, "/pipeline/config").await.ok(200);
    assert_eq!(body["enabled_steps"], json!(["music_generation"]));
    assert_eq!(body["config"]["voiceover"]["enabled"], false);
    let step = json!({"step": "voiceover", "updates": {"default_voice": "calm"}});
    let body = post(&world, "/pipeline/config", step).await.ok(200);
    assert_eq!((&body["step"], &body["updated_config"]), (&json!("voiceover"), &json!({"enabled": false})));
    let body = post(&world, "/pipeline/config", json!({"config": {"a": {"b": 1}}})).await.ok(200);
    assert_eq!(body["config"]["music_generation"]["enabled"], true);
    let asked = world.job.asked::<job::ConfigurePipelineRequest>("configure_pipeline");
    assert_eq!(
        (asked[0].step.as_str(), asked[0].changes_json.as_str()),
        ("voiceover", r#"{"default_voice":"calm"}"#)
    );
    assert_eq!((asked[1].step.as_str(), asked[1].changes_json.as_str()), ("", r#"{"a":{"b":1}}"#));
    world.job.clear("configure_pipeline");
    world.job.refuse("configure_pipeline", || {
        ServiceError::new(Code::Invalid, "step_not_found", "Step status not found")
    });
    let body = post(&world, "/pipeline/config", json!({"step": "status", "updates": {}})).await;
    assert_eq!(body.problem(400, "step_not_found")["error"], "Step status not found");
}

#[tokio::test]
async fn images_are_chosen_with_their_assets() {
    let world = World::start().await;
    let drawn = job::PreviewStoryboardReply {
        campaign_id: "c-1".into(),
        campaign_name: "Spring".into(),
        total_assets: 2,
        scenes_json: r#"[{"title":"Pool","asset_ids":["a-1","a-9"]}]"#.into(),
        planner: "template".into(),
    };
    world.job.on("preview_storyboard", drawn);
    let assets = vec![asset::Asset {
        id: "a-1".into(),
        source_url: Some("https://img.example/a".into()),
        ..an_asset(None)
    }];
    world.asset.on("list_assets", asset::ListAssetsReply { assets, total: 1, next: None });
    let body =
        post(&world, "/image-selection", json!({"campaign_id": "c-1", "scene_count": 1})).await.ok(200);
    assert_eq!((&body["campaign_name"], &body["scene_count"]), (&json!("Spring"), &json!(1)));
    let selected = &body["scenes"][0]["selected_assets"];
    assert_eq!(
        (&selected[0]["id"], &selected[0]["asset_url"]),
        (&json!("a-1"), &json!("/api/v3/assets/a-1/data"))
    );
    assert_eq!(selected.as_array().map(Vec::len), Some(1), "one that was deleted is passed over");
    world.job.clear("preview_storyboard");
    world.job.refuse("preview_storyboard", || {
        ServiceError::new(Code::Invalid, "no_images", "No images found in campaign")
    });
    let body = post(&world, "/image-selection", json!({"campaign_id": "c-1"})).await;
    assert_eq!(body.problem(400, "campaign_has_no_assets")["error"], "No images found in campaign");
}

#[tokio::test]
async fn campaigns_their_images_and_jobs_are_shown() {
    let world = World::start().await;
    let campaign = |id: &str, created_at: &str| asset::Campaign {
        id: id.into(),
        client_id: "cl-1".into(),
        name: "Spring".into(),
        brief: Some("123".into()),
        created_at: created_at.into(),
        ..Default::default()
    };
    let campaigns = vec![campaign("c-2", "2026-03-02T00:00:00Z"), campaign("c-1", "2026-03-01T00:00:00Z")];
    world.asset.on("list_campaigns", asset::ListCampaignsReply { campaigns, total: 2, next: None });
    let assets = vec![asset::Asset { id: "a-1".into(), ..an_asset(None) }];
    world.asset.on("list_assets", asset::ListAssetsReply { assets, total: 7, next: None });
    let body = get(&world, "/campaigns").await.ok(200);
    assert_eq!((&body["count"], &body["campaigns"][0]["id"]), (&json!(2), &json!("c-2")));
    let asked: asset::ListCampaignsRequest = world.asset.asked_once("list_campaigns");
    assert!(asked.newest_first && asked.limit == 50, "{asked:?}");
    let shown = (&body["campaigns"][0]["image_count"], &body["campaigns"][0]["brief"]);
    assert_eq!(shown, (&json!(7), &json!("123")), "the brief is the text that was stored");
    world.asset.on("get_campaign", campaign("c-1", "2026-03-01T00:00:00Z"));
    let body = get(&world, "/campaigns/c-1/assets").await.ok(200);
    assert_eq!((&body["client_id"], &body["assets"][0]["has_blob"]), (&json!("cl-1"), &json!(false)));
    world.asset.clear("get_campaign");
    world.asset.refuse("get_campaign", || ServiceError::not_found("no"));
    get(&world, "/campaigns/nope/assets").await.problem(404, "campaign_not_found");
    let storyboard_json =
        r#"{"scenes":[{"title":"Pool","asset_ids":["a-1","a-1"]}],"total_duration":5.0}"#.into();
    world.job.on("get_job", job::Job { storyboard_json, ..a_job(None) });
    let body = get(&world, "/jobs/43/preview").await.ok(200);
    assert_eq!((&body["scene_count"], &body["total_assets"]), (&json!(1), &json!(1)));
    assert_eq!(body["scenes"][0]["asset_count"], 2);
    get(&world, "/jobs/x/preview").await.problem(404, "job_not_found");
}

#[tokio::test]
async fn a_script_is_shown_whole_and_by_scene() {
    let world = World::start().await;
    let script = job::Script {
        full_script: "One. Two.".into(),
        segments: vec!["One.".into(), "Two.".into()],
        writer: "template".into(),
    };
    world.job.on("preview_script", script);
    let details = json!({"name": "Lodge", "features": ["a pool"], "owner": "x"});
    let scenes = json!([{"title": "Pool"}, {"title": "Hall"}]);
    let body = post(&world, "/voiceover/script", json!({"property_details": details, "scenes": scenes}))
        .await
        .ok(200);
    assert_eq!(body["property_details"], json!({"name": "Lodge", "features": ["a pool"]}));
    let wanted = json!({"full_script": "One. Two.", "segments": [{"scene": 1, "script": "One."}, {"scene": 2, "script": "Two."}]});
    assert_eq!((&body["script"], &body["scene_count"]), (&wanted, &json!(2)));
    post(&world, "/voiceover/script", json!({})).await.ok(200);
}

#[tokio::test]
async fn only_the_avatar_is_not_there_yet() {
    let world = World::start().await;
    let body =
        post(&world, "/avatar/preview", json!({"size": "large"})).await.problem(501, "not_implemented");
    assert_eq!(body["message"], "Avatar overlay feature not yet implemented");
    let wanted = json!({"avatar_type": "talking_head", "position": "bottom_right", "size": "large"});
    assert_eq!(body["requested_config"], wanted);
    assert!(body["note"].is_string());
}

#[tokio::test]
async fn campaigns_and_their_images_come_in_pages_whose_cursors_are_for_them_alone() {
    let world = World::start().await;
    let next = Some(7);
    let campaigns = vec![asset::Campaign::default()];
    world.asset.on("list_campaigns", asset::ListCampaignsReply { campaigns, total: 9, next });
    world.asset.on("list_assets", asset::ListAssetsReply { assets: vec![an_asset(None)], total: 9, next });
    world.asset.on("get_campaign", asset::Campaign::default());
    let lists = ["/campaigns", "/campaigns/c-1/assets", "/campaigns/c-2/assets"];
    let mut cursors = Vec::new();
    for list in lists {
        let page = get(&world, &format!("{list}?limit=1")).await.ok(200);
        cursors.push(page["next_cursor"].as_str().expect("a cursor").to_owned());
    }
    for (list, own) in lists.iter().zip(&cursors) {
        for cursor in &cursors {
            let page = get(&world, &format!("{list}?cursor={cursor}")).await;
            if cursor == own { drop(page.ok(200)) } else { drop(page.problem(400, "bad_request")) }
        }
    }
    let asked: Vec<asset::ListCampaignsRequest> = world.asset.asked("list_campaigns");
    assert_eq!((asked[0].limit, asked[0].after, asked[1].after), (1, None, next));
}
