//! Chat completions: a plan that a real model might have made.

use serde_json::{Value, json};

use crate::scratch::Scratch;

fn request() -> Value {
    let asset = |id: &str, name: &str, tag: &str| json!({"id": id, "name": name, "tags": [tag], "width": 1600, "height": 900});
    let wish = json!({
        "kind": "property_photos", "num_scenes": 3, "clip_duration": 6, "brief": "A luxurious home.",
        "scene_types": ["exterior", "kitchen", "bedroom"],
        "assets": [
            asset("k1", "Kitchen 1", "kitchen"), asset("k2", "Kitchen 2", "kitchen"),
            asset("b1", "Bedroom 1", "bedroom"), asset("b2", "Bedroom 2", "bedroom"),
            asset("e1", "Front 1", "exterior"), asset("e2", "Front 2", "exterior"),
        ],
    });
    let text = json!({"type": "string"});
    let scene = json!({"type": "object", "additionalProperties": false,
        "required": ["title", "prompt", "scene_type", "duration", "first_asset_id", "last_asset_id"],
        "properties": {"title": text, "prompt": text, "scene_type": text, "duration": {"type": "integer"},
            "first_asset_id": text, "last_asset_id": text}});
    let schema = json!({"type": "object", "properties": {"scenes": {"type": "array", "items": scene}}});
    json!({
        "model": "grok-4-1-fast-non-reasoning", "stream": false,
        "messages": [
            {"role": "system", "content": "You plan videos. Answer with JSON like {\"scenes\": []}."},
            {"role": "user", "content": format!("Plan this:\n```json\n{wish}\n```")},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "scenes", "schema": schema}},
    })
}

async fn content(stage: &Scratch) -> String {
    let answer = stage.post("/v1/chat/completions", &request()).await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["object"], &body["choices"][0]["finish_reason"]),
        (&json!("chat.completion"), &json!("stop"))
    );
    body["choices"][0]["message"]["content"].as_str().expect("text").to_owned()
}

async fn scenes(stage: &Scratch) -> Vec<Value> {
    let plan: Value = serde_json::from_str(&content(stage).await).expect("JSON");
    plan["scenes"].as_array().expect("scenes").clone()
}

#[tokio::test]
async fn a_plan_pairs_photos_of_a_room_and_fits_the_schema() {
    let stage = Scratch::start().await;
    let scenes = scenes(&stage).await;
    let pairs: Vec<_> = scenes
        .iter()
        .map(|s| {
            let text = |member: &str| s[member].as_str().expect("text").to_owned();
            (text("scene_type"), text("first_asset_id"), text("last_asset_id"))
        })
        .collect();
    let wanted = [("exterior", "e1", "e2"), ("kitchen", "k1", "k2"), ("bedroom", "b1", "b2")];
    assert_eq!(pairs, wanted.map(|(t, a, b)| (t.to_owned(), a.to_owned(), b.to_owned())));
    let members: Vec<_> = scenes[0].as_object().expect("an object").keys().cloned().collect();
    assert_eq!(members, ["title", "prompt", "scene_type", "duration", "first_asset_id", "last_asset_id"]);
    assert_eq!(scenes[0]["duration"], 6);
    assert_eq!(stage.control.ledger().await.expect("a ledger").requests["chat"], 1);
    stage.stop().await;
}

#[tokio::test]
async fn a_plan_can_be_broken_or_a_lie() {
    let stage = Scratch::start().await;
    let fault = |fault: &str| json!([{"when": {"kind": "chat"}, "then": {"fault": fault}}]);
    stage.faults(fault("malformed_plan")).await;
    serde_json::from_str::<Value>(&content(&stage).await).expect_err("broken");
    stage.faults(fault("invented_assets")).await;
    assert!(
        scenes(&stage)
            .await
            .iter()
            .all(|s| !["e2", "k2", "b2"].contains(&s["last_asset_id"].as_str().expect("text")))
    );
    stage.faults(fault("invented_scene_type")).await;
    assert!(scenes(&stage).await.iter().all(|s| s["scene_type"] == "helipad"));
    stage.faults(json!([{"when": {"kind": "chat"}, "then": {"fault": "status", "code": 500}}])).await;
    assert_eq!(stage.post("/v1/chat/completions", &request()).await.status(), 500);
    stage.faults(fault("garbage_json")).await;
    stage.post("/v1/chat/completions", &request()).await.json::<Value>().await.expect_err("nonsense");
    stage.stop().await;
}

#[tokio::test]
async fn a_request_without_messages_is_refused() {
    let stage = Scratch::start().await;
    assert_eq!(stage.post("/v1/chat/completions", &json!({"model": "grok"})).await.status(), 400);
    stage.stop().await;
}
