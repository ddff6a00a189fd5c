//! Several replicas on one PostgreSQL database: each product is made by one of them, whichever ends.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use kit::trace::{TraceContext, within};
use stitch::events::{Event, Of};
use stitch::product::Kind;
use stitch::store;
use testservers::PostgresServer;
use tokio::runtime::Runtime;

use crate::stage::{DEADLINE, Stage, Stuck};

const KEY: &str = "job-43/cut-1";
/// Longer than any test waits: nobody may wait for it.
const LONG: Duration = Duration::from_secs(600);

async fn database() -> (PostgresServer, String) {
    let server = PostgresServer::start().await.unwrap();
    let url = format!("{}?schema=stitch", server.superuser_url());
    (server, url)
}

/// A replica that never gets anywhere with what it makes.
async fn stuck(url: &str, dir: &Path, stuck: &Stuck, lease: Duration) -> Stage {
    Stage::replica(url, dir, "a", |settings| {
        settings.ffmpeg.clone_from(&stuck.tool);
        (settings.lease, settings.at_once) = (lease, 1);
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_hands_its_work_over_at_once() {
    let (_server, url) = database().await;
    let (dir, tool) = (tempfile::tempdir().unwrap(), Stuck::new());
    let first = stuck(&url, dir.path(), &tool, LONG).await;
    first.cut(KEY, &[first.clip(6, 0).await, first.clip(6, 90).await]).await.unwrap();
    let started = tool.started().await;
    let second = Stage::replica(&url, dir.path(), "b", |settings| {
        (settings.lease, settings.at_once) = (LONG, 1);
    })
    .await;
    // Meanwhile the second one works on what nobody is at, though it has only one place.
    second.cut("job-43/cut-2", &[second.clip(6, 0).await]).await.unwrap();
    assert_eq!(second.settled("job-43/cut-2").await.state, "ready");
    assert_eq!(second.get(KEY).await.state, "working");
    first.stop().await;
    started.gone().await;
    assert_eq!(second.settled(KEY).await.state, "ready");
    let finished = second.kinds().await.iter().filter(|kind| *kind == "ProductFinished").count();
    assert_eq!(finished, 2);
    second.stop().await;
}

#[test]
fn a_replica_that_dies_is_followed_by_another_once_its_lease_is_up() {
    let (dir, tool) = (tempfile::tempdir().unwrap(), Stuck::new());
    let runtime = Runtime::new().unwrap();
    let (_server, url) = runtime.block_on(database());
    let dying = Runtime::new().unwrap();
    dying.block_on(async {
        let stage = stuck(&url, dir.path(), &tool, Duration::from_millis(1500)).await;
        stage.cut(KEY, &[stage.clip(6, 0).await]).await.unwrap();
        tool.started().await;
        // Its Drop would tell the service to stop.
        std::mem::forget(stage);
    });
    dying.shutdown_timeout(DEADLINE);
    runtime.block_on(async {
        let second = Stage::replica(&url, dir.path(), "b", |_| {}).await;
        assert_eq!(second.settled(KEY).await.state, "ready");
        assert_eq!(second.kinds().await, ["ProductRequested", "ProductFinished"]);
        second.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_makes_is_stopped_when_another_has_its_lease_and_refused_when_it_is_late() {
    let (_server, url) = database().await;
    let (dir, tool) = (tempfile::tempdir().unwrap(), Stuck::new());
    let first = stuck(&url, dir.path(), &tool, Duration::from_millis(1500)).await;
    first.cut(KEY, &[first.clip(6, 0).await]).await.unwrap();
    let started = tool.started().await;
    // As if it had been away for so long that its time was up and another one came.
    let name = store::lease_of(KEY);
    // In one statement: the living owner renews what is only up.
    let take = format!(
        "UPDATE lease SET owner = 'b', fence = fence + 1, expires_at = {} + 600000 WHERE name = '{name}' RETURNING fence",
        first.log.clock_sql()
    );
    let taken = first.log.execute_returning(eventlog::Statement::new(take, Vec::new())).await.unwrap();
    let fence: i64 = taken[0].get("fence").unwrap();
    let old = eventlog::Lease { name: name.clone(), owner: "a".to_owned(), fence: fence - 1 };
    let taken = eventlog::Lease { name, owner: "b".to_owned(), fence };
    started.gone().await;

    let of = Of { key: KEY.to_owned(), kind: Kind::Cut, job_id: 43 };
    let failed = Event::ProductFailed { of, reason: "the clips do not fit".to_owned() };
    assert!(!store::append(&first.log, &failed, Some(&old), Timestamp::UNIX_EPOCH).await.unwrap());
    assert_eq!(first.kinds().await, ["ProductRequested"]);
    assert!(store::append(&first.log, &failed, Some(&taken), Timestamp::UNIX_EPOCH).await.unwrap());
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_at_one_replica_stops_the_tool_of_another() {
    let (_server, url) = database().await;
    let (dir, tool) = (tempfile::tempdir().unwrap(), Stuck::new());
    let first = stuck(&url, dir.path(), &tool, LONG).await;
    first.cut(KEY, &[first.clip(6, 0).await]).await.unwrap();
    let started = tool.started().await;
    let second = Stage::replica(&url, dir.path(), "b", |_| {}).await;
    assert_eq!(second.cancel(KEY, "no more").await.state, "canceled");
    started.gone().await;
    assert_eq!(first.get(KEY).await.reason.as_deref(), Some("no more"));
    assert_eq!(first.kinds().await, ["ProductRequested", "ProductCanceled"]);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_work_and_make_each_product_once() {
    let (_server, url) = database().await;
    let dir = tempfile::tempdir().unwrap();
    let first = Stage::replica(&url, dir.path(), "a", |settings| settings.at_once = 1).await;
    let second = Stage::replica(&url, dir.path(), "b", |settings| settings.at_once = 1).await;
    let clips = [first.clip(6, 0).await];
    let root = TraceContext::root();
    for number in 1..=6 {
        let key = format!("job-43/cut-{number}");
        let asked = async { tokio::join!(first.cut(&key, &clips), second.cut(&key, &clips)) };
        let (one, other) = within(root, asked).await;
        assert!(one.is_ok() && other.is_ok());
    }
    for number in 1..=6 {
        assert_eq!(second.settled(&format!("job-43/cut-{number}")).await.state, "ready");
    }
    let events = first.stored().await;
    assert_eq!(events.len(), 12, "each is wanted once and finished once");
    let trace = root.to_string()[3..35].to_owned();
    let joined = |event: &eventlog::StoredEvent| {
        event.meta.traceparent.as_ref().is_some_and(|parent| parent[3..35] == trace)
    };
    assert!(events.iter().all(joined), "what is made goes on in the trace of its request");
    first.stop().await;
    second.stop().await;
}
