//! Every kind of event ever written is still read, and written the same way.

use crate::harness::{blob, draft, frame, id};
use job_domain::JobEvent as E;
use job_domain::event::{JobCreated, SCHEMA_VERSION};
use job_domain::imported::{ImportedFile, ImportedFrame, ImportedScene, JobImported};
use job_domain::input::{CutClip, MixInput, RenderInput, SoundtrackInput, SoundtrackPart};
use job_domain::scene::Music;
use job_domain::soundtrack_wish::{ErrorStrategy, SyncMode};
use job_domain::state::{JobKind, Master, Outcome, Override, Shown};
use job_domain::watch::Owner;
use job_domain::{JobStatus, JobTerms, LegacyOrigin, SceneChanges, SceneSpec, SceneStatus, SoundtrackWish};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn video() -> job_domain::BlobRef {
    blob("video", "video/mp4")
}

fn poster() -> Option<job_domain::BlobRef> {
    Some(blob("poster", "image/jpeg"))
}

fn master() -> Master {
    Master {
        video: video(),
        poster: poster(),
        duration_ms: 8_000,
        silent: blob("silent", "video/mp4"),
        soundtrack_take: Some(1),
        shown: vec![Shown { scene: id(1), take: 1 }],
    }
}

fn words() -> (String, String) {
    ("provider_failed".to_owned(), "the provider refused the photo".to_owned())
}

fn created() -> JobCreated {
    JobCreated {
        job: 43,
        job_kind: JobKind::ImagePairs,
        campaign_id: "campaign-1".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("client-1".to_owned()),
        video_name: "Spring 2".to_owned(),
        model: "veo3".to_owned(),
        price_micros_per_second: 200_000,
        aspect_ratio: Some("9:16".to_owned()),
        resolution: Some("720p".to_owned()),
        scene_count: 1,
        estimate_micros: 800_000,
        total_assets: 12,
        soundtrack: true,
        music_prompt: Some("slow piano".to_owned()),
        parameters: serde_json::Map::from_iter([("style".to_owned(), json!("modern"))]),
        terms: JobTerms::default(),
    }
}

/// A completed job of two scenes, one of which failed.
pub(crate) fn imported() -> JobImported {
    let frame = |name: &str, blob| ImportedFrame {
        asset_id: format!("asset-{name}"),
        blob,
        width: 1600,
        height: 1067,
    };
    let clip = ImportedFile { blob: blob("clip", "video/mp4"), poster: poster(), duration_ms: 4_000 };
    let rendered = ImportedScene {
        id: id(1),
        number: 1,
        title: "The Hook".to_owned(),
        description: "The pool".to_owned(),
        prompt: "A slow move over the pool".to_owned(),
        scene_type: Some("exterior".to_owned()),
        transition: Some("fade".to_owned()),
        camera_movement: Some("dolly_forward".to_owned()),
        motion_goal: Some("Draw the viewer in".to_owned()),
        group_name: Some("Pool".to_owned()),
        highlights: vec!["light".to_owned()],
        duration_ms: 1_500,
        frames: vec![frame("1a", Some(blob("1a", "image/jpeg"))), frame("1b", None)],
        status: SceneStatus::Completed,
        error: String::new(),
        provider_id: Some("prediction-1".to_owned()),
        clip: Some(clip),
        cost_micros: 800_000,
        created_at_us: 1_763_900_000_123_456,
        updated_at_us: 1_763_900_060_000_000,
    };
    let failed = ImportedScene {
        id: id(2),
        number: 3,
        status: SceneStatus::Failed,
        error: "the provider refused the photo".to_owned(),
        clip: None,
        cost_micros: 0,
        ..rendered.clone()
    };
    JobImported {
        job: 43,
        legacy_id: 7,
        number: 2,
        origin: LegacyOrigin {
            source: "scenes.db".to_owned(),
            table: "generated_videos".to_owned(),
            row: "7".to_owned(),
            digest: blob("row", "").sha256,
        },
        job_kind: JobKind::ImagePairs,
        campaign_id: "campaign-1".to_owned(),
        campaign_name: "Spring".to_owned(),
        client_id: Some("client-1".to_owned()),
        video_name: "Spring 2".to_owned(),
        model: "image-pair-workflow".to_owned(),
        status: JobStatus::Completed,
        error: String::new(),
        aspect_ratio: Some("16:9".to_owned()),
        resolution: Some("1080p".to_owned()),
        parameters_json: r#"{"style": "modern", "clip_duration": 5.0}"#.to_owned(),
        scenes: vec![rendered, failed],
        estimate_micros: 1_600_000,
        actual_cost_micros: 1_250_000,
        video: Some(ImportedFile { blob: video(), poster: poster(), duration_ms: 8_000 }),
        audio: Some(ImportedFile { blob: blob("music", "audio/mpeg"), poster: None, duration_ms: 8_000 }),
        audio_merged: true,
        created_at_us: 1_763_900_000_123_456,
        updated_at_us: 1_763_900_360_000_000,
        warnings: vec!["The thumbnail was missing".to_owned()],
    }
}

fn storyboard() -> Vec<E> {
    let mut full = draft(1);
    full.camera_movement = Some("dolly_forward".to_owned());
    full.motion_goal = Some("Draw the viewer in".to_owned());
    full.group_name = Some("Kitchen".to_owned());
    full.highlights = vec!["light".to_owned()];
    (full.time_start_ms, full.time_end_ms) = (Some(0), Some(3_000));
    full.music = Music { description: "calm".into(), style: "ambient".into(), energy: "low".into() };
    let scenes = vec![SceneSpec { id: id(1), number: 1, index: 0, draft: full }];
    let changes = SceneChanges {
        title: Some("New".to_owned()),
        description: Some("New text".to_owned()),
        prompt: Some("New prompt".to_owned()),
        transition: Some("cut".to_owned()),
        requested_ms: Some(7_000),
        first_frame: Some(frame("1c")),
        last_frame: Some(frame("1d")),
        ..SceneChanges::default()
    };
    let shown = Override { status: Some(SceneStatus::Failed), provider_id: Some("prediction-9".to_owned()) };
    vec![
        E::JobCreated(Box::new(created())),
        E::JobImported(Box::new(imported())),
        E::StoryboardDrafted { planner: "xai".to_owned(), scenes, estimate_micros: 800_000 },
        E::SceneEdited { scene: id(1), changes, billed_seconds: 6, estimate_micros: 1_200_000 },
        E::SceneOverridden { scene: id(1), shown },
        E::SceneRemoved { scene: id(2), estimate_micros: 800_000, cut: Some(2) },
        E::SceneReordered { order: vec![id(2), id(1)] },
        E::JobApproved { estimate_micros: 800_000, planned_seconds: 4 },
        E::JobCanceled { reason: Some("wrong photos".to_owned()) },
        E::RegenerationRequested { cut: 2, scenes: vec![id(1)], soundtrack: true },
    ]
}

fn takes() -> Vec<E> {
    let (code, reason) = words();
    let (scene, number, index, take) = (id(1), 1, 0, 1);
    let input = RenderInput {
        model: "veo3".to_owned(),
        prompt: "A slow move through room 1".to_owned(),
        seconds: 4,
        aspect_ratio: Some("16:9".to_owned()),
        resolution: "1080p".to_owned(),
        first_frame: frame("1a"),
        last_frame: frame("1b"),
    };
    let key = "job-43/scene-1/take-1".to_owned();
    let provider_id = Some("prediction-1".to_owned());
    let closed = "canceled".to_owned();
    vec![
        E::SceneTakeRequested { cut: 1, scene: scene.clone(), number, take, key, digest: "d1".into(), input },
        E::SceneAttemptStarted {
            scene: scene.clone(),
            number,
            take,
            attempt: 1,
            provider_id: "prediction-1".into(),
        },
        E::SceneRendered {
            scene: scene.clone(),
            number,
            index,
            take,
            clip: blob("clip", "video/mp4"),
            poster: poster(),
            duration_ms: 4_000,
            cost_micros: 800_000,
            provider_id: provider_id.clone(),
        },
        E::SceneFailed {
            scene: scene.clone(),
            number,
            index,
            take,
            code,
            reason,
            retryable: true,
            cost_micros: 0,
            provider_id,
        },
        E::SceneTakeClosed { scene: scene.clone(), number, take, reason: closed, cost_micros: 300_000 },
        E::SceneTakeCharged { scene, number, take, cost_micros: 800_000 },
    ]
}

pub(crate) fn wish() -> SoundtrackWish {
    SoundtrackWish {
        prompt: Some("a slow waltz".to_owned()),
        fade_ms: 1_500,
        sync: SyncMode::Stretch,
        merge: true,
        on_error: ErrorStrategy::Halt,
    }
}

fn soundtracks() -> Vec<E> {
    let (code, reason) = words();
    let part = SoundtrackPart {
        title: "Scene 1".to_owned(),
        description: "What scene 1 shows".to_owned(),
        music: Music { style: "calm".to_owned(), ..Music::default() },
        duration_ms: 4_000,
    };
    let input = SoundtrackInput {
        duration_ms: 4_000,
        prompt: Some("slow piano".into()),
        parts: vec![part],
        on_error: None,
        fade_ms: None,
        voice: None,
    };
    let audio = blob("music", "audio/mpeg");
    vec![
        E::SoundtrackWished { wish: wish() },
        E::SoundtrackRequested {
            take: 1,
            key: "job-43/soundtrack-1".into(),
            digest: "d2".into(),
            input,
            wish: None,
        },
        E::SoundtrackReady { take: 1, audio, duration_ms: 4_000, cost_micros: 50_000, shortfall: None },
        E::SoundtrackFailed { take: 1, code, reason, retryable: false, cost_micros: 0 },
        E::SoundtrackCharged { take: 1, cost_micros: 50_000 },
    ]
}

fn cuts() -> Vec<E> {
    let (code, reason) = words();
    let clip = blob("clip", "video/mp4");
    let clips = vec![CutClip { scene: id(1), number: 1, take: 1, clip, duration_ms: 4_000 }];
    let input =
        MixInput { video: video(), duration_ms: 8_000, soundtrack: blob("music", "audio/mpeg"), shape: None };
    let (cut, duration_ms, actual_cost_micros) = (1, 8_000, 850_000);
    let warnings = vec!["The video is silent: the music model is down".to_owned()];
    vec![
        E::CutRequested { cut, key: "job-43/cut-1".into(), digest: "d3".into(), clips },
        E::CutReady { cut, video: video(), poster: poster(), duration_ms },
        E::CutFailed { cut, code: code.clone(), reason: reason.clone(), retryable: true },
        E::MixRequested { cut, key: "job-43/cut-1/mix".into(), digest: "d4".into(), input },
        E::MixReady { cut, video: video(), poster: poster(), duration_ms },
        E::MixFailed { cut, code, reason: reason.clone(), retryable: true },
        E::ProductClosed { cut, key: "job-43/cut-1".into(), reason: "canceled".into() },
        E::JobCompleted {
            cut,
            outcome: Outcome::Partial,
            master: master(),
            actual_cost_micros,
            warnings: warnings.clone(),
        },
        E::JobFailed { cut, reason },
        E::CutReplaced { cut: 2, outcome: Outcome::Full, master: master(), actual_cost_micros, warnings },
    ]
}

fn stalls() -> Vec<E> {
    let (owner, what) = (Owner::Render, "take 1 of scene 1".to_owned());
    let cause = "render has worked on take 1 of scene 1 for 20 minutes without an end".to_owned();
    let (since_ms, deadline_ms) = (1_763_900_000_000, 1_763_901_200_000);
    vec![
        E::JobStalled { owner, what: what.clone(), cause, since_ms, deadline_ms, times: 1 },
        E::JobResumed { owner, what, since_ms: 1_763_901_201_000 },
    ]
}

fn every_kind() -> Vec<E> {
    [storyboard(), takes(), soundtracks(), cuts(), stalls()].concat()
}

fn stored(kind: &str) -> Value {
    let path = directory().join(format!("{kind}.v1.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the golden file is JSON")
}

#[test]
fn every_kind_has_a_golden_file_and_the_other_way_round() {
    let kinds: BTreeSet<String> =
        every_kind().iter().map(|event| format!("{}.v1.json", event.kind())).collect();
    let files = std::fs::read_dir(directory()).expect("the directory is there");
    let files: BTreeSet<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(kinds, files);
}

#[test]
fn todays_code_reads_every_golden_file() {
    for event in every_kind() {
        let read = E::from_stored(event.kind(), &stored(event.kind()).to_string());
        assert_eq!(read.expect("it reads"), event);
    }
}

#[test]
fn todays_code_writes_what_the_golden_files_say() {
    for event in every_kind() {
        assert_eq!(event.to_data(), stored(event.kind()), "{}", event.kind());
    }
}

#[test]
fn every_kind_names_itself_in_json() {
    for event in every_kind() {
        let json = serde_json::to_value(&event).expect("it is written");
        assert_eq!(json["kind"], json!(event.kind()));
        assert!(event.to_data().get("kind").is_none());
    }
}

#[test]
fn an_edit_of_what_was_editable_later_reads_back() {
    let words = || Some("words".to_owned());
    let changes = SceneChanges {
        scene_type: words(),
        camera_movement: words(),
        motion_goal: words(),
        music_description: words(),
        music_style: words(),
        music_energy: words(),
        ..SceneChanges::default()
    };
    let event = E::SceneEdited { scene: id(1), changes, billed_seconds: 4, estimate_micros: 800_000 };
    let read = E::from_stored("SceneEdited", &event.to_data().to_string());
    assert_eq!(read.expect("it reads"), event);
}

#[test]
fn members_that_tomorrows_code_adds_are_passed_over() {
    let mut data = stored("JobApproved");
    data["added_later"] = json!({"a": 1});
    assert!(E::from_stored("JobApproved", &data.to_string()).is_ok());
}

#[test]
fn what_was_added_to_a_kind_is_written_and_read_and_missing_in_old_events() {
    let terms = JobTerms { merge_audio: false, music_fade_ms: Some(500), ..JobTerms::default() };
    let limited = JobTerms { max_in_flight: Some(2), ..JobTerms::default() };
    assert_eq!(
        serde_json::to_value(&limited).expect("JSON"),
        json!({"merge_audio": true, "max_in_flight": 2})
    );
    let created = JobCreated { terms: terms.clone(), ..created() };
    let created = E::JobCreated(Box::new(created));
    let data = created.to_data();
    assert_eq!(data["terms"], json!({"merge_audio": false, "music_fade_ms": 500}));
    assert_eq!(E::from_stored("JobCreated", &data.to_string()).expect("it reads"), created);
    let mut soundtracks = soundtracks().into_iter().skip(1);
    let Some(E::SoundtrackRequested { take, key, digest, mut input, .. }) = soundtracks.next() else {
        panic!("the requested soundtrack")
    };
    (input.on_error, input.fade_ms) = (Some(ErrorStrategy::Halt), Some(500));
    let wished = E::SoundtrackRequested { take, key, digest, input, wish: Some(wish()) };
    let data = wished.to_data();
    assert_eq!((&data["wish"]["sync"], &data["input"]["on_error"]), (&json!("stretch"), &json!("halt")));
    assert_eq!(E::from_stored("SoundtrackRequested", &data.to_string()).expect("it reads"), wished);
}

#[test]
fn an_unknown_kind_is_told_apart() {
    let error = E::from_stored("JobMelted", "{}").expect_err("it does not read");
    assert_eq!(error.to_string(), "the stored event of kind JobMelted cannot be read");
    assert!(E::from_stored("JobApproved", "[]").is_err());
}

#[test]
fn events_are_written_at_version_1() {
    assert_eq!(SCHEMA_VERSION, 1);
}

/// Writes the golden file of a kind that has none. Files that exist are never written again.
#[test]
#[ignore = "writes files; run once after adding a kind"]
fn write_missing_golden_files() {
    for event in every_kind() {
        let path = directory().join(format!("{}.v1.json", event.kind()));
        if !path.exists() {
            let text = serde_json::to_string_pretty(&event.to_data()).expect("it is written");
            std::fs::write(path, text + "\n").expect("the file is written");
        }
    }
}
