//! A row of a table, its columns by name.
//!
//! Columns came and went with the predecessors' versions: one that is absent reads as NULL. Whatever a column holds
//! that it should not is [`Broken`], which names the table, the row and the column.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protos::common::v1::Origin;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{SourceError, json, time};
use crate::model::{Broken, Place, Row, Skipped};

/// Why a row could not be read: by its own fault or by that of the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The row is at fault: the next one can be read.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Nothing more can be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl Fault {
    /// What reading a row came to: a broken one is an answer, a broken database is none.
    pub(crate) fn settle(read: Result<Row, Self>) -> Result<Row, SourceError> {
        match read {
            Ok(row) => Ok(row),
            Err(Self::Broken(broken)) => Ok(Row::Broken(broken)),
            Err(Self::Source(error)) => Err(error),
        }
    }
}

/// What a column of a row holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Integer(i64),
    Real(f64),
    /// Not known to be UTF-8.
    Text(Vec<u8>),
    /// Bytes that were not read; how many there are.
    Bytes(u64),
}

/// A row of a table without its blobs.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    table: &'static str,
    rowid: i64,
    row: String,
    /// By the column's name; no entry for NULL.
    cells: BTreeMap<String, Cell>,
}

impl Record {
    /// `row`: its primary key as text. `cells`: by the column's name, NULL left out.
    pub(crate) fn new(table: &'static str, rowid: i64, row: String, cells: BTreeMap<String, Cell>) -> Self {
        Self { table, rowid, row, cells }
    }

    /// The primary key as text.
    pub(crate) fn row(&self) -> &str {
        &self.row
    }

    /// That this row is left out. `orphan`: whether it would be kept with the orphans, if they were kept.
    pub(crate) fn skipped(&self, reason: impl Into<String>, orphan: bool) -> Row {
        Row::Skipped(Skipped { table: self.table, row: self.row.clone(), reason: reason.into(), orphan })
    }

    /// What the columns say that are not among `placed`, as JSON: nothing is lost of a row only because it has no place
    /// here. Blobs, zeros and blank texts say nothing.
    pub(crate) fn others(&self, placed: &[&str]) -> Result<Map<String, Value>, Broken> {
        let mut others = Map::new();
        for (name, cell) in self.cells.iter().filter(|(name, _)| !placed.contains(&name.as_str())) {
            let value = match cell {
                Cell::Integer(number) if *number != 0 => Value::from(*number),
                Cell::Real(real) if *real != 0.0 => Value::from(*real),
                Cell::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) if text.trim().is_empty() => continue,
                    Ok(text) => Value::from(text),
                    Err(_) => return Err(self.broken("", format!("its column {name} is not valid UTF-8"))),
                },
                _ => continue,
            };
            others.insert(name.clone(), value);
        }
        Ok(others)
    }

    /// That a column of this row is not what it should be.
    pub(crate) fn broken(&self, column: &'static str, reason: impl Into<String>) -> Broken {
        Broken { table: self.table, row: self.row.clone(), column, reason: reason.into() }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, column: &'static str) -> Result<&str, Broken> {
        self.optional_text(column)?.ok_or_else(|| self.broken(column, "is NULL where a text has to be"))
    }

    /// A text, exactly as it is; an empty one is a text.
    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<&str>, Broken> {
        let bytes = match self.cells.get(column) {
            None => return Ok(None),
            Some(Cell::Text(bytes)) => bytes,
            Some(Cell::Integer(_) | Cell::Real(_)) => {
                return Err(self.broken(column, "holds a number where a text should be"));
            }
            Some(Cell::Bytes(size)) => {
                return Err(self.broken(column, format!("holds {size} raw bytes where a text should be")));
            }
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            self.broken(column, format!("is not valid UTF-8 (after {} bytes)", error.valid_up_to()))
        })?;
        if text.contains('\0') {
            return Err(self.broken(column, "has a zero byte in it, which no text may have"));
        }
        Ok(Some(text))
    }

    /// A text that says something; one of nothing but white space is as good as absent.
    pub(crate) fn filled(&self, column: &'static str) -> Result<Option<&str>, Broken> {
        Ok(self.optional_text(column)?.filter(|text| !text.trim().is_empty()))
    }

    /// A whole number, also one that is written as a fraction (`5.0`) or as a text.
    pub(crate) fn integer(&self, column: &'static str) -> Result<Option<i64>, Broken> {
        let Some(real) = self.number(column, "a whole number", |text| text.parse().ok())? else {
            return Ok(None);
        };
        match real {
            Number::Integer(number) => Ok(Some(number)),
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and well within 64 bits")]
            Number::Real(real) if real.fract() == 0.0 && real.abs() < 9.0e15 => Ok(Some(real as i64)),
            Number::Real(real) => {
                Err(self.broken(column, format!("holds {real} where a whole number should be")))
            }
        }
    }

    /// A finite number.
    pub(crate) fn real(&self, column: &'static str) -> Result<Option<f64>, Broken> {
        let Some(number) = self.number(column, "a number", |_| None)? else { return Ok(None) };
        let real = match number {
            #[expect(clippy::cast_precision_loss, reason = "amounts and lengths are small")]
            Number::Integer(number) => number as f64,
            Number::Real(real) => real,
        };
        if real.is_finite() { Ok(Some(real)) } else { Err(self.broken(column, "is not a finite number")) }
    }

    fn number(
        &self,
        column: &'static str,
        what: &str,
        whole: impl Fn(&str) -> Option<i64>,
    ) -> Result<Option<Number>, Broken> {
        match self.cells.get(column) {
            None => Ok(None),
            Some(Cell::Integer(number)) => Ok(Some(Number::Integer(*number))),
            Some(Cell::Real(real)) => Ok(Some(Number::Real(*real))),
            Some(Cell::Text(_)) => {
                let Some(text) = self.filled(column)? else { return Ok(None) };
                let text = text.trim();
                whole(text)
                    .map(Number::Integer)
                    .or_else(|| text.parse().ok().map(Number::Real))
                    .map(Some)
                    .ok_or_else(|| {
                        self.broken(column, format!("holds {} where {what} should be", quoted(text)))
                    })
            }
            Some(Cell::Bytes(size)) => {
                Err(self.broken(column, format!("holds {size} raw bytes where {what} should be")))
            }
        }
    }

    /// JSON of any kind; blank and `null` are as good as absent. Numbers that JSON does not have are null, see
    /// [`json::read`].
    pub(crate) fn json(&self, column: &'static str) -> Result<Option<Value>, Broken> {
        let Some(text) = self.filled(column)? else { return Ok(None) };
        json::read(text)
            .map(|value: Value| Some(value).filter(|value| !value.is_null()))
            .map_err(|error| self.broken(column, format!("is not valid JSON: {error}")))
    }

    /// A JSON object.
    pub(crate) fn object(&self, column: &'static str) -> Result<Option<Map<String, Value>>, Broken> {
        match self.json(column)? {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.broken(column, "is JSON, but no object")),
        }
    }

    /// A JSON array.
    pub(crate) fn array(&self, column: &'static str) -> Result<Option<Vec<Value>>, Broken> {
        match self.json(column)? {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(_) => Err(self.broken(column, "is JSON, but no array")),
        }
    }

    /// A time in any of the forms that the predecessors write, see [`time::read`]; its `to_string` is RFC 3339 with Z.
    pub(crate) fn time(&self, column: &'static str) -> Result<Option<Timestamp>, Broken> {
        let Some(text) = self.filled(column)? else { return Ok(None) };
        time::read(text).map(Some).ok_or_else(|| {
            self.broken(
                column,
                format!("holds {} where a time such as 2025-11-22 10:30:00 should be", quoted(text)),
            )
        })
    }

    /// The first time that is there, of several columns; the beginning of 1970 when none of them says any, which
    /// [`super::notes::of`] tells.
    pub(crate) fn first_time(&self, columns: &[&'static str]) -> Result<Timestamp, Broken> {
        for column in columns {
            if let Some(time) = self.time(column)? {
                return Ok(time);
            }
        }
        Ok(Timestamp::UNIX_EPOCH)
    }

    /// A UUID that must be there, in lower case with hyphens.
    pub(crate) fn id(&self, column: &'static str) -> Result<String, Broken> {
        let text = self.text(column)?;
        uuid(text)
            .ok_or_else(|| self.broken(column, format!("holds {} where a UUID has to be", quoted(text))))
    }

    /// Where a column's bytes are; none when it is NULL or empty.
    pub(crate) fn bytes(&self, column: &'static str) -> Option<Place> {
        match self.cells.get(column) {
            Some(Cell::Bytes(size)) if *size > 0 => {
                Some(Place::Column { table: self.table, column, rowid: self.rowid, size: *size })
            }
            _ => None,
        }
    }

    /// Where it comes from, with a digest that covers `others` too: rows that belong to it, in an order that lasts.
    pub(crate) fn origin<'a>(&self, source: &str, others: impl IntoIterator<Item = &'a Self>) -> Origin {
        let mut all = Sha256::new();
        self.digest(&mut all);
        for other in others {
            other.digest(&mut all);
        }
        Origin {
            source: source.to_owned(),
            table: self.table.to_owned(),
            row: self.row.clone(),
            digest: hex::encode(all.finalize()),
        }
    }

    /// Leaves a column out of everything, its digest included: what must not be known, such as hashes of keys.
    pub(crate) fn forget(&mut self, column: &str) {
        self.cells.remove(column);
    }

    /// Mixes the row in: its columns by name, so that their order in the table does not count, nor does a column that
    /// was added since and holds nothing. Of blobs, only how long they are.
    fn digest(&self, into: &mut Sha256) {
        into.update(format!("row {} of {}\n", self.row, self.table));
        for (name, cell) in &self.cells {
            into.update(format!("{name}\t"));
            match cell {
                Cell::Integer(number) => into.update(format!("integer\t{number}\n")),
                Cell::Real(real) => into.update(format!("real\t{real:?}\n")),
                Cell::Bytes(size) => into.update(format!("bytes\t{size}\n")),
                Cell::Text(text) => {
                    into.update(format!("text {}\t", text.len()));
                    into.update(text);
                    into.update("\n");
                }
            }
        }
    }
}

enum Number {
    Integer(i64),
    Real(f64),
}

/// A UUID in lower case with hyphens, if a text is one; white space around it does not count.
pub(crate) fn uuid(text: &str) -> Option<String> {
    Uuid::parse_str(text.trim()).ok().map(|id| id.hyphenated().to_string())
}

/// An id for something that had none: the same for the same row in every run.
pub(crate) fn derived_id(source: &str, table: &str, row: &str) -> String {
    /// The name space of such ids.
    const ROWS: Uuid = Uuid::from_u128(0x3d1c_9a52_0f6e_4b7a_8e21_64c5_7d90_b3f8);
    Uuid::new_v5(&ROWS, format!("{source}\n{table}\n{row}").as_bytes()).hyphenated().to_string()
}

/// The beginning of a text in quotation marks, for a message.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let start: String = text.chars().take(MOST).collect();
    if start.len() < text.len() { format!("{start:?}…") } else { format!("{start:?}") }
}
