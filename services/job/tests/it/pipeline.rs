//! Settings of new jobs, soundtracks by wish, previews and scripts.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::stage::{Script, Stage};

async fn configure(stage: &Stage, command_id: &str, config: Value) -> Result<pb::Pipeline, ServiceError> {
    let request = pb::ConfigurePipelineRequest {
        command_id: command_id.to_owned(),
        step: String::new(),
        changes_json: config.to_string(),
    };
    Ok(stage.pipeline().configure_pipeline(request).await.map_err(ServiceError::from)?.into_inner())
}

async fn config(stage: &Stage) -> Value {
    let shown = stage.pipeline().get_pipeline(pb::GetPipelineRequest {}).await.unwrap().into_inner();
    serde_json::from_str(&shown.config_json).unwrap()
}

fn wish(job_id: i32, merge: bool) -> pb::WishSoundtrackRequest {
    pb::WishSoundtrackRequest {
        command_id: String::new(),
        job_id,
        prompt: Some("a slow waltz".to_owned()),
        fade_ms: Some(1_500),
        sync_mode: "stretch".to_owned(),
        merge_with_video: merge,
        error_strategy: "halt".to_owned(),
    }
}

async fn wished(stage: &Stage, request: pb::WishSoundtrackRequest) -> Result<pb::Job, ServiceError> {
    Ok(stage.pipeline().wish_soundtrack(request).await.map_err(ServiceError::from)?.into_inner())
}

#[tokio::test]
async fn settings_are_kept_over_a_restart_and_the_same_command_changes_them_once() {
    let mut stage = Stage::new().await;
    let first = configure(&stage, "k-1", json!({"video_rendering": {"model": "hailuo-02"}})).await.unwrap();
    configure(&stage, "k-2", json!({"video_rendering": {"model": "veo3"}})).await.unwrap();
    let again = configure(&stage, "k-1", json!({"video_rendering": {"model": "hailuo-02"}})).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(config(&stage).await["video_rendering"]["model"], "veo3");
    let reused = configure(&stage, "k-1", json!({"video_rendering": {"model": "veo3"}})).await.unwrap_err();
    assert_eq!((reused.code, reused.reason.as_str()), (Code::Conflict, "idempotency_key_reused"));
    stage.restart().await;
    assert_eq!(config(&stage).await["video_rendering"]["model"], "veo3");
    let stored = stage.log.load("pipeline", 0).await.unwrap();
    let kinds: Vec<&str> = stored.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["PipelineConfigured", "PipelineConfigured"]);
}

#[tokio::test]
async fn a_setting_that_was_no_news_does_not_undo_what_others_set_since() {
    let stage = Stage::new().await;
    let named = |model: &str| json!({"video_rendering": {"model": model}});
    let set = configure(&stage, "", named("hailuo-02")).await.unwrap();
    assert_eq!(configure(&stage, "k-1", named("hailuo-02")).await.unwrap(), set);
    assert_eq!(stage.log.load("pipeline", 0).await.unwrap().len(), 1, "it was no news");
    configure(&stage, "", named("veo3")).await.unwrap();
    assert_eq!(configure(&stage, "k-1", named("hailuo-02")).await.unwrap(), set);
    assert_eq!(config(&stage).await["video_rendering"]["model"], "veo3");
}

#[tokio::test]
async fn the_model_that_is_shown_is_the_one_that_jobs_get() {
    let mut stage = Stage::with(|settings| settings.default_model = "hailuo-02".to_owned()).await;
    let shown = config(&stage).await["video_rendering"]["model"].clone();
    assert_eq!(shown, stage.create(1).await.video_model);
    assert_eq!(shown, "hilua-2.5");
}

#[tokio::test]
async fn a_wrong_setting_changes_nothing() {
    let stage = Stage::new().await;
    let wrong = json!({"video_rendering": {"model": "sora"}, "scene_generation": {"use_ai": false}});
    let refused = configure(&stage, "", wrong).await.unwrap_err();
    assert_eq!(refused.violations[0].0, "video_rendering.model");
    assert_eq!(config(&stage).await["scene_generation"]["use_ai"], true);
    let request = pb::ConfigurePipelineRequest {
        step: "status".to_owned(),
        changes_json: "{}".to_owned(),
        ..Default::default()
    };
    let refused = ServiceError::from(stage.pipeline().configure_pipeline(request).await.unwrap_err());
    assert_eq!(
        (refused.reason.as_str(), refused.message.as_str()),
        ("step_not_found", "Step status not found")
    );
}

#[tokio::test]
async fn a_new_job_obeys_the_settings_and_an_old_one_keeps_its_own() {
    let mut stage = Stage::new().await;
    let before = stage.create_with(|_| {}).await.unwrap();
    let changes = json!({
        "scene_generation": {"default_scene_count": 3},
        "video_rendering": {"model": "hailuo-02"},
        "music_generation": {"enabled": false},
    });
    configure(&stage, "", changes).await.unwrap();
    let after = stage.create_with(|_| {}).await.unwrap();
    assert_eq!((after.scenes.len(), after.video_model.as_str()), (3, "hilua-2.5"));
    let own = stage.create_with(|request| {
        request.num_pairs = Some(2);
        request.video_model = Some("veo3".to_owned());
    });
    let own = own.await.unwrap();
    assert_eq!((own.scenes.len(), own.video_model.as_str()), (2, "veo3"), "the caller's own words win");
    stage.approve(after.id).await;
    let silent = stage.over(after.id).await;
    assert_eq!(silent.audio.unwrap().status, "skipped");
    assert_eq!(stage.job(before.id).await.video_model, "veo3");
    stage.approve(before.id).await;
    assert_eq!(stage.over(before.id).await.audio.unwrap().status, "completed_and_merged");
}

#[tokio::test]
async fn a_voice_is_asked_for_with_the_music_in_words_that_fit_the_video() {
    let mut stage = Stage::new().await;
    configure(&stage, "", json!({"voiceover": {"enabled": true, "default_voice": "calm"}})).await.unwrap();
    let id = stage.approved(2).await;
    stage.over(id).await;
    let voice = stage.workers.soundtrack(&format!("job-{id}/soundtrack-1")).voice.unwrap();
    assert_eq!(voice.voice, "calm");
    assert!(voice.script.starts_with("Welcome to Spring."), "{}", voice.script);
    assert!(voice.script.split_whitespace().count() <= 20, "two scenes of four seconds: {}", voice.script);
}

#[tokio::test]
async fn no_words_are_written_for_a_job_without_sound() {
    let mut stage = Stage::new().await;
    configure(&stage, "", json!({"voiceover": {"enabled": true}})).await.unwrap();
    for (sound, is_written) in [(Some(false), false), (Some(true), true)] {
        let job = stage.create_with(|request| request.soundtrack = sound).await.unwrap();
        let stored = stage.log.load(&format!("job-{}", job.id), 0).await.unwrap();
        let created = stored[0].data.value().unwrap();
        assert_eq!(created["terms"]["voice"].is_object(), is_written, "{created}");
    }
}

#[tokio::test]
async fn q37_the_wishes_of_a_soundtrack_reach_the_music_and_the_mix() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    let before = stage.over(id).await;
    let job = wished(&stage, wish(id, true)).await.unwrap();
    assert_eq!(job.status, "completed");
    let replaced = |job: &pb::Job| job.video != before.video;
    let after = stage.until(id, replaced).await;
    assert_eq!(after.audio.unwrap().status, "completed_and_merged");
    let asked = stage.workers.soundtrack(&format!("job-{id}/soundtrack-2"));
    assert_eq!(asked.prompt.as_deref(), Some("a slow waltz"));
    assert_eq!((asked.error_strategy.as_str(), asked.fade_ms), ("halt", None), "the mix fades it");
    let lengths: Vec<u64> = asked.scenes.iter().map(|scene| scene.duration_ms).collect();
    assert_eq!(lengths.iter().sum::<u64>(), asked.duration_ms, "each scene at its own length: {lengths:?}");
    assert!(after.actual_cost_micros > before.actual_cost_micros, "music costs like any other");
}

#[tokio::test]
async fn q37_without_a_merge_there_is_a_soundtrack_to_download_and_the_same_video() {
    let mut stage = Stage::new().await;
    let id = stage.approved(2).await;
    let before = stage.over(id).await;
    wished(&stage, wish(id, false)).await.unwrap();
    let soundtrack = |job: &pb::Job| job.audio.clone().and_then(|audio| audio.soundtrack);
    let changed = |job: &pb::Job| soundtrack(job) != soundtrack(&before);
    let after = stage.until(id, changed).await;
    assert_eq!((&after.video, after.next_cut), (&before.video, None));
    assert_eq!(after.audio.unwrap().status, "completed");
    let asked = stage.workers.soundtrack(&format!("job-{id}/soundtrack-2"));
    assert_eq!(asked.fade_ms, Some(1_500));
}

#[tokio::test]
async fn a_soundtrack_is_bought_once_under_one_key() {
    let mut stage = Stage::new().await;
    let id = stage.approved(1).await;
    stage.over(id).await;
    let request = || pb::WishSoundtrackRequest { command_id: "w-1".to_owned(), ..wish(id, false) };
    let first = wished(&stage, request()).await.unwrap();
    let again = wished(&stage, request()).await.unwrap();
    assert_eq!(again.updated_at, first.updated_at);
    let other = pb::WishSoundtrackRequest { fade_ms: Some(10), ..request() };
    assert_eq!(wished(&stage, other).await.unwrap_err().reason, "idempotency_key_reused");
    let kinds = stage.kinds(id).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "SoundtrackWished").count(), 1);
}

#[tokio::test]
async fn a_wish_that_the_job_cannot_have_is_refused_with_a_reason() {
    let mut stage = Stage::new().await;
    assert_eq!(wished(&stage, wish(99, true)).await.unwrap_err().code, Code::NotFound);
    let id = stage.create(1).await.id;
    let request = pb::CancelJobRequest { command_id: String::new(), job_id: id, reason: String::new() };
    stage.client.cancel_job(request).await.unwrap();
    let refused = wished(&stage, wish(id, true)).await.unwrap_err();
    assert_eq!((refused.code, refused.facts["reason"].as_str()), (Code::Precondition, "Job is canceled"));
    let wrong = pb::WishSoundtrackRequest { fade_ms: Some(-1), ..wish(id, true) };
    assert_eq!(wished(&stage, wrong).await.unwrap_err().violations[0].0, "audio_params.fade_duration");
}

#[tokio::test]
async fn a_wish_outlives_its_process() {
    let mut stage = Stage::new().await;
    let id = stage.approved(1).await;
    stage.over(id).await;
    stage.workers.script(&format!("job-{id}/soundtrack-2"), Script::Hold);
    wished(&stage, wish(id, true)).await.unwrap();
    stage.restart().await;
    stage.workers.script(&format!("job-{id}/soundtrack-2"), Script::Deliver);
    let mixed = |job: &pb::Job| job.video.as_ref().is_some_and(|video| video.sha256.contains("cut-2/mix"));
    stage.until(id, mixed).await;
}

#[tokio::test]
async fn a_preview_draws_the_storyboard_and_stores_nothing() {
    let stage = Stage::new().await;
    let preview = |campaign: &str, scenes: Option<i32>| pb::PreviewStoryboardRequest {
        campaign_id: campaign.to_owned(),
        scene_count: scenes,
        brief: String::new(),
    };
    let ask = async |request| stage.pipeline().preview_storyboard(request).await.map_err(ServiceError::from);
    let drawn = ask(preview("spring", Some(3))).await.unwrap().into_inner();
    let scenes: Vec<Value> = serde_json::from_str(&drawn.scenes_json).unwrap();
    assert_eq!((drawn.campaign_name.as_str(), drawn.total_assets, scenes.len()), ("Spring", 8, 3));
    assert_eq!(scenes[0]["asset_ids"].as_array().map(Vec::len), Some(2));
    assert!(scenes[0].get("id").is_none());
    assert_eq!(ask(preview("nope", None)).await.unwrap_err().code, Code::NotFound);
    let refused = ask(preview("spring", Some(0))).await.unwrap_err();
    assert_eq!(refused.violations[0].0, "scene_count");
    assert!(stage.log.read_all(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_script_without_a_language_model_follows_a_template() {
    let stage = Stage::new().await;
    let scene = |title: &str| pb::ScriptScene { title: title.to_owned(), description: String::new() };
    let request = pb::PreviewScriptRequest {
        name: "Hillside Lodge".to_owned(),
        r#type: "villa".to_owned(),
        features: vec!["a pool".to_owned(), "a sauna".to_owned()],
        scenes: vec![scene("The pool"), scene("The hall")],
        ..pb::PreviewScriptRequest::default()
    };
    let script = stage.pipeline().preview_script(request.clone()).await.unwrap().into_inner();
    assert_eq!(script.writer, "template");
    assert_eq!(script.segments[0], "Welcome to Hillside Lodge, a villa. The pool. Enjoy a pool.");
    assert_eq!(script.full_script, script.segments.join(" "));
    let wrong = pb::PreviewScriptRequest { length: "endless".to_owned(), ..request };
    let refused = ServiceError::from(stage.pipeline().preview_script(wrong).await.unwrap_err());
    assert_eq!(refused.violations[0].0, "options.length");
}
