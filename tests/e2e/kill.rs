//! SIGKILL at any moment: the job completes after a restart, and nothing is paid twice.

use std::time::Duration;

use serde_json::json;

use crate::world::{Moments, Server, ServerOptions, Stage, World, approved_job, campaign, finished};

const SCENES: u32 = 3;
/// Charges of a job of three 4 s scenes that nothing disturbed: its clips and one piece of music.
const CHARGES: usize = 4;

/// Kills at `kills` random moments of as many jobs, each finished after a restart.
async fn killed_at_random_moments(seed: u64, kills: u32, faults: serde_json::Value) {
    let mut world = World::with(Stage::DRAFT, ServerOptions::default()).await;
    world.stage.faults(faults).await;
    let campaign = campaign(&world.client(), "Quay House", 6).await;
    let mut moments = Moments(seed);
    for round in 1..=kills {
        let job = approved_job(&world.client(), &campaign, SCENES).await;
        let moment = moments.next(Duration::from_millis(4000));
        tokio::time::sleep(moment).await;
        world.server.kill().await;
        world.server.restart().await;
        let done = finished(&world.client(), job).await;
        assert_eq!(done["outcome"], "full", "seed {seed}, kill {round} after {moment:?}: {done}");
        let ledger = world.stage.control().ledger().await.unwrap();
        let charged: Vec<_> = ledger.charged().map(|p| (&p.kind, &p.accepted_at, &p.prompt)).collect();
        assert_eq!(
            charged.len(),
            CHARGES * round as usize,
            "seed {seed}, kill {round} after {moment:?}: paid twice or not at all: {charged:#?}\n{}",
            world.server.log()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_a_job_completes_and_pays_once() {
    killed_at_random_moments(0x5eed_0001, 7, json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_again_a_job_completes_and_pays_once() {
    killed_at_random_moments(0x5eed_0002, 7, json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_answers_are_dropped_a_job_completes_and_pays_once() {
    let drops = json!([{"when": {"kind": "video", "probability": 0.4, "seed": 7}, "then": {"fault": "accept_then_drop"}}]);
    killed_at_random_moments(0x5eed_0003, 6, drops).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_a_minute_late_is_not_paid_twice() {
    // A minute of the provider's time and of ours, thirty times as fast as the wall.
    let faults =
        json!([{"when": {"kind": "video", "times": 2}, "then": {"fault": "delayed_answer", "seconds": 60}}]);
    let scratch = tempfile::tempdir().unwrap();
    let stage =
        Stage::start(scratch.path().join("stage"), &["--draft", "--instant", "--time-scale", "30"]).await;
    stage.faults(faults).await;
    let options = ServerOptions { flags: vec!["--time-scale".into(), "30".into()], ..Default::default() };
    let mut server = Server::start(scratch.path().join("data"), Some(&stage), options).await;
    let campaign = campaign(&server.client(), "Quay House", 6).await;
    let job = approved_job(&server.client(), &campaign, SCENES).await;
    // Killed as soon as the provider has taken a request whose answer is still to come.
    let taken = async {
        while stage.control().ledger().await.unwrap().of_kind("video").count() == 0 {
            crate::world::pause().await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, taken).await.expect("a render is asked for");
    server.kill().await;
    server.restart().await;
    let done = finished(&server.client(), job).await;
    assert_eq!(done["outcome"], "full", "{done}");
    let ledger = stage.control().ledger().await.unwrap();
    assert_eq!(
        ledger.of_kind("video").filter(|p| p.charged).count(),
        SCENES as usize,
        "{:#?}",
        ledger.predictions
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_drains_and_goes_on_at_the_next_start() {
    let mut world = World::with(Stage::DRAFT, ServerOptions::default()).await;
    let campaign = campaign(&world.client(), "Quay House", 6).await;
    let job = approved_job(&world.client(), &campaign, SCENES).await;
    let status = world.server.terminate().await;
    assert!(status.success(), "{status}: {}", world.server.log());
    world.server.restart().await;
    assert_eq!(finished(&world.client(), job).await["outcome"], "full");
}
