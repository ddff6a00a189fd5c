//! What browsers need: other web sites, methods that every path knows, and the API's own page.

use std::collections::BTreeSet;

use gateway::Origins;
use http::Method;
use protos::asset::v1 as pb;
use serde_json::Value;

use crate::world::{Answer, World, answer};

const SITE: &str = "https://app.example";

async fn preflight(world: &World, origin: &str) -> Answer {
    let request = world.request(Method::OPTIONS, "/api/v3/clients/1").header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    answer(request.header("access-control-request-headers", "content-type,idempotency-key,x-api-key")).await
}

#[tokio::test]
async fn q41_pages_of_configured_sites_may_use_the_api_and_no_others() {
    let world = World::with(|settings| {
        settings.api_keys = vec!["k-1".into()];
        settings.cors_origins = Origins::These(vec![SITE.into(), "http://localhost:3000".into()]);
    })
    .await;
    let allowed = preflight(&world, SITE).await;
    assert_eq!(allowed.status, 200, "a preflight carries no key");
    assert_eq!(allowed.header("access-control-allow-origin"), SITE);
    assert!(allowed.header("access-control-allow-methods").contains("PATCH"));
    for header in ["x-api-key", "idempotency-key", "content-type", "range", "last-event-id"] {
        assert!(allowed.header("access-control-allow-headers").contains(header), "{header}");
    }
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    assert_eq!(preflight(&world, "https://evil.example").await.header("access-control-allow-origin"), "");
    let refused = world.get_with("/api/v3/clients", &[("origin", SITE)]).await;
    assert_eq!(refused.problem(401, "unauthorized")["status"], 401);
    assert_eq!(refused.header("access-control-allow-origin"), SITE, "pages may read refusals too");
    for header in ["etag", "content-range", "x-request-id", "retry-after"] {
        assert!(refused.header("access-control-expose-headers").contains(header), "{header}");
    }
    assert!(
        refused
            .headers
            .get_all("vary")
            .iter()
            .any(|value| value.to_str().is_ok_and(|text| text.contains("origin")))
    );
}

#[tokio::test]
async fn q41_without_configuration_no_other_site_is_told_anything() {
    let world = World::start().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    preflight(&world, SITE).await.problem(405, "method_not_allowed");
    let answer = world.get_with("/api/v3/clients", &[("origin", SITE)]).await;
    answer.ok(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn q41_all_sites_may_be_allowed() {
    let world = World::with(|settings| settings.cors_origins = Origins::Any).await;
    assert_eq!(preflight(&world, SITE).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn without_keys_a_configured_site_may_write_and_others_may_not() {
    let world = World::with(|settings| settings.cors_origins = Origins::These(vec![SITE.into()])).await;
    world.asset.on("delete_asset", pb::Deleted {});
    for (origin, status) in [(SITE, 204), ("https://evil.example", 401)] {
        let request =
            world.request(Method::DELETE, "/api/v3/assets/1").header("sec-fetch-site", "cross-site");
        assert_eq!(answer(request.header("origin", origin)).await.status, status, "{origin}");
    }
}

/// Every path of the document with its methods, as they are spelled.
fn paths() -> Vec<(String, BTreeSet<String>)> {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("a document");
    let paths = document["paths"].as_object().expect("paths").iter().map(|(path, item)| {
        let filled: Vec<_> =
            path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        let methods = item.as_object().expect("operations").keys().map(|method| method.to_uppercase());
        (filled.join("/"), methods.collect())
    });
    paths.collect()
}

#[tokio::test]
async fn q41_every_path_answers_head_where_it_answers_get_and_405_elsewhere_with_what_it_knows() {
    let world = World::start().await;
    let all = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    // Some paths are another's with a variable part filled in; the fuller one answers for them.
    let paths = paths();
    for (path, methods) in &paths {
        let known = |method: &str| methods.contains(method) || (method == "HEAD" && methods.contains("GET"));
        let mut wanted: BTreeSet<String> = methods.clone();
        if known("GET") {
            wanted.insert("HEAD".into());
            let get = world.get(path).await;
            let head = answer(world.request(Method::HEAD, path)).await;
            assert_eq!((head.status, head.bytes.len()), (get.status, 0), "HEAD {path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "HEAD {path}");
        }
        for method in all.iter().filter(|method| !known(method)) {
            let method: Method = method.parse().expect("a method");
            let refused = answer(world.request(method.clone(), path)).await;
            refused.problem(405, "method_not_allowed");
            let allowed: BTreeSet<String> =
                refused.header("allow").split(',').map(|method| method.trim().to_owned()).collect();
            assert_eq!(allowed, wanted, "{method} {path}");
        }
    }
}
