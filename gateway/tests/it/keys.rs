//! Keys that the asset service keeps: scopes, clients that they are bound to, and how long they are believed.

use std::time::Duration;

use http::Method;
use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    assets::an_asset,
    campaigns::a_campaign,
    clients::a_client,
    world::{Answer, KEY, World, a_job, answer},
};

pub(crate) const READER: &str = "fsk_00000001_reader";
const WRITER: &str = "fsk_00000002_writer";
const ADMIN: &str = "fsk_00000003_admin";
const BOUND: &str = "fsk_00000004_bound";

fn kept(key: &str, scopes: &[&str]) -> pb::RingKey {
    pb::RingKey {
        id: key.into(),
        digest: Sha256::digest(key).to_vec(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Default::default()
    }
}

/// A world with keys of all kinds, one of them bound to the client cl-1.
async fn world() -> World {
    let world = World::locked().await;
    let bound = pb::RingKey { client_id: Some("cl-1".into()), ..kept(BOUND, &["read", "write"]) };
    let keys = vec![kept(READER, &["read"]), kept(WRITER, &["write"]), kept(ADMIN, &["admin"]), bound];
    world.asset.on("get_key_ring", pb::KeyRing { keys });
    world
}

async fn with(world: &World, key: &str, method: Method, path: &str, body: Value) -> Answer {
    answer(world.request(method, path).header("x-api-key", key).json(&body)).await
}

async fn get(world: &World, key: &str, path: &str) -> Answer {
    world.get_with(path, &[("x-api-key", key)]).await
}

#[tokio::test]
async fn a_key_is_for_what_its_scopes_say() {
    let world = world().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    world.asset.on("create_client", a_client());
    world.asset.on("list_api_keys", pb::ListApiKeysReply::default());
    for (key, read, write, admin) in
        [(READER, 200, 403, 403), (WRITER, 403, 201, 403), (ADMIN, 403, 403, 200), (KEY, 200, 201, 200)]
    {
        let answers = [
            get(&world, key, "/api/v3/clients").await,
            with(&world, key, Method::POST, "/api/v3/clients", json!({"name": "a"})).await,
            get(&world, key, "/api/v3/keys").await,
        ];
        let found: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(found, [read, write, admin], "{key}");
    }
    let body = get(&world, WRITER, "/api/v3/clients").await.problem(403, "forbidden");
    assert_eq!(body["error"]["message"], "The key does not allow this");
    assert!(body["detail"].as_str().expect("text").contains("read"), "{body}");
    get(&world, "fsk_00000009_unknown", "/api/v3/clients").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn kept_keys_are_believed_for_ten_seconds_and_new_ones_are_found_sooner() {
    let world = World::locked().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    let ring = |keys: &[&str]| pb::KeyRing { keys: keys.iter().map(|key| kept(key, &["read"])).collect() };
    let fetched = || world.asset.asked::<pb::GetKeyRingRequest>("get_key_ring").len();
    world.asset.on("get_key_ring", ring(&[READER]));
    get(&world, READER, "/api/v3/clients").await.ok(200);
    world.asset.clear("get_key_ring");
    world.asset.on("get_key_ring", ring(&[WRITER]));
    get(&world, READER, "/api/v3/clients").await.ok(200);
    get(&world, KEY, "/api/v3/clients").await.ok(200);
    get(&world, "nonsense", "/api/v3/clients").await.problem(401, "unauthorized");
    get(&world, WRITER, "/api/v3/clients").await.problem(401, "unauthorized");
    assert_eq!(fetched(), 1, "what cannot be a kept key, or was just looked for, is not asked for");
    world.clock.advance(Duration::from_secs(1));
    get(&world, WRITER, "/api/v3/clients").await.ok(200);
    assert_eq!(fetched(), 2, "a new key is looked for again after a second");
    get(&world, READER, "/api/v3/clients").await.problem(401, "unauthorized");
    world.asset.clear("get_key_ring");
    world.asset.on("get_key_ring", ring(&[]));
    world.clock.advance(Duration::from_secs(9));
    get(&world, WRITER, "/api/v3/clients").await.ok(200);
    world.clock.advance(Duration::from_secs(1));
    get(&world, WRITER, "/api/v3/clients").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_key_that_is_over_opens_nothing_even_while_it_is_believed() {
    let world = World::locked().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    let expires_at = Some(world.clock.now().as_second() + 5);
    let keys = vec![pb::RingKey { expires_at, ..kept(READER, &["read"]) }];
    world.asset.on("get_key_ring", pb::KeyRing { keys });
    get(&world, READER, "/api/v3/clients").await.ok(200);
    world.clock.advance(Duration::from_secs(5));
    get(&world, READER, "/api/v3/clients").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn while_the_keys_cannot_be_fetched_only_configured_ones_open() {
    let world = World::locked().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    world.asset.refuse("get_key_ring", || ServiceError::unavailable("away"));
    get(&world, READER, "/api/v3/clients").await.problem(503, "unavailable");
    get(&world, KEY, "/api/v3/clients").await.ok(200);
}

#[tokio::test]
async fn a_key_is_made_shown_once_listed_and_revoked() {
    let world = world().await;
    let key = pb::ApiKey {
        id: "k-1".into(),
        name: "site".into(),
        prefix: "fsk_00000005".into(),
        scopes: vec!["read".into()],
        created_at: "2026-03-04T05:06:07Z".into(),
        ..Default::default()
    };
    let made = pb::CreateApiKeyReply { key: Some(key.clone()), secret: Some("fsk_00000005_x".into()) };
    world.asset.on("create_api_key", made);
    let body = json!({"name": "site", "scopes": ["read"], "expiresAt": "2027-01-01T00:00:00Z"});
    let reply = with(&world, ADMIN, Method::POST, "/api/v3/keys", body).await.ok(201);
    let shown = json!({
        "id": "k-1", "name": "site", "prefix": "fsk_00000005", "scopes": ["read"], "client_id": null,
        "created_at": "2026-03-04T05:06:07Z", "expires_at": null, "revoked_at": null,
    });
    assert_eq!(reply, json!({"data": shown, "secret": "fsk_00000005_x"}));
    let asked: pb::CreateApiKeyRequest = world.asset.asked_once("create_api_key");
    assert_eq!(
        (asked.scopes.as_slice(), asked.expires_at.as_deref()),
        (&["read".to_owned()][..], Some("2027-01-01T00:00:00Z"))
    );
    world.asset.on("list_api_keys", pb::ListApiKeysReply { keys: vec![key.clone()], total: 1, next: None });
    assert_eq!(get(&world, ADMIN, "/api/v3/keys").await.ok(200)["data"], json!([shown]));
    world.asset.on("revoke_api_key", key);
    world.asset.refuse("revoke_api_key", || ServiceError::not_found("Key not found"));
    with(&world, ADMIN, Method::DELETE, "/api/v3/keys/k-1", json!({})).await.ok(200);
    with(&world, ADMIN, Method::DELETE, "/api/v3/keys/x", json!({})).await.problem(404, "key_not_found");
    let body = with(&world, ADMIN, Method::POST, "/api/v3/keys", json!({"scopes": [7]})).await;
    assert_eq!(
        body.problem(422, "validation_failed")["details"],
        json!({"scopes": ["must be an array of strings"]})
    );
}

/// A world in which everything belongs to another client than the bound key's.
async fn foreign() -> World {
    let world = world().await;
    world.asset.on("get_campaign", pb::Campaign { client_id: "cl-2".into(), ..a_campaign("x") });
    world.asset.on("get_asset", pb::Asset { client_id: Some("cl-2".into()), ..an_asset(None) });
    world.job.on("get_job", protos::job::v1::Job { client_id: Some("cl-2".into()), ..a_job(None) });
    world
}

#[tokio::test]
async fn no_route_lets_a_bound_key_reach_another_client() {
    let world = foreign().await;
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("a document");
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let openers = operation["security"].as_array().expect("security");
            let is_keyed = openers.iter().any(|one| one.get("api_key").is_some());
            if !is_keyed {
                continue;
            }
            let method: Method = method.to_uppercase().parse().expect("a method");
            let filled = path.split('/').map(|part| if part.starts_with('{') { "43" } else { part });
            let filled = filled.collect::<Vec<_>>().join("/");
            let query = if method == Method::GET { "?client_id=cl-2" } else { "" };
            let body = json!({"campaign_id": "c-1", "client_id": "cl-2", "name": "a", "assets": [{"campaign_id": "c-1"}]});
            let answer = with(&world, BOUND, method.clone(), &format!("{filled}{query}"), body).await;
            let status = answer.status.as_u16();
            assert!(
                matches!(status, 403 | 404),
                "{method} {path}: {status} {}",
                String::from_utf8_lossy(&answer.bytes)
            );
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    for call in [
        "create_campaign",
        "create_asset",
        "import_asset",
        "delete_asset",
        "update_campaign",
        "delete_client",
    ] {
        assert!(!world.asset.was_asked(call), "{call}");
    }
    for call in ["create_job", "approve_job", "cancel_job", "regenerate_scene"] {
        assert!(!world.job.was_asked(call), "{call}");
    }
}

#[tokio::test]
async fn a_bound_key_reaches_its_own_client() {
    let world = world().await;
    world.asset.on("get_client", a_client());
    world.asset.on("get_campaign", a_campaign("x"));
    world.asset.on("get_asset", an_asset(None));
    world.asset.on("create_campaign", a_campaign("x"));
    world.asset.on("import_asset", an_asset(None));
    world.job.on("get_job", a_job(None));
    for path in
        ["clients/cl-1", "campaigns/c-1", "assets/a-1", "jobs/43", "jobs/43/scenes", "audio/status/43"]
    {
        get(&world, BOUND, &format!("/api/v3/{path}")).await.ok(200);
    }
    let body = json!({"name": "Spring", "client_id": "cl-1"});
    with(&world, BOUND, Method::POST, "/api/v3/campaigns", body).await.ok(201);
    let body = json!({"source_url": "https://x.example/a.jpg", "campaign_id": "c-1", "metadata": {"client_id": "cl-2"}});
    with(&world, BOUND, Method::POST, "/api/v3/assets/from-url", body).await.ok(201);
}

#[tokio::test]
async fn the_lists_of_a_bound_key_hold_its_clients_things() {
    let world = world().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    world.asset.on("list_campaigns", pb::ListCampaignsReply::default());
    world.asset.on("list_assets", pb::ListAssetsReply::default());
    world.job.on("list_videos", protos::job::v1::ListVideosReply::default());
    for list in ["clients", "campaigns", "assets", "generated-videos"] {
        get(&world, BOUND, &format!("/api/v3/{list}")).await.ok(200);
        get(&world, BOUND, &format!("/api/v3/{list}?client_id=&clientId=cl-1")).await.ok(200);
        get(&world, BOUND, &format!("/api/v3/{list}?client_id=cl-2")).await.problem(404, "client_not_found");
    }
    assert!(
        world
            .asset
            .asked::<pb::ListClientsRequest>("list_clients")
            .iter()
            .all(|asked| asked.id.as_deref() == Some("cl-1"))
    );
    let own = |client: Option<&String>| client.map(String::as_str) == Some("cl-1");
    assert!(
        world
            .asset
            .asked::<pb::ListCampaignsRequest>("list_campaigns")
            .iter()
            .all(|asked| own(asked.client_id.as_ref()))
    );
    assert!(
        world
            .asset
            .asked::<pb::ListAssetsRequest>("list_assets")
            .iter()
            .all(|asked| own(asked.client_id.as_ref()))
    );
    let videos = world.job.asked::<protos::job::v1::ListVideosRequest>("list_videos");
    assert!(videos.iter().all(|asked| own(asked.client_id.as_ref())));
}

#[tokio::test]
async fn an_upload_into_another_clients_campaign_is_refused() {
    let world = foreign().await;
    let part = reqwest::multipart::Part::bytes(b"bytes".to_vec()).file_name("a.jpg");
    let form = reqwest::multipart::Form::new().text("campaign_id", "c-1").part("file", part);
    let request = world.request(Method::POST, "/api/v3/assets").header("x-api-key", BOUND).multipart(form);
    answer(request).await.problem(403, "forbidden");
    assert!(!world.asset.was_asked("create_asset"));
}

#[tokio::test]
async fn a_client_that_is_left_empty_is_refused_and_makes_no_key_for_everything() {
    let world = world().await;
    for field in ["client_id", "clientId", "expires_at"] {
        for empty in ["", "  "] {
            let body = json!({"name": "page", "scopes": ["read"], (field): empty});
            let answer = with(&world, ADMIN, Method::POST, "/api/v3/keys", body).await;
            answer.problem(422, "validation_failed");
        }
    }
    assert!(world.asset.asked::<pb::CreateApiKeyRequest>("create_api_key").is_empty());
}

#[tokio::test]
async fn two_clients_may_use_the_same_idempotency_key() {
    let world = world().await;
    world.asset.on("create_client", a_client());
    world.asset.on("get_campaign", a_campaign("{}"));
    world.asset.on("import_asset", an_asset(None));
    for key in [BOUND, KEY] {
        let request = world.request(Method::POST, "/api/v3/assets/from-url").header("x-api-key", key);
        let body = json!({"client_id": "cl-1", "source_url": "https://photos.example/a.jpg"});
        answer(request.header("Idempotency-Key", "1").json(&body)).await.ok(201);
    }
    let asked: Vec<pb::ImportAssetRequest> = world.asset.asked("import_asset");
    assert_eq!(asked[0].command_id, "cl-1 POST /api/v3/assets/from-url 1");
    assert_eq!(asked[1].command_id, "POST /api/v3/assets/from-url 1");
}
