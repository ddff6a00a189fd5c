//! What a file has to be like to be read, and whether it stays so.
//!
//! It is opened as one that nobody changes (`immutable`): SQLite then takes no locks and puts nothing beside it, but does
//! not look for what a service has not written into it yet either. So that is looked for here, before and after.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::{
    SourceError,
    tables::{Tables, unreadable},
};
use crate::model::Kind;

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a database's header is, in bytes.
const HEADER: usize = 100;

/// What does not stand for itself in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What to do about a database that is in use.
const IN_USE: &str = "it is being written to or was not closed: stop the service that uses it (or copy it with \
                      `sqlite3 FILE '.backup COPY'`), then try again";

/// A file as it was when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    seen: Seen,
}

/// What shows that a file was written to.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    size: u64,
    modified: Option<SystemTime>,
    /// SQLite's count of the changes made to it.
    changes: [u8; 4],
}

impl Opened {
    /// Looks at a file and opens it for reading alone.
    pub(super) fn open(path: &Path) -> Result<(Self, Connection), SourceError> {
        let real = real(path)?;
        let (seen, header) = look(path, &real)?;
        complete(path, &header, seen.size)?;
        closed(path, &real)?;
        let fault = |error| unreadable(path, "it", &error);
        let connection = connect(&real).map_err(fault)?;
        Ok((Self { path: real, seen }, connection))
    }

    /// Whether the file is still what it was.
    pub(super) fn unchanged(&self) -> Result<(), SourceError> {
        closed(&self.path, &self.path)?;
        let (seen, _) = look(&self.path, &self.path)?;
        if seen == self.seen {
            return Ok(());
        }
        let stop = "it was changed while it was read: stop the service that uses it, then run this again (what is \
                    there already is found again)";
        Err(unusable(&self.path, stop))
    }
}

/// Where a file really is: what belongs to a database lies beside that.
fn real(path: &Path) -> Result<PathBuf, SourceError> {
    let real =
        path.canonicalize().map_err(|error| unusable(path, format!("it cannot be opened ({error})")))?;
    let file =
        fs::metadata(&real).map_err(|error| unusable(path, format!("it cannot be opened ({error})")))?;
    if file.is_file() { Ok(real) } else { Err(unusable(path, "it is no file: name the database itself")) }
}

/// Reads a database's header.
fn look(path: &Path, real: &Path) -> Result<(Seen, [u8; HEADER]), SourceError> {
    let fault = |error| unusable(path, format!("it cannot be read ({error})"));
    let mut file = File::open(real).map_err(fault)?;
    let facts = file.metadata().map_err(fault)?;
    let mut header = [0; HEADER];
    let mut start = Vec::new();
    file.by_ref().take(HEADER as u64).read_to_end(&mut start).map_err(fault)?;
    if start.is_empty() {
        return Err(unusable(path, "it is empty, not an SQLite database"));
    }
    if !start.starts_with(MAGIC) {
        return Err(unusable(path, "it is not an SQLite database"));
    }
    if start.len() < HEADER {
        return Err(unusable(
            path,
            format!("it is truncated: it ends after {} bytes. Copy it again", start.len()),
        ));
    }
    header.copy_from_slice(&start);
    let changes = four(&header, 24);
    Ok((Seen { size: facts.len(), modified: facts.modified().ok(), changes }, header))
}

fn four(header: &[u8; HEADER], at: usize) -> [u8; 4] {
    [header[at], header[at + 1], header[at + 2], header[at + 3]]
}

/// Whether all pages that a header tells of are there.
fn complete(path: &Path, header: &[u8; HEADER], size: u64) -> Result<(), SourceError> {
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        page => u64::from(page),
    };
    if !page.is_power_of_two() || page < 512 {
        return Err(unusable(path, format!("it is damaged: its header says that a page has {page} bytes")));
    }
    // The count of pages is only to be trusted if whoever wrote last knew of it.
    let counted = four(header, 24) == four(header, 92);
    let pages = u64::from(u32::from_be_bytes(four(header, 28)));
    let least = if counted && pages > 0 { pages * page } else { size.next_multiple_of(page) };
    if size >= least {
        return Ok(());
    }
    let missing = format!(
        "it is truncated: it has {size} bytes where its header tells of {least} (pages of {page} bytes). Copy it again"
    );
    Err(unusable(path, missing))
}

/// Whether nothing lies beside it that still has to be written into it.
fn closed(path: &Path, real: &Path) -> Result<(), SourceError> {
    for (ending, what) in [("-wal", "write-ahead log"), ("-journal", "journal")] {
        let mut beside = real.as_os_str().to_owned();
        beside.push(ending);
        let beside = PathBuf::from(beside);
        if fs::metadata(&beside).is_ok_and(|file| file.len() > 0) {
            return Err(unusable(path, format!("its {what} {} is not empty: {IN_USE}", beside.display())));
        }
    }
    Ok(())
}

fn connect(real: &Path) -> rusqlite::Result<Connection> {
    let path = percent_encode(real.as_os_str().as_encoded_bytes(), PATH);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{path}?mode=ro&immutable=1"), flags)?;
    // 2 MB of pages and no mapping: what is read is read once, and a source may be far larger than the memory.
    connection.execute_batch(
        "PRAGMA cache_size = -2048; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON; \
         PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    Ok(connection)
}

/// Recognises what a database is of by its tables.
pub(super) fn kind(path: &Path, tables: &Tables) -> Result<Kind, SourceError> {
    let kind = if tables.has_table("jobs") && tables.has_table("sub_jobs") {
        Kind::Phoenix
    } else if tables.has("assets", "asset_type")
        || tables.has_table("generated_videos")
        || tables.has("clients", "user_id")
    {
        Kind::ScenesDb
    } else {
        let names: Vec<_> = tables.names().collect();
        let found = if names.is_empty() {
            "no tables".to_owned()
        } else {
            format!("the tables {}", names.join(", "))
        };
        let unknown = format!(
            "it is no database that can be brought over: it has {found}. A scenes.db of the Python service has assets \
             with asset_type, generated_videos or clients with user_id; a database of the Phoenix service has jobs and \
             sub_jobs"
        );
        return Err(unusable(path, unknown));
    };
    for (table, columns) in NEEDED {
        for column in *columns {
            if tables.has_table(table) && !tables.has(table, column) {
                return Err(unusable(
                    path,
                    format!("its table {table} has no column {column}: it cannot be read"),
                ));
            }
        }
    }
    Ok(kind)
}

/// Columns without which nothing can be said of a row, in both kinds.
const NEEDED: &[(&str, &[&str])] = &[
    ("clients", &["id", "name"]),
    ("campaigns", &["id", "client_id", "name"]),
    ("assets", &["id", "campaign_id"]),
    ("generated_videos", &["id", "status", "parameters"]),
    ("video_sub_jobs", &["id", "job_id", "sub_job_number"]),
    ("job_scenes", &["id", "job_id", "scene_number"]),
    ("jobs", &["id", "status"]),
    ("sub_jobs", &["id", "job_id"]),
];

fn unusable(path: &Path, why: impl std::fmt::Display) -> SourceError {
    SourceError::Unusable(format!("{}: {why}", path.display()))
}
