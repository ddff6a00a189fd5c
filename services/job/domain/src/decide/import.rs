//! Bringing a finished job over: its own numbers must be possible; nothing of it is ever asked for.

use crate::evolve::imported;
use crate::imported::{ImportedFile, ImportedScene, JobImported, LegacyOrigin};
use crate::scene::{Frame, MAX_TEXT};
use crate::state::{Job, JobStatus, SceneStatus};
use crate::{BlobRef, JobEvent, Refusal, Violation};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Most scenes of a job.
const MOST_SCENES: usize = 1_000;
/// The largest amount, in micro-dollars: a million dollars.
const MOST_MICROS: i64 = 1_000_000_000_000;
/// The longest length, in milliseconds: a week.
const LONGEST_MS: i64 = 7 * 24 * 3_600 * 1_000;

pub(super) fn first(came: JobImported) -> Result<Vec<JobEvent>, Refusal> {
    let wrong = check(&came);
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    Ok(vec![JobEvent::JobImported(Box::new(came))])
}

/// The same row once more: recorded again only when it has bytes now that it did not have, and lacks none that it had.
pub(super) fn again(job: &Job, came: JobImported) -> Result<Vec<JobEvent>, Refusal> {
    let known = job.imported.as_ref().filter(|known| is_same_row(&known.origin, &came.origin));
    let known = known.filter(|_| job.id == came.job);
    if known.is_none_or(|known| known.number != came.number) {
        return Err(Refusal::JobExists);
    }
    let would_be = imported::job(&came);
    let (had, has) = (files(job), files(&would_be));
    if had == has || !had.is_subset(&has) {
        return Ok(Vec::new());
    }
    first(came)
}

/// Its content may be another one by now: that it has more bytes shows there, too.
fn is_same_row(one: &LegacyOrigin, other: &LegacyOrigin) -> bool {
    (&one.source, &one.table, &one.row) == (&other.source, &other.table, &other.row)
}

/// The files that a job has, those that its scenes show among them.
fn files(job: &Job) -> BTreeSet<File<'_>> {
    let mut files = BTreeSet::new();
    if let Some(master) = &job.master {
        files.insert(File::Video);
        files.extend(master.poster.as_ref().map(|_| File::Poster));
    }
    files.extend(job.soundtrack.ready().map(|_| File::Audio));
    for scene in &job.scenes {
        let draft = &scene.spec.draft;
        let has_bytes = |frame: &Frame| !frame.blob.sha256.is_empty();
        files.extend(has_bytes(&draft.first_frame).then_some(File::First(&scene.spec.id)));
        files.extend(has_bytes(&draft.last_frame).then_some(File::Last(&scene.spec.id)));
        if let Some(clip) = scene.clip() {
            files.insert(File::Clip(&scene.spec.id));
            files.extend(clip.poster.as_ref().map(|_| File::Still(&scene.spec.id)));
        }
    }
    files
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum File<'a> {
    Video,
    Poster,
    Audio,
    Clip(&'a str),
    Still(&'a str),
    First(&'a str),
    Last(&'a str),
}

fn check(came: &JobImported) -> Vec<Violation> {
    let mut wrong = Vec::new();
    for (field, number) in [("job_id", came.job), ("legacy_id", came.legacy_id)] {
        if number < 1 {
            wrong.push(Violation::new(field, format!("is {number}; the number of a job is at least 1")));
        }
    }
    check_end(came, &mut wrong);
    for (field, text) in [
        ("campaign_id", came.campaign_id.as_str()),
        ("client_id", came.client_id.as_deref().unwrap_or_default()),
        ("video_name", &came.video_name),
        ("origin.source", &came.origin.source),
        ("origin.table", &came.origin.table),
        ("origin.row", &came.origin.row),
    ] {
        wrong.extend(check_short(field, text));
    }
    for (field, text) in [
        ("origin.source", &came.origin.source),
        ("origin.table", &came.origin.table),
        ("origin.row", &came.origin.row),
    ] {
        if text.is_empty() {
            wrong.push(Violation::new(field, "can't be blank"));
        }
    }
    if !is_sha256(&came.origin.digest) {
        wrong.push(Violation::new("origin.digest", "is no SHA-256 in lower-case hexadecimal"));
    }
    let parameters = came.parameters_json.trim();
    if !parameters.is_empty() && serde_json::from_str::<Map<String, Value>>(parameters).is_err() {
        wrong.push(Violation::new("parameters_json", "is no JSON object"));
    }
    wrong.extend(check_micros("estimate_micros", came.estimate_micros));
    wrong.extend(check_micros("actual_micros", came.actual_cost_micros));
    wrong.extend(came.video.iter().flat_map(|file| check_file("video", file)));
    wrong.extend(came.audio.iter().flat_map(|file| check_file("audio", file)));
    check_scenes(&came.scenes, &mut wrong);
    wrong
}

fn check_end(came: &JobImported, wrong: &mut Vec<Violation>) {
    if !came.status.is_terminal() {
        let status = came.status.as_str();
        let message = format!("is {status}; a job that is brought over is completed, failed or canceled");
        wrong.push(Violation::new("status", message));
    }
    if came.status == JobStatus::Completed && came.video.is_none() {
        wrong.push(Violation::new("video", "is missing; a completed job has one"));
    }
}

fn check_scenes(scenes: &[ImportedScene], wrong: &mut Vec<Violation>) {
    if scenes.len() > MOST_SCENES {
        let message = format!("are {}; a job has at most {MOST_SCENES}", scenes.len());
        wrong.push(Violation::new("scenes", message));
        return;
    }
    let (mut ids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (index, scene) in scenes.iter().enumerate() {
        let at = |field: &str| format!("scenes[{index}].{field}");
        if scene.id.is_empty() || !ids.insert(&scene.id) {
            wrong.push(Violation::new(at("id"), "must be given once per scene"));
        }
        wrong.extend(check_short(&at("id"), &scene.id));
        if scene.number < 1 || !numbers.insert(scene.number) {
            wrong.push(Violation::new(at("number"), "must be at least 1, and given once per job"));
        }
        if scene.status == SceneStatus::Processing {
            let message = "is processing; a scene that is brought over is pending, completed or failed";
            wrong.push(Violation::new(at("status"), message));
        }
        if scene.frames.len() > 2 {
            wrong.push(Violation::new(
                at("frames"),
                format!("are {}; a scene has at most two", scene.frames.len()),
            ));
        }
        wrong.extend(check_length(&at("duration_ms"), scene.duration_ms));
        wrong.extend(check_micros(&at("actual_micros"), scene.cost_micros));
        wrong.extend(scene.clip.iter().flat_map(|file| check_file(&at("clip"), file)));
        for frame in &scene.frames {
            wrong.extend(frame.blob.iter().filter_map(|blob| check_blob(&at("frames"), blob)));
        }
    }
}

/// What the read tables hold is short and has no zero byte, which PostgreSQL does not take.
fn check_short(field: &str, text: &str) -> Option<Violation> {
    if text.contains('\0') {
        return Some(Violation::new(field, "holds a zero byte"));
    }
    let is_long = text.chars().count() > MAX_TEXT;
    is_long.then(|| Violation::new(field, format!("should be at most {MAX_TEXT} character(s)")))
}

fn check_micros(field: &str, micros: i64) -> Option<Violation> {
    let fits = (0..=MOST_MICROS).contains(&micros);
    (!fits).then(|| Violation::new(field, format!("is {micros}; it must be from 0 to {MOST_MICROS}")))
}

fn check_length(field: &str, ms: i64) -> Option<Violation> {
    let fits = (0..=LONGEST_MS).contains(&ms);
    (!fits).then(|| Violation::new(field, format!("is {ms}; it must be from 0 to {LONGEST_MS}")))
}

fn check_file(field: &str, file: &ImportedFile) -> Vec<Violation> {
    let blob = check_blob(field, &file.blob);
    let poster = file.poster.as_ref().and_then(|poster| check_blob(&format!("{field}.poster"), poster));
    let length = check_length(&format!("{field}.duration_ms"), file.duration_ms);
    blob.into_iter().chain(poster).chain(length).collect()
}

fn check_blob(field: &str, blob: &BlobRef) -> Option<Violation> {
    (!is_sha256(&blob.sha256))
        .then(|| Violation::new(format!("{field}.sha256"), "is no SHA-256 in lower-case hexadecimal"))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
