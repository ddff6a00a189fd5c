//! Work goes on after any end of the process.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use eventlog::testing::{Around, Trap, Wrapped};
use eventlog::{Append, AppendError, Appended, Log, LogError, Statement, params};
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use crate::stage::{DEADLINE, Stage, Stuck};

const KEY: &str = "job-43/cut-1";

/// Asks for a cut and stops the process, so to speak, in the middle of ffmpeg: without a word to anyone.
fn crash_while_working(dir: &Path, owner: &str, lease: Duration) {
    let stuck = Stuck::new();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let stage = Stage::open(dir, |settings| {
            settings.ffmpeg.clone_from(&stuck.tool);
            owner.clone_into(&mut settings.owner);
            settings.lease = lease;
        })
        .await;
        stage.cut(KEY, &[stage.clip(6, 0).await, stage.clip(6, 90).await]).await.unwrap();
        stuck.started().await;
        // Its Drop would tell the service to stop.
        std::mem::forget(stage);
    });
    runtime.shutdown_timeout(DEADLINE);
}

async fn is_made_once(dir: &Path, owner: &str) {
    let stage = Stage::open(dir, |settings| owner.clone_into(&mut settings.owner)).await;
    let cut = stage.settled(KEY).await;
    assert_eq!((cut.state.as_str(), cut.duration_ms), ("ready", Some(500)));
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
    stage.stop().await;
}

#[test]
fn a_cut_that_a_crash_interrupted_is_made_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    crash_while_working(dir.path(), "a", Duration::from_secs(600));
    Runtime::new().unwrap().block_on(is_made_once(dir.path(), "a"));
}

#[test]
fn another_replica_takes_over_once_the_lease_is_up() {
    let dir = tempfile::tempdir().unwrap();
    crash_while_working(dir.path(), "a", Duration::from_millis(1500));
    Runtime::new().unwrap().block_on(is_made_once(dir.path(), "b"));
}

#[tokio::test]
async fn a_stop_while_working_kills_the_tool_and_the_next_start_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let stuck = Stuck::new();
    let stage = Stage::open(dir.path(), |settings| {
        settings.ffmpeg.clone_from(&stuck.tool);
        settings.lease = Duration::from_secs(600);
    })
    .await;
    stage.cut(KEY, &[stage.clip(6, 0).await, stage.clip(6, 90).await]).await.unwrap();
    let started = stuck.started().await;
    stage.stop().await;
    started.gone().await;
    // The lease was given back: another owner need not wait for it.
    is_made_once(dir.path(), "b").await;
}

#[tokio::test]
async fn what_is_ready_stays_as_it_is_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clips = [stage.clip(6, 0).await];
    stage.cut(KEY, &clips).await.unwrap();
    let ready = stage.settled(KEY).await;
    stage.stop().await;
    let stage = Stage::open(dir.path(), |_| {}).await;
    assert_eq!(stage.cut(KEY, &clips).await.unwrap(), ready);
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
}

#[tokio::test]
async fn a_product_whose_task_panicked_is_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stitch.db");
    let log = eventlog::open_log(&path.to_string_lossy(), &stitch::MIGRATIONS).await.unwrap();
    let trap = Wrapped::new(log, Trap::default());
    trap.set(1);
    let blobs = blobs::Blobs::local(dir.path().join("blobs")).unwrap();
    // One place: a place that a panic took for good would leave none.
    let stage = Stage::on(trap.clone(), blobs, |settings| settings.at_once = 1).await;
    stage.cut(KEY, &[stage.clip(6, 0).await]).await.unwrap();
    assert_eq!(stage.settled(KEY).await.state, "ready");
    assert_eq!(trap.left(), 0);
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
}

/// A database that is away for the next renewals of a lease, and for the next appends under one.
#[derive(Debug)]
struct Away {
    renewals: Mutex<u32>,
    appends: Mutex<u32>,
}

fn is_away_now(left: &Mutex<u32>) -> bool {
    let mut left = left.lock();
    let away = *left > 0;
    *left = left.saturating_sub(1);
    away
}

#[async_trait]
impl Around for Away {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let finished = append.events.iter().any(|event| event.kind == "ProductFinished");
        if finished && is_away_now(&self.appends) {
            return Err(LogError::Closed.into());
        }
        log.append(append).await
    }

    async fn execute(&self, log: &Log, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        let renews = |statement: &Statement| {
            statement.sql.starts_with("UPDATE lease") && !statement.sql.contains("expires_at = 0 ")
        };
        if statements.iter().any(renews) && is_away_now(&self.renewals) {
            return Err(LogError::Closed);
        }
        log.execute(statements).await
    }
}

#[tokio::test]
async fn a_moment_without_the_database_makes_nothing_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stitch.db");
    let log = eventlog::open_log(&path.to_string_lossy(), &stitch::MIGRATIONS).await.unwrap();
    let away = Wrapped::new(log.clone(), Away { renewals: Mutex::new(1), appends: Mutex::new(1) });
    let blobs = blobs::Blobs::local(dir.path().join("blobs")).unwrap();
    let stage = Stage::on(away.clone(), blobs, |_| {}).await;
    stage.cut(KEY, &[stage.clip(6, 0).await, stage.clip(6, 90).await]).await.unwrap();
    assert_eq!(stage.settled(KEY).await.state, "ready");
    assert_eq!((*away.renewals.lock(), *away.appends.lock()), (0, 0), "it was away");
    let claims =
        log.query("SELECT fence FROM lease WHERE name = $1", params![format!("product/{KEY}")]).await;
    assert_eq!(claims.unwrap()[0].get::<i64>("fence").unwrap(), 1, "one attempt has made it");
    assert_eq!(stage.kinds().await, ["ProductRequested", "ProductFinished"]);
}
