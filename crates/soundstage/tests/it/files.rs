//! Replicate's files API and the delivery of outputs.

use serde_json::{Value, json};

use crate::scratch::{Scratch, VEO, clip, jpeg};

#[tokio::test]
async fn an_uploaded_file_is_described_used_as_a_frame_and_deleted() {
    let stage = Scratch::start().await;
    let bytes = jpeg(90);
    let file = stage.upload(bytes.clone()).await;
    assert_eq!(file["size"], bytes.len());
    assert_eq!((&file["name"], &file["metadata"]["attempt"]), (&json!("frame.jpg"), &json!("a1")));
    let url = file["urls"]["get"].as_str().expect("a URL");
    let again: Value =
        stage.http.get(url).bearer_auth("key").send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(again, file);
    let input = json!({"prompt": "a", "image": url, "duration": 4, "generate_audio": false});
    assert_eq!(stage.run(VEO, input.clone()).await["status"], "succeeded");
    let gone = stage.http.delete(url).bearer_auth("key").send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    assert_eq!(stage.http.get(url).bearer_auth("key").send().await.expect("an answer").status(), 404);
    assert_eq!(stage.run(VEO, input).await["status"], "failed");
    stage.stop().await;
}

#[tokio::test]
async fn outputs_answer_ranges_and_head_without_a_key() {
    let stage = Scratch::start().await;
    let over = stage.run(VEO, clip("a")).await;
    let url = over["output"].as_str().expect("a URL");
    let head = stage.http.head(url).send().await.expect("an answer");
    assert_eq!(head.headers()["content-type"], "video/mp4");
    assert_eq!(head.headers()["accept-ranges"], "bytes");
    let length: u64 = head.headers()["content-length"].to_str().expect("text").parse().expect("a number");
    let part = stage.http.get(url).header("range", "bytes=4-7").send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 4-7/{length}"));
    assert_eq!(part.bytes().await.expect("a body").as_ref(), b"ftyp");
    stage.stop().await;
}

#[tokio::test]
async fn inputs_and_outputs_are_gone_after_a_scaled_hour() {
    // An hour passes in 0.6 s.
    let stage = Scratch::scaled(6000.0).await;
    let over = stage.run(VEO, clip("a")).await;
    let id = over["id"].as_str().expect("an id");
    let later = stage.until(id, |p| p["data_removed"] == true).await;
    assert_eq!((&later["input"], &later["output"]), (&json!({}), &Value::Null));
    let path = format!("/outputs/{id}/output.mp4");
    assert_eq!(stage.get(&path).await.status(), 404);
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert_eq!(ledger.predictions[0].input["prompt"], "a");
    stage.stop().await;
}
