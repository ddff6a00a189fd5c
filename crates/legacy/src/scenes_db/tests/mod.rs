//! A `scenes.db` for each rule, made by SQL.

mod assets;
mod broken;
mod jobs;
mod orphans;
mod owners;
mod scenes;

use std::{io::Read as _, path::PathBuf};

use protos::{
    asset::v1::{Asset, Campaign, Client, LegacyKey, legacy_thing},
    job::v1::LegacyJob,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Broken, Found, Orphans, Place, Row, Skipped, Slot, Source, Stage, Thing};

/// Ids of what the tables hold in most tests.
const CLIENT: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_CLIENT: &str = "22222222-2222-4222-8222-222222222222";
const CAMPAIGN: &str = "33333333-3333-4333-8333-333333333333";
const ORPHAN_CAMPAIGN: &str = "44444444-4444-4444-8444-444444444444";
const GONE: &str = "99999999-9999-4999-8999-999999999999";
const A: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const B: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

/// The tables, with the columns that the tests need and all those that came late.
const SCHEMA: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, created_at TIMESTAMP);
CREATE TABLE api_keys (id INTEGER PRIMARY KEY, key_hash TEXT, name TEXT, user_id INTEGER, is_active BOOLEAN,
    created_at TIMESTAMP, last_used TIMESTAMP, expires_at TIMESTAMP);
CREATE TABLE clients (id TEXT PRIMARY KEY, user_id INTEGER, name TEXT, description TEXT, brand_guidelines TEXT,
    created_at TIMESTAMP, updated_at TIMESTAMP, homepage TEXT, metadata TEXT);
CREATE TABLE campaigns (id TEXT PRIMARY KEY, client_id TEXT, user_id INTEGER, name TEXT, goal TEXT, status TEXT,
    product_url TEXT, brief TEXT, metadata TEXT, created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE asset_blobs (id TEXT PRIMARY KEY, data BLOB, content_type TEXT, size_bytes INTEGER, created_at TIMESTAMP);
CREATE TABLE assets (id TEXT PRIMARY KEY, user_id INTEGER, client_id TEXT, campaign_id TEXT, name TEXT DEFAULT 'A',
    asset_type TEXT DEFAULT 'image', url TEXT DEFAULT '', size INTEGER, uploaded_at TIMESTAMP, format TEXT, tags TEXT,
    width INTEGER, height INTEGER, duration INTEGER, thumbnail_url TEXT, waveform_url TEXT, page_count INTEGER,
    blob_data BLOB, blob_id TEXT, source_url TEXT, thumbnail_blob_id TEXT);
CREATE TABLE generated_videos (id INTEGER PRIMARY KEY AUTOINCREMENT, prompt TEXT DEFAULT '', video_url TEXT,
    model_id TEXT DEFAULT 'image-pair-workflow', parameters TEXT DEFAULT '{}', status TEXT DEFAULT 'completed',
    created_at TIMESTAMP, collection TEXT, metadata TEXT, download_error TEXT, video_data BLOB, thumbnail_data BLOB,
    progress TEXT, storyboard_data TEXT, estimated_cost REAL DEFAULT 0.0, actual_cost REAL DEFAULT 0.0,
    error_message TEXT, updated_at TIMESTAMP, client_id TEXT, campaign_id TEXT, format TEXT DEFAULT '16:9',
    duration INTEGER DEFAULT 30, views INTEGER DEFAULT 0);
CREATE TABLE job_scenes (id TEXT PRIMARY KEY, job_id INTEGER, scene_number INTEGER, duration_seconds REAL,
    description TEXT, script TEXT, shot_type TEXT, transition TEXT, assets TEXT, metadata TEXT, created_at TIMESTAMP,
    updated_at TIMESTAMP);
CREATE TABLE video_sub_jobs (id TEXT PRIMARY KEY, job_id INTEGER, sub_job_number INTEGER, image1_asset_id TEXT,
    image2_asset_id TEXT, replicate_prediction_id TEXT, model_id TEXT, input_parameters TEXT, status TEXT,
    progress REAL, video_url TEXT, video_blob_id TEXT, duration_seconds REAL, estimated_cost REAL, actual_cost REAL,
    error_message TEXT, retry_count INTEGER, created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE generated_audio (id INTEGER PRIMARY KEY, prompt TEXT, audio_url TEXT, model_id TEXT, parameters TEXT,
    status TEXT, created_at TIMESTAMP, metadata TEXT, audio_data BLOB, duration REAL, client_id TEXT,
    campaign_id TEXT);
CREATE TABLE generated_images (id INTEGER PRIMARY KEY, prompt TEXT, image_url TEXT, model_id TEXT, parameters TEXT,
    status TEXT, created_at TIMESTAMP, metadata TEXT, image_data BLOB);
CREATE TABLE creative_briefs (id TEXT PRIMARY KEY, created_at TIMESTAMP);
CREATE TABLE genesis_videos (id INTEGER PRIMARY KEY, created_at TIMESTAMP);
";

/// A database with two clients, a campaign of the first, and one whose client is gone.
struct Old {
    _dir: TempDir,
    path: PathBuf,
}

impl Old {
    fn new(sql: &str) -> Self {
        let old = Self::empty(SCHEMA);
        old.run(&format!(
            "INSERT INTO clients (id, name, created_at) VALUES ('{CLIENT}', 'Acme', '2025-11-01 08:00:00'),
                ('{OTHER_CLIENT}', 'Other', '2025-11-02 08:00:00');
             INSERT INTO campaigns (id, client_id, name, created_at) VALUES
                ('{CAMPAIGN}', '{CLIENT}', 'Autumn', '2025-11-03 08:00:00'),
                ('{ORPHAN_CAMPAIGN}', '{GONE}', 'Lost', '2025-11-04 08:00:00');"
        ));
        old.run(sql);
        old
    }

    fn empty(schema: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scenes.db");
        let old = Self { _dir: dir, path };
        old.run(schema);
        old
    }

    fn run(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }

    fn skip(&self) -> Source {
        Source::open(&self.path, None, Orphans::Skip).unwrap()
    }

    fn keep(&self) -> Source {
        Source::open(&self.path, None, Orphans::Keep).unwrap()
    }
}

/// All rows of a stage.
fn rows(source: &Source, stage: Stage) -> Vec<Row> {
    source.keys(stage).unwrap().iter().map(|key| source.read(key).unwrap()).collect()
}

/// What of them is to be brought over.
fn found(source: &Source, stage: Stage) -> Vec<Found> {
    let found = rows(source, stage).into_iter().filter_map(|row| match row {
        Row::Found(found) => Some(*found),
        _ => None,
    });
    found.collect()
}

/// What of them is left out.
fn skipped(source: &Source, stage: Stage) -> Vec<Skipped> {
    let skipped = rows(source, stage).into_iter().filter_map(|row| match row {
        Row::Skipped(skipped) => Some(skipped),
        _ => None,
    });
    skipped.collect()
}

/// The only row of a stage, which is broken.
fn broken(source: &Source, stage: Stage) -> Broken {
    let broken: Vec<_> = rows(source, stage)
        .into_iter()
        .filter_map(|row| match row {
            Row::Broken(broken) => Some(broken),
            _ => None,
        })
        .collect();
    let [broken] = broken.as_slice() else { panic!("not one broken row, but {broken:?}") };
    broken.clone()
}

fn only(source: &Source, stage: Stage) -> Found {
    let all = rows(source, stage);
    let [Row::Found(found)] = all.as_slice() else { panic!("not one row that was found, but {all:?}") };
    (**found).clone()
}

fn stored(found: &Found) -> &legacy_thing::Thing {
    let Thing::Stored(thing) = &found.thing else { panic!("a job") };
    thing.thing.as_ref().unwrap()
}

fn client(found: &Found) -> &Client {
    let legacy_thing::Thing::Client(client) = stored(found) else { panic!("no client") };
    client
}

fn campaign(found: &Found) -> &Campaign {
    let legacy_thing::Thing::Campaign(campaign) = stored(found) else { panic!("no campaign") };
    campaign
}

fn asset(found: &Found) -> &Asset {
    let legacy_thing::Thing::Asset(asset) = stored(found) else { panic!("no asset") };
    asset
}

fn key(found: &Found) -> &LegacyKey {
    let legacy_thing::Thing::Key(key) = stored(found) else { panic!("no key") };
    key
}

fn job(found: &Found) -> &LegacyJob {
    let Thing::Job(job) = &found.thing else { panic!("no job") };
    job
}

/// The member `legacy` of a JSON object.
fn legacy(json: Option<&str>) -> Value {
    serde_json::from_str::<Value>(json.unwrap()).unwrap()["legacy"].clone()
}

fn place(found: &Found, slot: Slot) -> Option<&Place> {
    found.bytes.iter().find(|bytes| bytes.slot == slot).map(|bytes| &bytes.place)
}

/// The bytes of a slot.
fn bytes(source: &Source, found: &Found, slot: Slot) -> Vec<u8> {
    let mut all = Vec::new();
    source.bytes(place(found, slot).unwrap()).unwrap().read_to_end(&mut all).unwrap();
    all
}

fn digest(found: &Found) -> String {
    found.thing.origin().unwrap().digest.clone()
}
