//! Headers that contradict each other on routes of media and events: one of them holds, or none.

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::{client, works};
use crate::{
    real::{Real, photo},
    world::{Answer, answer},
};

/// A GET with a header in each of these values.
async fn given(real: &Real, path: &str, name: &str, values: &[&str]) -> Answer {
    let request = real.client.request(Method::GET, path);
    answer(values.iter().fold(request, |request, value| request.header(name, *value))).await
}

/// An asset of these bytes; returns the path of the bytes.
async fn stored(real: &Real, owner: &str, bytes: &[u8]) -> String {
    let file = Part::bytes(bytes.to_vec()).file_name("kitchen.jpg");
    let form = Form::new().text("client_id", owner.to_owned()).part("file", file);
    let made = answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
    format!("/api/v3/assets/{}/data", made["data"]["id"].as_str().expect("an id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ranges_are_none_and_any_of_two_tags_is_enough() {
    let real = Real::start().await;
    let (owner, bytes) = (client(&real).await, photo("kitchen-1.jpg"));
    let path = stored(&real, &owner, &bytes).await;
    let one = given(&real, &path, "range", &["bytes=0-9"]).await;
    assert_eq!((one.status.as_u16(), one.bytes.as_slice()), (206, &bytes[..10]));
    for ranges in [["bytes=0-9", "bytes=0-9"], ["bytes=0-9", "bytes=999999999-"], ["nonsense", "bytes=0-9"]] {
        let whole = given(&real, &path, "range", &ranges).await;
        assert_eq!((whole.status.as_u16(), whole.header("content-range")), (200, ""), "{ranges:?}");
        assert!(whole.bytes == bytes, "{ranges:?}");
    }
    let tag = one.header("etag");
    for (tags, status) in
        [([tag, "\"other\""], 304), (["\"other\"", tag], 304), (["\"one\"", "\"other\""], 200)]
    {
        let answer = given(&real, &path, "if-none-match", &tags).await;
        assert_eq!(answer.status.as_u16(), status, "{tags:?}");
    }
    works(&real).await;
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_names_two_places_gets_the_events_of_one_of_them() {
    let real = Real::start().await;
    let owner = client(&real).await;
    let body = json!({"name": "Spring", "client_id": owner});
    let campaign = real.client.call(Method::POST, "/api/v3/campaigns", Some(body)).await.expect("an answer");
    let campaign = campaign.body["data"]["id"].as_str().expect("an id").to_owned();
    for name in ["kitchen-1.jpg", "kitchen-2.jpg"] {
        let form = Form::new().text("campaign_id", campaign.clone());
        let form = form.part("file", Part::bytes(photo(name)).file_name(name));
        answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
    }
    let wish = json!({"campaign_id": campaign, "num_pairs": 1, "planner": "template"});
    let job = real.client.create_job("image-pairs", wish).await.expect("a job")["job_id"].to_string();
    // A job that is over: its stream ends.
    let cancel = real.client.request(Method::POST, &format!("/api/v3/jobs/{job}/cancel"));
    answer(cancel).await.ok(202);
    let path = format!("/api/v3/jobs/{job}/events");
    for places in [["0", "1"], ["1", "0"], ["nonsense", "0"], ["-1", "99999999999999999999"]] {
        let events = given(&real, &path, "last-event-id", &places).await;
        let text = String::from_utf8_lossy(&events.bytes);
        assert_eq!(
            events.header("content-type"),
            "text/event-stream",
            "{places:?}: {} {text}",
            events.status
        );
        assert!(text.contains("canceled"), "{places:?}: {text}");
    }
    works(&real).await;
    real.stop().await;
}
