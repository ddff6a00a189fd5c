//! A database as it is met in practice, beside what is known to be in it.

use std::collections::BTreeMap;

use legacysources::{BytesTruth, JobTruth, Truth, phoenix::realistic};
use sha2::{Digest as _, Sha256};

use super::*;

/// The SHA-256 of the bytes that were found, by table, row and slot.
fn digests(made: &Made, stages: &[Stage]) -> BTreeMap<(String, String, Slot), String> {
    let mut all = BTreeMap::new();
    for row in stages.iter().flat_map(|stage| made.rows(*stage)) {
        let Row::Found(found) = row else { continue };
        let origin = found.thing.origin().unwrap();
        for bytes in found.bytes.iter().filter(|bytes| !matches!(bytes.place, crate::Place::Url(_))) {
            let key = (origin.table.clone(), origin.row.clone(), bytes.slot);
            assert_eq!(all.insert(key, hex::encode(Sha256::digest(made.bytes(bytes)))), None);
        }
    }
    all
}

/// The same by what is known.
fn known(truth: &Truth) -> BTreeMap<(String, String, Slot), String> {
    let mut all = BTreeMap::new();
    let mut add = |table: &str, row: &str, slot, bytes: Option<&BytesTruth>| {
        all.extend(bytes.map(|bytes| ((table.to_owned(), row.to_owned(), slot), bytes.sha256.clone())));
    };
    for asset in &truth.assets {
        add(asset.table, &asset.id, Slot::Asset, asset.bytes.here());
    }
    for job in &truth.jobs {
        let number = job.number.to_string();
        for (slot, bytes) in
            [(Slot::Video, &job.video), (Slot::Poster, &job.poster), (Slot::Audio, &job.audio)]
        {
            add(job.table, &number, slot, bytes.as_ref());
        }
        for (place, scene) in job.scenes.iter().enumerate() {
            add(job.table, &number, Slot::Clip(place), scene.clip.as_ref());
        }
    }
    all
}

fn same(job: &LegacyJob, wanted: &JobTruth) {
    let status = if wanted.video_missing { "failed" } else { wanted.status };
    assert_eq!((job.status.as_str(), Some(job.kind.as_str())), (status, wanted.kind), "{job:?}");
    assert_eq!((job.model.as_str(), job.estimate_micros), (wanted.model.as_str(), wanted.estimate_micros));
    assert!(wanted.error.as_ref().is_none_or(|error| job.error.contains(error)), "{job:?}");
    assert_eq!(job.created_at, wanted.created_at);
    let found: Vec<_> = job
        .scenes
        .iter()
        .map(|scene| {
            let frames: Vec<_> = scene.frames.iter().map(|frame| frame.asset_id.as_str()).collect();
            let words = (scene.description.as_str(), scene.duration_ms, scene.provider_id.as_deref());
            (scene.id.as_str(), scene.number, scene.status.as_str(), words, frames)
        })
        .collect();
    let wanted: Vec<_> = wanted
        .scenes
        .iter()
        .map(|scene| {
            let frames: Vec<_> = scene.frames.iter().map(|frame| frame.asset_id.as_str()).collect();
            let description = scene.description.as_deref().unwrap_or_default();
            let words = (description, scene.duration_ms.unwrap_or_default(), scene.provider_id.as_deref());
            (scene.id.as_str(), scene.number, scene.status, words, frames)
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn all_of_a_realistic_database_is_found_with_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backend.db");
    let truth = realistic(&path, 3).unwrap();
    let source = Source::open(&path, None, Orphans::Keep).unwrap();
    let made = Made { _directory: directory, source };

    let count = |stage| made.rows(stage).iter().filter(|row| matches!(row, Row::Found(_))).count();
    assert_eq!(count(Stage::Clients), truth.clients.len(), "a job of a campaign that is gone is no orphan");
    assert_eq!(count(Stage::Campaigns), truth.campaigns.len());
    assert_eq!((count(Stage::Assets), count(Stage::Keys)), (truth.assets.len(), truth.keys.len()));
    assert_eq!(digests(&made, &[Stage::Assets, Stage::Jobs]), known(&truth));

    let jobs = made.rows(Stage::Jobs);
    assert_eq!(jobs.len(), truth.jobs.len());
    for row in jobs {
        let Row::Found(found) = row else { panic!("not found: {row:?}") };
        let Thing::Job(job) = &found.thing else { panic!("no job") };
        let wanted = truth.jobs.iter().find(|wanted| wanted.number == i64::from(job.legacy_id)).unwrap();
        same(job, wanted);
        assert_eq!(found.missing.is_some(), wanted.video_missing, "{:?}", found.missing);
    }
}
