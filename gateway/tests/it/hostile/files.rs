//! Files that are not what they are called, doubled, or one bad among many.

use std::path::{Path, PathBuf};

use axum::{
    Router,
    extract::Path as InPath,
    response::{Html, Redirect},
    routing::get,
};
use http::{Method, StatusCode};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{assets, client, is_refused, names, send_json, site::Site, works};
use crate::{
    real::{Real, photo},
    world::{Answer, answer},
};

const ASSETS: &str = "/api/v3/assets";

async fn upload(real: &Real, owner: &str, name: &str, kind: &str, bytes: Vec<u8>) -> Answer {
    let file = Part::bytes(bytes).file_name(name.to_owned()).mime_str(kind).expect("a type");
    let form = Form::new().text("client_id", owner.to_owned()).part("file", file);
    answer(real.client.request(Method::POST, ASSETS).multipart(form)).await
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let mut found: Vec<PathBuf> = entries.flat_map(below).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_called_a_picture_is_refused_for_what_it_is() {
    let real = Real::start().await;
    let owner = client(&real).await;
    let document = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n";
    for (name, kind) in [("front.png", "image/png"), ("front.jpg", "application/pdf"), ("front", "image/png")]
    {
        let given = upload(&real, &owner, name, kind, document.to_vec()).await;
        let problem = given.problem(422, "validation_failed");
        // The contract calls the bytes of a file `blob_data`, whatever part they came in.
        assert!(names(&problem, "file") || names(&problem, "blob_data"), "{name}: {problem}");
    }
    assert_eq!(assets(&real).await, 0);
    works(&real).await;
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_twice_are_two_assets_and_one_file() {
    let real = Real::start().await;
    let owner = client(&real).await;
    let (store, bytes) = (real.around().join("data/blobs"), photo("kitchen-1.jpg"));
    let first = upload(&real, &owner, "one.jpg", "image/jpeg", bytes.clone()).await.ok(201);
    let kept = files(&store);
    let second = upload(&real, &owner, "two.jpg", "image/jpeg", bytes.clone()).await.ok(201);
    let (first, second) = (&first["data"], &second["data"]);
    assert!(first["sha256"].is_string());
    assert_eq!(first["sha256"], second["sha256"]);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(files(&store), kept, "nothing is kept twice, thumbnails included");
    let same = kept.iter().filter(|path| std::fs::read(path).is_ok_and(|found| found == bytes));
    assert_eq!(same.count(), 1);
    real.stop().await;
}

/// A site with any number of photographs, and with what is none.
async fn site() -> Site {
    let picture = |InPath(number): InPath<u8>| async move {
        let mut bytes = photo("kitchen-1.jpg");
        bytes.push(number);
        bytes
    };
    let router = Router::new()
        .route("/photos/{number}", get(picture))
        .route("/page", get(|| async { Html("<!doctype html><html><body>Not here</body></html>") }))
        .route("/away", get(|| async { Redirect::to("http://10.0.0.1/a.jpg") }))
        .fallback(|| async { StatusCode::NOT_FOUND });
    Site::start(router).await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_bad_urls_among_ten_cost_the_good_ones_nothing() {
    let (real, site) = (Real::start().await, site().await);
    let owner = client(&real).await;
    let bad = [(2, "/no-such-photo"), (5, "/page"), (9, "/away")];
    let path = |index: usize| match bad.iter().find(|(place, _)| *place == index) {
        Some((_, path)) => (*path).to_owned(),
        None => format!("/photos/{index}"),
    };
    let urls: Vec<String> = (0..10).map(|index| site.url(&path(index))).collect();
    let body = json!({"client_id": owner, "assets": urls});
    let given = send_json(&real, &Method::POST, "/api/v3/assets/from-urls", &body).await.ok(201);
    let good: Vec<&String> = urls.iter().filter(|url| url.contains("/photos/")).collect();
    let made: Vec<&Value> = given["data"].as_array().expect("assets").iter().collect();
    assert_eq!(made.iter().map(|asset| asset["sourceUrl"].as_str()).collect::<Vec<_>>(), {
        good.iter().map(|url| Some(url.as_str())).collect::<Vec<_>>()
    });
    assert_eq!((&given["meta"]["created"], &given["meta"]["failed"]), (&json!(7), &json!(3)));
    let errors = given["meta"]["errors"].as_array().expect("errors");
    for ((error, (place, path)), (status, kind)) in errors.iter().zip(bad).zip([
        (400, "download_failed"),
        (422, "validation_failed"),
        (400, "download_failed"),
    ]) {
        assert_eq!((&error["index"], &error["source"]), (&json!(place), &json!(site.url(path))));
        let problem = &error["problem"];
        assert_eq!(
            (&problem["status"], &problem["type"]),
            (&json!(status), &json!(format!("/errors/{kind}"))),
            "{error}"
        );
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{error}");
    }
    assert_eq!(errors[0]["error"], "HTTP 404");
    assert_eq!(assets(&real).await, 7);
    let nothing = json!({"client_id": owner, "assets": []});
    let given = send_json(&real, &Method::POST, "/api/v3/assets/from-urls", &nothing).await;
    is_refused(&given, "/api/v3/assets/from-urls", "no URLs");
    real.stop().await;
}
