//! Replicate's predictions: shapes, validation, list.

use serde_json::{Value, json};

use crate::scratch::{HAILUO, MUSICGEN, Scratch, VEO, clip, photo};

#[tokio::test]
async fn a_prediction_has_the_shape_of_replicate() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"then": {"fault": "hold", "at": "starting"}}])).await;
    let answer = stage.post("/v1/predictions", &json!({"version": VEO, "input": clip("a")})).await;
    assert_eq!(answer.status(), 201);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["status"], "starting");
    assert_eq!(body["model"], VEO);
    assert_eq!(body["input"]["prompt"], "a");
    assert!(body["output"].is_null() && body["error"].is_null() && body["completed_at"].is_null());
    let id = body["id"].as_str().expect("an id");
    assert_eq!(body["urls"]["get"], stage.url(&format!("/v1/predictions/{id}")));
    assert_eq!(body["urls"]["cancel"], stage.url(&format!("/v1/predictions/{id}/cancel")));
    assert!(body["created_at"].as_str().expect("a time").ends_with('Z'));
    stage.control.release().await.expect("released");
    let over = stage.finished(id).await;
    assert_eq!(over["output"], stage.url(&format!("/outputs/{id}/output.mp4")));
    assert!(over["metrics"]["predict_time"].as_f64().is_some());
    stage.stop().await;
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_refused_by_field() {
    let stage = Scratch::start().await;
    let input = json!({"image": photo(1), "prompt": "a", "duration": 5, "aspect_ratio": "1:1"});
    let answer = stage.post("/v1/models/google/veo-3.1/predictions", &json!({"input": input})).await;
    assert_eq!(answer.status(), 422);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["invalid_fields"][0]["field"], "input.duration");
    assert!(body["detail"].as_str().expect("text").contains("input.aspect_ratio"));
    assert_eq!(stage.post("/v1/models/no/body/predictions", &json!({"input": {}})).await.status(), 404);
    assert_eq!(stage.post("/v1/predictions", &json!({"version": "x", "input": {}})).await.status(), 422);
    assert!(stage.control.ledger().await.expect("a ledger").predictions.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn what_a_model_refuses_at_run_time_fails_with_a_reason() {
    let stage = Scratch::start().await;
    let hailuo = json!({"prompt": "a", "first_frame_image": photo(1), "duration": 10, "resolution": "1080p"});
    let music = json!({"prompt": "a", "duration": 4, "continuation": true});
    let text = json!({"prompt": "a", "image": "data:text/plain;base64,aGVsbG8="});
    let nowhere = json!({"prompt": "a", "image": stage.url("/nothing/here.jpg")});
    for (model, input, reason) in [
        (HAILUO, hailuo, "768p"),
        (MUSICGEN, music, "input_audio"),
        (VEO, text, "could not be read"),
        (VEO, nowhere, "404"),
    ] {
        let over = stage.run(model, input).await;
        assert_eq!(over["status"], "failed");
        assert!(over["error"].as_str().expect("an error").contains(reason), "{}", over["error"]);
    }
    stage.stop().await;
}

#[tokio::test]
async fn no_key_no_service() {
    let stage = Scratch::start().await;
    for path in ["/v1/predictions", "/v1/files", "/v1/webhooks/default/secret"] {
        let answer = stage.http.get(stage.url(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{path}");
        let empty = stage.http.get(stage.url(path)).header("authorization", "Bearer ").send().await;
        assert_eq!(empty.expect("an answer").status(), 401, "{path}");
    }
    let token = stage.http.get(stage.url("/v1/predictions")).header("authorization", "Token k").send().await;
    assert_eq!(token.expect("an answer").status(), 200);
    stage.stop().await;
}

#[tokio::test]
async fn the_list_is_newest_first_and_pages_by_cursor() {
    let stage = Scratch::start().await;
    stage.faults(json!([{"then": {"fault": "hold", "at": "starting"}}])).await;
    let mut created = Vec::new();
    for n in 0..103 {
        created.push(stage.create(MUSICGEN, json!({"prompt": format!("song {n}"), "duration": 1})).await);
    }
    let first = stage.get_json("/v1/predictions").await;
    let next = first["next"].as_str().expect("a next page");
    let second: Value =
        stage.http.get(next).bearer_auth("key").send().await.expect("an answer").json().await.expect("JSON");
    assert!(second["next"].is_null());
    let listed: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["results"].as_array().expect("results"))
        .map(|p| p["id"].as_str().expect("an id").to_owned())
        .collect();
    created.reverse();
    assert_eq!(listed, created);
    assert_eq!(first["results"][0]["input"]["prompt"], "song 102");
    assert_eq!(stage.get("/v1/predictions?cursor=%21").await.status(), 400);
    stage.stop().await;
}
