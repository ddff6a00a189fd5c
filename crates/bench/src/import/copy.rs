//! What an import is compared with: every blob of a source into a file of its own, hashed, and synced once.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

/// Bytes copied at one time.
const PIECE: usize = 256 * 1024;

/// Where the predecessor's service keeps bytes of assets.
const COLUMNS: [(&str, &str); 2] = [("asset_blobs", "data"), ("assets", "blob_data")];

/// A copy that is on the disk.
#[derive(Debug)]
pub(super) struct Copied {
    /// Until everything was on the disk.
    pub(super) seconds: f64,
    /// Lower-case hexadecimal SHA-256 of each blob.
    pub(super) digests: BTreeSet<String>,
}

/// Copies every blob into a new directory.
pub(super) fn every_blob(source: &Path, to: &Path) -> anyhow::Result<Copied> {
    let started = Instant::now();
    std::fs::create_dir(to).with_context(|| to.display().to_string())?;
    let database = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let (mut digests, mut piece, mut count) = (BTreeSet::new(), vec![0; PIECE], 0_u64);
    for (table, column) in COLUMNS {
        for row in rows(&database, table, column)? {
            let mut blob = database.blob_open("main", table, column, row, true)?;
            let mut file = File::create(to.join(count.to_string()))?;
            let mut hasher = Sha256::new();
            loop {
                let read = blob.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                hasher.update(&piece[..read]);
                file.write_all(&piece[..read])?;
            }
            let digest = hasher.finalize();
            digests.insert(digest.iter().map(|byte| format!("{byte:02x}")).collect());
            count += 1;
        }
    }
    super::settle(to)?;
    Ok(Copied { seconds: started.elapsed().as_secs_f64(), digests })
}

fn rows(database: &Connection, table: &str, column: &str) -> anyhow::Result<Vec<i64>> {
    let sql = format!("SELECT rowid FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid");
    let mut statement = database.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_blob_is_a_file_with_its_bytes() {
        let scratch = tempfile::tempdir().unwrap();
        let source = scratch.path().join("source.db");
        let database = Connection::open(&source).unwrap();
        database
            .execute_batch(
                "CREATE TABLE asset_blobs (id TEXT PRIMARY KEY, data BLOB NOT NULL);
                 CREATE TABLE assets (id TEXT PRIMARY KEY, blob_data BLOB);
                 INSERT INTO asset_blobs VALUES ('a', 'one'), ('b', zeroblob(300000));
                 INSERT INTO assets VALUES ('c', NULL), ('d', x'ff00');",
            )
            .unwrap();
        drop(database);
        let to = scratch.path().join("copies");
        let copied = every_blob(&source, &to).unwrap();
        assert_eq!(copied.digests.len(), 3);
        let sizes: Vec<u64> =
            (0..3).map(|number| std::fs::metadata(to.join(number.to_string())).unwrap().len()).collect();
        assert_eq!(sizes, [3, 300_000, 2]);
        assert_eq!(std::fs::read(to.join("2")).unwrap(), [0xff, 0]);
    }
}
