//! A process that is killed while it appends leaves whole appends, and all that it was told are stored.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use eventlog::conformance::TABLES;
use eventlog::{Append, Log, NewEvent, Statement, open_log, params};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// Names the log to the child; without it the child's test does nothing.
const LOG: &str = "EVENTLOG_CRASH_LOG";

/// Printed before the id of a confirmed append.
const CONFIRMED: &str = "confirmed ";

const EVENTS: i64 = 3;

/// The killed process: this test in another process of the same binary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the test below"]
async fn appends_until_it_is_killed() {
    let Ok(path) = std::env::var(LOG) else { return };
    let log = open_log(&path, &TABLES).await.unwrap();
    loop {
        // Several at once, so that it dies inside of a shared commit.
        join_all((0..8).map(|_| append_one(&log))).await;
    }
}

#[allow(clippy::print_stdout, reason = "how the child tells its parent")]
async fn append_one(log: &Log) {
    let id = Uuid::now_v7();
    let events = (0..EVENTS)
        .map(|n| NewEvent::new(Uuid::now_v7(), "Counted", json!({ "n": n }), Timestamp::UNIX_EPOCH));
    let row = Statement::new("INSERT INTO item (id, n) VALUES ($1, $2)", params![id, EVENTS]);
    log.append(Append::to(id.to_string()).events(events).statement(row)).await.unwrap();
    println!("{CONFIRMED}{id}");
}

fn child(path: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::appends_until_it_is_killed", "--ignored", "--nocapture"])
        .env(LOG, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_writer_leaves_only_whole_appends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db").to_string_lossy().into_owned();
    let mut confirmed = Vec::new();
    for kill_after in [1, 37, 150] {
        let mut child = child(&path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut ids = lines.filter_map(|line| line.split_once(CONFIRMED).map(|(_, id)| id.to_owned()));
        confirmed.extend(ids.by_ref().take(kill_after));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died; its very last line may be torn.
        confirmed.extend(ids.filter(|id| id.len() == 36));
    }
    let log = open_log(&path, &TABLES).await.unwrap();
    let rows = log.query("SELECT id FROM item", params![]).await.unwrap();
    let appends: Vec<String> = rows.iter().map(|row| row.get("id").unwrap()).collect();
    assert!(confirmed.len() >= 188, "{} confirmed", confirmed.len());
    for id in &confirmed {
        assert!(appends.contains(id), "{id} was confirmed and is gone");
    }
    let mut events = 0;
    for id in &appends {
        assert_eq!(log.load(id, 0).await.unwrap().len(), 3, "{id} is torn");
        events += 3;
    }
    assert_eq!(log.read_all(0, 1_000_000).await.unwrap().len(), events, "events without their row");
}
