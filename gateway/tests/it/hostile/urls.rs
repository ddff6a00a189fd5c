//! URLs that lead where nobody may go: refused with the field's name, and nobody is called.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, response::IntoResponse, routing::get};
use http::{Method, StatusCode, header};
use serde_json::json;
use testservers::Canary;

use super::{assets, client, is_refused, names, send_json, site::Site, works};
use crate::{
    real::{Real, photo},
    world::Answer,
};

const FROM_URL: &str = "/api/v3/assets/from-url";

async fn import(real: &Real, owner: &str, url: &str) -> Answer {
    send_json(real, &Method::POST, FROM_URL, &json!({"source_url": url, "client_id": owner})).await
}

#[track_caller]
fn is_refused_by_name(given: &Answer, url: &str) {
    is_refused(given, FROM_URL, url);
    assert!(names(&given.json(), "URL"), "{url}: {}", given.json());
}

/// A site that leads on to `target`, and how often it was called.
async fn leading_to(target: String) -> (Site, Arc<AtomicUsize>) {
    let called = Arc::new(AtomicUsize::new(0));
    let counter = called.clone();
    let lead = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let there = (StatusCode::FOUND, [(header::LOCATION, target.clone())]).into_response();
        async move { there }
    };
    (Site::start(Router::new().route("/a.jpg", get(lead))).await, called)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_private_address_is_called_for_a_caller() {
    let real = Real::with(|options| options.import_from_loopback = false).await;
    let owner = client(&real).await;
    let canary = Canary::new().expect("a canary");
    let (site, called) = leading_to(format!("http://127.0.0.1:{}/", canary.port().expect("a port"))).await;
    let mut urls = canary.urls().expect("URLs");
    assert!(urls.len() >= 50);
    urls.push(site.url("/a.jpg"));
    for url in urls {
        let given = import(&real, &owner, &url).await;
        is_refused_by_name(&given, &url);
        assert!(canary.was_left_alone(), "{url}");
    }
    assert_eq!((called.load(Ordering::SeqCst), assets(&real).await), (0, 0));
    assert!(canary.notices(Ipv4Addr::LOCALHOST), "it would have noticed");
    works(&real).await;
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_to_no_private_address_either() {
    // This machine may be called by its own address here: whatever is refused is refused for where it leads.
    let real = Real::start().await;
    let owner = client(&real).await;
    let canary = Canary::new().expect("a canary");
    let port = canary.port().expect("a port");
    for target in [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        "http://[::ffff:169.254.169.254]/latest/meta-data/".to_owned(),
        "//10.0.0.1/a.jpg".to_owned(),
        format!("http://0.0.0.0:{port}/a.jpg"),
        format!("http://0:{port}/a.jpg"),
        format!("http://[::]:{port}/a.jpg"),
    ] {
        let (site, called) = leading_to(target.clone()).await;
        let given = import(&real, &owner, &site.url("/a.jpg")).await;
        is_refused_by_name(&given, &target);
        assert_eq!(given.json()["reason"], "the host's address is not a public one", "{target}");
        assert_eq!(called.load(Ordering::SeqCst), 1, "{target}");
        assert!(canary.was_left_alone(), "{target}");
    }
    assert_eq!(assets(&real).await, 0);
    assert!(canary.notices(Ipv4Addr::UNSPECIFIED), "it would have noticed");
    let picture = get(|| async { ([(header::CONTENT_TYPE, "image/jpeg")], photo("kitchen-1.jpg")) });
    let (good, target) = (Site::start(Router::new().route("/b.jpg", picture)).await, "/b.jpg");
    let (site, _) = leading_to(good.url(target)).await;
    import(&real, &owner, &site.url("/a.jpg")).await.ok(201);
    real.stop().await;
}
