//! Health, starting and stopping.

use std::time::Duration;

use gateway::{Addresses, Backends, GatewayDeps, Settings, StartError};
use kit::Clock;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn a_gateway_in_front_of_living_services_is_alive_and_ready() {
    let world = World::locked().await;
    assert_eq!(world.get("/livez").await.ok(200), json!({"status": "alive"}));
    let body = world.get("/readyz").await.ok(200);
    assert_eq!(body["status"], "ready");
    for service in ["asset", "job", "render", "stitch", "audio"] {
        assert_eq!(body["services"][service], "serving");
    }
}

#[tokio::test]
async fn the_version_is_told_to_everyone_and_the_commit_when_it_is_known() {
    let version = env!("CARGO_PKG_VERSION");
    let world = World::locked().await;
    let told = world.get("/version").await.ok(200);
    assert_eq!(told, json!({"service": "gateway", "version": version}));
    let world = World::with(|settings| settings.commit = Some("9fceb02")).await;
    let told = world.get("/version").await.ok(200);
    assert_eq!(told, json!({"service": "gateway", "version": version, "commit": "9fceb02"}));
}

/// A port that nothing listens on.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").to_string()
}

async fn deps(listen: &str, cancel: &CancellationToken) -> (GatewayDeps, tempfile::TempDir) {
    let dir = tempfile::TempDir::new().expect("a directory");
    let at = nowhere().await;
    let addresses =
        Addresses { asset: at.clone(), job: at.clone(), render: at.clone(), stitch: at.clone(), audio: at };
    let deps = GatewayDeps {
        listener: TcpListener::bind(listen).await.expect("a port"),
        blobs: blobs::Blobs::local(dir.path()).expect("a store"),
        clock: Clock::system(),
        readiness: kit::Readiness::new(),
        cancel: cancel.clone(),
        backends: Backends::new(&addresses).expect("addresses"),
    };
    (deps, dir)
}

#[tokio::test]
async fn without_its_services_it_is_alive_not_ready_and_says_so_in_words() {
    let cancel = CancellationToken::new();
    let (deps, _dir) = deps("127.0.0.1:0", &cancel).await;
    let running = gateway::build(Settings::new("s".into()), deps).expect("a gateway");
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let get = |path: &str| http.get(format!("http://{}{path}", running.address)).send();
    assert_eq!(get("/livez").await.expect("an answer").status(), 200);
    let ready = get("/readyz").await.expect("an answer");
    assert_eq!(ready.status(), 503);
    let body: serde_json::Value = ready.json().await.expect("JSON");
    assert_eq!((&body["status"], &body["services"]["job"]), (&json!("waiting"), &json!("away")));
    let clients = get("/api/v3/clients").await.expect("an answer");
    assert_eq!(clients.status(), 503);
    assert!(clients.headers().contains_key("retry-after"));
    cancel.cancel();
    tokio::time::timeout(PATIENCE, running.stopped()).await.expect("it stops");
}

#[tokio::test]
async fn off_loopback_it_does_not_start_without_a_key() {
    let cancel = CancellationToken::new();
    let (open, _dir) = deps("0.0.0.0:0", &cancel).await;
    let refused = gateway::build(Settings::new("s".into()), open);
    assert!(matches!(refused, Err(StartError::Open(_))));
    let (keyed, _dir) = deps("0.0.0.0:0", &cancel).await;
    let mut settings = Settings::new("s".into());
    settings.api_keys = Settings::parse_keys("k");
    let running = gateway::build(settings, keyed).expect("a gateway");
    cancel.cancel();
    tokio::time::timeout(PATIENCE, running.stopped()).await.expect("it stops");
}

#[tokio::test]
async fn it_stops_although_a_client_holds_its_connection() {
    let world = World::with(|settings| settings.drain = Duration::from_millis(50)).await;
    let held = tokio::net::TcpStream::connect(world.address).await.expect("a connection");
    world.get("/livez").await.ok(200);
    world.cancel.cancel();
    tokio::time::timeout(PATIENCE, world.running.stopped()).await.expect("it stops");
    drop(held);
}
