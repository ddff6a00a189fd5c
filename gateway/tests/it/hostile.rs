//! Input that nobody means well with, on every route that takes any: a problem that says what is wrong, nothing kept
//! of it, and the next request works.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `bodies` | a body that each route takes, to be spoiled |
//! | `fields` | NULs and wrong types in every text of every route, as the OpenAPI document names them |
//! | `files` | files that are not what they are called, doubled, or one bad among many |
//! | `panics` | noticing that the product panics |
//! | `repeated` | headers that contradict each other on routes of media and events |
//! | `site` | a web site to import from |
//! | `sizes` | texts of ten megabytes in every place, and what is nested without end |
//! | `urls` | URLs that lead where nobody may go |
//! | `webhooks` | webhooks that are forged, or sent again |

mod bodies;
mod fields;
mod files;
mod panics;
mod repeated;
mod site;
mod sizes;
mod urls;
mod webhooks;

use std::{collections::BTreeSet, path::Path};

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    contract::index,
    real::{Real, photo},
    world::{Answer, PATIENCE, answer},
};

const CLIENTS: &str = "/api/v3/clients";

/// Routes that take a body, with a path that names nothing.
fn writes() -> Vec<(Method, String)> {
    let routes = index::of_the_document().into_iter().map(|route| index::request(&route));
    routes.filter(|(method, _)| *method != Method::GET).collect()
}

/// Providers are thanked whatever they say, because what they say has no effect.
fn is_webhook(path: &str) -> bool {
    path.starts_with("/api/webhooks/")
}

async fn send(
    real: &Real,
    method: &Method,
    path: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> Answer {
    answer(real.client.request(method.clone(), path).header("content-type", kind).body(body)).await
}

/// A problem about what the caller sent; a webhook may be thanked for instead.
#[track_caller]
fn is_refused(given: &Answer, path: &str, what: &str) {
    let text = String::from_utf8_lossy(&given.bytes);
    let thanked = is_webhook(path) && given.status == 200;
    assert!(thanked || given.status.is_client_error(), "{what} to {path}: {} {text}", given.status);
    if !thanked {
        let body = given.json();
        assert_eq!(given.header("content-type"), "application/problem+json", "{what} to {path}: {text}");
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(!detail.is_empty() && body["status"] == given.status.as_u16(), "{what} to {path}: {text}");
    }
}

/// Sends JSON.
async fn send_json(real: &Real, method: &Method, path: &str, body: &Value) -> Answer {
    send(real, method, path, "application/json", body.to_string()).await
}

/// Whether a problem names a field: among those that were rejected, or, when it is about one only, in its words or
/// by a member of its own.
fn names(problem: &Value, field: &str) -> bool {
    const COMMON: [&str; 7] = ["type", "title", "status", "detail", "success", "error", "trace_id"];
    let field = squashed(field);
    let rejected = problem["violations"].as_array().into_iter().flatten();
    let mut places: Vec<&str> = rejected.filter_map(|violation| violation["pointer"].as_str()).collect();
    if places.is_empty() {
        let words = [&problem["detail"], &problem["error"], &problem["error"]["message"]];
        let members = problem.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        places.extend(words.into_iter().filter_map(Value::as_str));
        places.extend(members.filter(|name| !COMMON.contains(name)));
    }
    places.into_iter().any(|place| squashed(place).contains(&field))
}

/// Only letters and digits, so that all spellings of a name are the same.
fn squashed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

async fn works(real: &Real) {
    let made = real.client.call(Method::POST, CLIENTS, Some(json!({"name": "Northwind Stays"}))).await;
    assert_eq!(made.expect("an answer").status, 201, "the next request works");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_however_broken_gets_more_than_a_refusal_on_any_route() {
    let real = Real::start().await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1000), close.repeat(1000));
    let bodies: Vec<(&str, &str, Vec<u8>)> = vec![
        ("JSON that is cut off", "application/json", b"{\"name\":".to_vec()),
        ("JSON with a comma too many", "application/json", b"{\"name\":\"a\",}".to_vec()),
        ("JSON with something after it", "application/json", b"{\"name\":\"a\"} {}".to_vec()),
        ("a number that JSON has not", "application/json", b"{\"clip_duration\":NaN}".to_vec()),
        ("text that is no UTF-8", "application/json", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("half a surrogate", "application/json", b"{\"name\":\"\\ud800\"}".to_vec()),
        ("a NUL outside of texts", "application/json", b"{\"name\":\0\"a\"}".to_vec()),
        ("a thousand lists", "application/json", deep("[", "]").into_bytes()),
        ("a thousand objects", "application/json", deep("{\"a\":", "}").into_bytes()),
        ("another type", "text/plain", b"{\"name\":\"a\"}".to_vec()),
        ("a type that is none", "json", b"{\"name\":\"a\"}".to_vec()),
        (
            "XML",
            "application/xml",
            b"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_vec(),
        ),
        ("parts without a boundary", "multipart/form-data", b"--b\r\n\r\n".to_vec()),
        ("packed JSON", "application/gzip", b"\x1f\x8b\x08\0".to_vec()),
    ];
    for (method, path) in writes() {
        for (what, kind, body) in &bodies {
            is_refused(&send(&real, &method, &path, kind, body.clone()).await, &path, what);
        }
    }
    works(&real).await;
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_text_are_too_much_on_any_route() {
    let real = Real::start().await;
    let body = bytes::Bytes::from(json!({"name": "n".repeat(10_000_000)}).to_string());
    for (method, path) in writes() {
        let given = send(&real, &method, &path, "application/json", body.clone()).await;
        is_refused(&given, &path, "ten megabytes");
        // Nothing is there to be deleted, whatever is sent with it.
        assert!(
            is_webhook(&path) || method == Method::DELETE || given.status == 413,
            "{path}: {}",
            given.status
        );
    }
    works(&real).await;
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_is_refused_in_the_field_that_holds_it() {
    let real = Real::start().await;
    let owner = client(&real).await;
    for (path, body, field) in [
        (CLIENTS, json!({"name": "a\0b"}), "name"),
        (CLIENTS, json!({"name": "a", "metadata": {"deep": [{"er": "a\0b"}]}}), "metadata"),
        ("/api/v3/campaigns", json!({"name": "a", "client_id": owner, "brief": "\0"}), "brief"),
        ("/api/v3/assets", json!({"url": "https://x.example/a", "client_id": owner, "tags": ["\0"]}), "tags"),
        ("/api/v3/assets", json!({"url": "https://x.example/\0", "client_id": owner}), "source_url"),
        (
            "/api/v3/assets/from-url",
            json!({"url": "https://x.example/a", "client_id": owner, "meta": {"a": "\0"}}),
            "metadata",
        ),
        ("/api/v3/jobs/from-image-pairs", json!({"campaign_id": "a", "parameters": {"\0": 1}}), "parameters"),
        (
            "/api/v3/jobs/from-property-photos",
            json!({"campaign_id": "a", "video_model": "\0"}),
            "video_model",
        ),
    ] {
        let given = real.client.call(Method::POST, path, Some(body)).await.expect("an answer");
        assert_eq!(given.status, 422, "{path} {field}: {}", given.body);
        let pointers: Vec<&str> = given.body["violations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|violation| violation["pointer"].as_str())
            .collect();
        assert_eq!(pointers, [format!("#/{field}")], "{path}: {}", given.body);
    }
    for path in ["/api/v3/clients/%00", "/api/v3/assets/a%00b/data", "/api/v3/videos/1/clips/%00.mp4"] {
        let given = answer(real.client.request(Method::GET, path)).await;
        assert_eq!(given.status, 404, "{path}: {}", String::from_utf8_lossy(&given.bytes));
    }
    for path in ["/api/v3/campaigns?client_id=%00", "/api/v3/assets?campaign_id=%00"] {
        is_refused(&answer(real.client.request(Method::GET, path)).await, path, "a NUL in the query");
    }
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_is_what_the_request_line_says() {
    let real = Real::start().await;
    let client = client(&real).await;
    let path = format!("{CLIENTS}/{client}");
    for (body, header) in [
        (json!({"_method": "DELETE", "name": "Harbour Rooms"}), "x-request-tag"),
        (json!({"name": "Harbour Rooms"}), "x-http-method-override"),
        (json!({"name": "Harbour Rooms"}), "x-method-override"),
    ] {
        let request = real.client.request(Method::POST, CLIENTS).header(header, "DELETE").json(&body);
        assert_eq!(answer(request).await.status, 201);
        let request = real.client.request(Method::POST, &path).header(header, "DELETE").json(&body);
        assert_eq!(answer(request).await.status, 405);
    }
    let request = real.client.request(Method::GET, &format!("{path}?_method=DELETE"));
    assert_eq!(answer(request).await.status, 200);
    assert_eq!(answer(real.client.request(Method::GET, &path)).await.status, 200, "it is still there");
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_given_twice_are_refused_or_do_no_harm() {
    let real = Real::start().await;
    let post = || real.client.request(Method::POST, CLIENTS).header("content-type", "application/json");
    let twice = |name: &'static str, one: &'static str, two: &'static str| {
        post().header(name, one).header(name, two).body("{\"name\":\"Northwind Stays\"}")
    };
    answer(twice("idempotency-key", "one", "two")).await.problem(400, "idempotency_key_invalid");
    answer(twice("content-type", "text/plain", "application/json")).await.ok(201);
    answer(twice("x-request-id", "a-request-id-of-20-by", "another-id-of-20-byt")).await.ok(201);
    answer(twice("accept", "text/html", "application/json")).await.ok(201);
    answer(twice("traceparent", "00-nonsense", "01-more-of-it")).await.ok(201);
    // What no library sends: the connection is refused or ended, and nothing else.
    let body = "{\"name\":\"a\"}";
    for head in [
        "Content-Length: 12\r\nContent-Length: 13",
        "Content-Length: 12\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 12\r\nContent-Type: application/json\r\nBad Header: 1",
    ] {
        let text = format!("POST {CLIENTS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n{body}");
        let given = raw(&real, &text).await;
        assert!(given.is_empty() || given.starts_with("HTTP/1.1 4"), "{head}: {given}");
    }
    works(&real).await;
    real.stop().await;
}

/// Sends bytes as they are and reads what comes back until the other side closes.
async fn raw(real: &Real, text: &str) -> String {
    let address = real.base().trim_start_matches("http://");
    let (mut from, mut to) = TcpStream::connect(address).await.expect("a connection").into_split();
    let mut given = Vec::new();
    let both = async { tokio::join!(to.write_all(text.as_bytes()), from.read_to_end(&mut given)) };
    // A connection that is reset has also been refused, and may be before it has taken everything.
    let _ = tokio::time::timeout(PATIENCE, both).await.expect("in time");
    String::from_utf8_lossy(&given).into_owned()
}

async fn client(real: &Real) -> String {
    let made = real.client.call(Method::POST, CLIENTS, Some(json!({"name": "Northwind Stays"}))).await;
    made.expect("an answer").body["data"]["id"].as_str().expect("an id").to_owned()
}

/// How many assets there are.
async fn assets(real: &Real) -> u64 {
    let listed = real.client.get("/api/v3/assets").await.expect("a list");
    listed["meta"]["total"].as_u64().expect("a number")
}

/// The names of all files and folders below a folder, other than those of the databases and the store.
fn entries(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_file_is_a_name_and_no_path() {
    let real = Real::start().await;
    let owner = client(&real).await;
    let before = (entries(real.around()), entries(&real.around().join("data")));
    for (index, name) in [
        "../../../escaped.jpg",
        "/etc/cron.d/escaped",
        "..\\..\\escaped.jpg",
        "%2e%2e%2fescaped.jpg",
        "data:image/jpeg;base64,AAAA",
        "escaped\";filename=\"other.jpg",
        "🏠.jpg",
    ]
    .into_iter()
    .enumerate()
    {
        // Different bytes, so that each is an asset of its own.
        let mut bytes = photo("kitchen-1.jpg");
        bytes.extend_from_slice(&index.to_be_bytes());
        let form = Form::new()
            .text("client_id", owner.clone())
            .part("file", Part::bytes(bytes.clone()).file_name(name));
        let made = answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await;
        let made = made.ok(201);
        let id = made["data"]["id"].as_str().expect("an id");
        let given = answer(real.client.request(Method::GET, &format!("/api/v3/assets/{id}/data"))).await;
        assert_eq!(given.bytes, bytes, "{name}");
        assert_eq!(given.header("content-disposition"), format!("inline; filename=\"{id}.jpg\""), "{name}");
    }
    assert_eq!((entries(real.around()), entries(&real.around().join("data"))), before);
    for path in [
        "/api/v3/assets/..%2f..%2f..%2fetc%2fpasswd/data",
        "/api/v3/assets/%2e%2e/data",
        "/api/v3/videos/1/clips/..%2F..%2Furl-signing-secret",
        "/errors/..%2F..%2FCargo.toml",
        "/errors/%2e%2e",
    ] {
        let given = answer(real.client.request(Method::GET, path)).await;
        assert_eq!(given.status, 404, "{path}: {}", String::from_utf8_lossy(&given.bytes));
    }
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_names_files_is_kept_and_not_followed() {
    let real = Real::start().await;
    let owner = client(&real).await;
    let secret = real.around().join("data/url-signing-secret").display().to_string();
    let metadata = json!({
        "thumbnail_path": secret, "thumbnailPath": secret, "path": secret, "file": format!("file://{secret}"),
        "thumbnail_generated": true, "blob_data": secret, "source_url": format!("file://{secret}"),
    });
    let form = Form::new()
        .text("client_id", owner.clone())
        .text("metadata", metadata.to_string())
        .part("file", Part::bytes(photo("kitchen-1.jpg")).file_name("kitchen.jpg"));
    let made = answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
    let id = made["data"]["id"].as_str().expect("an id");
    for path in [format!("/api/v3/assets/{id}/thumbnail"), format!("/api/v3/assets/{id}/data")] {
        let given = answer(real.client.request(Method::GET, &path)).await;
        assert_eq!((given.status.as_u16(), given.header("content-type")), (200, "image/jpeg"), "{path}");
        assert!(given.bytes.starts_with(b"\xff\xd8\xff"), "{path}");
    }
    // Nor is a path, or what leads to one, a URL to import.
    for url in [secret.clone(), format!("file://{secret}"), format!("FILE:{secret}"), "data:,x".to_owned()] {
        let body = json!({"source_url": url, "client_id": owner});
        let given =
            real.client.call(Method::POST, "/api/v3/assets/from-url", Some(body)).await.expect("an answer");
        assert_eq!(given.status, 422, "{url}: {}", given.body);
        assert!(given.body["details"]["source_url"].is_array(), "{url}: {}", given.body);
    }
    real.stop().await;
}
