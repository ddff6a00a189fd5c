//! Files that the product uploaded.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::{LedgerDb, Result};

/// One uploaded file; its bytes lie under `files/<id>` in the stage's directory.
#[derive(Debug, Clone)]
pub(crate) struct FileRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    pub(crate) metadata: Value,
    pub(crate) created_at: i64,
}

impl LedgerDb {
    pub(crate) fn add_file(&self, file: &FileRow) -> Result<()> {
        self.conn.lock().execute(
            "INSERT INTO file (id, name, content_type, size, sha256, metadata, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                file.id,
                file.name,
                file.content_type,
                file.size,
                file.sha256,
                file.metadata.to_string(),
                file.created_at
            ],
        )?;
        Ok(())
    }

    pub(crate) fn file(&self, id: &str) -> Result<Option<FileRow>> {
        self.conn.lock().query_row("SELECT * FROM file WHERE id = ?1", [id], read).optional()
    }

    pub(crate) fn files(&self) -> Result<Vec<FileRow>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare("SELECT * FROM file ORDER BY created_at DESC, id LIMIT 100")?;
        query.query_map([], read)?.collect()
    }

    pub(crate) fn files_before(&self, before: i64) -> Result<Vec<String>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare("SELECT id FROM file WHERE created_at < ?1")?;
        query.query_map([before], |row| row.get(0))?.collect()
    }

    pub(crate) fn remove_file(&self, id: &str) -> Result<bool> {
        Ok(self.conn.lock().execute("DELETE FROM file WHERE id = ?1", [id])? > 0)
    }
}

fn read(row: &Row<'_>) -> Result<FileRow> {
    let metadata: String = row.get("metadata")?;
    Ok(FileRow {
        id: row.get("id")?,
        name: row.get("name")?,
        content_type: row.get("content_type")?,
        size: row.get("size")?,
        sha256: row.get("sha256")?,
        metadata: serde_json::from_str(&metadata).unwrap_or_default(),
        created_at: row.get("created_at")?,
    })
}
