//! Opening a source and reading its rows.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `opening` | what a file has to be like; that it does not change while it is read |
//! | `tables` | tables and their columns |
//! | `reader` | keys and rows by name |
//! | `rows` | one row: its columns as texts, numbers, times and JSON; its digest |
//! | `time` | times as the predecessors write them |
//! | `json` | JSON as Python writes it |
//! | `notes` | what is to be noted of a row that was read |
//! | `bytes` | blobs in pieces |

mod bytes;
pub(crate) mod json;
pub(crate) mod notes;
mod opening;
pub(crate) mod reader;
pub(crate) mod rows;
mod tables;
#[cfg(test)]
mod tests;
pub(crate) mod time;

use std::{cell::OnceCell, io, path::Path};

use self::{opening::Opened, reader::Reader, rows::Fault, tables::Tables};
use crate::{
    model::{Broken, IMPORTED_CLIENT, Kind, Place, Row, RowKey, Stage},
    outline::{self, Outline},
    phoenix, scenes_db,
};

/// Why a source cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// In words: the file, what is wrong with it and what to do.
    #[error("{0}")]
    Unusable(String),
}

/// What is done with rows that have no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// They are left out.
    Skip,
    /// They are kept under [`crate::IMPORTED_CLIENT`].
    Keep,
}

/// A predecessor's database, open for reading alone.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    opened: Opened,
    reader: Reader,
    outline: Outline,
    /// The client that keeps orphans, once it was looked for; none when there are no orphans to be kept.
    keeper: OnceCell<Option<Row>>,
}

impl Source {
    /// Opens a database and recognises what it is of, by its tables. The file is never changed, nor is anything put
    /// beside it, nor is anyone kept from it: see [`Source::unchanged`].
    ///
    /// # Errors
    /// It is no database, is damaged, is being written to, or is of no kind that is known.
    pub fn open(path: &Path, name: Option<&str>, orphans: Orphans) -> Result<Self, SourceError> {
        let (opened, connection) = Opened::open(path)?;
        let tables = Tables::read(&connection, path)?;
        let kind = opening::kind(path, &tables)?;
        let reader = Reader::new(connection, path, tables, name.unwrap_or_else(|| kind.name()));
        let outline = Outline::read(&reader, orphans)?;
        Ok(Self { kind, opened, reader, outline, keeper: OnceCell::new() })
    }

    /// Which predecessor it is of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name under which its rows are known, see [`protos::common::v1::Origin`].
    #[must_use]
    pub fn name(&self) -> &str {
        self.reader.source()
    }

    /// The keys of a stage's rows, in the order in which they are to be brought over: by the time of their creation, then
    /// by their primary key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn keys(&self, stage: Stage) -> Result<Vec<RowKey>, SourceError> {
        let mut keys = self.rows(stage)?;
        if stage == Stage::Clients && self.keeper()?.is_some() {
            keys.insert(0, outline::keeper_key());
        }
        Ok(keys)
    }

    /// The keys of what is in tables.
    fn rows(&self, stage: Stage) -> Result<Vec<RowKey>, SourceError> {
        match self.kind {
            Kind::ScenesDb => scenes_db::keys(&self.reader, &self.outline, stage),
            Kind::Phoenix => phoenix::keys(&self.reader, &self.outline, stage),
        }
    }

    /// Bytes in the columns of a stage that will be read, for a progress bar. The rows are read for it, without their
    /// bytes.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn size(&self, stage: Stage) -> Result<u64, SourceError> {
        let mut total = 0;
        for key in self.keys(stage)? {
            if let Row::Found(found) = self.read(&key)? {
                total += found.bytes.iter().map(|bytes| bytes::size(&bytes.place)).sum::<u64>();
            }
        }
        Ok(total)
    }

    /// Reads a row. What is wrong with the row itself is [`Row::Broken`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn read(&self, key: &RowKey) -> Result<Row, SourceError> {
        if key.table == outline::KEEPER_TABLE {
            return self.keeper()?.cloned().ok_or_else(|| self.reader.unusable("no orphans are to be kept"));
        }
        Fault::settle(match self.kind {
            Kind::ScenesDb => scenes_db::read(&self.reader, &self.outline, key),
            Kind::Phoenix => phoenix::read(&self.reader, &self.outline, key),
        })
    }

    /// The bytes at a place, in pieces and without holding them all. A place that is a URL is an error of the caller.
    ///
    /// # Errors
    /// The row is gone or is no blob.
    pub fn bytes(&self, place: &Place) -> Result<Box<dyn io::Read + '_>, Broken> {
        bytes::open(&self.reader, place)
    }

    /// Whether the file is still what it was when it was opened: to be asked when all was read. No lock is held on it
    /// meanwhile, so that nothing is put beside it.
    ///
    /// # Errors
    /// It was written to: what was read may be of two minds.
    pub fn unchanged(&self) -> Result<(), SourceError> {
        self.opened.unchanged()
    }

    /// The client that keeps orphans, when they are to be kept and there are any. As old as the oldest of them, so that
    /// it is the same in every run.
    fn keeper(&self) -> Result<Option<&Row>, SourceError> {
        if self.keeper.get().is_none() {
            let row = self.oldest_orphan()?.map(|time| outline::keeper(self.name(), &time));
            let _ = self.keeper.set(row);
        }
        Ok(self.keeper.get().and_then(Option::as_ref))
    }

    /// The time of the oldest thing that is kept under [`IMPORTED_CLIENT`].
    fn oldest_orphan(&self) -> Result<Option<String>, SourceError> {
        if self.outline.orphans() == Orphans::Skip {
            return Ok(None);
        }
        let keeper = IMPORTED_CLIENT.to_string();
        let mut oldest: Option<String> = None;
        for stage in [Stage::Campaigns, Stage::Assets, Stage::Jobs] {
            for key in self.rows(stage)? {
                let Row::Found(found) = self.read(&key)? else { continue };
                let Some((client, time)) = outline::owner_and_time(&found.thing) else { continue };
                if client == keeper && oldest.as_deref().is_none_or(|oldest| outline::earlier(time, oldest)) {
                    oldest = Some(time.to_owned());
                }
            }
        }
        Ok(oldest)
    }
}
