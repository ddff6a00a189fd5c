//! Storyboards by the planner.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use job::XaiSettings;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

use crate::stage::Stage;

/// Answers one after the other; the last one stays.
struct Answers {
    answers: Vec<fn(&Value) -> ResponseTemplate>,
    asked: AtomicUsize,
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        let user: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers[asked.min(self.answers.len() - 1)](&user)
    }
}

pub(crate) async fn planned(answers: Vec<fn(&Value) -> ResponseTemplate>) -> (Stage, MockServer) {
    let provider = MockServer::start().await;
    Mock::given(matchers::method("POST"))
        .and(matchers::path("/v1/chat/completions"))
        .and(matchers::header("authorization", "Bearer key-1"))
        .respond_with(Answers { answers, asked: AtomicUsize::new(0) })
        .mount(&provider)
        .await;
    let base_url = format!("{}/v1", provider.uri());
    let stage = Stage::with(|settings| {
        let xai = XaiSettings::new("key-1".to_owned().into());
        let backoff = Duration::from_millis(1);
        settings.planner = Some(XaiSettings { base_url, backoff, ..xai });
    });
    (stage.await, provider)
}

pub(crate) async fn calls(provider: &MockServer) -> usize {
    provider.received_requests().await.unwrap().len()
}

fn said(content: &Value) -> ResponseTemplate {
    let content = content.to_string();
    ResponseTemplate::new(200)
        .set_body_json(json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] }))
}

fn scene(user: &Value, at: u64, kind: &str) -> Value {
    let assets = user["assets"].as_array().unwrap();
    let asset = |at: u64| &assets[at as usize % assets.len()]["id"];
    json!({
        "title": format!("Scene {at}"), "description": "A \"bright\" room, 100%", "prompt": "glide\nslowly",
        "scene_type": kind, "duration": 4, "transition": "dissolve",
        "first_asset_id": asset(2 * at), "last_asset_id": asset(2 * at + 1),
        "music_description": "piano", "music_style": "ambient", "music_energy": "low", "highlights": ["light"],
    })
}

pub(crate) fn good(user: &Value) -> ResponseTemplate {
    let kind = user["scene_types"][0].as_str().unwrap().to_owned();
    let count = user["num_scenes"].as_u64().unwrap();
    said(&json!({ "scenes": (0..count).map(|at| scene(user, at, &kind)).collect::<Vec<_>>() }))
}

fn foreign(user: &Value) -> ResponseTemplate {
    let mut scene = scene(user, 0, "bedroom");
    scene["first_asset_id"] = json!("autumn-1");
    said(&json!({ "scenes": vec![scene; user["num_scenes"].as_u64().unwrap() as usize] }))
}

fn invented(user: &Value) -> ResponseTemplate {
    let count = user["num_scenes"].as_u64().unwrap();
    said(&json!({ "scenes": (0..count).map(|at| scene(user, at, "garage")).collect::<Vec<_>>() }))
}

fn nonsense(_: &Value) -> ResponseTemplate {
    said(&json!("I would rather not"))
}

fn broken(_: &Value) -> ResponseTemplate {
    ResponseTemplate::new(503)
}

fn limited(_: &Value) -> ResponseTemplate {
    ResponseTemplate::new(429).insert_header("retry-after", "0")
}

fn denied(_: &Value) -> ResponseTemplate {
    ResponseTemplate::new(401)
}

fn silent(_: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_delay(Duration::from_secs(600))
}

async fn failed(stage: &mut Stage, change: impl FnOnce(&mut pb::CreateJobRequest)) -> ServiceError {
    let error = stage.create_with(change).await.unwrap_err();
    assert_eq!(stage.log.head().await.unwrap(), 0, "nothing is stored");
    error
}

fn details(error: &ServiceError) -> &str {
    assert_eq!((error.code, error.reason.as_str()), (Code::Unavailable, "scene_generation_failed"));
    assert_eq!(error.message, "Failed to generate scenes");
    &error.facts["details"]
}

#[tokio::test]
async fn the_planner_is_asked_for_what_is_wanted_and_its_storyboard_is_used() {
    let (mut stage, provider) = planned(vec![good]).await;
    let job = stage.create_with(|request| {
        (request.num_pairs, request.clip_duration) = (Some(3), Some(4.0));
    });
    let job = job.await.unwrap();
    assert_eq!((job.planner.as_str(), job.scenes.len()), ("xai", 3));
    assert_eq!(
        (job.scenes[1].first_asset_id.as_str(), job.scenes[1].last_asset_id.as_str()),
        ("spring-3", "spring-4")
    );
    let body: Value = provider.received_requests().await.unwrap()[0].body_json().unwrap();
    assert_eq!(body["response_format"]["type"], "json_schema");
    let user: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&user["kind"], &user["num_scenes"], &user["clip_duration"]),
        (&json!("image_pairs"), &json!(3), &json!(4.0))
    );
    assert_eq!(user["brief"], "A sunny \"lodge\", 100% quiet");
    assert_eq!(
        user["assets"][7],
        json!({"id": "spring-8", "name": "spring-8.jpg", "tags": ["kitchen"], "width": 1600, "height": 1200})
    );
    let parameters: Value = serde_json::from_str(&job.parameters_json).unwrap();
    assert_eq!(parameters["planner_calls"], 1);
}

fn slow(user: &Value) -> ResponseTemplate {
    good(user).set_delay(Duration::from_millis(300))
}

#[tokio::test]
async fn a_repeat_while_the_first_still_plans_waits_for_its_reply() {
    let (stage, provider) = planned(vec![slow]).await;
    let create = || {
        let mut client = stage.client.clone();
        let request = pb::CreateJobRequest {
            command_id: "command-1".to_owned(),
            kind: "image_pairs".to_owned(),
            campaign_id: "spring".to_owned(),
            num_pairs: Some(2),
            ..pb::CreateJobRequest::default()
        };
        async move { client.create_job(request).await.unwrap().into_inner() }
    };
    let (one, two, three) = tokio::join!(create(), create(), create());
    assert_eq!((&one, &one), (&two, &three));
    assert_eq!(calls(&provider).await, 1);
}

#[tokio::test]
async fn calls_that_fail_on_the_way_are_made_again() {
    let (mut stage, provider) = planned(vec![broken, limited, good]).await;
    let job = stage.create(2).await;
    let parameters: Value = serde_json::from_str(&job.parameters_json).unwrap();
    assert_eq!((calls(&provider).await, &parameters["planner_calls"]), (3, &json!(3)));
}

#[tokio::test]
async fn a_failing_planner_stores_nothing_and_can_be_asked_again_later() {
    let (mut stage, provider) = planned(vec![broken]).await;
    let error = failed(&mut stage, |_| {}).await;
    assert_eq!(details(&error), "API request failed with status 503");
    assert_eq!(calls(&provider).await, 4);
}

#[tokio::test]
async fn a_planner_that_refuses_is_not_asked_again() {
    let (mut stage, provider) = planned(vec![denied]).await;
    let error = failed(&mut stage, |_| {}).await;
    assert_eq!((details(&error), calls(&provider).await), ("API request failed with status 401", 1));
}

#[tokio::test]
async fn a_planner_that_never_answers_is_given_up_in_time() {
    let (mut stage, _provider) = planned(vec![silent]).await;
    stage.settings.planner.as_mut().unwrap().deadline = Duration::from_millis(200);
    stage.restart().await;
    let error = failed(&mut stage, |_| {}).await;
    assert_eq!(details(&error), "the planner did not answer in time");
}

#[tokio::test]
async fn a_storyboard_with_foreign_photos_or_nonsense_is_asked_for_again() {
    let (mut stage, provider) = planned(vec![foreign, nonsense, good]).await;
    assert_eq!(stage.create(2).await.planner, "xai");
    let requests = provider.received_requests().await.unwrap();
    let second: Value = requests[1].body_json().unwrap();
    assert!(
        second["messages"][0]["content"].as_str().unwrap().contains("autumn-1"),
        "it is told what was wrong"
    );
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn a_planner_that_only_draws_foreign_photos_fails_after_three_storyboards() {
    let (mut stage, provider) = planned(vec![foreign]).await;
    let error = failed(&mut stage, |_| {}).await;
    assert!(details(&error).contains("autumn-1"), "{error:?}");
    assert_eq!(calls(&provider).await, 3);
}

#[tokio::test]
async fn invented_scene_types_are_refused_by_name() {
    let (mut stage, _provider) = planned(vec![invented]).await;
    let error = failed(&mut stage, |request| request.kind = "property_photos".to_owned()).await;
    assert_eq!((error.code, error.reason.as_str()), (Code::Invalid, "invalid_scene_types"));
    assert_eq!(error.message, "Scene types do not match allowed property types");
    assert_eq!(error.facts["invalid_types"], "[\"garage\"]");
}

/// A storyboard in texts as long as they may be, and the words of a voice over it.
fn long(user: &Value) -> ResponseTemplate {
    let Some(scenes) = user["script_scenes"].as_array() else {
        let count = user["num_scenes"].as_u64().unwrap();
        let kind = user["scene_types"][0].as_str().unwrap();
        let draw = |at| {
            let mut scene = scene(user, at, kind);
            scene["description"] = json!("x".repeat(4_000));
            scene
        };
        return said(&json!({ "scenes": (0..count).map(draw).collect::<Vec<_>>() }));
    };
    said(&json!({ "segments": vec!["Welcome."; scenes.len()] }))
}

async fn configure(stage: &Stage, config: Value) {
    let changes_json = config.to_string();
    let request = pb::ConfigurePipelineRequest { changes_json, ..Default::default() };
    stage.pipeline().configure_pipeline(request).await.unwrap();
}

#[tokio::test]
async fn a_voice_over_a_storyboard_in_long_texts_is_written_by_the_model_of_the_settings() {
    let (mut stage, provider) = planned(vec![long]).await;
    stage.assets.campaign("spring", &"Spring ".repeat(200), 8);
    configure(&stage, json!({"voiceover": {"enabled": true, "script_llm": "grok-4"}})).await;
    let job = stage.create(2).await;
    assert_eq!(job.scenes[0].description.len(), 4_000);
    let requests = provider.received_requests().await.unwrap();
    let bodies = requests.iter().map(|request| request.body_json::<Value>().unwrap());
    let models: Vec<_> = bodies.map(|body| body["model"].clone()).collect();
    assert_eq!(models, ["grok-4-1-fast-non-reasoning", "grok-4"], "the storyboard by the configured one");
    let id = job.id;
    stage.approve(id).await;
    stage.over(id).await;
    let voice = stage.workers.soundtrack(&format!("job-{id}/soundtrack-1")).voice.unwrap();
    assert_eq!((voice.script.as_str(), voice.voice.as_str()), ("Welcome. Welcome.", "professional"));
}

#[tokio::test]
async fn a_language_model_that_may_not_select_photos_is_not_shown_them() {
    let (mut stage, provider) = planned(vec![good]).await;
    configure(&stage, json!({"image_selection": {"use_llm": false}})).await;
    assert_eq!((stage.create(2).await.planner.as_str(), calls(&provider).await), ("template", 0));
}

#[tokio::test]
async fn templates_are_used_when_they_are_asked_for() {
    let (mut stage, provider) = planned(vec![broken]).await;
    let job = stage.create_with(|request| request.planner = "template".to_owned()).await.unwrap();
    assert_eq!((job.planner.as_str(), calls(&provider).await), ("template", 0));
}

#[tokio::test]
async fn a_bad_request_never_reaches_the_planner() {
    let (mut stage, provider) = planned(vec![good]).await;
    failed(&mut stage, |request| request.video_model = Some("sora".to_owned())).await;
    failed(&mut stage, |request| (request.num_pairs, request.clip_duration) = (Some(8), Some(8.0))).await;
    assert_eq!(calls(&provider).await, 0);
}
