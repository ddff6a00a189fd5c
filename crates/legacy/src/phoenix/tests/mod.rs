//! Small databases of the Phoenix service, one for each rule.

mod assets;
mod broken;
mod jobs;
mod owners;
mod realistic;
mod scenes;

use std::io::Read as _;

use protos::{
    asset::v1::{Asset, legacy_thing},
    job::v1::LegacyJob,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Broken, Bytes, Found, Kind, Orphans, Row, Skipped, Slot, Source, Stage, Thing};

/// The tables as the service's last version had them.
const NEW: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, email TEXT NOT NULL,
        password_hash TEXT, api_key_hash TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT, description TEXT, homepage TEXT, brand_guidelines TEXT,
        metadata TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE campaigns (id TEXT PRIMARY KEY, client_id TEXT, name TEXT, brief TEXT, goal TEXT, status TEXT,
        product_url TEXT, metadata TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE assets (id TEXT PRIMARY KEY, type TEXT, blob_data BLOB, source_url TEXT, campaign_id TEXT,
        client_id TEXT, name TEXT, description TEXT, tags TEXT, metadata TEXT, width INTEGER, height INTEGER,
        inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, status TEXT, parameters TEXT, storyboard TEXT,
        progress TEXT, result BLOB, audio_blob BLOB, video_name TEXT, estimated_cost NUMERIC,
        inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE sub_jobs (id TEXT PRIMARY KEY, job_id INTEGER, status TEXT, provider_id TEXT, video_blob BLOB,
        inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);";

/// The tables as they began, without the columns that came later.
const OLD: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, email TEXT NOT NULL,
        password_hash TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT, brand_guidelines TEXT, inserted_at TEXT NOT NULL,
        updated_at TEXT NOT NULL);
    CREATE TABLE campaigns (id TEXT PRIMARY KEY, client_id TEXT, name TEXT, brief TEXT NOT NULL,
        inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE assets (id TEXT PRIMARY KEY, type TEXT, blob_data BLOB, source_url TEXT, campaign_id TEXT,
        metadata TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, status TEXT, parameters TEXT, progress TEXT,
        result BLOB, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE sub_jobs (id TEXT PRIMARY KEY, job_id INTEGER, status TEXT, provider_id TEXT, video_blob BLOB,
        inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL);";

const CLIENT: &str = "c1000000-0000-4000-8000-000000000001";
const CAMPAIGN: &str = "ca000000-0000-4000-8000-000000000001";
const GONE: &str = "90000000-0000-4000-8000-000000000009";
const ASSET: &str = "a5000000-0000-4000-8000-000000000001";
const T: &str = "2025-03-04T05:06:07";
const T_HERE: &str = "2025-03-04T05:06:07Z";
/// What a video begins with, as a blob in SQL.
const VIDEO: &str = "x'0000001866747970'";

/// A database in a directory of its own.
struct Made {
    _directory: TempDir,
    source: Source,
}

/// A database with these tables and rows.
fn made(tables: &str, rows: &str, orphans: Orphans) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backend.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(tables).unwrap();
    connection.execute_batch(rows).unwrap();
    connection.close().unwrap();
    let source = Source::open(&path, None, orphans).unwrap();
    assert_eq!(source.kind(), Kind::Phoenix);
    Made { _directory: directory, source }
}

/// One with the newest tables, a client and a campaign of it.
fn owned(rows: &str) -> Made {
    made(NEW, &format!("{}{rows}", owners()), Orphans::Skip)
}

/// A client and a campaign of it.
fn owners() -> String {
    format!(
        "INSERT INTO clients (id, name, inserted_at, updated_at) VALUES ('{CLIENT}', 'Acme', '{T}', '{T}');
         INSERT INTO campaigns (id, client_id, name, brief, inserted_at, updated_at)
             VALUES ('{CAMPAIGN}', '{CLIENT}', 'Spring', 'Sell it', '{T}', '{T}');"
    )
}

/// A row of a table: the times are set, the other columns are given as `column = value`.
fn row(table: &str, columns: &[(&str, &str)]) -> String {
    let names: String = columns.iter().map(|(name, _)| format!("{name}, ")).collect();
    let values: String = columns.iter().map(|(_, value)| format!("{value}, ")).collect();
    format!(
        "INSERT INTO {table} ({names}inserted_at, updated_at) VALUES ({values}'{T}', '2025-03-04T05:09:00');"
    )
}

/// A text in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Made {
    fn rows(&self, stage: Stage) -> Vec<Row> {
        let keys = self.source.keys(stage).unwrap();
        keys.iter().map(|key| self.source.read(key).unwrap()).collect()
    }

    fn only(&self, stage: Stage) -> Row {
        let mut rows = self.rows(stage);
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    fn found(&self, stage: Stage) -> Found {
        match self.only(stage) {
            Row::Found(found) => *found,
            other => panic!("not found: {other:?}"),
        }
    }

    fn skipped(&self, stage: Stage) -> Skipped {
        match self.only(stage) {
            Row::Skipped(skipped) => skipped,
            other => panic!("not skipped: {other:?}"),
        }
    }

    fn broken(&self, stage: Stage) -> Broken {
        match self.only(stage) {
            Row::Broken(broken) => broken,
            other => panic!("not broken: {other:?}"),
        }
    }

    fn asset(&self) -> Asset {
        match stored(&self.found(Stage::Assets)) {
            legacy_thing::Thing::Asset(asset) => asset,
            other => panic!("no asset: {other:?}"),
        }
    }

    fn job(&self) -> LegacyJob {
        match self.found(Stage::Jobs).thing {
            Thing::Job(job) => *job,
            Thing::Stored(other) => panic!("no job: {other:?}"),
        }
    }

    /// The slots that a job has bytes for, with those bytes.
    fn slots(&self) -> Vec<(Slot, Vec<u8>)> {
        self.found(Stage::Jobs).bytes.iter().map(|bytes| (bytes.slot, self.bytes(bytes))).collect()
    }

    fn bytes(&self, bytes: &Bytes) -> Vec<u8> {
        let mut all = Vec::new();
        self.source.bytes(&bytes.place).unwrap().read_to_end(&mut all).unwrap();
        all
    }
}

fn stored(found: &Found) -> legacy_thing::Thing {
    match &found.thing {
        Thing::Stored(thing) => thing.thing.clone().unwrap(),
        Thing::Job(job) => panic!("a job: {job:?}"),
    }
}
