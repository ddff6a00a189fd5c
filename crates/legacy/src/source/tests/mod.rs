//! Opening a source: what is refused, and with which words.

use std::{
    fs::{self, OpenOptions},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Kind, Orphans, Row, Source, Stage};

const CLIENT: &str = "11111111-1111-4111-8111-111111111111";

struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A database with some clients.
    fn database(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE clients (id TEXT PRIMARY KEY, user_id INTEGER, name TEXT, created_at TIMESTAMP);
                 INSERT INTO clients VALUES ('{CLIENT}', 1, 'Acme', '2025-11-01 08:00:00');
                 CREATE TABLE filler (text TEXT);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                 INSERT INTO filler SELECT hex(randomblob(100)) FROM n;"
            ))
            .unwrap();
        path
    }
}

fn open(path: &Path) -> Result<Source, String> {
    Source::open(path, None, Orphans::Skip).map_err(|error| error.to_string())
}

fn refusal(path: &Path) -> String {
    let refusal = open(path).unwrap_err();
    assert!(refusal.starts_with(&format!("{}: ", path.display())), "{refusal}");
    refusal
}

#[test]
fn what_is_no_file_or_no_database_is_refused() {
    let files = Files::new();
    assert!(refusal(&files.path("none.db")).contains("it cannot be opened"));
    assert!(refusal(files.dir.path()).contains("it is no file"));
    fs::write(files.path("empty.db"), "").unwrap();
    assert!(refusal(&files.path("empty.db")).contains("it is empty, not an SQLite database"));
    fs::write(files.path("text.db"), "dear diary ".repeat(100)).unwrap();
    assert!(refusal(&files.path("text.db")).contains("it is not an SQLite database"));
}

#[test]
fn a_truncated_database_is_refused_before_anything_is_read() {
    let files = Files::new();
    let path = files.database("cut.db");
    let whole = fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(whole - 1).unwrap();
    let refusal_text = refusal(&path);
    let wanted = format!("it is truncated: it has {} bytes where its header tells of {whole}", whole - 1);
    assert!(refusal_text.contains(&wanted), "{refusal_text}");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(50).unwrap();
    assert!(refusal(&path).contains("it is truncated: it ends after 50 bytes"));
}

#[test]
fn a_database_that_is_being_written_to_is_refused() {
    let files = Files::new();
    let path = files.database("busy.db");
    let mut writer = Connection::open(&path).unwrap();
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    writer.execute("UPDATE clients SET name = 'B'", []).unwrap();
    let text = refusal(&path);
    assert!(text.contains("write-ahead log") && text.contains("stop the service that uses it"), "{text}");
    // Closing it writes everything into the file itself.
    writer.pragma_update(None, "journal_mode", "DELETE").unwrap();
    assert!(open(&path).is_ok());
    let transaction = writer.transaction().unwrap();
    transaction.execute("UPDATE clients SET name = 'C'", []).unwrap();
    assert!(refusal(&path).contains("-journal is not empty"));
    transaction.rollback().unwrap();
    assert!(open(&path).is_ok());
}

#[test]
fn a_database_of_something_else_is_refused_with_what_it_has_and_what_was_looked_for() {
    let files = Files::new();
    let path = files.path("other.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE songs (id); CREATE TABLE bands (id)")
        .unwrap();
    let text = refusal(&path);
    assert!(text.contains("the tables bands, songs"), "{text}");
    assert!(text.contains("jobs and sub_jobs") && text.contains("generated_videos"), "{text}");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE generated_videos (id, status)").unwrap();
    assert!(refusal(&path).contains("its table generated_videos has no column parameters"));
}

#[test]
fn both_kinds_are_recognised_by_their_tables() {
    let files = Files::new();
    let source = open(&files.database("a.db")).unwrap();
    assert_eq!((source.kind(), source.name()), (Kind::ScenesDb, "scenes.db"));
    let path = files.path("b.db");
    let sql =
        "CREATE TABLE jobs (id, status); CREATE TABLE sub_jobs (id, job_id); CREATE TABLE clients (id, name)";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let source = Source::open(&path, Some("second"), Orphans::Skip).unwrap();
    assert_eq!((source.kind(), source.name()), (Kind::Phoenix, "second"));
}

#[test]
fn a_source_is_left_as_it_was_with_nothing_beside_it() {
    let files = Files::new();
    // A name that means something in a URI.
    let path = files.database("100% mine?mode=rwc#ä.db");
    let writer = Connection::open(&path).unwrap();
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    writer.close().unwrap();
    let before = fs::read(&path).unwrap();
    let source = open(&path).unwrap();
    for stage in Stage::ALL {
        for key in source.keys(stage).unwrap() {
            assert!(matches!(source.read(&key).unwrap(), Row::Found(_)));
        }
    }
    source.unchanged().unwrap();
    let beside: Vec<_> = fs::read_dir(files.dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(beside, std::slice::from_ref(&path));
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_source_that_changes_while_it_is_read_is_noticed() {
    let files = Files::new();
    let path = files.database("a.db");
    let source = open(&path).unwrap();
    source.unchanged().unwrap();
    Connection::open(&path).unwrap().execute("UPDATE clients SET name = 'B'", []).unwrap();
    assert!(source.unchanged().unwrap_err().to_string().contains("it was changed while it was read"));
}

#[test]
fn a_damaged_table_is_named() {
    let files = Files::new();
    let path = files.database("a.db");
    let root: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = 'clients'", [], |row| row.get(0))
        .unwrap();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((root as u64 - 1) * 4096)).unwrap();
    file.write_all(&[0xAB; 200]).unwrap();
    drop(file);
    let text = refusal(&path);
    assert!(text.contains("the database is damaged: table clients cannot be read"), "{text}");
}
