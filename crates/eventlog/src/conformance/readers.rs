//! Rules of reading the log.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Backend, event, one, open};
use crate::{Append, Tail};

/// For waits that end at once when all is well.
const DEADLINE: Duration = Duration::from_secs(60);

/// After the given one, and only its own stream.
pub async fn a_stream_loads_from_a_version(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(Append::to("a").events((1..=3).map(event))).await.unwrap();
    log.append(one("b")).await.unwrap();
    let loaded: Vec<_> = log.load("a", 1).await.unwrap();
    assert_eq!(loaded.iter().map(|event| event.version).collect::<Vec<_>>(), [2, 3]);
    assert!(log.load("a", 3).await.unwrap().is_empty());
    assert!(log.load("c", 0).await.unwrap().is_empty());
}

/// In order over all streams, as many as asked for.
pub async fn the_log_reads_from_a_position(backend: &dyn Backend) {
    let log = open(backend).await;
    assert_eq!(log.head().await.unwrap(), 0);
    for stream in ["a", "b", "a"] {
        log.append(one(stream)).await.unwrap();
    }
    let all = log.read_all(0, 10).await.unwrap();
    assert_eq!(all.iter().map(|event| &event.stream[..]).collect::<Vec<_>>(), ["a", "b", "a"]);
    assert_eq!(log.read_all(all[0].position, 1).await.unwrap(), all[1..2]);
    assert!(log.read_all(all[2].position, 10).await.unwrap().is_empty());
}

/// The reader runs while they write, sees every event once, and every stream in its order.
pub async fn a_tail_under_sixteen_writers_misses_nothing(backend: &dyn Backend) {
    const WRITERS: i64 = 16;
    const APPENDS: i64 = 40;
    let log = open(backend).await;
    let writers = (0..WRITERS).map(|writer| {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 0..APPENDS {
                // Of different sizes, so that transactions overlap in every way.
                let events = (0..=(number + writer) % 3).map(event);
                log.append(Append::to(format!("w-{writer}")).events(events)).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let expected: i64 = (0..WRITERS * APPENDS).map(|n| (n / APPENDS + n % APPENDS) % 3 + 1).sum();
    let mut tail = Tail::new(log.clone(), 0).batch(7);
    let cancel = CancellationToken::new();
    let mut seen = Vec::new();
    while i64::try_from(seen.len()).unwrap() < expected {
        let batch = tokio::time::timeout(DEADLINE, tail.next_batch(&cancel)).await;
        seen.extend(batch.expect("an event never came").unwrap().unwrap());
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(seen.windows(2).all(|pair| pair[0].position < pair[1].position), "disorder");
    assert_eq!(seen, log.read_all(0, usize::MAX >> 1).await.unwrap());
    for writer in 0..WRITERS {
        let stream = format!("w-{writer}");
        let versions = seen.iter().filter(|event| event.stream == stream).map(|event| event.version);
        assert!(versions.enumerate().all(|(index, version)| usize::try_from(version).unwrap() == index + 1));
    }
}

/// Transactions that had their turn before others and commit after them, or are rolled back, while two processes
/// write: the reader sees everything that is stored, once and in order, and nothing that is not.
pub async fn a_tailing_reader_never_skips_a_late_commit(backend: &dyn Backend) {
    const ROUNDS: u32 = 12;
    const WRITERS: usize = 8;
    let logs = [open(backend).await, open(backend).await];
    let stop = CancellationToken::new();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (log, stop) = (logs[writer % 2].clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    log.append(one(&format!("w-{writer}"))).await.unwrap();
                }
            })
        })
        .collect();
    let (reading, reader) = (CancellationToken::new(), logs[1].clone());
    let reader = tokio::spawn({
        let reading = reading.clone();
        async move {
            let mut tail = Tail::new(reader, 0).batch(5);
            let mut seen = Vec::new();
            while let Some(batch) = tail.next_batch(&reading).await.unwrap() {
                seen.extend(batch);
            }
            (seen, tail)
        }
    });
    let mut committed = Vec::new();
    for round in 0..ROUNDS {
        let id = Uuid::now_v7();
        let held = backend.hold(id, &format!("held-{round}")).await;
        // Others pile up behind it for a while.
        tokio::time::sleep(Duration::from_millis(u64::from(round * 7 % 40))).await;
        if round % 3 == 0 {
            held.roll_back().await;
        } else {
            held.commit().await;
            committed.push(id);
        }
    }
    stop.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    reading.cancel();
    let (mut seen, mut tail) = reader.await.unwrap();
    let head = logs[0].head().await.unwrap();
    while tail.position() < head {
        seen.extend(tail.next_batch(&CancellationToken::new()).await.unwrap().unwrap());
    }
    assert!(seen.windows(2).all(|pair| pair[0].position < pair[1].position), "disorder");
    assert_eq!(seen, logs[0].read_all(0, usize::MAX >> 1).await.unwrap());
    let late = seen.iter().filter(|event| event.stream.starts_with("held-")).map(|event| event.id);
    assert_eq!(late.collect::<Vec<_>>(), committed);
}

/// An announcement may be lost: this one is never made.
pub async fn what_nobody_announced_is_found_by_looking(backend: &dyn Backend) {
    let log = open(backend).await;
    let cancel = CancellationToken::new();
    let mut tail = Tail::new(log.clone(), 0);
    let id = Uuid::now_v7();
    let held = backend.hold(id, "quiet").await;
    let (batch, ()) = futures::join!(tokio::time::timeout(DEADLINE, tail.next_batch(&cancel)), held.commit());
    assert_eq!(batch.expect("it was never found").unwrap().unwrap()[0].id, id);
}

/// And goes on from where it was.
pub async fn a_tail_waits_and_ends_when_canceled(backend: &dyn Backend) {
    let log = open(backend).await;
    let cancel = CancellationToken::new();
    let mut tail = Tail::new(log.clone(), 0);
    let next = tail.next_batch(&cancel);
    let (batch, appended) = tokio::join!(tokio::time::timeout(DEADLINE, next), log.append(one("a")));
    assert_eq!(batch.unwrap().unwrap().unwrap().len(), 1);
    assert_eq!(tail.position(), appended.unwrap().last_position);
    cancel.cancel();
    assert_eq!(tail.next_batch(&cancel).await.unwrap(), None);
    tail.seek(0);
    assert_eq!(tail.next_batch(&CancellationToken::new()).await.unwrap().unwrap().len(), 1);
}

/// A refused append wakes nobody.
pub async fn the_wake_up_names_the_last_position(backend: &dyn Backend) {
    let log = open(backend).await;
    let mut appended = log.appended();
    assert_eq!(*appended.borrow_and_update(), 0);
    let last = log.append(Append::to("a").events((1..=3).map(event))).await.unwrap().last_position;
    tokio::time::timeout(DEADLINE, appended.changed()).await.unwrap().unwrap();
    assert_eq!(*appended.borrow_and_update(), last);
    let stored = log.load("a", 0).await.unwrap();
    let mut again = event(1);
    again.id = stored[0].id;
    log.append(Append::to("a").event(again)).await.unwrap_err();
    assert!(!appended.has_changed().unwrap());
}
