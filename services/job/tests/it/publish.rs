//! What the world is told: one golden file for each published message. A file changes only by growing.

use eventlog::StoredEvent;
use jiff::Timestamp;
use job_domain::{
    BlobRef, JobCreated, JobEvent, JobImported, JobStatus, LegacyOrigin, Outcome,
    imported::ImportedFile,
    state::{JobKind, Master},
    watch::Owner,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

fn blob(name: &str, content_type: &str) -> BlobRef {
    BlobRef { sha256: name.to_owned(), size: 4_096, content_type: content_type.to_owned() }
}

fn master() -> Master {
    Master {
        video: blob("aa11", "video/mp4"),
        poster: Some(blob("bb22", "image/jpeg")),
        duration_ms: 12_040,
        silent: blob("cc33", "video/mp4"),
        soundtrack_take: Some(1),
        shown: Vec::new(),
    }
}

fn created() -> JobEvent {
    JobEvent::JobCreated(Box::new(JobCreated {
        job: 43,
        job_kind: JobKind::ImagePairs,
        campaign_id: "b0c5".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("7c0f".to_owned()),
        video_name: "Spring 2".to_owned(),
        model: "veo3".to_owned(),
        price_micros_per_second: 200_000,
        aspect_ratio: None,
        resolution: None,
        soundtrack: true,
        music_prompt: None,
        parameters: Map::new(),
        total_assets: 8,
        scene_count: 3,
        estimate_micros: 2_400_000,
        terms: job_domain::JobTerms::default(),
    }))
}

fn imported() -> JobEvent {
    let video = ImportedFile { blob: blob("aa11", "video/mp4"), poster: None, duration_ms: 12_040 };
    JobEvent::JobImported(Box::new(JobImported {
        job: 43,
        legacy_id: 7,
        number: 2,
        origin: LegacyOrigin {
            source: "scenes.db".to_owned(),
            table: "generated_videos".to_owned(),
            row: "7".to_owned(),
            digest: "ee55".to_owned(),
        },
        job_kind: JobKind::ImagePairs,
        campaign_id: "b0c5".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("7c0f".to_owned()),
        video_name: "Spring 2".to_owned(),
        model: "veo3".to_owned(),
        status: JobStatus::Completed,
        error: String::new(),
        aspect_ratio: None,
        resolution: None,
        parameters_json: "{}".to_owned(),
        scenes: Vec::new(),
        estimate_micros: 2_400_000,
        actual_cost_micros: 2_490_000,
        video: Some(video),
        audio: None,
        audio_merged: false,
        created_at_us: 1_763_900_000_000_000,
        updated_at_us: 1_763_900_360_000_000,
        warnings: Vec::new(),
    }))
}

fn told() -> Vec<(&'static str, JobEvent)> {
    let scene = || "9f1c".to_owned();
    vec![
        ("job_created", created()),
        ("job_imported", imported()),
        (
            "job_stalled",
            JobEvent::JobStalled {
                owner: Owner::Render,
                what: "take 1 of scene 2".to_owned(),
                cause: "render has worked on take 1 of scene 2 for 20 minutes without an end".to_owned(),
                since_ms: 1_763_900_000_000,
                deadline_ms: 1_763_901_200_000,
                times: 1,
            },
        ),
        (
            "job_resumed",
            JobEvent::JobResumed {
                owner: Owner::Render,
                what: "take 1 of scene 2".to_owned(),
                since_ms: 1_763_901_200_500,
            },
        ),
        ("job_approved", JobEvent::JobApproved { estimate_micros: 2_400_000, planned_seconds: 12 }),
        ("job_canceled", JobEvent::JobCanceled { reason: Some("wrong photos".to_owned()) }),
        (
            "job_scene_rendered",
            JobEvent::SceneRendered {
                scene: scene(),
                number: 2,
                index: 1,
                take: 1,
                clip: blob("dd44", "video/mp4"),
                poster: None,
                duration_ms: 4_010,
                cost_micros: 800_000,
                provider_id: Some("p1".to_owned()),
            },
        ),
        (
            "job_scene_failed",
            JobEvent::SceneFailed {
                scene: scene(),
                number: 2,
                index: 1,
                take: 1,
                code: "content_refused".to_owned(),
                reason: "the prompt was refused".to_owned(),
                retryable: false,
                cost_micros: 0,
                provider_id: None,
            },
        ),
        (
            "job_completed",
            JobEvent::JobCompleted {
                cut: 1,
                outcome: Outcome::Full,
                master: master(),
                actual_cost_micros: 2_490_000,
                warnings: Vec::new(),
            },
        ),
        ("job_failed", JobEvent::JobFailed { cut: 1, reason: "Every scene failed: no credit".to_owned() }),
        (
            "job_cut_replaced",
            JobEvent::CutReplaced {
                cut: 2,
                outcome: Outcome::Partial,
                master: master(),
                actual_cost_micros: 3_290_000,
                warnings: Vec::new(),
            },
        ),
    ]
}

fn stored(stream: &str, event: &JobEvent) -> StoredEvent {
    StoredEvent {
        id: Uuid::nil(),
        stream: stream.to_owned(),
        version: 1,
        position: 1,
        kind: event.kind().to_owned(),
        schema_version: 1,
        data: event.to_data().into(),
        meta: eventlog::Meta::default(),
        recorded_at: Timestamp::UNIX_EPOCH,
    }
}

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.v1.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_published_message_is_as_it_always_was() {
    for (name, event) in told() {
        let published = job::publish::translate(&stored("job-43", &event)).unwrap().unwrap();
        assert_eq!((published.entity.as_str(), published.name.as_str()), ("43", name));
        assert_eq!(published.data, golden(name), "{name}: {:#}", published.data);
    }
}

#[test]
fn what_concerns_the_service_alone_is_not_published() {
    let quiet = JobEvent::SceneReordered { order: Vec::new() };
    assert_eq!(job::publish::translate(&stored("job-43", &quiet)).unwrap(), None);
    assert_eq!(job::publish::translate(&stored("settings", &created())).unwrap(), None);
}

#[test]
fn an_event_that_cannot_be_read_is_not_passed_over() {
    let mut event = stored("job-43", &created());
    event.data = json!({}).into();
    assert!(job::publish::translate(&event).is_err());
}
