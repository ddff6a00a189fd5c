//! A process that is killed at a boundary of an append has stored it or not, as the boundary says.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use eventlog::testing::NO_TABLES;
use eventlog::{Append, NewEvent, lease, open_log};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// Names the log to the child; without it the child's test does nothing.
const LOG: &str = "EVENTLOG_BOUNDARIES_LOG";

/// The process that is drilled: this test in another process of the same binary.
#[tokio::test]
#[ignore = "the child of the tests below"]
async fn drilled() {
    let Ok(path) = std::env::var(LOG) else { return };
    boundary::arm().unwrap();
    let log = open_log(&path, &NO_TABLES).await.unwrap();
    let held = lease::claim(&log, "runner/job-43", "a", Duration::from_secs(60)).await.unwrap().unwrap();
    let event = |kind| NewEvent::new(Uuid::now_v7(), kind, json!({}), Timestamp::UNIX_EPOCH);
    let both = Append::to("job-43").event(event("JobCreated")).event(event("StoryboardDrafted"));
    log.append(both).await.unwrap();
    let refused = Append::to("job-43").expecting(eventlog::Expected::NoStream).event(event("JobApproved"));
    log.append(refused).await.unwrap_err();
    assert!(lease::renew(&log, &held, Duration::from_secs(60)).await.unwrap());
    assert!(lease::release(&log, &held).await.unwrap());
    assert!(!lease::release(&log, &held).await.unwrap());
}

fn drill(directory: &Path, kill_at: &str) -> ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "boundaries::drilled", "--ignored"])
        .env(LOG, directory.join("log.db"))
        .env(boundary::CROSSINGS, directory.join("crossings"))
        .env(boundary::KILL_AT, kill_at)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
fn appends_and_leases_cross_their_boundaries_and_what_was_refused_only_the_first() {
    let directory = tempfile::tempdir().unwrap();
    assert!(drill(directory.path(), "").success());
    let crossed = std::fs::read_to_string(directory.path().join("crossings")).unwrap();
    let names: Vec<&str> = crossed.lines().map(|line| line.strip_prefix("crossed ").unwrap()).collect();
    let wanted = [
        "lease.claim.before/runner",
        "lease.claim.after/runner",
        "append.before/JobCreated",
        "append.before/StoryboardDrafted",
        "append.after/JobCreated",
        "append.after/StoryboardDrafted",
        "append.before/JobApproved",
        "lease.renew.before/runner",
        "lease.renew.after/runner",
        "lease.release.before/runner",
        "lease.release.after/runner",
    ];
    assert_eq!(names, wanted);
}

#[tokio::test]
async fn killed_before_an_append_nothing_is_stored_and_killed_after_it_all_of_it_is() {
    for (kill_at, stored) in [("append.before/StoryboardDrafted", 0), ("append.after/JobCreated", 2)] {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(drill(directory.path(), kill_at).signal(), Some(9), "{kill_at}");
        let log = open_log(&directory.path().join("log.db").to_string_lossy(), &NO_TABLES).await.unwrap();
        assert_eq!(log.load("job-43", 0).await.unwrap().len(), stored, "{kill_at}");
    }
}
