//! What the command says to the person who types it.

use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::world::{Server, ServerOptions, Stage, World, approved_job, campaign, finished};

async fn filmstrip(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_filmstrip"));
    command.args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    tokio::time::timeout(crate::world::PATIENCE, running).await.expect("it ends").unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn off_loopback_without_a_key_it_refuses_to_start_and_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().display().to_string();
    let arguments = ["standalone", "--host", "0.0.0.0", "--port", "0", "--data-dir", &directory];
    let refused = filmstrip(&arguments).await;
    assert!(!refused.status.success());
    assert!(said(&refused).contains("API_AUTH_KEY"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused() {
    let world = World::instant().await;
    let directory = world.server.data_dir().display().to_string();
    let refused = filmstrip(&["standalone", "--port", "0", "--data-dir", &directory]).await;
    assert!(!refused.status.success());
    assert!(said(&refused).contains("in use"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_standalones_run_side_by_side() {
    let world = World::instant().await;
    let other = Server::start(world.scratch.path().join("other"), None, ServerOptions::default()).await;
    assert_ne!(world.server.base(), other.base());
    assert_eq!(other.client().get("/api/v3/clients").await.unwrap()["meta"]["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_shows_a_job_from_its_creation_to_its_end() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = approved_job(&client, &campaign, 2).await;
    finished(&client, job).await;
    let directory = world.server.data_dir().display().to_string();
    let strip = filmstrip(&["strip", &job.to_string(), "--data-dir", &directory]).await;
    assert!(strip.status.success(), "{}", said(&strip));
    let text = String::from_utf8_lossy(&strip.stdout).into_owned();
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word} in\n{text}"));
    let order = [
        "job_created",
        "job_approved",
        "scene_take_requested",
        "scene_rendered",
        "cut_ready",
        "mix_ready",
        "job_completed",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{text}");

    let unknown = filmstrip(&["strip", "99", "--data-dir", &directory]).await;
    assert!(!unknown.status.success());
    assert!(said(&unknown).contains("no job 99"), "{}", said(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_can_be_had_from_a_server_that_runs_already() {
    let variables = vec![("API_AUTH_KEY".to_owned(), "key-1".to_owned())];
    let world = World::with(Stage::INSTANT, ServerOptions { variables, ..Default::default() }).await;
    let out = world.scratch.path().join("out");
    let photos = crate::world::photos()[0].parent().unwrap().display().to_string();
    let (base, saved) = (world.server.base(), out.display().to_string());
    let arguments = ["demo", "--scenes", "2", "--photos", &photos, "--out", &saved, "--base-url", base];
    let refused = filmstrip(&arguments).await;
    assert!(!refused.status.success() && said(&refused).contains("401"), "{}", said(&refused));
    let made = filmstrip(&[&arguments[..], &["--api-key", "key-1"]].concat()).await;
    assert!(made.status.success(), "{}", said(&made));
    assert!(out.join("demo.mp4").is_file() && out.join("demo.jpg").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_printed() {
    let printed = filmstrip(&["openapi"]).await;
    let document: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
}
