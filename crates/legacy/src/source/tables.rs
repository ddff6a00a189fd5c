//! The tables of a source and their columns.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, ErrorCode};

use super::SourceError;

/// Columns that hold bytes however they are declared: copies of a database may have lost the types.
const BLOBS: [&str; 9] = [
    "data",
    "blob_data",
    "image_data",
    "video_data",
    "audio_data",
    "thumbnail_data",
    "video_blob",
    "audio_blob",
    "result",
];

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Whether it holds bytes, which are not read with the row.
    pub(super) blob: bool,
    primary: bool,
}

/// The tables of a database and their columns.
#[derive(Debug)]
pub(crate) struct Tables(BTreeMap<String, Vec<Column>>);

impl Tables {
    /// Reads which there are.
    pub(crate) fn read(connection: &Connection, path: &Path) -> Result<Self, SourceError> {
        let fault = |error| unreadable(path, "the list of its tables", &error);
        let mut names = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
            .map_err(fault)?;
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(fault)?;
        let mut tables = BTreeMap::new();
        for name in names {
            let columns = columns(connection, &name).map_err(fault)?;
            tables.insert(name, columns);
        }
        Ok(Self(tables))
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is such a table.
    pub(crate) fn has_table(&self, table: &str) -> bool {
        self.0.contains_key(table)
    }

    /// Whether a table has such a column.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.columns(table).iter().any(|candidate| candidate.name == column)
    }

    /// The columns of a table; none when there is no such table.
    pub(super) fn columns(&self, table: &str) -> &[Column] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    /// The column of a table's primary key, in SQL; SQLite's own number of the row when it has none.
    pub(super) fn primary(&self, table: &str) -> String {
        let primary = self.columns(table).iter().find(|column| column.primary);
        primary.map_or_else(|| "rowid".to_owned(), |column| name(&column.name))
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut columns = connection.prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1)")?;
    let columns = columns.query_map([table], |row| {
        let name: String = row.get(0)?;
        let declared: String = row.get(1)?;
        let blob = declared.eq_ignore_ascii_case("blob") || BLOBS.contains(&name.as_str());
        Ok(Column { name, blob, primary: row.get::<_, i64>(2)? == 1 })
    })?;
    columns.collect()
}

/// A name in SQL.
pub(super) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// That a part of a database cannot be read, and what to do.
pub(super) fn unreadable(path: &Path, part: &str, error: &rusqlite::Error) -> SourceError {
    let path = path.display();
    let damaged = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    );
    SourceError::Unusable(if damaged {
        format!(
            "{path}: the database is damaged: {part} cannot be read ({error}). Take a sound copy of it, or save what \
             can be saved with `sqlite3 {path} .recover`, then try again"
        )
    } else {
        format!("{path}: {part} cannot be read ({error})")
    })
}
