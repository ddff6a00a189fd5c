//! That sources are what their truths say.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod bytes;
mod damages;
mod rows;
mod sizes;

use std::path::PathBuf;

use legacysources::{Truth, phoenix, scenes_db};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A source in a scratch directory.
struct Made {
    folder: TempDir,
    path: PathBuf,
    truth: Truth,
}

impl Made {
    fn by(make: impl FnOnce(&std::path::Path) -> anyhow::Result<Truth>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.db");
        let truth = make(&path).unwrap();
        Self { folder, path, truth }
    }

    fn scenes_db() -> Self {
        Self::by(|path| scenes_db::realistic(path, 7))
    }

    fn phoenix() -> Self {
        Self::by(|path| phoenix::realistic(path, 7))
    }

    fn open(&self) -> Connection {
        Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// What a query for one number says.
    fn number(&self, sql: &str) -> usize {
        self.open().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
    }

    fn rows_of(&self, table: &str) -> usize {
        self.number(&format!("SELECT COUNT(*) FROM {table}"))
    }
}
