//! The world a test plays in: a `filmstrip` and a soundstage as processes, photographs, and a client.

mod moments;
mod process;
mod server;
mod servers;
mod stage;

use std::{path::PathBuf, time::Duration};

use filmstrip::client::{Client, is_over};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use moments::Moments;
pub(crate) use process::run_service;
pub(crate) use server::{Server, ServerOptions};
pub(crate) use servers::Servers;
pub(crate) use stage::Stage;

/// Longest wait for anything that should happen; only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

/// A soundstage, a standalone on it, and where they keep their things.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) server: Server,
    // Removed last: fields drop in order.
    pub(crate) scratch: TempDir,
}

impl World {
    /// Draft clips, delivered at once.
    pub(crate) async fn instant() -> Self {
        Self::with(Stage::INSTANT, ServerOptions::default()).await
    }

    pub(crate) async fn with(stage_flags: &[&str], options: ServerOptions) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let stage = Stage::start(scratch.path().join("stage"), stage_flags).await;
        let server = Server::start(scratch.path().join("data"), Some(&stage), options).await;
        Self { stage, server, scratch }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }
}

/// The photographs of the repository, in the order of their names.
pub(crate) fn photos() -> Vec<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../demo/photos");
    let mut photos: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    photos.sort();
    assert!(photos.len() >= 8, "the repository has at least 8 photographs");
    photos
}

/// A campaign with the first `count` photographs of the repository, tagged by room.
pub(crate) async fn campaign(client: &Client, name: &str, count: usize) -> String {
    let campaign = client.campaign("Northwind Stays", name, "A bright house by the water").await.unwrap();
    for photo in photos().into_iter().cycle().take(count) {
        client.upload(&campaign, &photo, &room(&photo)).await.unwrap();
    }
    campaign
}

/// The room that a photograph is named after.
pub(crate) fn room(photo: &std::path::Path) -> String {
    let stem = photo.file_stem().unwrap().to_string_lossy().into_owned();
    stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-').replace('-', " ")
}

/// Creates a job of `scenes` scenes and approves it; returns its number.
pub(crate) async fn approved_job(client: &Client, campaign: &str, scenes: u32) -> i64 {
    let job = new_job(client, campaign, scenes).await;
    client.approve(job).await.unwrap();
    job
}

/// Creates a job of `scenes` scenes; returns its number.
pub(crate) async fn new_job(client: &Client, campaign: &str, scenes: u32) -> i64 {
    let body = json!({"campaign_id": campaign, "num_pairs": scenes, "clip_duration": 4});
    let created = client.create_job("image-pairs", body).await.unwrap();
    assert_eq!(created["scene_count"], scenes, "{created}");
    created["job_id"].as_i64().unwrap()
}

/// Waits until the job is over and returns it.
pub(crate) async fn finished(client: &Client, job: i64) -> Value {
    until(client, job, is_over).await
}

/// Waits until the job fulfils `wanted` and returns it.
pub(crate) async fn until(client: &Client, job: i64, wanted: impl Fn(&Value) -> bool) -> Value {
    until_within(PATIENCE, client, job, wanted).await
}

/// As [`until`], for what takes longer.
pub(crate) async fn until_within(
    patience: Duration,
    client: &Client,
    job: i64,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    until_at_any(patience, std::slice::from_ref(client), job, wanted).await
}

/// As [`until_within`], over several gateways: where one is away, the next is asked.
pub(crate) async fn until_at_any(
    patience: Duration,
    clients: &[Client],
    job: i64,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let waiting = async {
        for client in clients.iter().cycle() {
            // The stream wakes us on each change; the job itself is what we believe.
            let mut events = client.events(job, None).await.ok().flatten();
            while let Some(events) = &mut events {
                if let Ok(now) = client.job(job).await
                    && wanted(&now)
                {
                    return now;
                }
                if !matches!(events.next().await, Ok(Some(_))) {
                    break;
                }
            }
            if let Ok(now) = client.job(job).await
                && wanted(&now)
            {
                return now;
            }
            pause().await;
        }
        unreachable!("a cycle of clients does not end");
    };
    match tokio::time::timeout(patience, waiting).await {
        Ok(job) => job,
        Err(_) => panic!("job {job} did not get there: {:?}", clients[0].job(job).await),
    }
}

/// Between two tries to reach a process that may be starting or dead.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// A size that the environment sets for a drill; `usual` is for every day.
pub(crate) fn sized(variable: &str, usual: usize) -> usize {
    let said = std::env::var(variable).ok().filter(|text| !text.is_empty());
    said.map_or(usual, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no whole number"))
    })
}

#[allow(clippy::print_stderr, reason = "numbers to look at; nothing depends on them")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}
