//! The jobs of older databases: what bringing one over comes to, on both engines; and the service with such jobs.

use std::collections::BTreeSet;

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, Log, LogError, Params, Row, Statement, open_log, params,
    testing::{Around, Wrapped, scratch_log},
};
use futures::{StreamExt as _, future::join_all};
use job::legacy::{Legacy, open};
use kit::{Clock, Code, ServiceError};
use protos::{
    common::v1::{BlobRef, ImportOutcome, Origin},
    job::v1::{self as pb, LegacyFile, LegacyFrame, LegacyJob, LegacyScene},
};
use sha2::{Digest as _, Sha256};
use testservers::PostgresServer;

use crate::stage::{PATIENCE, Replicas, Stage};

fn blob(name: &str, content_type: &str) -> BlobRef {
    let sha256 = hex::encode(Sha256::digest(name));
    BlobRef { sha256, size: 4_096, content_type: content_type.to_owned() }
}

fn file(name: &str, content_type: &str) -> LegacyFile {
    LegacyFile { blob: Some(blob(name, content_type)), poster: None, duration_ms: 8_000 }
}

fn scene(row: i32, number: u32) -> LegacyScene {
    LegacyScene {
        id: format!("5ce00000-0000-4000-8000-{row:06}{number:06}"),
        number,
        title: format!("Scene {number}"),
        prompt: "A slow move".to_owned(),
        scene_type: Some("pool".to_owned()),
        duration_ms: 1_500,
        frames: vec![LegacyFrame { asset_id: "a-1".to_owned(), blob: None, width: 0, height: 0 }],
        status: "completed".to_owned(),
        provider_id: Some(format!("p-{row}-{number}")),
        clip: Some(file(&format!("clip-{row}-{number}"), "video/mp4")),
        actual_micros: 300_000,
        created_at: "2025-11-23T12:00:00Z".to_owned(),
        updated_at: "2025-11-23T12:01:00.000001Z".to_owned(),
        ..LegacyScene::default()
    }
}

fn origin(source: &str, row: i32) -> Option<Origin> {
    let (source, table, row) = (source.to_owned(), "jobs".to_owned(), row.to_string());
    let digest = hex::encode(Sha256::digest(&row));
    Some(Origin { source, table, row, digest })
}

/// A completed job of two scenes: the row of the same number, of the campaign `spring`.
fn came(row: i32) -> LegacyJob {
    let mut video = file(&format!("video-{row}"), "video/mp4");
    video.poster = Some(blob("poster", "image/jpeg"));
    LegacyJob {
        origin: origin("phoenix", row),
        legacy_id: row,
        kind: "image_pairs".to_owned(),
        campaign_id: "spring".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("northwind".to_owned()),
        video_name: format!("Spring {row}"),
        model: "veo3".to_owned(),
        status: "completed".to_owned(),
        parameters_json: "{\"style\": \"modern\", \"price\": 1e2}".to_owned(),
        scenes: vec![scene(row, 1), scene(row, 2)],
        estimate_micros: 1_000_000,
        actual_micros: 750_000,
        video: Some(video),
        audio: Some(file(&format!("music-{row}"), "audio/mpeg")),
        audio_merged: true,
        created_at: "2025-11-23T12:00:00Z".to_owned(),
        updated_at: "2025-11-23T12:06:00Z".to_owned(),
        warnings: vec!["The waveform was missing".to_owned()],
        ..LegacyJob::default()
    }
}

fn failed(row: i32) -> LegacyJob {
    let (status, error) = ("failed".to_owned(), "it was not finished when it was brought over".to_owned());
    LegacyJob { status, error, video: None, audio: None, audio_merged: false, ..came(row) }
}

/// The same row with another content.
fn other_digest(mut job: LegacyJob) -> LegacyJob {
    job.origin.as_mut().unwrap().digest = hex::encode(Sha256::digest("other"));
    job
}

fn said(reply: pb::ImportJobReply) -> (ImportOutcome, i32, String) {
    let result = reply.result.unwrap();
    let id = if reply.job_id == 0 { String::new() } else { reply.job_id.to_string() };
    assert_eq!(result.id, id);
    (result.outcome(), reply.job_id, result.reason)
}

async fn bring(legacy: &Legacy, job: LegacyJob) -> (ImportOutcome, i32, String) {
    said(legacy.import(job).await.unwrap())
}

async fn list(legacy: &Legacy, limit: u32, after: Option<i64>) -> pb::ListImportedJobsReply {
    let request = pb::ListImportedJobsRequest { source: "phoenix".to_owned(), limit, after };
    legacy.list_imported(request).await.unwrap()
}

async fn head(log: &Log) -> i64 {
    log.head().await.unwrap()
}

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

impl Stage {
    async fn bring(&self, job: LegacyJob) -> (ImportOutcome, i32, String) {
        let request = pb::ImportJobRequest { job: Some(job), leave_up_to: 0 };
        said(self.legacy().import(request).await.unwrap().into_inner())
    }
}

#[tokio::test]
async fn a_job_that_came_is_shown_as_it_was() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.bring(came(7)).await, (ImportOutcome::Imported, 7, String::new()));
    let job = stage.job(7).await;
    assert_eq!(
        (job.status.as_str(), job.outcome.as_deref(), job.error.as_deref()),
        ("completed", Some("full"), None)
    );
    assert_eq!((job.video_name.as_str(), job.campaign_id.as_str()), ("Spring 7", "spring"));
    assert_eq!(
        (job.created_at.as_str(), job.updated_at.as_str()),
        ("2025-11-23T12:00:00Z", "2025-11-23T12:06:00Z")
    );
    assert_eq!((job.estimated_cost_micros, job.actual_cost_micros), (1_000_000, 750_000));
    assert_eq!(
        (job.video, job.poster),
        (Some(blob("video-7", "video/mp4")), Some(blob("poster", "image/jpeg")))
    );
    assert_eq!((job.video_duration_ms, job.next_cut), (Some(8_000), None));
    let audio = job.audio.unwrap();
    assert_eq!(
        (audio.status.as_str(), audio.soundtrack),
        ("completed_and_merged", Some(blob("music-7", "audio/mpeg")))
    );
    assert_eq!(job.warnings, ["The waveform was missing"]);
    let progress = job.progress.unwrap();
    assert_eq!((progress.percentage, progress.total_scenes, progress.completed_scenes), (100, 2, 2));
    let parameters: serde_json::Value = serde_json::from_str(&job.parameters_json).unwrap();
    assert_eq!((&parameters["legacy_id"], &parameters["style"]), (&7.into(), &"modern".into()));
    let board: serde_json::Value = serde_json::from_str(&job.storyboard_json).unwrap();
    assert_eq!((&board["total_duration"], &board["scenes"][0]["duration"]), (&3.0.into(), &1.5.into()));
    assert_eq!(board["scenes"][0]["asset_ids"], serde_json::json!(["a-1", "a-1"]));
    let scene = &job.scenes[1];
    assert_eq!((scene.status.as_str(), scene.index, scene.take), ("completed", 1, 1));
    assert_eq!(
        (scene.clip.as_ref(), scene.provider_id.as_deref()),
        (Some(&blob("clip-7-2", "video/mp4")), Some("p-7-2"))
    );
    assert_eq!((scene.actual_cost_micros, scene.created_at.as_str()), (300_000, "2025-11-23T12:00:00Z"));
}

#[tokio::test]
async fn a_job_that_came_is_in_every_list_and_sum() {
    let mut stage = Stage::new().await;
    for job in [came(7), failed(8)] {
        stage.bring(job).await;
    }
    let videos = stage.client.list_videos(pb::ListVideosRequest::default()).await.unwrap().into_inner();
    assert_eq!((videos.total, videos.jobs[0].clone()), (1, stage.job(7).await));
    let before = Some("2025-11-23T12:00:01Z".to_owned());
    let old = pb::ListJobsRequest { created_before: before, ..Default::default() };
    let jobs = stage.client.list_jobs(old).await.unwrap().into_inner();
    assert_eq!(jobs.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [8, 7]);
    let status = Some("completed".to_owned());
    let scenes = pb::ListScenesRequest { status, ..Default::default() };
    assert_eq!(stage.client.list_scenes(scenes).await.unwrap().into_inner().total, 4);
    let found = stage.client.get_scene(pb::GetSceneRequest { scene_id: scene(8, 1).id }).await.unwrap();
    assert_eq!(found.into_inner().job_id, 8);
    let spend = pb::GetSpendRequest { campaign_ids: vec!["spring".to_owned()], client_id: None };
    let spend = stage.client.get_spend(spend).await.unwrap().into_inner();
    assert_eq!((spend.jobs, spend.paid_jobs, spend.spent_micros), (2, 2, 1_500_000));
    let job = stage.job(8).await;
    assert_eq!((job.status.as_str(), job.video.is_some()), ("failed", false));
    assert!(job.error.unwrap().contains("not finished"));
}

#[tokio::test]
async fn the_feed_tells_that_it_came_and_is_over() {
    let mut stage = Stage::new().await;
    let feed = stage.client.watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    stage.bring(came(7)).await;
    let mut feed = feed;
    let item = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
    let told = (item.job_id, item.event.as_str(), item.status.as_str(), item.terminal);
    assert_eq!(told, (7, "job_imported", "completed", true));
    let read = pb::ReadFeedRequest { job_id: 7, after_position: 0 };
    assert_eq!(stage.client.read_feed(read).await.unwrap().into_inner().items, [item]);
    let strip = stage.client.get_strip(pb::GetStripRequest { job_id: 7 }).await.unwrap().into_inner();
    let wanted = "job 7 \"Spring 7\" imported from phoenix (jobs 7): completed, 2 scenes, $0.75";
    assert_eq!((strip.lines.len(), strip.lines[0].text.as_str()), (1, wanted));
}

#[tokio::test]
async fn later_jobs_count_on_above_those_that_came() {
    let mut stage = Stage::new().await;
    assert_eq!((stage.create(2).await.id, stage.job(1).await.video_name.as_str()), (1, "Spring 1"));
    stage.bring(came(40)).await;
    // The number in its name is taken: it keeps the name, and the next number is not given twice.
    stage.bring(LegacyJob { video_name: "Spring 40".to_owned(), ..came(38) }).await;
    stage.bring(LegacyJob { video_name: "A villa".to_owned(), ..came(3) }).await;
    let next = stage.create(2).await;
    assert_eq!((next.id, next.video_name.as_str()), (41, "Spring 43"));
    assert_eq!(stage.job(38).await.video_name, "Spring 40");
    let (outcome, id, _) = stage.bring(LegacyJob { video_name: "Spring 1".to_owned(), ..came(1) }).await;
    assert_eq!((outcome, id), (ImportOutcome::Imported, 42));
    let parameters: serde_json::Value = serde_json::from_str(&stage.job(42).await.parameters_json).unwrap();
    assert_eq!(parameters["legacy_id"], 1);
}

#[tokio::test]
async fn nothing_is_asked_of_anybody_for_a_job_that_came() {
    let mut stage = Stage::new().await;
    for job in [came(7), failed(8), LegacyJob { status: "canceled".to_owned(), ..failed(9) }] {
        stage.bring(job).await;
    }
    let mut before = Vec::new();
    for id in 7..=9 {
        before.push(stage.job(id).await);
    }
    // The runner has seen them, twice, once a job that came after them is done.
    for _ in 0..2 {
        stage.restart().await;
        let id = stage.approved(2).await;
        stage.over(id).await;
    }
    let asked = stage.workers.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|key| key.starts_with("job-10/") || key.starts_with("job-11/"))
    );
    assert!(stage.workers.canceled().is_empty());
    for job in before {
        assert_eq!(stage.job(job.id).await, job, "a replay is the job");
        assert_eq!(stage.kinds(job.id).await, ["JobImported"]);
    }
}

#[tokio::test]
async fn what_would_be_made_again_is_refused_and_a_note_is_not() {
    let mut stage = Stage::new().await;
    stage.bring(came(7)).await;
    let (job_id, scene_id) = (7, scene(7, 1).id);
    let request =
        pb::RegenerateScenesRequest { job_id, scene_ids: vec![scene_id.clone()], ..Default::default() };
    let error = ServiceError::from(stage.client.regenerate_scenes(request).await.unwrap_err());
    assert_eq!(error.reason, "scene_not_regenerable");
    assert!(error.facts["reason"].contains("older database"), "{error:?}");
    let request = pb::RemoveSceneRequest { job_id, scene_id: scene_id.clone(), ..Default::default() };
    let error = ServiceError::from(stage.client.remove_scene(request).await.unwrap_err());
    assert_eq!(error.reason, "scene_not_removable");
    let request = pb::WishSoundtrackRequest { job_id, merge_with_video: true, ..Default::default() };
    let error = ServiceError::from(stage.pipeline().wish_soundtrack(request).await.unwrap_err());
    assert_eq!(error.reason, "soundtrack_not_regenerable");
    assert_eq!(stage.kinds(7).await, ["JobImported"]);

    let status = Some("failed".to_owned());
    let request = pb::OverrideSceneRequest { job_id, scene_id, status, ..Default::default() };
    let noted = stage.client.override_scene(request).await.unwrap().into_inner();
    assert_eq!(noted.scenes[0].status, "failed");
    let request = pb::ListImportedJobsRequest { source: "phoenix".to_owned(), ..Default::default() };
    let listed = stage.legacy().list_imported(request).await.unwrap().into_inner().jobs.remove(0);
    let wanted = pb::ImportedJob { job_id: 7, came: Some(came(7)), touched: true, differs: String::new() };
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn a_job_whose_bytes_are_found_later_plays_from_then_on() {
    let mut stage = Stage::new().await;
    stage.bring(failed(7)).await;
    assert_eq!(stage.job(7).await.status, "failed");
    assert_eq!(stage.bring(came(7)).await, (ImportOutcome::Completed, 7, String::new()));
    let job = stage.job(7).await;
    assert_eq!((job.status.as_str(), job.updated_at.as_str()), ("completed", "2025-11-23T12:06:00Z"));
    let videos = stage.client.list_videos(pb::ListVideosRequest::default()).await.unwrap().into_inner();
    assert_eq!(videos.jobs, [job]);
    assert_eq!(stage.kinds(7).await, ["JobImported", "JobImported"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_came_to_one_process_is_over_for_the_other() {
    let mut replicas = Replicas::new(|_| {}).await;
    let (first, second) = (replicas.start().await, replicas.start().await);
    let mut feed =
        second.client.clone().watch(pb::WatchRequest { after_position: -1 }).await.unwrap().into_inner();
    let legacy = open(first.log.clone(), Clock::system());
    assert_eq!(bring(&legacy, came(7)).await.1, 7);
    let item = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((item.event.as_str(), item.terminal), ("job_imported", true));
    assert_eq!(second.job(7).await, first.job(7).await);
    let next = second.create("", 2).await;
    assert_eq!((next.id, next.video_name.as_str()), (8, "Spring 8"));
    assert!(replicas.workers.asked().is_empty());
}

/// Another importer, which brings the same job over just before it is asked whose its scenes are.
#[derive(Debug, Default)]
struct Between(parking_lot::Mutex<Option<LegacyJob>>);

#[async_trait]
impl Around for Between {
    async fn query(&self, log: &Log, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let other = if sql.starts_with("SELECT id, job_id FROM scene") { self.0.lock().take() } else { None };
        if let Some(other) = other {
            let legacy = open(log.clone(), Clock::system());
            assert_eq!(bring(&legacy, other).await.0, ImportOutcome::Imported);
        }
        log.query(sql, params).await
    }
}

#[tokio::test]
async fn a_job_that_another_importer_brings_over_meanwhile_is_known_and_not_taken() {
    let (log, _directory) = scratch_log(&job::MIGRATIONS).await;
    let log = Wrapped::new(log, Between(parking_lot::Mutex::new(Some(came(7)))));
    let legacy = open(log.clone(), Clock::system());
    assert_eq!(bring(&legacy, came(7)).await, (ImportOutcome::Already, 7, String::new()));
    assert!(log.0.lock().is_none(), "the other one was there in between");
    let stolen = LegacyJob { scenes: vec![scene(7, 1)], ..came(70) };
    assert_eq!(bring(&legacy, stolen).await.0, ImportOutcome::Taken);
}

/// A disk that is full when something is to be stored.
#[derive(Debug)]
struct Full;

#[async_trait]
impl Around for Full {
    async fn append(&self, _: &Log, _: Append) -> Result<Appended, AppendError> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(AppendError::Log(LogError::Commit(std::sync::Arc::new(full))))
    }
}

#[tokio::test]
async fn a_disk_that_is_full_is_told() {
    let (log, _directory) = scratch_log(&job::MIGRATIONS).await;
    let legacy = open(Wrapped::new(log, Full), Clock::system());
    let error = legacy.import(came(7)).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Exhausted, "no_space"));
    assert!(error.message.contains("the disk of the job service"), "{error}");
}
