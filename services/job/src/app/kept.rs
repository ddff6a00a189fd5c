//! Jobs kept folded in memory, each with the reports that wait to be recorded.

use std::{collections::HashMap, sync::Arc};

use job_domain::JobId;
use parking_lot::Mutex;

use super::{Snapshot, record::Waiting};

/// Jobs kept folded in memory.
const KEPT: usize = 512;

/// All jobs that are kept. What is stored decides; what is kept here is at most behind it.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<JobId, Arc<Slot>>>);

/// The place of one job.
#[derive(Debug, Default)]
pub(super) struct Slot {
    known: Mutex<Known>,
    /// Reports to be recorded by the next one that has the turn.
    pub(super) waiting: Mutex<Vec<Waiting>>,
    /// Reports of a job are recorded by one caller at a time, so that they do not get into each other's way.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    snapshot: Option<Arc<Snapshot>>,
    unfinished: bool,
    /// The version that is known to be there, whoever stored it.
    stored: i64,
}

impl Kept {
    /// The job's place, made when it is missing.
    pub(super) fn slot(&self, id: JobId) -> Arc<Slot> {
        let mut slots = self.0.lock();
        if slots.len() >= KEPT && !slots.contains_key(&id) {
            make_room(&mut slots);
        }
        Arc::clone(slots.entry(id).or_default())
    }

    fn find(&self, id: JobId) -> Option<Arc<Slot>> {
        self.0.lock().get(&id).cloned()
    }

    /// The job as it was last kept, whether or not more is known to have happened.
    pub(super) fn last(&self, id: JobId) -> Option<Arc<Snapshot>> {
        self.find(id)?.known.lock().snapshot.clone()
    }

    /// The job, if nothing more is known to have happened to it; and whether something is outstanding or to be asked for.
    pub(super) fn current(&self, id: JobId) -> Option<(Arc<Snapshot>, bool)> {
        let slot = self.find(id)?;
        let known = slot.known.lock();
        let snapshot = known.snapshot.clone().filter(|snapshot| snapshot.version >= known.stored)?;
        Some((snapshot, known.unfinished))
    }

    /// Keeps a job unless a newer one is kept. `true`: something is to be done for it now, and was not before.
    pub(super) fn keep(&self, snapshot: &Arc<Snapshot>) -> bool {
        let slot = self.slot(snapshot.job.id);
        let mut known = slot.known.lock();
        if known.snapshot.as_ref().is_some_and(|kept| kept.version >= snapshot.version) {
            return false;
        }
        let unfinished = job_domain::view::is_due(&snapshot.job);
        let begun = unfinished && !known.unfinished;
        known.snapshot = Some(Arc::clone(snapshot));
        known.unfinished = unfinished;
        begun
    }

    /// That version is stored. `true`: the job is not kept as of it.
    pub(super) fn notice(&self, id: JobId, version: i64) -> bool {
        let Some(slot) = self.find(id) else { return true };
        let mut known = slot.known.lock();
        known.stored = known.stored.max(version);
        known.snapshot.as_ref().is_none_or(|snapshot| snapshot.version < version)
    }
}

/// Those that are over are asked for least, and of all the oldest; any of them can be folded again.
fn make_room(slots: &mut HashMap<JobId, Arc<Slot>>) {
    let mut ids: Vec<(bool, JobId)> =
        slots.iter().map(|(&id, slot)| (slot.known.lock().unfinished, id)).collect();
    ids.sort_unstable();
    for (_, id) in ids.iter().take(KEPT / 2) {
        slots.remove(id);
    }
}
