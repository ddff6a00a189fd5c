//! How much is left to make.

use std::time::Duration;

use eventlog::{lease, open_log};
use jiff::Timestamp;
use kit::work::Work;
use protos::common::v1::BlobRef;
use stitch::backlog::backlog;
use stitch::events::{Event, Of};
use stitch::product::{Input, Kind, Request};
use stitch::store;

fn requested(key: &str) -> Event {
    let input = Input::Clips(vec![BlobRef::default()]);
    Event::ProductRequested(Request { key: key.to_owned(), digest: "d".to_owned(), job_id: 43, input })
}

#[tokio::test]
async fn what_waits_is_told_apart_from_what_somebody_is_at_and_from_what_waits_for_another_try() {
    let dir = tempfile::tempdir().unwrap();
    let log = open_log(&dir.path().join("s.db").to_string_lossy(), &stitch::MIGRATIONS).await.unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    for (key, second) in [("job-43/cut-1", 10), ("job-43/cut-2", 20), ("job-43/cut-3", 30)] {
        assert!(store::append(&log, &requested(key), None, at(second)).await.unwrap());
    }
    let waits = |due, active, seconds| Work { due, active, longest_wait: Duration::from_secs(seconds) };
    let of_cuts = async |second| backlog(&log, at(second)).await.unwrap()[0];
    assert_eq!(of_cuts(40).await, (Kind::Cut, waits(3, 0, 30)));

    let lease = store::lease_of("job-43/cut-1");
    lease::claim(&log, &lease, "somebody", Duration::from_secs(60)).await.unwrap().unwrap();
    let of = Of { key: "job-43/cut-2".to_owned(), kind: Kind::Cut, job_id: 43 };
    let failed = Event::ProductAttemptFailed { of, reason: "no room".to_owned(), retry_at: at(100) };
    assert!(store::append(&log, &failed, None, at(41)).await.unwrap());
    assert_eq!(of_cuts(50).await, (Kind::Cut, waits(1, 1, 20)));
    assert_eq!(of_cuts(100).await, (Kind::Cut, waits(2, 1, 70)));
    let kinds: Vec<Kind> = backlog(&log, at(50)).await.unwrap().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, Kind::ALL, "nothing to make is told as well");
}
