//! Blobs of a source in pieces.

use std::io;

use rusqlite::{MAIN_DB, blob::Blob};

use super::reader::Reader;
use crate::model::{Broken, Place};

/// How many bytes of the source are at a place: none for what is elsewhere.
pub(super) fn size(place: &Place) -> u64 {
    match place {
        Place::Column { size, .. } => *size,
        Place::Text(bytes) => bytes.len() as u64,
        Place::Url(_) => 0,
    }
}

/// Opens the bytes at a place.
pub(super) fn open<'a>(reader: &'a Reader, place: &Place) -> Result<Box<dyn io::Read + 'a>, Broken> {
    let broken = |table, row: String, column, reason: String| Broken { table, row, column, reason };
    match place {
        Place::Text(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
        Place::Url(url) => {
            Err(broken("", String::new(), "", format!("{url} is not in the source: it has to be fetched")))
        }
        Place::Column { table, column, rowid, .. } => {
            let blob = reader.connection().blob_open(MAIN_DB, *table, *column, *rowid, true);
            let blob = blob.map_err(|error| {
                broken(
                    table,
                    format!("number {rowid}"),
                    column,
                    format!("its bytes cannot be read ({error})"),
                )
            })?;
            Ok(Box::new(Pieces { blob, table, column, rowid: *rowid }))
        }
    }
}

/// A blob that says which one it is when it cannot be read.
struct Pieces<'a> {
    blob: Blob<'a>,
    table: &'static str,
    column: &'static str,
    rowid: i64,
}

impl io::Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.blob.read(into).map_err(|error| {
            io::Error::other(Broken {
                table: self.table,
                row: format!("number {}", self.rowid),
                column: self.column,
                reason: format!("its bytes cannot be read ({error}): the database is damaged"),
            })
        })
    }
}
