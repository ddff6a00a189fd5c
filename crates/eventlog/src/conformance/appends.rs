//! Rules of appending.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::{Backend, RECORDED_AT, event, one, open, versions};
use crate::{Append, AppendError, Data, Expected, Meta, NewEvent, Statement, params};

/// Versions count from 1 without gaps, positions grow, and nothing of an event is lost.
pub async fn an_append_stores_its_events_in_order(backend: &dyn Backend) {
    let log = open(backend).await;
    let meta = Meta {
        correlation_id: "request-1".into(),
        causation_id: Some("command-1".into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        actor: "key:frontend".into(),
    };
    let data = json!({ "text": "quote ' \" %\n\u{1F3E0}", "nested": { "list": [1, 2.5, null] } });
    let id = Uuid::now_v7();
    let full = NewEvent::new(id, "Described", data.clone(), RECORDED_AT).schema_version(3).meta(meta.clone());
    let appended = log.append(Append::to("a").event(full).event(event(2))).await.unwrap();
    assert_eq!(appended.last_version, 2);
    let stored = log.load("a", 0).await.unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!((stored[0].id, stored[0].version, stored[1].version), (id, 1, 2));
    assert_eq!((&stored[0].stream[..], &stored[0].kind[..], stored[0].schema_version), ("a", "Described", 3));
    assert_eq!(
        (&stored[0].data, &stored[0].meta, stored[0].recorded_at),
        (&Data::from(&data), &meta, RECORDED_AT)
    );
    assert!(stored[0].position < stored[1].position);
    assert_eq!(stored[1].position, appended.last_position);
    assert_eq!(log.head().await.unwrap(), appended.last_position);
}

/// The other is told what it expected and what it found.
pub async fn of_two_writers_at_one_version_one_wins(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").expecting(Expected::NoStream)).await.unwrap();
    let attempts = (0..8).map(|_| log.append(one("a").expecting(Expected::Version(1))));
    let outcomes = join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert!(
            matches!(&error, AppendError::Conflict { stream, expected: Expected::Version(1), actual: 2 } if stream == "a"),
            "{error}"
        );
    }
    assert_eq!(versions(&log, "a").await, [1, 2]);
    let error = log.append(one("a").expecting(Expected::NoStream)).await.unwrap_err();
    assert!(matches!(error, AppendError::Conflict { actual: 2, .. }), "{error}");
}

/// As two processes would.
pub async fn of_two_handles_at_one_version_one_wins(backend: &dyn Backend) {
    let (here, there) = (open(backend).await, open(backend).await);
    for version in 0..20 {
        let expected = if version == 0 { Expected::NoStream } else { Expected::Version(version) };
        let attempt = || one("a").expecting(expected);
        let outcomes = futures::join!(here.append(attempt()), there.append(attempt()));
        let error = match outcomes {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
            outcomes => unreachable!("one wins: {outcomes:?}"),
        };
        assert!(matches!(error, AppendError::Conflict { .. }), "{error}");
    }
    assert_eq!(versions(&here, "a").await, (1..=20).collect::<Vec<_>>());
}

/// Also when it shares its commit with others.
pub async fn a_conflict_fails_only_its_own_append(backend: &dyn Backend) {
    let log = open(backend).await;
    let appends = (0..60).map(|number| {
        let stale = number % 3 == 1;
        let expected = if stale { Expected::Version(9) } else { Expected::NoStream };
        // A stale append conflicts after its statement's row would have been written by a good one.
        let row =
            Statement::new("INSERT INTO item (id, n) VALUES ($1, $2)", params![format!("{number}"), number]);
        log.append(one(&format!("s-{number}")).expecting(expected).statement(row))
    });
    let outcomes = join_all(appends).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let stale = number % 3 == 1;
        assert_eq!(matches!(outcome, Err(AppendError::Conflict { .. })), stale, "{number}: {outcome:?}");
        assert_eq!(outcome.is_ok(), !stale);
        assert_eq!(versions(&log, &format!("s-{number}")).await.is_empty(), stale);
    }
    let rows = log.query("SELECT count(*) AS items FROM item", params![]).await.unwrap();
    assert_eq!(rows[0].get::<i64>("items").unwrap(), 40);
}

/// There is nothing to remember it by.
pub async fn an_append_without_events_is_refused(backend: &dyn Backend) {
    let log = open(backend).await;
    let row = Statement::new("INSERT INTO item (id, n) VALUES ($1, $2)", params!["a", 1_i64]);
    let error = log.append(Append::to("a").statement(row)).await.unwrap_err();
    assert!(matches!(error, AppendError::Empty), "{error}");
    assert!(log.query("SELECT id FROM item", params![]).await.unwrap().is_empty());
}

/// In the same append, in another one, in another stream.
pub async fn an_event_id_is_stored_once(backend: &dyn Backend) {
    let log = open(backend).await;
    let twice = event(1);
    let error = log.append(Append::to("a").event(twice.clone()).event(twice.clone())).await.unwrap_err();
    assert!(matches!(error, AppendError::DuplicateEvent(id) if id == twice.id), "{error}");
    assert_eq!(log.head().await.unwrap(), 0);
    log.append(Append::to("a").event(twice.clone())).await.unwrap();
    for stream in ["a", "b"] {
        let error = log.append(Append::to(stream).event(twice.clone())).await.unwrap_err();
        assert!(matches!(error, AppendError::DuplicateEvent(id) if id == twice.id), "{error}");
    }
    assert_eq!(versions(&log, "a").await, [1]);
    assert_eq!(versions(&log, "b").await, [0; 0]);
}

/// A writer that lost the answer to its append learns that it went through.
pub async fn a_repeated_event_is_told_from_a_conflict(backend: &dyn Backend) {
    let log = open(backend).await;
    let append = one("a").expecting(Expected::NoStream);
    log.append(append.clone()).await.unwrap();
    let error = log.append(append).await.unwrap_err();
    assert!(matches!(error, AppendError::DuplicateEvent(_)), "{error}");
}

/// Counted, not timed.
pub async fn appends_that_wait_together_share_commits(backend: &dyn Backend) {
    let log = open(backend).await;
    let before = log.stats();
    let outcomes = join_all((0..400).map(|number| log.append(one(&format!("s-{number}"))))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let after = log.stats();
    assert_eq!(after.events - before.events, 400);
    assert_eq!(after.writes - before.writes, 400);
    assert!(
        after.commits - before.commits < 400,
        "{} commits for 400 appends",
        after.commits - before.commits
    );
}

/// Sixty-four appends, handed over while somebody else writes: one commit for the first, one for the rest.
pub async fn what_waits_for_another_writer_is_committed_at_once(backend: &dyn Backend) {
    let log = open(backend).await;
    let held = backend.hold(Uuid::now_v7(), "held").await;
    let before = log.stats();
    let appends = join_all((0..64).map(|number| log.append(one(&format!("s-{number}")))));
    // The first poll hands all of them over; none can be stored before the other is through.
    let mut appends = Box::pin(tokio::task::unconstrained(appends));
    assert!(futures::poll!(&mut appends).is_pending());
    held.commit().await;
    assert!(appends.await.iter().all(Result::is_ok));
    let after = log.stats();
    assert_eq!(after.events - before.events, 64);
    assert!(after.commits - before.commits <= 2, "{} commits", after.commits - before.commits);
}

/// Whatever SQL somebody runs through the service's own connection.
pub async fn the_database_itself_is_append_only(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a")).await.unwrap();
    let stored = log.load("a", 0).await.unwrap();
    for sql in [
        "UPDATE event SET data = '{}'",
        "UPDATE event SET version = 2 WHERE stream = 'a'",
        "DELETE FROM event",
        "DELETE FROM event WHERE stream = 'a'",
    ] {
        log.execute(vec![Statement::new(sql, params![])]).await.unwrap_err();
        let error = log.append(one("b").statement(Statement::new(sql, params![]))).await.unwrap_err();
        assert!(matches!(error, AppendError::Log(_)), "{sql}: {error}");
    }
    assert_eq!(log.read_all(0, 10).await.unwrap(), stored);
}

/// A handle is only a view of the database.
pub async fn what_was_stored_is_there_after_reopening(backend: &dyn Backend) {
    let log = open(backend).await;
    log.append(one("a").event(event(2))).await.unwrap();
    let stored = log.read_all(0, 10).await.unwrap();
    drop(log);
    let log = open(backend).await;
    assert_eq!(log.read_all(0, 10).await.unwrap(), stored);
    assert_eq!(*log.appended().borrow(), stored[1].position);
    assert_eq!(log.append(one("a")).await.unwrap().last_version, 3);
}
