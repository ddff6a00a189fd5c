//! What holds on every route.

use http::Method;
use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::json;
use tonic::Status;

use crate::{
    clients::a_client,
    world::{World, answer},
};

const CLIENTS: &str = "/api/v3/clients";

async fn listing() -> World {
    let world = World::start().await;
    world.asset.on("list_clients", pb::ListClientsReply::default());
    world.asset.on("create_client", a_client());
    world
}

#[tokio::test]
async fn trailing_and_duplicate_slashes_do_not_matter_and_case_does() {
    let world = listing().await;
    for path in ["/api/v3/clients/", "//api/v3//clients", "/api/v3/clients/?limit=3"] {
        world.get(path).await.ok(200);
    }
    world.get("/api/v3/Clients").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_request_id_is_echoed_or_made() {
    let world = listing().await;
    let long = "r".repeat(201);
    for (given, echoed) in [("a-request-id-of-20-by", true), ("short", false), (long.as_str(), false)] {
        let answer = world.get_with(CLIENTS, &[("x-request-id", given)]).await;
        assert_eq!(answer.header("x-request-id") == given, echoed, "{given}");
        assert!(answer.header("x-request-id").len() >= 20);
    }
    assert_eq!(world.get("/nowhere").await.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn answers_are_not_cached_unless_they_say_so() {
    let world = listing().await;
    for path in [CLIENTS, "/nowhere"] {
        assert_eq!(world.get(path).await.header("cache-control"), "max-age=0, private, must-revalidate");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_what_is_allowed() {
    let world = listing().await;
    for path in ["/", "/api/v3", "/api/v3/nope", "/api/v3/clients/1/2/3"] {
        assert_eq!(world.get(path).await.problem(404, "not_found")["errors"]["detail"], "Not Found");
    }
    let answer = answer(world.request(Method::DELETE, CLIENTS)).await;
    assert_eq!(answer.problem(405, "method_not_allowed")["errors"]["detail"], "Method Not Allowed");
    let mut allowed: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_path_that_is_no_text_names_nothing() {
    let world = listing().await;
    world.get("/api/v3/clients/%ff%fe").await.problem(404, "not_found");
    world.get("/api/v3/jobs/%ff/scenes/x").await.problem(404, "not_found");
}

#[tokio::test]
async fn broken_json_is_a_bad_request() {
    let world = listing().await;
    let deep = "[".repeat(5000);
    for body in ["{", "{\"name\":}", "nonsense", "{\"name\":\"a\"} x", "\u{1}", deep.as_str()] {
        let request = world.request(Method::POST, CLIENTS).header("content-type", "application/json");
        let body = answer(request.body(body.to_owned())).await.problem(400, "bad_request");
        assert_eq!(body["errors"]["detail"], "Bad Request");
    }
    let request = world.request(Method::POST, CLIENTS).header("content-type", "application/json");
    answer(request.body(b"{\"name\":\"\xff\"}".to_vec())).await.problem(400, "bad_request");
}

#[tokio::test]
async fn an_empty_body_has_no_fields() {
    let world = listing().await;
    for (kind, body) in [("application/json", ""), ("application/json", " \n"), ("text/plain", "")] {
        let request = world.request(Method::POST, CLIENTS).header("content-type", kind).body(body);
        answer(request).await.ok(201);
    }
    answer(world.request(Method::POST, CLIENTS)).await.ok(201);
    let asked: Vec<pb::CreateClientRequest> = world.asset.asked("create_client");
    assert_eq!(asked.len(), 4);
    let fields = |asked: &pb::CreateClientRequest| pb::CreateClientRequest {
        command_id: String::new(),
        ..asked.clone()
    };
    assert!(asked.iter().all(|asked| fields(asked) == pb::CreateClientRequest::default()));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_and_says_so() {
    let world = listing().await;
    for body in ["[1]", "[{\"name\": \"a\"}]", "\"a\"", "7", "true", "null"] {
        let request =
            world.request(Method::POST, CLIENTS).header("content-type", "application/json").body(body);
        let body = answer(request).await.problem(400, "bad_request");
        assert!(body["detail"].as_str().expect("text").contains("JSON object"), "{body}");
    }
    assert!(world.asset.asked::<pb::CreateClientRequest>("create_client").is_empty());
}

#[tokio::test]
async fn a_body_of_another_type_is_415() {
    let world = listing().await;
    for kind in ["text/plain", "application/xml", "multipart/form-data; boundary=b"] {
        let request = world.request(Method::POST, CLIENTS).header("content-type", kind).body("x");
        let body = answer(request).await.problem(415, "unsupported_media_type");
        assert_eq!(body["errors"]["detail"], "Unsupported Media Type");
    }
    answer(world.request(Method::POST, CLIENTS).body("x")).await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_body_over_eight_megabytes_is_413() {
    let world = listing().await;
    let body = json!({"name": "n".repeat(8_000_001)});
    let body = world.post(CLIENTS, body).await.problem(413, "too_large");
    assert_eq!(body["errors"]["detail"], "Request Entity Too Large");
}

#[tokio::test]
async fn a_form_is_as_good_as_json_and_the_body_wins_over_the_query() {
    let world = listing().await;
    let request = world.request(Method::POST, "/api/v3/clients?name=query&homepage=https%3A%2F%2Fx.example");
    let form = request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    answer(form.body("name=form+body")).await.ok(201);
    let asked: pb::CreateClientRequest = world.asset.asked_once("create_client");
    assert_eq!(asked.name.as_deref(), Some("form body"));
    assert_eq!(asked.homepage.as_deref(), Some("https://x.example"));
}

#[tokio::test]
async fn a_route_of_json_says_406_to_who_does_not_take_it() {
    let world = listing().await;
    for accept in [
        "*/*",
        "application/*",
        "application/json",
        "text/html, application/json;q=0.1",
        "application/problem+json",
    ] {
        world.get_with(CLIENTS, &[("accept", accept)]).await.ok(200);
    }
    for accept in ["text/html", "video/mp4"] {
        let body = world.get_with(CLIENTS, &[("accept", accept)]).await.problem(406, "not_acceptable");
        assert_eq!(body["errors"]["detail"], "Not Acceptable");
    }
}

#[tokio::test]
async fn json_is_compressed_for_who_asks() {
    let world = World::start().await;
    let clients = vec![a_client(); 50];
    world.asset.on("list_clients", pb::ListClientsReply { clients, total: 50, next: None });
    let plain = world.get(CLIENTS).await;
    let packed = world.get_with(CLIENTS, &[("accept-encoding", "gzip")]).await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert!(packed.bytes.len() < plain.bytes.len() / 2);
}

#[tokio::test]
async fn a_service_that_is_away_is_a_503_that_says_when_to_come_back() {
    let world = World::start().await;
    world.asset.fail("list_clients", || Status::unavailable("tcp connect error: 10.0.0.7"));
    let answer = world.get(CLIENTS).await;
    let body = answer.problem(503, "unavailable");
    assert_eq!(body["error"]["code"], "unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok());
    assert!(!body.to_string().contains("10.0.0.7"), "the inside is not shown: {body}");
}

#[tokio::test]
async fn every_kind_of_failure_has_its_status_and_hides_the_inside() {
    let world = World::start().await;
    world.asset.refuse("list_clients", || ServiceError::internal(std::io::Error::other("secret path")));
    world.asset.fail("list_clients", || Status::unknown("secret path"));
    world.asset.fail("list_clients", || Status::deadline_exceeded("secret path"));
    world.asset.refuse("list_clients", || ServiceError::new(kit::Code::Exhausted, "slow_down", "Slow down"));
    world.asset.refuse("list_clients", || ServiceError::new(kit::Code::Conflict, "exists", "It exists"));
    world.asset.refuse("list_clients", || ServiceError::new(kit::Code::Precondition, "no", "Not now"));
    world.asset.refuse("list_clients", || ServiceError::new(kit::Code::Invalid, "bad", "Bad"));
    for (status, code) in [
        (500, "internal"),
        (500, "internal"),
        (504, "deadline"),
        (429, "too_many_requests"),
        (409, "conflict"),
        (422, "not_allowed"),
        (400, "bad_request"),
    ] {
        let body = world.get(CLIENTS).await.problem(status, code);
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

#[tokio::test]
async fn what_nobody_foresaw_is_a_500_that_tells_no_inner_words() {
    let world = World::start().await;
    world.asset.refuse("list_clients", || ServiceError::internal(std::io::Error::other("disk 7 is on fire")));
    let body = world.get(CLIENTS).await.problem(500, "internal");
    assert_eq!(body["retryable"], true);
    assert!(!body.to_string().contains("fire"), "{body}");
}
