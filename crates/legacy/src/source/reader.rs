//! Keys and rows of a source by name.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ToSql, types::ValueRef};

use super::{
    SourceError,
    rows::{Cell, Fault, Record},
    tables::{Tables, name, unreadable},
    time,
};
use crate::model::{RowKey, Stage};

/// What reads a source.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    path: PathBuf,
    tables: Tables,
    source: String,
}

impl Reader {
    /// `source`: the name under which its rows are known.
    pub(crate) fn new(connection: Connection, path: &Path, tables: Tables, source: &str) -> Self {
        Self { connection, path: path.to_owned(), tables, source: source.to_owned() }
    }

    /// The name under which its rows are known.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The connection itself, to read blobs.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// That something about the file keeps it from being read.
    pub(crate) fn unusable(&self, why: &str) -> SourceError {
        SourceError::Unusable(format!("{}: {why}", self.path.display()))
    }

    /// The keys of the rows of several tables, with the column of each that says when a row was created: by that time,
    /// then by table in the order given, then by primary key. Tables that are absent have no rows.
    pub(crate) fn keys(
        &self,
        stage: Stage,
        tables: &[(&'static str, &'static str)],
    ) -> Result<Vec<RowKey>, SourceError> {
        self.keys_among(stage, tables, ("", &HashSet::new()))
    }

    /// As [`Reader::keys`], but of one of the tables only some rows, by SQLite's numbers of them. The others are not even
    /// looked at: a time that stands behind a blob is found by going through the blob.
    pub(crate) fn keys_among(
        &self,
        stage: Stage,
        tables: &[(&'static str, &'static str)],
        (some, numbers): (&str, &HashSet<i64>),
    ) -> Result<Vec<RowKey>, SourceError> {
        let mut keys = Vec::new();
        for (place, (table, created)) in tables.iter().enumerate() {
            if self.tables.has_table(table) {
                let only = (*table == some).then_some(numbers);
                self.keys_of(stage, (place, table, created), only, &mut keys)
                    .map_err(|error| self.fault(table, &error))?;
            }
        }
        keys.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    fn keys_of(
        &self,
        stage: Stage,
        (place, table, created): (usize, &'static str, &'static str),
        only: Option<&HashSet<i64>>,
        keys: &mut Vec<(Order, RowKey)>,
    ) -> rusqlite::Result<()> {
        let created = if self.tables.has(table, created) { name(created) } else { "NULL".to_owned() };
        let primary = self.tables.primary(table);
        let sql = format!("SELECT rowid, {primary}, {created} FROM {}", name(table));
        let mut take = |row: &rusqlite::Row<'_>| {
            let rowid = row.get(0)?;
            let (number, key) = primary_key(row.get_ref(1)?);
            let order = (moment(row.get_ref(2)?), place, number, key.clone());
            keys.push((order, RowKey { stage, table, row: key, rowid }));
            rusqlite::Result::Ok(())
        };
        let Some(only) = only else {
            return self.connection.prepare(&sql)?.query_map([], take)?.collect();
        };
        let mut query = self.connection.prepare(&format!("{sql} WHERE rowid = ?1"))?;
        only.iter().try_for_each(|rowid| query.query_row([rowid], &mut take))
    }

    /// A row that is known by its key.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Record, Fault> {
        let mut rows = self.select(key.table, &[], "rowid = ?1", &key.rowid)?;
        rows.pop().ok_or_else(|| {
            let gone =
                format!("row {} of table {} is there no more: it was changed meanwhile", key.row, key.table);
            self.unusable(&gone).into()
        })
    }

    /// The first row in which a column holds a value; none where there is no such table or column.
    pub(crate) fn find(
        &self,
        table: &'static str,
        column: &str,
        value: &dyn ToSql,
    ) -> Result<Option<Record>, SourceError> {
        self.find_only(table, column, value, &[])
    }

    /// As [`Reader::find`], but of the row only some columns (all of them, if none is named): what stands behind a blob
    /// is found by going through the blob, so that is only to be asked for when it is needed.
    pub(crate) fn find_only(
        &self,
        table: &'static str,
        column: &str,
        value: &dyn ToSql,
        only: &[&str],
    ) -> Result<Option<Record>, SourceError> {
        if !self.tables.has(table, column) {
            return Ok(None);
        }
        let rest = format!("{} = ?1 ORDER BY rowid LIMIT 1", name(column));
        Ok(self.select(table, only, &rest, value)?.pop())
    }

    /// All rows in which a column holds a value, in the order of another column, then of their keys.
    pub(crate) fn all(
        &self,
        table: &'static str,
        column: &str,
        value: &dyn ToSql,
        order: &str,
    ) -> Result<Vec<Record>, SourceError> {
        if !self.tables.has(table, column) {
            return Ok(Vec::new());
        }
        let order = if self.tables.has(table, order) { name(order) } else { "rowid".to_owned() };
        self.select(table, &[], &format!("{} = ?1 ORDER BY {order}, rowid", name(column)), value)
    }

    /// SQLite's numbers of the rows that a column of another table (`by`) refers to by nothing: all of them, when there
    /// is no such column.
    pub(crate) fn rows_without(
        &self,
        (table, column): (&'static str, &str),
        by: (&str, &str),
    ) -> Result<HashSet<i64>, SourceError> {
        if !self.tables.has(table, column) {
            return Ok(HashSet::new());
        }
        let mut sql = format!("SELECT rowid FROM {}", name(table));
        if self.tables.has(by.0, by.1) {
            let (column, other, by) = (name(column), name(by.0), name(by.1));
            sql += &format!(
                " WHERE {column} IS NULL OR {column} NOT IN (SELECT {by} FROM {other} WHERE {by} IS NOT NULL)"
            );
        }
        let rows = self
            .connection
            .prepare(&sql)
            .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect());
        rows.map_err(|error| self.fault(table, &error))
    }

    /// All rows of a table; only for those that are small.
    pub(crate) fn every(&self, table: &'static str) -> Result<Vec<Record>, SourceError> {
        if !self.tables.has_table(table) {
            return Ok(Vec::new());
        }
        self.select(table, &[], "?1 ORDER BY rowid", &true)
    }

    fn select(
        &self,
        table: &'static str,
        only: &[&str],
        rest: &str,
        value: &dyn ToSql,
    ) -> Result<Vec<Record>, SourceError> {
        self.try_select(table, only, rest, value).map_err(|error| self.fault(table, &error))
    }

    fn try_select(
        &self,
        table: &'static str,
        only: &[&str],
        rest: &str,
        value: &dyn ToSql,
    ) -> rusqlite::Result<Vec<Record>> {
        let columns = self.tables.columns(table).iter();
        let columns = columns.filter(|column| only.is_empty() || only.contains(&column.name.as_str()));
        let mut sql = format!("SELECT rowid, {}", self.tables.primary(table));
        for column in columns.clone() {
            let column_name = name(&column.name);
            // The length of a blob is known without reading it.
            sql += &if column.blob {
                format!(", octet_length({column_name})")
            } else {
                format!(", {column_name}")
            };
        }
        sql += &format!(" FROM {} WHERE {rest}", name(table));
        let mut query = self.connection.prepare_cached(&sql)?;
        let mut rows = query.query([value])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let mut cells = BTreeMap::new();
            for (place, column) in columns.clone().enumerate() {
                if let Some(cell) = cell(row.get_ref(place + 2)?, column.blob) {
                    cells.insert(column.name.clone(), cell);
                }
            }
            records.push(Record::new(table, row.get(0)?, primary_key(row.get_ref(1)?).1, cells));
        }
        Ok(records)
    }

    /// That a table cannot be read.
    fn fault(&self, table: &str, error: &rusqlite::Error) -> SourceError {
        unreadable(&self.path, &format!("table {table}"), error)
    }
}

/// What keys are sorted by: time of creation, table, number and text of the primary key.
type Order = (Option<i128>, usize, i64, String);

/// A time to sort by. One that cannot be read is told when the row is: here it only has to have a place.
fn moment(value: ValueRef<'_>) -> Option<i128> {
    let ValueRef::Text(text) = value else { return None };
    time::read(&String::from_utf8_lossy(text)).map(jiff::Timestamp::as_nanosecond)
}

/// A primary key, as a number where it is one and as text.
fn primary_key(value: ValueRef<'_>) -> (i64, String) {
    match value {
        ValueRef::Null => (0, "NULL".to_owned()),
        ValueRef::Integer(number) => (number, number.to_string()),
        ValueRef::Real(real) => (0, real.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => (0, String::from_utf8_lossy(text).into_owned()),
    }
}

fn cell(value: ValueRef<'_>, blob: bool) -> Option<Cell> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(size) if blob => Some(Cell::Bytes(size.unsigned_abs())),
        ValueRef::Integer(number) => Some(Cell::Integer(number)),
        ValueRef::Real(real) => Some(Cell::Real(real)),
        ValueRef::Text(text) => Some(Cell::Text(text.to_vec())),
        ValueRef::Blob(bytes) => Some(Cell::Bytes(bytes.len() as u64)),
    }
}
