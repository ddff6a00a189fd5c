//! Jobs of the older backends, brought over.

mod between;
mod rules;
mod shown;

use eventlog::Log;
use job::legacy::Legacy;
use protos::{
    common::v1::{BlobRef, ImportOutcome, Origin},
    job::v1::{self as pb, LegacyFile, LegacyFrame, LegacyJob, LegacyScene},
};
use sha2::{Digest as _, Sha256};

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
