//! A run: batches are brought over in order, while the bytes of the next ones are on their way to the object store.

use std::sync::Arc;

use futures::future::{Either, select};
use kit::ServiceError;
use legacy::{Found, Slot, Thing};
use protos::{
    asset::v1::LegacyThing,
    common::v1::{BlobRef, ImportOutcome, ImportResult},
};
use tokio::{pin, sync::mpsc};

use super::{
    batch::{Batch, Collector, Content, Ended, Limits, Note, Parcel},
    feed::Fed,
    fill::{self, Assets},
    present::Present,
    progress::Progress,
    report::{Report, RowName},
    target::{self, Service, Target, TargetError},
};

/// Batches that wait while one is being imported and another one is being put together.
const WAITING: usize = 1;

/// How a run is to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// Bytes that the source has only a URL of are fetched.
    pub(super) fetch: bool,
    /// How large batches become.
    pub(super) limits: Limits,
}

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("{rows}: {error}")]
    Batch { rows: Rows, error: TargetError },
    #[error(transparent)]
    Source(#[from] Ended),
}

/// The rows of a batch.
#[derive(Debug)]
pub(super) struct Rows {
    first: RowName,
    last: RowName,
}

impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last {
            return write!(f, "at {}", self.first);
        }
        write!(f, "between {} and {}", self.first, self.last)
    }
}

/// Brings over what is fed. What was done until a failure is in the report as well.
pub(super) async fn run(
    feed: mpsc::Receiver<Fed>,
    source: &str,
    target: &Arc<dyn Target>,
    wishes: Wishes,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), Stopped> {
    let mut present = Present::ask(target, source).await?;
    let assets = std::mem::take(&mut present.assets);
    let (to, batches) = mpsc::channel(WAITING);
    let Wishes { fetch, limits } = wishes;
    let collector = Collector { target: Arc::clone(target), present: &present, limits, fetch, to };
    let importer = Importer { target: &**target, assets, jobs_up_to: 0, progress, report };
    let (collecting, importing) = (collector.collect(feed), importer.import(batches));
    pin!(collecting, importing);
    match select(collecting, importing).await {
        Either::Left((collected, importing)) => {
            importing.await?;
            Ok(collected?)
        }
        Either::Right((imported, collecting)) => {
            imported?;
            Ok(collecting.await?)
        }
    }
}

struct Importer<'a> {
    target: &'a dyn Target,
    /// Bytes of the assets that are there.
    assets: Assets,
    /// The highest number of the source's jobs: none of them takes that of another one.
    jobs_up_to: i32,
    progress: &'a Progress,
    report: &'a mut Report,
}

/// Something whose bytes are in the object store.
struct Ready {
    parcel: Parcel,
    row: RowName,
}

impl Importer<'_> {
    async fn import(mut self, mut batches: mpsc::Receiver<Batch>) -> Result<(), Stopped> {
        while let Some(batch) = batches.recv().await {
            self.batch(batch).await?;
        }
        Ok(())
    }

    async fn batch(&mut self, batch: Batch) -> Result<(), Stopped> {
        let Batch { notes, mut parcels, stored, fetched } = batch;
        for note in notes {
            self.note(note);
        }
        let (Some(first), Some(last)) = (parcels.first().map(Parcel::row), parcels.last().map(Parcel::row))
        else {
            return Ok(());
        };
        let rows = move || Rows { first: first.clone(), last: last.clone() };
        let storing = target::at(self.target, Service::Asset, "storing their bytes");
        let blobs = match stored {
            Some(stored) => stored.await.unwrap_or_else(|error| Err(ServiceError::internal(error))),
            None => Ok(Vec::new()),
        };
        let blobs = blobs.map_err(|error| Stopped::Batch { rows: rows(), error: storing(error) })?;
        let fetching = target::at(self.target, Service::Asset, "fetching their bytes");
        let fetched = match fetched {
            Some(fetched) => fetched.await.unwrap_or_else(|error| Err(ServiceError::internal(error))),
            None => Ok(Vec::new()),
        };
        let fetched = fetched.map_err(|error| Stopped::Batch { rows: rows(), error: fetching(error) })?;
        for (parcel, place, got) in fetched {
            parcels[parcel].contents[place] = Content::Fetched(got);
        }
        for parcel in &parcels {
            boundary::cross(format_args!("import.bytes.after/{}", parcel.number));
        }
        let ready: Vec<Ready> = parcels.into_iter().filter_map(|parcel| self.ready(parcel, &blobs)).collect();
        let imported = self.hand_in(ready).await;
        imported.map_err(|error| Stopped::Batch { rows: rows(), error })
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Found(stage, rows) => return self.report.found(stage, rows),
            Note::JobsUpTo(number) => {
                self.jobs_up_to = number;
                return;
            }
            Note::Skipped(stage, skipped) => self.report.skipped(stage, skipped),
            Note::Broken(stage, broken) => self.report.broken(stage, broken),
        }
        self.progress.rows(1);
    }

    /// Says of a thing which bytes it has; none when they cannot be read.
    fn ready(&mut self, mut parcel: Parcel, blobs: &[BlobRef]) -> Option<Ready> {
        if let Some(broken) = parcel.unreadable {
            self.report.broken(parcel.stage, broken);
            self.progress.rows(1);
            return None;
        }
        let row = parcel.row();
        let refs: Vec<Option<BlobRef>> = parcel.contents.iter().map(|content| content.blob(blobs)).collect();
        fill::fill(&mut parcel.found.thing, &parcel.found.bytes, &refs);
        let digests: Vec<Option<String>> =
            refs.into_iter().map(|blob| blob.map(|blob| blob.sha256)).collect();
        parcel.found.seal(&digests);
        if let Thing::Job(job) = &mut parcel.found.thing {
            fill::frames(job, &self.assets);
        }
        Some(Ready { parcel, row })
    }

    async fn hand_in(&mut self, mut ready: Vec<Ready>) -> Result<(), TargetError> {
        for Ready { parcel, .. } in &ready {
            boundary::cross(format_args!("import.row.before/{}", parcel.number));
        }
        let things: Vec<Thing> = ready.iter().map(|ready| ready.parcel.found.thing.clone()).collect();
        let mut results = self.send(things).await?;
        self.without_what_is_no_media(&mut ready, &mut results).await?;
        for (ready, result) in ready.iter().zip(results) {
            boundary::cross(format_args!("import.row.after/{}", ready.parcel.number));
            self.outcome(ready, result);
        }
        Ok(())
    }

    /// Hands in again what was refused with bytes that were fetched, without them: a link that leads to a page, say, is
    /// no fault of the row. Its digest tells nothing of what was fetched, so that it is the same row.
    async fn without_what_is_no_media(
        &mut self,
        ready: &mut [Ready],
        results: &mut [ImportResult],
    ) -> Result<(), TargetError> {
        let mut places = Vec::new();
        for (place, (ready, result)) in ready.iter_mut().zip(results.iter()).enumerate() {
            if result.outcome() == ImportOutcome::Refused && ready.parcel.give_back(&result.reason) {
                places.push(place);
            }
        }
        let again: Vec<Thing> = places.iter().map(|place| ready[*place].parcel.found.thing.clone()).collect();
        for (place, told) in places.into_iter().zip(self.send(again).await?) {
            results[place] = told;
        }
        Ok(())
    }

    /// As many results as things.
    async fn send(&mut self, things: Vec<Thing>) -> Result<Vec<ImportResult>, TargetError> {
        let (mut stored, mut results) = (Vec::<LegacyThing>::new(), Vec::new());
        for thing in things {
            match thing {
                Thing::Stored(thing) => stored.push(thing),
                Thing::Job(job) => {
                    let legacy_id = job.legacy_id;
                    let failed = target::at(self.target, Service::Job, "importing a job");
                    let reply = self.target.import_job(*job, self.jobs_up_to).await.map_err(failed)?;
                    let mut result = reply.result.unwrap_or_default();
                    if is_there(result.outcome()) && reply.job_id != legacy_id {
                        self.report.renumbered(legacy_id, reply.job_id);
                        // That says it.
                        result.reason.clear();
                    }
                    results.push(result);
                }
            }
        }
        if !stored.is_empty() {
            let failed = target::at(self.target, Service::Asset, "importing them");
            let wanted = stored.len();
            let told = self.target.import(stored).await.map_err(&failed)?;
            if told.len() != wanted {
                let odd = format!("{} answers came for {wanted} rows", told.len());
                return Err(failed(ServiceError::new(kit::Code::Internal, "answers", odd)));
            }
            results.extend(told);
        }
        Ok(results)
    }

    fn outcome(&mut self, ready: &Ready, result: ImportResult) {
        let Ready { parcel, row } = ready;
        let shared = result.outcome() == ImportOutcome::Taken && fill::is_keeper(&parcel.found.thing);
        let result = if shared { already() } else { result };
        let outcome = result.outcome();
        self.report.outcome(parcel.stage, row, result);
        self.progress.rows(1);
        // The bytes of a row that was left alone are those that its scenes showed, whatever lies under its id here.
        let bytes = fill::asset_bytes(&parcel.found.thing).filter(|_| outcome != ImportOutcome::Refused);
        if let Some((id, blob)) = bytes {
            self.assets.insert(id.to_owned(), blob.clone());
        }
        if is_there(outcome) {
            for reason in missing(parcel) {
                self.report.missing(parcel.stage, row, reason);
            }
        }
    }
}

fn already() -> ImportResult {
    ImportResult { outcome: ImportOutcome::Already.into(), ..ImportResult::default() }
}

fn is_there(outcome: ImportOutcome) -> bool {
    matches!(outcome, ImportOutcome::Imported | ImportOutcome::Already | ImportOutcome::Completed)
}

/// Why bytes of something are missing: those that only have an address, and its own, if it has no place of them.
fn missing(parcel: &Parcel) -> Vec<String> {
    let mut reasons = Vec::new();
    for (bytes, content) in parcel.found.bytes.iter().zip(&parcel.contents) {
        match content {
            Content::Fetched(Err(reason)) => reasons.push(of_slot(bytes.slot, reason)),
            Content::Awaited => reasons.push(of_slot(bytes.slot, "fetching them ended without an answer")),
            Content::Stored(_) | Content::Fetched(Ok(_)) => {}
        }
    }
    reasons.extend(lost(&parcel.found).map(str::to_owned));
    reasons
}

/// Why the bytes that something is are nowhere, if they are.
pub(super) fn lost(found: &Found) -> Option<&str> {
    let has_place = found.bytes.iter().any(|bytes| matches!(bytes.slot, Slot::Asset | Slot::Video));
    found.missing.as_deref().filter(|_| !has_place)
}

/// A reason, with what it is of unless that is the thing itself.
pub(super) fn of_slot(slot: Slot, reason: &str) -> String {
    match slot {
        Slot::Asset | Slot::Video => reason.to_owned(),
        Slot::Thumbnail => format!("its thumbnail: {reason}"),
        Slot::Poster => format!("its poster: {reason}"),
        Slot::Audio => format!("its soundtrack: {reason}"),
        Slot::Clip(scene) => format!("the clip of scene {}: {reason}", scene + 1),
    }
}

impl Content {
    /// The bytes, of which `blobs` are those of the batch.
    fn blob(&self, blobs: &[BlobRef]) -> Option<BlobRef> {
        match self {
            Self::Stored(place) => blobs.get(*place).cloned(),
            Self::Fetched(got) => got.as_ref().ok().cloned(),
            Self::Awaited => None,
        }
    }
}

#[cfg(test)]
mod tests;
