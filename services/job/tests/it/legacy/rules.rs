//! What bringing a job over comes to, on both engines.

use std::collections::BTreeSet;

use eventlog::{Log, Statement, open_log, params, testing::scratch_log};
use futures::future::join_all;
use job::legacy::{Legacy, open};
use kit::Clock;
use protos::{
    common::v1::ImportOutcome,
    job::v1::{self as pb, LegacyJob},
};
use testservers::PostgresServer;

use super::{bring, came, failed, head, list, origin, other_digest, said, scene};

/// Every rule of bringing over, on a new database.
async fn rules(log: &Log) {
    let legacy = open(log.clone(), Clock::system());
    every_outcome(&legacy, log).await;
    numbers(&legacy).await;
    at_once(&legacy, log).await;
    what_came(&legacy, log).await;
    grown(&legacy, log).await;
}

async fn every_outcome(legacy: &Legacy, log: &Log) {
    use ImportOutcome::{Already, Changed, Completed, Imported, Refused, Taken};
    assert_eq!(bring(legacy, came(7)).await, (Imported, 7, String::new()));
    let stored = head(log).await;
    assert_eq!(bring(legacy, came(7)).await, (Already, 7, String::new()));
    let (outcome, id, reason) = bring(legacy, other_digest(came(7))).await;
    assert_eq!((outcome, id), (Changed, 7));
    assert!(reason.contains("another content"), "{reason}");
    let stolen = LegacyJob { scenes: vec![scene(70, 1), scene(7, 2)], ..came(70) };
    let (outcome, id, reason) = bring(legacy, stolen).await;
    assert_eq!((outcome, id), (Taken, 0));
    assert!(reason.contains(&scene(7, 2).id) && reason.contains("job 7"), "{reason}");
    for (field, change) in wrong() {
        let mut job = came(71);
        change(&mut job);
        let (outcome, id, reason) = bring(legacy, job).await;
        assert_eq!((outcome, id), (Refused, 0), "{field}: {reason}");
        assert!(reason.starts_with(field), "{field}: {reason}");
    }
    assert_eq!(head(log).await, stored, "nothing of all this was stored");
    // Its video was not to be had, and is there now.
    assert_eq!(bring(legacy, failed(8)).await, (Imported, 8, String::new()));
    assert_eq!(bring(legacy, came(8)).await, (Completed, 8, String::new()));
    let stored = head(log).await;
    for again in [came(8), failed(8)] {
        assert_eq!(bring(legacy, again).await, (Already, 8, String::new()));
    }
    assert_eq!(head(log).await, stored, "what is there is not taken away");
}

/// A row that has bytes by now which it did not have, so that its own content is another one.
async fn grown(legacy: &Legacy, log: &Log) {
    use ImportOutcome::{Already, Changed, Completed, Imported};
    let came = |row| LegacyJob { origin: origin("older.db", row), ..came(row) };
    let origin = origin("older.db", 310);
    let mut before = LegacyJob { origin, audio_merged: true, ..failed(310) };
    before.scenes[0].clip = None;
    before.warnings.push("scene 1: its clip is not in the source".to_owned());
    assert_eq!(bring(legacy, before.clone()).await, (Imported, 310, String::new()));
    let stored = head(log).await;
    let mut reworded = other_digest(came(310));
    reworded.scenes[1].prompt.push('!');
    for other in [
        other_digest(before.clone()),
        LegacyJob { model: "another".to_owned(), ..other_digest(came(310)) },
        reworded,
    ] {
        assert_eq!(bring(legacy, other).await.0, Changed);
    }
    assert_eq!(head(log).await, stored, "nothing of these was stored");
    let now = other_digest(came(310));
    assert_eq!(bring(legacy, now.clone()).await, (Completed, 310, String::new()));
    let stored = head(log).await;
    assert_eq!(bring(legacy, now.clone()).await, (Already, 310, String::new()), "it holds this by now");
    assert_eq!(bring(legacy, before).await.0, Changed, "and not what it held");
    assert_eq!(head(log).await, stored);
    let request = pb::ListImportedJobsRequest { source: "older.db".to_owned(), ..Default::default() };
    let listed = legacy.list_imported(request).await.unwrap().jobs.remove(0);
    let wanted = pb::ImportedJob { job_id: 310, came: Some(now), touched: false, differs: String::new() };
    assert_eq!(listed, wanted);
    let rows = log.query("SELECT status FROM job WHERE id = 310", params![]).await.unwrap();
    assert_eq!(rows[0].get::<String>("status").unwrap(), "completed");
}

type Change = fn(&mut LegacyJob);

fn wrong() -> [(&'static str, Change); 14] {
    [
        ("origin is missing", |job| job.origin = None),
        ("origin.row", |job| job.origin.as_mut().unwrap().row = "a\0".to_owned()),
        ("legacy_id", |job| job.legacy_id = 0),
        ("kind", |job| job.kind = "reels".to_owned()),
        ("status", |job| job.status = "processing".to_owned()),
        ("video", |job| job.video = None),
        ("video.blob", |job| job.video.as_mut().unwrap().blob = None),
        ("campaign_id", |job| job.campaign_id = "a\0".to_owned()),
        ("parameters_json", |job| job.parameters_json = "[1]".to_owned()),
        ("created_at", |job| job.created_at = "2025-11-23 12:00:00".to_owned()),
        ("scenes[1].id", |job| job.scenes[1].id = "two".to_owned()),
        ("scenes[0].status", |job| job.scenes[0].status = "processing".to_owned()),
        ("scenes[1].updated_at", |job| job.scenes[1].updated_at.clear()),
        ("its texts are too long", |job| job.scenes[0].prompt = "a".repeat(300_000)),
    ]
}

async fn numbers(legacy: &Legacy) {
    use ImportOutcome::{Already, Imported};
    let other = |row: i32, legacy_id: i32| {
        let mut job = came(row);
        (job.legacy_id, job.origin.as_mut().unwrap().source) = (legacy_id, "scenes.db".to_owned());
        job
    };
    // 7 and 8 are taken: the next one, and the same when it comes again.
    let reason = "number 7 was taken: it is 9 here".to_owned();
    assert_eq!(bring(legacy, other(107, 7)).await, (Imported, 9, reason.clone()));
    assert_eq!(bring(legacy, other(107, 7)).await, (Already, 9, reason));
    // With the numbers of the rest of the source left to it.
    let leaving = legacy.import_leaving(other(108, 8), 20).await.unwrap();
    assert_eq!(said(leaving), (Imported, 21, "number 8 was taken: it is 21 here".to_owned()));
    assert_eq!(bring(legacy, other(110, 10)).await.1, 10);
    // No job could be made after the highest number of all.
    let (outcome, id, reason) = bring(legacy, other(111, i32::MAX)).await;
    assert_eq!((outcome, id), (Imported, 22));
    assert!(reason.contains("too few above"), "{reason}");
}

async fn at_once(legacy: &Legacy, log: &Log) {
    let beside = open(log.clone(), Clock::system());
    let imports = (0..12).map(|at| {
        let by = if at % 2 == 0 { legacy } else { &beside };
        async move { bring(by, LegacyJob { campaign_id: String::new(), ..came(200 + at / 4) }).await }
    });
    let replies = join_all(imports).await;
    let made: BTreeSet<i32> = replies.iter().map(|(_, id, _)| *id).collect();
    assert_eq!(made, BTreeSet::from([200, 201, 202]), "{replies:?}");
    let new = replies.iter().filter(|(outcome, ..)| *outcome == ImportOutcome::Imported).count();
    assert_eq!(new, 3, "each came once: {replies:?}");
    let rows = log.query("SELECT number FROM job WHERE campaign_id = ''", params![]).await.unwrap();
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.get("number").unwrap()).collect();
    assert_eq!(numbers.len(), 3, "jobs without a campaign have numbers of their own");
}

async fn what_came(legacy: &Legacy, log: &Log) {
    let whole = list(legacy, 0, None).await;
    assert_eq!(whole.next, None);
    assert_eq!(
        whole.jobs[0],
        pb::ImportedJob { job_id: 7, came: Some(came(7)), touched: false, differs: String::new() }
    );
    assert_eq!(whole.jobs[1].came, Some(came(8)), "as it was found in the end");
    assert!(whole.jobs.iter().all(|job| job.differs.is_empty() && !job.touched), "{whole:#?}");
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = list(legacy, 2, after).await;
        paged.extend(page.jobs);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole.jobs);
    assert_eq!(list(legacy, 0, after).await.jobs.len(), 5);
    let nobody = pb::ListImportedJobsRequest { source: "a\0".to_owned(), ..Default::default() };
    assert!(legacy.list_imported(nobody).await.unwrap().jobs.is_empty());
    tampered(legacy, log).await;
}

/// What tables say differently from the log is told.
async fn tampered(legacy: &Legacy, log: &Log) {
    let scene_7 = scene(7, 1).id;
    for (sql, wanted) in [
        (
            "UPDATE job SET status = 'failed' WHERE id = 7".to_owned(),
            "status is failed, by the log it is completed",
        ),
        ("UPDATE job SET number = 99 WHERE id = 7".to_owned(), "number is 99, by the log it is 7"),
        ("UPDATE job SET client_id = NULL WHERE id = 7".to_owned(), "client_id is"),
        ("UPDATE job SET spent_micros = 1 WHERE id = 7".to_owned(), "spent_micros is 1"),
        ("UPDATE job SET created_at = '2020-01-01T00:00:00Z' WHERE id = 7".to_owned(), "created_at is"),
        ("UPDATE job SET updated_at = 'then' WHERE id = 7".to_owned(), "not a time"),
        ("UPDATE imported SET digest = 'x' WHERE job_id = 7".to_owned(), "another digest"),
        (format!("UPDATE scene SET status = 'failed' WHERE id = '{scene_7}'"), "status is failed"),
        (format!("DELETE FROM scene WHERE id = '{scene_7}'"), "is missing"),
    ] {
        let keep = "SELECT * FROM job WHERE id = 7";
        assert_eq!(log.query(keep, params![]).await.unwrap().len(), 1);
        log.execute(vec![Statement::new(sql.clone(), params![]).affecting(1)]).await.unwrap();
        let told = list(legacy, 1, None).await.jobs.remove(0);
        assert!(told.differs.contains(wanted), "{sql}: {:?}", told.differs);
        assert_eq!(told.came, Some(came(7)), "the log still says how it came");
        mend(log).await;
    }
    assert_eq!(list(legacy, 1, None).await.jobs[0].differs, "");
}

/// Job 7 as it was.
async fn mend(log: &Log) {
    let digest = came(7).origin.unwrap().digest;
    let job = "UPDATE job SET status = 'completed', number = 7, client_id = 'northwind', spent_micros = 750000, \
               created_at = '2025-11-23T12:00:00.000000Z', updated_at = '2025-11-23T12:06:00.000000Z' WHERE id = 7";
    let scene = "INSERT INTO scene (id, job_id, place, status) VALUES ($1, 7, 0, 'completed') \
                 ON CONFLICT (id) DO UPDATE SET status = 'completed'";
    let statements = vec![
        Statement::new(job, params![]),
        Statement::new("UPDATE imported SET digest = $1 WHERE job_id = 7", params![digest]),
        Statement::new(scene, params![self::scene(7, 1).id]),
    ];
    log.execute(statements).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_brought_over_once_with_their_numbers_on_sqlite() {
    let (log, _directory) = scratch_log(&job::MIGRATIONS).await;
    rules(&log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_brought_over_once_with_their_numbers_on_postgresql() {
    let database = PostgresServer::start().await.unwrap();
    let url = format!("{}?schema=job", database.superuser_url());
    rules(&open_log(&url, &job::MIGRATIONS).await.unwrap()).await;
}
