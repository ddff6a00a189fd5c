//! Assets from many URLs at once.

use kit::{Code, ServiceError};
use protos::asset::v1 as pb;
use serde_json::{Value, json};

use crate::{
    assets::an_asset,
    world::{World, answer},
};

const PATH: &str = "/api/v3/assets/from-urls";

fn not_downloaded() -> ServiceError {
    ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL")
        .fact("reason", "HTTP 404")
}

fn url(index: usize) -> Value {
    json!({"source_url": format!("https://img.example/{index}.jpg")})
}

#[tokio::test]
async fn q22_each_element_is_tried_for_itself_and_told_of_in_order() {
    let world = World::start().await;
    let asset = |id: &str| pb::Asset { id: id.into(), ..an_asset(None) };
    world.asset.on("import_asset", asset("a-0"));
    world.asset.refuse("import_asset", not_downloaded);
    world.asset.refuse("import_asset", || ServiceError::validation([("campaign_id", "does not exist")]));
    world.asset.on("import_asset", asset("a-3"));
    let body = json!({"assets": [url(0), url(1), url(2), "https://img.example/3.jpg", null, 7, {"source_url": [1]}]});
    let reply = world.post(PATH, body).await.ok(201);
    let ids: Vec<_> =
        reply["data"].as_array().expect("assets").iter().map(|asset| asset["id"].clone()).collect();
    assert_eq!(ids.len(), 2, "{reply}");
    let meta = &reply["meta"];
    assert_eq!((&meta["created"], &meta["failed"]), (&json!(2), &json!(5)));
    let errors = meta["errors"].as_array().expect("errors");
    let at: Vec<_> = errors.iter().map(|error| error["index"].as_u64().expect("a place")).collect();
    assert!(at.is_sorted() && at.ends_with(&[4, 5, 6]), "{at:?}");
    for error in errors {
        let problem = &error["problem"];
        assert!(problem["type"].as_str().expect("a type").starts_with("/errors/"), "{problem}");
        assert!(problem["status"].as_u64().is_some_and(|status| (400..500).contains(&status)), "{problem}");
    }
    assert_eq!((&errors[2]["source"], &errors[2]["error"]), (&json!(null), &json!("source_url is required")));
    assert_eq!(errors[3]["error"], "must be an object or a URL");
    assert_eq!(errors[4]["error"], json!({"source_url": ["is invalid"]}));
    let said: Vec<_> = errors.iter().map(|error| error["error"].clone()).collect();
    assert!(
        said.contains(&json!("HTTP 404")) && said.contains(&json!({"campaign_id": ["does not exist"]})),
        "{said:?}"
    );
}

#[tokio::test]
async fn q22_it_is_201_also_when_all_failed() {
    let world = World::start().await;
    world.asset.refuse("import_asset", not_downloaded);
    let reply = world.post(PATH, json!({"items": [url(0), url(1)]})).await.ok(201);
    assert_eq!(reply["data"], json!([]));
    assert_eq!((&reply["meta"]["created"], &reply["meta"]["failed"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn q22_what_the_request_names_is_for_elements_that_name_nobody() {
    let world = World::start().await;
    world.asset.on("import_asset", an_asset(None));
    let body = json!({
        "campaignId": "c-1", "client_id": "cl-1",
        "sources": [url(0), {"url": "https://img.example/1.jpg", "campaign_id": "c-2"}],
    });
    let request = world.request(http::Method::POST, PATH).header("idempotency-key", "key-1").json(&body);
    answer(request).await.ok(201);
    let mut asked: Vec<pb::ImportAssetRequest> = world.asset.asked("import_asset");
    asked.sort_by(|one, other| one.command_id.cmp(&other.command_id));
    let owners = asked.iter().map(|asked| {
        let fields = asked.fields.clone().expect("fields");
        (asked.command_id.as_str(), fields.campaign_id, fields.client_id)
    });
    let expected = [
        ("POST /api/v3/assets/from-urls key-1#0", Some("c-1".to_owned()), Some("cl-1".to_owned())),
        ("POST /api/v3/assets/from-urls key-1#1", Some("c-2".to_owned()), None),
    ];
    assert_eq!(owners.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn q22_there_is_a_list_and_it_has_a_limit() {
    let world = World::start().await;
    for body in [json!({}), json!({"assets": []}), json!({"assets": {"a": 1}}), json!({"assets": "x"})] {
        let body = world.post(PATH, body).await.problem(400, "missing_field");
        assert_eq!(body["error"], "assets must be a non-empty array");
    }
    let many: Vec<Value> = (0..101).map(url).collect();
    let body = world.post(PATH, json!({"assets": many})).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"assets": ["should have at most 100 item(s)"]}));
    assert!(world.asset.asked::<pb::ImportAssetRequest>("import_asset").is_empty());
}
