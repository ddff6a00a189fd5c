//! What is read, put together into batches whose bytes are on their way to the object store.

use std::sync::Arc;

use kit::ServiceError;
use legacy::{Broken, Found, Place, Skipped, Slot, SourceError, Stage, Thing};
use prost::Message as _;
use protos::{asset::v1::Piece, common::v1::BlobRef};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{
    feed::{Fed, Read},
    fetch::{Fetched, Wanted, fetch},
    present::Present,
    report::RowName,
    target::Target,
};

/// Pieces that are read before the object store takes them.
const PIECES_AHEAD: usize = 4;
/// Rows of a batch that need nothing but to be told.
const NOTES: usize = 1_000;

/// Why bytes at a URL are missing when nothing is to be fetched.
pub(super) const NOT_FETCHED: &str = "only at its address; --fetch gets it";

/// How large a batch may become; the last thing of it may go beyond.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Things in it.
    pub(super) things: usize,
    /// Bytes of it.
    pub(super) bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { things: 64, bytes: 16 * 1024 * 1024 }
    }
}

/// Rows that are brought over together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What is only told.
    pub(super) notes: Vec<Note>,
    /// What is brought over, in order.
    pub(super) parcels: Vec<Parcel>,
    /// The blobs of all parcels, in order; none when they have none.
    pub(super) stored: Option<AbortOnDropHandle<Result<Vec<BlobRef>, ServiceError>>>,
    /// What was fetched: for the parcel and the place in it, the bytes or why they are missing.
    pub(super) fetched: Option<AbortOnDropHandle<Result<Vec<Fetched>, ServiceError>>>,
}

/// A row that needs nothing but to be told.
#[derive(Debug)]
pub(super) enum Note {
    Found(Stage, u64),
    JobsUpTo(i32),
    Skipped(Stage, Skipped),
    Broken(Stage, Broken),
}

/// Something that is brought over.
#[derive(Debug)]
pub(super) struct Parcel {
    /// From 1, in the order of the run.
    pub(super) number: u64,
    pub(super) stage: Stage,
    pub(super) found: Found,
    /// What each place of it came to.
    pub(super) contents: Vec<Content>,
    /// Its bytes cannot be read, so that it stays behind.
    pub(super) unreadable: Option<Broken>,
}

/// What the bytes at a place came to.
#[derive(Debug)]
pub(super) enum Content {
    /// They are the n-th blob of the batch.
    Stored(usize),
    /// They were fetched here before, or in this run; or why they are missing.
    Fetched(Result<BlobRef, String>),
    /// They are not there yet.
    Awaited,
}

impl Parcel {
    /// What it takes in a message.
    fn message_size(&self) -> u64 {
        let size = match &self.found.thing {
            Thing::Stored(thing) => thing.encoded_len(),
            Thing::Job(job) => job.encoded_len(),
        };
        size as u64
    }

    /// Which row it is.
    pub(super) fn row(&self) -> RowName {
        row_of(&self.found.thing)
    }
}

/// Which row something is.
pub(super) fn row_of(thing: &Thing) -> RowName {
    let origin = thing.origin().cloned().unwrap_or_default();
    RowName { table: origin.table, row: origin.row }
}

/// Why there are no more batches.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Source(SourceError),
    #[error("reading the source ended before its end; this is a mistake in filmstrip")]
    Vanished,
    /// Nobody takes batches any more, for a reason that is known where they were taken.
    #[error("importing ended")]
    Gone,
}

/// Puts batches together.
pub(super) struct Collector<'a> {
    pub(super) target: Arc<dyn Target>,
    pub(super) present: &'a Present,
    pub(super) limits: Limits,
    pub(super) fetch: bool,
    pub(super) to: mpsc::Sender<Batch>,
}

/// A batch that is being put together.
#[derive(Default)]
struct Building {
    batch: Batch,
    /// Where pieces go, once there are some.
    pieces: Option<mpsc::Sender<Piece>>,
    /// Blobs that were begun.
    blobs: usize,
    bytes: u64,
}

/// What became of sending a blob.
enum Sent {
    Whole,
    Unreadable(Broken),
    /// The object store takes no more; it says why where the batch is waited for.
    Refused,
}

impl Collector<'_> {
    /// Until the source ends, or nobody takes batches any more.
    pub(super) async fn collect(self, mut feed: mpsc::Receiver<Fed>) -> Result<(), Ended> {
        let mut building = Building::default();
        let mut number = 0;
        loop {
            let notes = &mut building.batch.notes;
            match feed.recv().await.ok_or(Ended::Vanished)? {
                Fed::Rows(stage, rows) => notes.push(Note::Found(stage, rows)),
                Fed::JobsUpTo(number) => notes.push(Note::JobsUpTo(number)),
                Fed::Skipped(stage, skipped) => notes.push(Note::Skipped(stage, skipped)),
                Fed::Broken(stage, broken) => notes.push(Note::Broken(stage, broken)),
                Fed::Found(read) => {
                    number += 1;
                    let job = matches!(read.found.thing, Thing::Job(_));
                    if job {
                        // It goes to another service, alone.
                        building = self.hand_over(building).await?;
                    }
                    let sent = self.take(&mut building, *read, number, &mut feed).await?;
                    if job || !sent || building.is_full(self.limits) {
                        building = self.hand_over(building).await?;
                    }
                }
                // They are taken with what they belong to, unless the object store takes no more: then nobody waits for them.
                Fed::Piece(_) | Fed::Unreadable(_) => {}
                Fed::End => return self.hand_over(building).await.map(drop),
                Fed::Failed(error) => {
                    self.hand_over(building).await?;
                    return Err(Ended::Source(error));
                }
            }
            if building.batch.notes.len() >= NOTES {
                building = self.hand_over(building).await?;
            }
        }
    }

    /// Takes a thing and its bytes into the batch; false when the object store takes no more.
    async fn take(
        &self,
        building: &mut Building,
        read: Read,
        number: u64,
        feed: &mut mpsc::Receiver<Fed>,
    ) -> Result<bool, Ended> {
        boundary::cross(format_args!("import.bytes.before/{number}"));
        let Read { stage, found, .. } = read;
        let mut parcel = Parcel { number, stage, found, contents: Vec::new(), unreadable: None };
        building.bytes += parcel.message_size();
        let mut refused = false;
        for bytes in &parcel.found.bytes {
            if matches!(bytes.place, Place::Url(_)) {
                let row = parcel.row();
                parcel.contents.push(self.at_url(&row, bytes.slot));
                continue;
            }
            if parcel.unreadable.is_some() || refused {
                break;
            }
            parcel.contents.push(Content::Stored(building.blobs));
            match self.blob(building, feed).await? {
                Sent::Whole => {}
                Sent::Unreadable(broken) => parcel.unreadable = Some(broken),
                Sent::Refused => refused = true,
            }
        }
        building.batch.parcels.push(parcel);
        Ok(!refused)
    }

    /// Passes the pieces of one blob on.
    async fn blob(&self, building: &mut Building, feed: &mut mpsc::Receiver<Fed>) -> Result<Sent, Ended> {
        building.blobs += 1;
        loop {
            match feed.recv().await.ok_or(Ended::Vanished)? {
                Fed::Piece(piece) => {
                    let last = piece.last;
                    building.bytes += piece.data.len() as u64;
                    if !self.piece(building, piece).await {
                        return Ok(Sent::Refused);
                    }
                    if last {
                        return Ok(Sent::Whole);
                    }
                }
                Fed::Unreadable(broken) => {
                    // What came of it is a blob nobody refers to; the one after it is counted right.
                    let end = Piece { data: Vec::new(), last: true };
                    let sent = self.piece(building, end).await;
                    return Ok(if sent { Sent::Unreadable(broken) } else { Sent::Refused });
                }
                Fed::Failed(error) => return Err(Ended::Source(error)),
                _ => return Err(Ended::Vanished),
            }
        }
    }

    async fn piece(&self, building: &mut Building, piece: Piece) -> bool {
        let pieces = building.pieces.get_or_insert_with(|| {
            let (to, from) = mpsc::channel(PIECES_AHEAD);
            let target = Arc::clone(&self.target);
            let storing = tokio::spawn(async move { target.store(from).await });
            building.batch.stored = Some(AbortOnDropHandle::new(storing));
            to
        });
        pieces.send(piece).await.is_ok()
    }

    /// What is known of bytes at a URL before anything is fetched.
    fn at_url(&self, row: &RowName, slot: Slot) -> Content {
        match self.present.blob(row, slot) {
            Some(blob) => Content::Fetched(Ok(blob.clone())),
            None if self.fetch => Content::Awaited,
            None => Content::Fetched(Err(NOT_FETCHED.to_owned())),
        }
    }

    /// Hands a batch over, and begins the next one.
    async fn hand_over(&self, building: Building) -> Result<Building, Ended> {
        let Building { mut batch, pieces, .. } = building;
        // All of its bytes were sent.
        drop(pieces);
        if batch.parcels.is_empty() && batch.notes.is_empty() {
            return Ok(Building::default());
        }
        let wanted = wanted(&batch.parcels);
        if !wanted.is_empty() {
            let target = Arc::clone(&self.target);
            let fetching = tokio::spawn(async move { fetch(&*target, wanted).await });
            batch.fetched = Some(AbortOnDropHandle::new(fetching));
        }
        self.to.send(batch).await.map_err(|_| Ended::Gone)?;
        Ok(Building::default())
    }
}

impl Building {
    fn is_full(&self, limits: Limits) -> bool {
        self.batch.parcels.len() >= limits.things || self.bytes >= limits.bytes
    }
}

/// The URLs of parcels whose bytes are awaited.
fn wanted(parcels: &[Parcel]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (at, parcel) in parcels.iter().enumerate().filter(|(_, parcel)| parcel.unreadable.is_none()) {
        for (place, (bytes, content)) in parcel.found.bytes.iter().zip(&parcel.contents).enumerate() {
            if let (Place::Url(url), Content::Awaited) = (&bytes.place, content) {
                wanted.push((at, place, url.clone()));
            }
        }
    }
    wanted
}
