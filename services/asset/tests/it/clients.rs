//! Clients.

use kit::Code;
use protos::asset::v1 as pb;

use crate::world::{NOW_TEXT, World, assert_violations, ok, refused};

#[tokio::test]
async fn a_client_comes_back_as_it_was_created() {
    let mut world = World::new().await;
    let request = pb::CreateClientRequest {
        command_id: String::new(),
        name: Some("Northwind \"Stays\" 100 %\n'".into()),
        description: Some("  ".into()),
        homepage: Some("https://northwind.example".into()),
        brand_guidelines: Some("Navy and sand, calm tone".into()),
        metadata_json: Some(r#"{"tier":"gold","a":[1,2.5,null]}"#.into()),
    };
    let created = ok(world.client.create_client(request).await);
    assert_eq!(created.name, "Northwind \"Stays\" 100 %\n'");
    assert_eq!(created.description, None, "blank is as good as absent");
    assert_eq!(created.homepage.as_deref(), Some("https://northwind.example"));
    assert_eq!(created.metadata_json.as_deref(), Some(r#"{"tier":"gold","a":[1,2.5,null]}"#));
    assert_eq!((created.created_at.as_str(), created.updated_at.as_str()), (NOW_TEXT, NOW_TEXT));
    let id = uuid::Uuid::parse_str(&created.id).unwrap();
    assert_eq!(id.get_version_num(), 4);
    let found = ok(world.client.get_client(pb::GetClientRequest { id: created.id.clone() }).await);
    assert_eq!(found, created);
    world.stop().await;
}

#[tokio::test]
async fn a_client_needs_a_name() {
    let mut world = World::new().await;
    for name in [None, Some(String::new()), Some(" \n".into())] {
        let request = pb::CreateClientRequest { name, ..Default::default() };
        let error = refused(world.client.create_client(request).await);
        assert_violations(&error, &[("name", "can't be blank")]);
    }
    let request = pb::CreateClientRequest {
        name: Some("x".repeat(256)),
        metadata_json: Some("[1]".into()),
        ..Default::default()
    };
    let error = refused(world.client.create_client(request).await);
    let too_long = "should be at most 255 character(s)";
    assert_violations(&error, &[("name", too_long), ("metadata", "is invalid")]);
    assert_eq!(world.log.head().await.unwrap(), 0, "nothing is stored");
    world.stop().await;
}

#[tokio::test]
async fn an_unknown_client_is_not_found() {
    let mut world = World::new().await;
    for id in ["", "7", "7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11", "'; DROP TABLE client"] {
        let error = refused(world.client.get_client(pb::GetClientRequest { id: id.into() }).await);
        assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Client not found"));
    }
    world.stop().await;
}

#[tokio::test]
async fn clients_are_listed_in_the_order_of_their_creation() {
    let mut world = World::new().await;
    for name in ["c", "a", "b"] {
        world.client_named(name).await;
    }
    let names = |reply: &pb::ListClientsReply| -> Vec<String> {
        reply.clients.iter().map(|client| client.name.clone()).collect()
    };
    let all = ok(world.client.list_clients(pb::ListClientsRequest::default()).await);
    assert_eq!((names(&all), all.total), (vec!["c".into(), "a".into(), "b".into()], 3));
    let page = ok(world
        .client
        .list_clients(pb::ListClientsRequest { limit: 1, offset: 1, ..Default::default() })
        .await);
    assert_eq!((names(&page), page.total), (vec!["a".into()], 3));
    world.stop().await;
}
