//! PostgreSQL goes away and comes back.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
    time::Duration,
};

use eventlog::conformance::Backend as _;
use eventlog::testing::NO_TABLES;
use eventlog::{AppendError, Statement, Tail, params};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::postgres::{PostgresScratch, append};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_no_read_or_write_meets_a_dead_connection() {
    let mut scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    for round in 1..=3 {
        log.append(append("s")).await.unwrap();
        // As many connections as there can be.
        for read in join_all((0..16).map(|_| log.load("s", 0))).await {
            read.unwrap();
        }
        scratch.server.stop();
        scratch.server.run().await.unwrap();
        for read in join_all((0..16).map(|_| log.load("s", 0))).await {
            assert_eq!(read.unwrap().len(), round);
        }
        assert_eq!(log.append(append("t")).await.unwrap().last_version, i64::try_from(round).unwrap());
        let change = Statement::new(
            "INSERT INTO checkpoint (name, position) VALUES ($1, 1)",
            params![round.to_string()],
        );
        assert_eq!(log.execute(vec![change]).await.unwrap(), [1]);
    }
}

/// Connections are cut at any moment, and twice the whole server goes; what was refused or left open is repeated
/// under the same event ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_append_stores_nothing_twice_whenever_the_connection_is_lost() {
    const WRITERS: usize = 16;
    const APPENDS: usize = 60;
    let mut scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    static REPEATED: AtomicU64 = AtomicU64::new(0);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = log.clone();
            tokio::spawn(async move {
                for _ in 0..APPENDS {
                    let append = append(&format!("w-{writer}"));
                    loop {
                        match log.append(append.clone()).await {
                            Ok(_) | Err(AppendError::DuplicateEvent(_)) => break,
                            Err(AppendError::Log(_)) => REPEATED.fetch_add(1, Ordering::Relaxed),
                            Err(error) => unreachable!("{error}"),
                        };
                    }
                }
            })
        })
        .collect();
    let writing = join_all(writers);
    tokio::pin!(writing);
    for round in 0_u64.. {
        if let Poll::Ready(written) = futures::poll!(&mut writing) {
            written.into_iter().for_each(Result::unwrap);
            break;
        }
        if round == 3 || round == 9 {
            scratch.server.stop();
            scratch.server.run().await.unwrap();
        } else {
            let cut =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'scratch_service'";
            scratch.server.sql(cut).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5 + round % 7)).await;
    }
    let mut seen = Vec::new();
    let mut tail = Tail::new(log.clone(), 0);
    while seen.len() < WRITERS * APPENDS {
        let batch = tokio::time::timeout(DEADLINE, tail.next_batch(&CancellationToken::new())).await;
        seen.extend(batch.expect("an event is lost").unwrap().unwrap());
    }
    assert_eq!(log.read_all(0, usize::MAX >> 1).await.unwrap(), seen, "each once");
    log.append(append("afterwards")).await.unwrap();
}

/// The server waits for a replica that does not exist: the commit is made, but its answer never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_commit_lost_its_answer_is_found_in_the_log() {
    let scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    set(&scratch, "SET synchronous_standby_names = 'nobody'").await;
    let mut before = 0;
    // The server takes the setting up in its own time.
    let stuck = loop {
        let writing = log.clone();
        let mut next = tokio::spawn(async move { writing.append(append("s")).await });
        tokio::select! {
            done = &mut next => before = done.unwrap().unwrap().last_version,
            () = unanswered(&log) => break next,
        }
    };
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    scratch.server.sql(cut).await.unwrap();
    let appended = tokio::time::timeout(DEADLINE, stuck).await.expect("no answer").unwrap().unwrap();
    assert_eq!(appended.last_version, before + 1);
    set(&scratch, "RESET synchronous_standby_names").await;
    let stored = log.load("s", before).await.unwrap();
    assert_eq!(stored.iter().map(|event| event.position).collect::<Vec<_>>(), [appended.last_position]);
    assert_eq!(log.append(append("s")).await.unwrap().last_version, before + 2);
}

async fn set(scratch: &PostgresScratch, what: &str) {
    scratch.server.sql(&format!("ALTER SYSTEM {what}")).await.unwrap();
    scratch.server.sql("SELECT pg_reload_conf()").await.unwrap();
}

async fn unanswered(log: &eventlog::Log) {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    while log.query(waiting, params![]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_loses_its_connection_while_it_waits_for_its_turn_is_stored_once() {
    let scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    let held = scratch.hold(uuid::Uuid::now_v7(), "held").await;
    let mut appending = Box::pin(log.append(append("s")));
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory'";
    let queued = async {
        while log.query(waiting, params![]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = &mut appending => unreachable!("the lock is held: {done:?}"),
        () = queued => {}
    }
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'";
    scratch.server.sql(cut).await.unwrap();
    held.commit().await;
    let appended = tokio::time::timeout(DEADLINE, appending).await.expect("no answer").unwrap();
    let stored = log.load("s", 0).await.unwrap();
    assert_eq!(stored.iter().map(|event| event.position).collect::<Vec<_>>(), [appended.last_position]);
}
