//! Keys that the server keeps: made, used, changed and revoked while it runs.

use filmstrip::client::Client;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ServerOptions, Stage, World, approved_job, campaign, finished, new_job};

/// The one of the configuration.
const FIRST: &str = "configured-for-this-test";

/// Makes a key for a client; its id and the key itself.
async fn make(admin: &Client, name: &str, client_id: &Value) -> (String, String) {
    let body = json!({"name": name, "scopes": ["read", "write"], "client_id": client_id});
    let made = admin.call(Method::POST, "/api/v3/keys", Some(body)).await.unwrap();
    let made = made.expect(StatusCode::CREATED, "/api/v3/keys").unwrap();
    assert_eq!((&made["data"]["client_id"], &made["data"]["revoked_at"]), (client_id, &Value::Null));
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {value}")).to_owned();
    (text(&made["data"]["id"]), text(&made["secret"]))
}

async fn status(client: &Client, path: &str) -> u16 {
    client.request(Method::GET, path).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_client_opens_its_things_only_and_is_changed_without_a_gap() {
    let options = ServerOptions {
        flags: vec!["--log".into(), "debug".into()],
        variables: vec![("API_AUTH_KEY".into(), FIRST.into())],
        ..Default::default()
    };
    let world = World::with(Stage::INSTANT, options).await;
    let admin = world.client().with_key(FIRST);
    let own = campaign(&admin, "Quay House", 4).await;
    let foreign = campaign(&admin, "Hill House", 2).await;
    let foreign_job = format!("/api/v3/jobs/{}", new_job(&admin, &foreign, 1).await);
    let owner = admin.get(&format!("/api/v3/campaigns/{own}")).await.unwrap()["data"]["clientId"].clone();

    let (old_id, old_key) = make(&admin, "site", &owner).await;
    let site = world.client().with_key(&old_key);
    let job = approved_job(&site, &own, 2).await;
    let done = finished(&site, job).await;
    assert_eq!(done["outcome"], "full", "{done}");
    let absent = site.call(Method::GET, &foreign_job, None).await.unwrap();
    assert_eq!((absent.status.as_u16(), &absent.body["type"]), (404, &json!("/errors/job_not_found")));
    let approval = format!("{foreign_job}/approve");
    assert_eq!(site.call(Method::POST, &approval, None).await.unwrap().status, 404, "nothing is spent");
    let wish = json!({"campaign_id": foreign, "num_pairs": 1});
    let refused = site.call(Method::POST, "/api/v3/jobs/from-image-pairs", Some(wish)).await.unwrap();
    assert_eq!((refused.status.as_u16(), &refused.body["type"]), (403, &json!("/errors/forbidden")));
    assert_eq!(status(&site, "/api/v3/keys").await, 403, "it makes no keys");
    let listed = site.get("/api/v3/jobs").await.unwrap();
    assert_eq!(
        (&listed["meta"]["total"], &listed["data"][0]["job_id"]),
        (&json!(1), &json!(job)),
        "{listed}"
    );

    let (_, new_key) = make(&admin, "site, from now on", &owner).await;
    let renewed = world.client().with_key(&new_key);
    let of_job = format!("/api/v3/jobs/{job}");
    assert_eq!((status(&site, &of_job).await, status(&renewed, &of_job).await), (200, 200), "both work");
    let revoked = admin.call(Method::DELETE, &format!("/api/v3/keys/{old_id}"), None).await.unwrap();
    assert!(revoked.status == 200 && revoked.body["data"]["revoked_at"].is_string(), "{}", revoked.body);
    assert_eq!((status(&site, &of_job).await, status(&renewed, &of_job).await), (401, 200));

    let nobody = world.client();
    for name in ["video", "events"] {
        let link = done["links"][name].as_str().unwrap_or_else(|| panic!("no {name}: {done}"));
        assert_eq!(status(&nobody, link).await, 200, "{name} opens without a key");
        assert_eq!(
            status(&nobody, link.split('?').next().unwrap()).await,
            401,
            "{name} without its signature"
        );
    }
    let log = world.server.log();
    assert!(log.contains("DEBUG"), "much is logged");
    for secret in [FIRST, &old_key, &new_key, "signature="] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
