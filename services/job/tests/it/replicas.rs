//! Several processes on one PostgreSQL database: each job is run by one of them, whichever ends.

use std::{collections::HashMap, time::Duration};

use futures::StreamExt as _;
use protos::job::v1 as pb;

use crate::stage::{Replicas, Script, Tell};

/// Longer than any test waits: nobody may wait for it.
const LONG: Duration = Duration::from_secs(600);

fn completed(job: &pb::Job) -> bool {
    job.status == "completed"
}

/// Checks that a job with so many scenes went its way once.
fn went_once(kinds: &[String], scenes: usize) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    for kind in ["SceneTakeRequested", "SceneRendered"] {
        assert_eq!(counts[kind], scenes, "{kind} in {kinds:?}");
    }
    for kind in [
        "JobApproved",
        "SoundtrackRequested",
        "SoundtrackReady",
        "CutRequested",
        "CutReady",
        "MixRequested",
        "MixReady",
        "JobCompleted",
    ] {
        assert_eq!(counts[kind], 1, "{kind} in {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_processes_that_die_are_finished_by_those_that_live() {
    let mut replicas = Replicas::new(|settings| settings.lease = Duration::from_millis(700)).await;
    replicas.workers.tell(Tell::Silence);
    let first = replicas.start().await;
    let second = replicas.start().await;
    let mut jobs = Vec::new();
    for number in 0..6 {
        let by = if number % 2 == 0 { &first } else { &second };
        let job = by.create("", 3).await;
        replicas.script(job.id, 1, Script::Hold);
        by.approve(job.id).await.unwrap();
        jobs.push(job);
    }
    // All are under way.
    for job in &jobs {
        let begun = |job: &pb::Job| job.scenes[1..].iter().all(|scene| scene.status == "completed");
        first.until(job.id, begun).await;
    }
    let third = replicas.start().await;
    Replicas::kill(first);
    // In the middle of taking over, the next one dies.
    let mut feed =
        third.client.clone().watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    for job in &jobs[..3] {
        replicas.script(job.id, 1, Script::Deliver);
    }
    feed.next().await.unwrap().unwrap();
    Replicas::kill(second);
    for job in &jobs[3..] {
        replicas.script(job.id, 1, Script::Deliver);
    }
    for job in &jobs {
        let job = third.until(job.id, completed).await;
        assert_eq!(job.outcome.as_deref(), Some("full"), "one product for each key");
        went_once(&third.kinds(job.id).await, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_hands_its_jobs_over_at_once() {
    let mut replicas = Replicas::new(|settings| settings.lease = LONG).await;
    let first = replicas.start().await;
    let job = first.create("", 2).await;
    replicas.script(job.id, 1, Script::Hold);
    first.approve(job.id).await.unwrap();
    first.until(job.id, |job| job.scenes[1].status == "completed").await;
    let second = replicas.start().await;
    let renders = replicas.workers.calls("job-1/scene-1/take-1");
    first.stop().await;
    replicas.script(job.id, 1, Script::Deliver);
    second.until(job.id, completed).await;
    assert!(replicas.workers.calls("job-1/scene-1/take-1") > renders);
    went_once(&second.kinds(job.id).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_writes_nothing_for_jobs_that_another_runs() {
    let mut replicas = Replicas::new(|settings| settings.lease = LONG).await;
    let first = replicas.start().await;
    let job = first.create("", 5).await;
    replicas.script(job.id, 1, Script::Hold);
    first.approve(job.id).await.unwrap();
    first.until(job.id, |job| job.scenes[1].status == "completed").await;
    let second = replicas.start().await;
    let before = second.log.stats().writes;
    for scene in 1..=5 {
        replicas.script(job.id, scene, Script::Deliver);
    }
    // All of it went by in the second one's own feed.
    second.until(job.id, completed).await;
    assert_eq!(second.log.stats().writes, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_give_out_ids_and_numbers_without_doubles_or_gaps() {
    let mut replicas = Replicas::new(|_| {}).await;
    let (first, second) = (replicas.start().await, replicas.start().await);
    let creations = (0..16).map(|number| {
        let by = if number % 2 == 0 { &first } else { &second };
        async move { by.create("", 2).await }
    });
    let jobs = futures::future::join_all(creations).await;
    let mut ids: Vec<i32> = jobs.iter().map(|job| job.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 16);
    let mut names: Vec<String> = jobs.iter().map(|job| job.video_name.clone()).collect();
    names.sort();
    let mut wanted: Vec<String> = (1..=16).map(|number| format!("Spring {number}")).collect();
    wanted.sort();
    assert_eq!(names, wanted);

    // The same command at both is one job, with one reply.
    let (one, other) = tokio::join!(first.create("command-1", 2), second.create("command-1", 2));
    assert_eq!(one, other);
    assert_eq!(first.create("", 2).await.video_name, "Spring 18");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_decides_holds_for_the_other() {
    let mut replicas = Replicas::new(|_| {}).await;
    let (first, second) = (replicas.start().await, replicas.start().await);
    let job = first.create("", 2).await;
    replicas.script(job.id, 1, Script::Hold);
    // Both know the job as pending.
    assert_eq!(second.job(job.id).await.status, "pending");
    let (one, other) = tokio::join!(first.approve(job.id), second.approve(job.id));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    // A position of one process is a place in the feed of the other.
    let approved = one.or(other).unwrap();
    let watch = pb::WatchRequest { after_position: approved.position };
    let mut feed = second.client.clone().watch(watch).await.unwrap().into_inner();
    let next = feed.next().await.unwrap().unwrap();
    assert_eq!(next.event, "scene_take_requested");
    assert!(next.position > approved.position);
    replicas.script(job.id, 1, Script::Deliver);
    first.until(job.id, completed).await;
    assert_eq!(second.job(job.id).await, first.job(job.id).await);
    went_once(&second.kinds(job.id).await, 2);
}
