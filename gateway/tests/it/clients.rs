//! Clients.

use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) fn a_client() -> pb::Client {
    pb::Client {
        id: "cl-1".into(),
        name: "Northwind Stays".into(),
        homepage: Some("https://northwind.example".into()),
        metadata_json: Some(r#"{"tier":"gold"}"#.into()),
        created_at: "2025-03-04T05:06:07Z".into(),
        updated_at: "2025-03-04T05:06:07Z".into(),
        ..Default::default()
    }
}

fn shown() -> Value {
    json!({
        "id": "cl-1", "name": "Northwind Stays", "description": null, "homepage": "https://northwind.example",
        "metadata": {"tier": "gold"}, "brand_guidelines": null,
        "inserted_at": "2025-03-04T05:06:07Z", "updated_at": "2025-03-04T05:06:07Z",
    })
}

#[tokio::test]
async fn a_client_is_created_and_all_its_members_are_shown() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    let body = json!({"name": "Northwind Stays", "homepage": "https://northwind.example", "metadata": {"tier": "gold"}, "email": "ignored"});
    assert_eq!(world.post("/api/v3/clients", body).await.ok(201), json!({"data": shown()}));
    let asked: pb::CreateClientRequest = world.asset.asked_once("create_client");
    assert_eq!(asked.name.as_deref(), Some("Northwind Stays"));
    assert_eq!(asked.metadata_json.as_deref(), Some(r#"{"tier":"gold"}"#));
    assert_eq!(asked.description, None);
}

#[tokio::test]
async fn camel_case_names_are_read_too() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    world.post("/api/v3/clients", json!({"name": "N", "brandGuidelines": "calm"})).await.ok(201);
    let asked: pb::CreateClientRequest = world.asset.asked_once("create_client");
    assert_eq!(asked.brand_guidelines.as_deref(), Some("calm"));
}

#[tokio::test]
async fn clients_are_listed_and_shown() {
    let world = World::start().await;
    world.asset.on("list_clients", pb::ListClientsReply { clients: vec![a_client()], total: 9, next: None });
    world.asset.on("get_client", a_client());
    let list = world.get("/api/v3/clients?limit=1&offset=2").await.ok(200);
    assert_eq!(list, json!({"data": [shown()], "meta": {"total": 9, "next_cursor": null}}));
    let asked: pb::ListClientsRequest = world.asset.asked_once("list_clients");
    assert_eq!((asked.limit, asked.offset), (1, 2));
    assert_eq!(world.get("/api/v3/clients/cl-1").await.ok(200), json!({"data": shown()}));
}

#[tokio::test]
async fn an_unknown_client_is_not_found_in_the_object_family() {
    let world = World::start().await;
    world.asset.refuse("get_client", || ServiceError::not_found("There is no client nope."));
    let body = world.get("/api/v3/clients/nope").await.problem(404, "client_not_found");
    assert_eq!(body["error"], json!({"message": "Client not found", "code": "not_found"}));
}

#[tokio::test]
async fn what_the_service_rejects_is_told_field_by_field() {
    let world = World::start().await;
    world.asset.refuse("create_client", || ServiceError::validation([("name", "can't be blank")]));
    let body = world.post("/api/v3/clients", json!({})).await.problem(422, "validation_failed");
    let error = json!({"message": "Validation failed", "code": "validation_failed", "details": {"name": ["can't be blank"]}});
    assert_eq!(body["error"], error);
    assert_eq!(body["violations"], json!([{"pointer": "#/name", "detail": "can't be blank"}]));
}

#[tokio::test]
async fn fields_of_the_wrong_json_type_are_rejected_together_before_anything_is_asked() {
    let world = World::start().await;
    let body = json!({"name": 7, "brand_guidelines": {"tone": "calm"}, "metadata": []});
    let body = world.post("/api/v3/clients", body).await.problem(422, "validation_failed");
    let details =
        json!({"name": ["is invalid"], "brand_guidelines": ["is invalid"], "metadata": ["is invalid"]});
    assert_eq!(body["error"]["details"], details);
    assert!(world.asset.asked::<pb::CreateClientRequest>("create_client").is_empty());
}

#[tokio::test]
async fn text_with_a_nul_character_is_rejected_wherever_it_hides() {
    let world = World::start().await;
    for body in [json!({"name": "a\0b"}), json!({"name": "a", "metadata": {"deep": [{"x": "\0"}]}})] {
        world.post("/api/v3/clients", body).await.problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn quotes_percent_signs_and_newlines_pass_unchanged() {
    let world = World::start().await;
    world.asset.on("create_client", a_client());
    let name = "100 % \"quoted\" 'single'\nnew line; DROP TABLE";
    world.post("/api/v3/clients", json!({"name": name})).await.ok(201);
    assert_eq!(
        world.asset.asked_once::<pb::CreateClientRequest>("create_client").name.as_deref(),
        Some(name)
    );
}
