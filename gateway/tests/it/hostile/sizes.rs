//! Texts of ten megabytes in every place that takes one, and what is nested without end.

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::{CLIENTS, client, is_refused, names, panics, raw, works};
use crate::{
    real::{Real, photo},
    world::{Answer, answer},
};

const ASSETS: &str = "/api/v3/assets";
const TEN_MEGABYTES: usize = 10_000_000;

fn long() -> String {
    "n".repeat(TEN_MEGABYTES)
}

async fn upload(real: &Real, path: &str, form: Form) -> Answer {
    answer(real.client.request(Method::POST, path).multipart(form)).await
}

fn file() -> Part {
    Part::bytes(photo("kitchen-1.jpg")).file_name("kitchen.jpg")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_or_a_header_of_ten_megabytes_is_refused_before_it_is_read() {
    panics::watch();
    let real = Real::start().await;
    let long = long();
    for head in [
        format!("GET {CLIENTS}?cursor={long} HTTP/1.1\r\nHost: x\r\n"),
        format!("GET /api/v3/campaigns?client_id={long} HTTP/1.1\r\nHost: x\r\n"),
        format!("GET {CLIENTS}/{long} HTTP/1.1\r\nHost: x\r\n"),
        format!("POST {CLIENTS} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {long}\r\nContent-Length: 0\r\n"),
        format!("GET {CLIENTS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {long}\r\n"),
        format!("GET {CLIENTS} HTTP/1.1\r\nHost: x\r\n{long}: a\r\n"),
    ] {
        let given = raw(&real, &format!("{head}Connection: close\r\n\r\n")).await;
        // No request has come to be: there is a status, or the connection is cut.
        assert!(given.is_empty() || given.starts_with("HTTP/1.1 4"), "{head:.60}: {given:.200}");
        works(&real).await;
    }
    // What fits into a head is a text like any other.
    let text = "n".repeat(60_000);
    for path in [format!("{CLIENTS}?cursor={text}"), format!("{CLIENTS}/{text}")] {
        is_refused(&answer(real.client.request(Method::GET, &path)).await, CLIENTS, "60 kB");
    }
    let key = real.client.request(Method::POST, CLIENTS).header("idempotency-key", &text).body("{}");
    answer(key).await.problem(400, "idempotency_key_invalid");
    works(&real).await;
    panics::none_seen();
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_in_a_part_that_is_no_file_are_too_much() {
    panics::watch();
    let real = Real::start().await;
    let owner = client(&real).await;
    let form = || Form::new().text("client_id", owner.clone());
    for path in [ASSETS, "/api/v3/assets/from-url", "/api/v3/assets/unified"] {
        for name in ["name", "metadata", "tags", "source_url", "nobody_knows"] {
            let given = upload(&real, path, form().text(name, long()).part("file", file())).await;
            given.problem(413, "too_large");
        }
        works(&real).await;
    }
    // Nor is the name of a part, or of a file, as long as it likes to be.
    for form in [
        form().text(long(), "a").part("file", file()),
        form().part("file", Part::bytes(photo("kitchen-1.jpg")).file_name(long())),
    ] {
        is_refused(&upload(&real, ASSETS, form).await, ASSETS, "a name of ten megabytes");
    }
    assert_eq!(super::assets(&real).await, 0);
    works(&real).await;
    panics::none_seen();
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_is_nested_a_thousand_times_is_not_kept() {
    panics::watch();
    let real = Real::start().await;
    let owner = client(&real).await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1000), close.repeat(1000));
    for (text, field) in [
        (deep("{\"a\":", "}"), "metadata"),
        (deep("[", "]"), "metadata"),
        ("{\"a\":".repeat(1000), "metadata"),
        (deep("[", "]"), "tags"),
    ] {
        let form = Form::new().text("client_id", owner.clone()).part("file", file());
        let given = upload(&real, ASSETS, form.text(field, text)).await;
        if given.status == 201 {
            // The contract takes what is no object for none, and text that is no list for text.
            let made: Value = given.json();
            assert!(made["data"]["thumbnailBlobId"].is_string() && made["data"]["userId"] == "", "{made}");
        } else {
            is_refused(&given, ASSETS, field);
            assert!(names(&given.json(), field), "{}", given.json());
        }
        works(&real).await;
    }
    panics::none_seen();
    real.stop().await;
}
