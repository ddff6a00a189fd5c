//! Unfinished and stalled jobs, counted; and the whole watch on PostgreSQL.

use std::{sync::Arc, time::Duration};

use eventlog::{Log, Statement, params};
use jiff::Timestamp;
use job::{app::App, store, watchdog::Watchdog, workers::Workers};
use job_domain::watch::{Owner, Patience};
use kit::{Clock, work::Work};
use protos::job::v1 as pb;
use tokio_util::sync::CancellationToken;

use super::{HOUR, MINUTE, Watch, half_rendered, hold, stall, stalls};
use crate::stage::{Replicas, Script};

/// How many unfinished and stalled jobs there are of each owner that has any, and since when the oldest.
async fn counted(log: &Log) -> Vec<(Owner, u64, u64, Timestamp)> {
    let all = store::overview(log).await.unwrap();
    let some = all.iter().filter(|waiting| waiting.unfinished > 0);
    some.map(|of| (of.owner, of.unfinished, of.stalled, of.oldest.unwrap())).collect()
}

#[tokio::test]
async fn unfinished_and_stalled_jobs_and_the_age_of_the_oldest_are_counted_for_each_owner() {
    let mut stage = half_rendered(Script::Hold).await;
    let first = stage.clock.now();
    stage.clock.advance(MINUTE);
    let second = stage.clock.now();
    stage.create(2).await;
    stage.create(2).await;
    let over = stage.approved(1).await;
    stage.over(over).await;
    let wanted = vec![(Owner::Person, 2, 0, second), (Owner::Render, 1, 0, first)];
    assert_eq!(counted(&stage.log).await, wanted, "a finished job counts no more");
    let backlog = store::backlog(&stage.log, stage.clock.now()).await.unwrap();
    let run = Work { active: 1, ..Work::default() };
    assert_eq!(backlog, run, "one job is run, none waits for a runner");
    let all = store::overview(&stage.log).await.unwrap();
    let age = |owner| {
        let of = all.iter().find(|of| of.owner == owner).unwrap();
        of.age(first + 10 * MINUTE)
    };
    assert_eq!(
        (age(Owner::Render), age(Owner::Person), age(Owner::Audio)),
        (10 * MINUTE, 9 * MINUTE, Duration::ZERO)
    );
    // A finished job that is taken up again is unfinished from then on.
    stage.clock.advance(MINUTE);
    let third = stage.clock.now();
    stage.workers.script(&format!("job-{over}/scene-1/take-2"), Script::Hold);
    let scene = stage.job(over).await.scenes[0].id.clone();
    let again = pb::RegenerateScenesRequest { job_id: over, scene_ids: vec![scene], ..Default::default() };
    stage.client.regenerate_scenes(again).await.unwrap();
    stage.until(over, |job| job.scenes[0].take == 2 && job.scenes[0].attempt == 1).await;
    stage.workers.script("job-1/scene-1/take-1", Script::Deliver);
    let watch = Watch::over(stage).await;
    watch.after(20 * MINUTE).await;
    let wanted =
        vec![(Owner::Person, 2, 0, second), (Owner::Render, 1, 1, third), (Owner::Stitch, 1, 0, first)];
    assert_eq!(counted(&watch.stage.log).await, wanted, "one answered, the other one is stalled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watch_is_the_same_on_postgresql() {
    let mut replicas = Replicas::new(|_| {}).await;
    let replica = replicas.start().await;
    replicas.script(1, 1, Script::Hold);
    let made = replica.create("", 2).await;
    replica.approve(made.id).await.unwrap();
    replica.until(made.id, |job| job.scenes[1].status == "completed").await;
    replica.create("", 2).await;
    replica.stop().await;
    let log = replicas.log().await;
    let waiting = counted(&log).await;
    let owners: Vec<_> =
        waiting.iter().map(|(owner, unfinished, stalled, _)| (*owner, *unfinished, *stalled)).collect();
    assert_eq!(owners, [(Owner::Person, 1, 0), (Owner::Render, 1, 0)]);
    let forget = "UPDATE job SET owner = NULL, deadline = NULL, watched_version = 0";
    log.execute(vec![Statement::new(forget, params![])]).await.unwrap();
    let clock = Clock::manual(Clock::system().now());
    let app = Arc::new(App::new(log.clone(), clock.clone()));
    job::catch_up::once(&app).await.unwrap();
    assert_eq!(counted(&log).await, waiting);
    store::respread(&log, &Patience { person: 300 * HOUR, ..Patience::default() }).await.unwrap();
    assert!(!store::is_watched_elsewhere(&log, "test").await.unwrap());
    let held = hold(&log, "test").await;
    assert!(store::is_watched_elsewhere(&log, "another").await.unwrap());
    assert!(!store::is_watched_elsewhere(&log, "test").await.unwrap());
    let workers = Workers::new(&replicas.settings).unwrap();
    let watchdog = Watchdog::new(app, workers, replicas.settings.clone(), CancellationToken::new());
    clock.advance(HOUR);
    watchdog.once(&held).await.unwrap();
    assert_eq!(stall(&stalls(&log, made.id).await).0, Owner::Render);
    clock.advance(299 * HOUR);
    watchdog.once(&held).await.unwrap();
    assert_eq!(stall(&stalls(&log, 2).await).0, Owner::Person);
    let stalled: Vec<_> =
        counted(&log).await.iter().map(|(owner, _, stalled, _)| (*owner, *stalled)).collect();
    assert_eq!(stalled, [(Owner::Person, 1), (Owner::Render, 1)]);
}
