//! Reads a source in a thread of its own, row after row, with the bytes in pieces.

use std::io::Read as _;

use legacy::{Broken, Bytes, Found, Place, Row, RowKey, Skipped, Source, SourceError, Stage};
use media::FileType;
use protos::{asset::v1::Piece, common::v1::BlobRef};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::progress::Progress;

/// Bytes of a piece; the contract's most.
const PIECE: usize = 256 * 1024;
/// Jobs with a higher number get another one: it would leave too few above it.
const HIGHEST_KEPT: i32 = 1_000_000_000;
/// Rows and pieces that are read before somebody takes them.
const AHEAD: usize = 8;

/// What is done with the bytes of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// They follow as [`Fed::Piece`].
    Pieces,
    /// They are hashed here; see [`Read::digests`].
    Digests,
}

/// What comes out of a source, in order.
#[derive(Debug)]
pub(super) enum Fed {
    /// So many rows of a stage were found; said of every stage before the first row.
    Rows(Stage, u64),
    /// The highest number that a job of the source has and may keep; 0 when there is none.
    JobsUpTo(i32),
    /// A row that is left out.
    Skipped(Stage, Skipped),
    /// A row that cannot be read.
    Broken(Stage, Broken),
    /// A row that is to be brought over. In [`Mode::Pieces`] the bytes follow: for each of its places that is no URL
    /// pieces until one is the last of its blob.
    Found(Box<Read>),
    /// A part of the bytes of what was found before it.
    Piece(Piece),
    /// The bytes of what was found before it cannot be read; nothing more of it follows.
    Unreadable(Broken),
    /// All was read, and the source is still what it was.
    End,
    /// The source as a whole cannot be read any more, or was written to meanwhile.
    Failed(SourceError),
}

/// A row that was found.
#[derive(Debug)]
pub(super) struct Read {
    /// What it is brought over with.
    pub(super) stage: Stage,
    /// What was found.
    pub(super) found: Found,
    /// In [`Mode::Digests`] what each of its places holds; none for a URL. Else empty.
    pub(super) digests: Vec<Option<BlobRef>>,
}

/// Why reading ends early.
enum Stop {
    /// Nobody takes what is read any more.
    Gone,
    Source(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// Starts reading. It ends when all was read, when the source fails, or when the receiver is dropped.
pub(super) fn start(source: Source, mode: Mode, progress: Progress) -> mpsc::Receiver<Fed> {
    let (to, from) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let feed = Feed { source: &source, mode, to, progress };
        let last = match feed.walk() {
            Ok(()) => match source.unchanged() {
                Ok(()) => Fed::End,
                Err(error) => Fed::Failed(error),
            },
            Err(Stop::Source(error)) => Fed::Failed(error),
            Err(Stop::Gone) => return,
        };
        // Nobody is there to be told otherwise.
        let _ = feed.to.blocking_send(last);
    });
    from
}

struct Feed<'a> {
    source: &'a Source,
    mode: Mode,
    to: mpsc::Sender<Fed>,
    progress: Progress,
}

impl Feed<'_> {
    fn walk(&self) -> Result<(), Stop> {
        let mut stages = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for stage in Stage::ALL {
            let keys = self.source.keys(stage)?;
            rows += keys.len() as u64;
            bytes += self.source.size(stage)?;
            self.send(Fed::Rows(stage, keys.len() as u64))?;
            if stage == Stage::Jobs {
                self.send(Fed::JobsUpTo(highest(&keys)))?;
            }
            stages.push((stage, keys));
        }
        self.progress.expect(rows, bytes);
        for (stage, keys) in stages {
            self.progress.begin(stage.noun(), keys.len() as u64);
            for key in keys {
                self.row(stage, &key)?;
            }
        }
        Ok(())
    }

    fn row(&self, stage: Stage, key: &RowKey) -> Result<(), Stop> {
        match self.source.read(key)? {
            Row::Skipped(skipped) => self.send(Fed::Skipped(stage, skipped)),
            Row::Broken(broken) => self.send(Fed::Broken(stage, broken)),
            Row::Found(found) if self.mode == Mode::Digests => match self.hashed(key, &found) {
                Ok(digests) => {
                    self.send(Fed::Found(Box::new(Read { stage, found: emptied(*found), digests })))
                }
                Err(broken) => self.send(Fed::Broken(stage, broken)),
            },
            Row::Found(mut found) => {
                let places = std::mem::take(&mut found.bytes);
                found.bytes = places.iter().map(without_text).collect();
                self.send(Fed::Found(Box::new(Read { stage, found: *found, digests: Vec::new() })))?;
                self.pieces(key, &places)
            }
        }
    }

    fn pieces(&self, key: &RowKey, places: &[Bytes]) -> Result<(), Stop> {
        for bytes in places.iter().filter(|bytes| !is_url(bytes)) {
            let mut gone = false;
            let read = self.each_piece(key, &bytes.place, |data, last| {
                gone = gone || self.send(Fed::Piece(Piece { data, last })).is_err();
                !gone
            });
            if gone {
                return Err(Stop::Gone);
            }
            if let Err(broken) = read {
                return self.send(Fed::Unreadable(broken));
            }
        }
        Ok(())
    }

    fn hashed(&self, key: &RowKey, found: &Found) -> Result<Vec<Option<BlobRef>>, Broken> {
        let hash = |bytes: &Bytes| {
            if is_url(bytes) {
                return Ok(None);
            }
            let (mut hasher, mut size, mut content_type) = (Sha256::new(), 0, String::new());
            self.each_piece(key, &bytes.place, |data, _| {
                if size == 0 {
                    content_type =
                        FileType::of(&data).map(|found| found.content_type.to_owned()).unwrap_or_default();
                }
                hasher.update(&data);
                size += data.len() as u64;
                true
            })?;
            Ok(Some(BlobRef { sha256: hex::encode(hasher.finalize()), size, content_type }))
        };
        found.bytes.iter().map(hash).collect()
    }

    /// Hands over the bytes at a place until all were handed over or `take` says no.
    fn each_piece(
        &self,
        key: &RowKey,
        place: &Place,
        mut take: impl FnMut(Vec<u8>, bool) -> bool,
    ) -> Result<(), Broken> {
        let mut reader = self.source.bytes(place).map_err(|broken| of_row(key, broken))?;
        let mut left = match place {
            Place::Column { size, .. } => usize::try_from(*size).unwrap_or(usize::MAX),
            Place::Text(text) => text.len(),
            Place::Url(_) => 0,
        };
        loop {
            let mut data = Vec::with_capacity(left.min(PIECE));
            let read = reader.by_ref().take(PIECE as u64).read_to_end(&mut data);
            read.map_err(|error| Broken {
                table: key.table,
                row: key.row.clone(),
                column: if let Place::Column { column, .. } = place { column } else { "" },
                reason: format!("its bytes cannot be read: {error}"),
            })?;
            left = left.saturating_sub(data.len());
            self.progress.bytes(data.len() as u64);
            let last = data.len() < PIECE;
            if !take(data, last) || last {
                return Ok(());
            }
        }
    }

    fn send(&self, fed: Fed) -> Result<(), Stop> {
        self.to.blocking_send(fed).map_err(|_| Stop::Gone)
    }
}

/// The same of the row that is brought over, which a person knows by its key. Its bytes may be in another table.
fn of_row(key: &RowKey, broken: Broken) -> Broken {
    let Broken { table, column, reason, .. } = broken;
    let reason =
        if table == key.table || table.is_empty() { reason } else { format!("in table {table}: {reason}") };
    Broken { table: key.table, row: key.row.clone(), column, reason }
}

/// The highest number of jobs, beyond those that no job keeps.
fn highest(keys: &[RowKey]) -> i32 {
    let numbers = keys.iter().filter_map(|key| key.row.parse::<i32>().ok());
    numbers.filter(|number| *number <= HIGHEST_KEPT).max().unwrap_or_default().max(0)
}

fn is_url(bytes: &Bytes) -> bool {
    matches!(bytes.place, Place::Url(_))
}

fn emptied(mut found: Found) -> Found {
    found.bytes = found.bytes.iter().map(without_text).collect();
    found
}

/// The same place without the bytes that it may hold itself: they are not kept until the row is brought over.
fn without_text(bytes: &Bytes) -> Bytes {
    match &bytes.place {
        Place::Text(_) => Bytes { slot: bytes.slot, place: Place::Text(Vec::new()) },
        _ => bytes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is when the database is damaged between the row and its bytes.
    #[test]
    fn bytes_that_cannot_be_opened_are_told_by_the_key_of_their_row() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("scenes.db");
        legacysources::scenes_db::old_layout(&path).unwrap();
        let source = Source::open(&path, None, legacy::Orphans::Skip).unwrap();
        let (to, _from) = mpsc::channel(1);
        let feed = Feed { source: &source, mode: Mode::Pieces, to, progress: Progress::silent() };
        let key = RowKey { stage: Stage::Assets, table: "assets", row: "a-1".to_owned(), rowid: 1 };
        for (table, inside) in [("assets", ""), ("campaigns", "in table campaigns: ")] {
            let place = Place::Column { table, column: "name", rowid: 1 << 40, size: 3 };
            let broken = feed.each_piece(&key, &place, |_, _| panic!("there is nothing")).unwrap_err();
            assert_eq!((broken.table, broken.row.as_str(), broken.column), ("assets", "a-1", "name"));
            assert!(broken.reason.starts_with(&format!("{inside}its bytes cannot be read")), "{broken}");
        }
    }

    #[test]
    fn numbers_are_left_to_jobs_that_keep_theirs() {
        let key = |row: &str| RowKey { stage: Stage::Jobs, table: "jobs", row: row.to_owned(), rowid: 1 };
        assert_eq!(highest(&[]), 0);
        assert_eq!(highest(&["7", "31", "x", "2000000000", "99999999999", "-5"].map(key)), 31);
    }
}
