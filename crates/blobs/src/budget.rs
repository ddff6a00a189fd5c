//! How many bytes may lie in scratch at one time: everybody who writes there takes room first.
//!
//! Room is counted in blocks, as file systems count it, and comes back when its holder is dropped, however that
//! happens. Who answers a caller takes it at once or not at all; who works in the background waits in line. Nobody
//! waits with room in hand: what is held can only grow at once, so two who want more never wait for each other.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that a file takes at least, and by which it grows.
const BLOCK: u64 = 4096;
/// Bytes by which a file of unknown size takes more room: seldom enough to cost nothing.
const STEP: u64 = 1024 * 1024;

/// The room in scratch; cheap to clone, clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: Option<u64>,
    blocks: usize,
    free: Arc<Semaphore>,
}

/// There is not enough room in scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no room for {needed} bytes in scratch: {reserved} of {limit} bytes (scratch.limit) are spoken for"
)]
pub struct NoRoom {
    /// Bytes that were asked for, in all.
    pub needed: u64,
    /// Bytes that all together hold.
    pub reserved: u64,
    /// Bytes that all together may hold.
    pub limit: u64,
}

impl NoRoom {
    /// Whether there is never so much room, however long one waits.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.needed > self.limit
    }
}

impl Budget {
    /// As much as the disk takes.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            limit: None,
            blocks: Semaphore::MAX_PERMITS,
            free: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    /// At most so many bytes, in whole blocks.
    #[must_use]
    pub fn of(limit: u64) -> Self {
        let blocks = usize::try_from(limit / BLOCK).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { limit: Some(limit / BLOCK * BLOCK), blocks, free: Arc::new(Semaphore::new(blocks)) }
    }

    /// The most bytes that may be taken; none: as many as the disk takes.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Bytes that are taken, and those that whoever is first in line has gathered so far.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.blocks.saturating_sub(self.free.available_permits()) as u64 * BLOCK
    }

    /// So many bytes, or all that there may ever be when that is less: for guesses.
    #[must_use]
    pub fn at_most(&self, bytes: u64) -> u64 {
        self.limit.map_or(bytes, |limit| bytes.min(limit))
    }

    /// Room for nothing, which can grow.
    #[must_use]
    pub fn nothing(&self) -> Room {
        Room { budget: self.clone(), taken: None }
    }

    /// Room for so many bytes, at once.
    ///
    /// # Errors
    /// There is not so much.
    pub fn try_reserve(&self, bytes: u64) -> Result<Room, NoRoom> {
        let mut room = self.nothing();
        room.grow(bytes)?;
        Ok(room)
    }

    /// Room for so many bytes, as soon as there is; who asks first has it first. Never ask with room of this budget in
    /// hand.
    ///
    /// # Errors
    /// There is never so much.
    pub async fn reserve(&self, bytes: u64) -> Result<Room, NoRoom> {
        let refused = match self.try_reserve(bytes) {
            Ok(room) => return Ok(room),
            Err(refused) => refused,
        };
        if refused.is_lasting() {
            return Err(refused);
        }
        tracing::info!(needed = bytes, reserved = refused.reserved, "waiting for room in scratch");
        // The semaphore is never closed.
        let taken = self.free.clone().acquire_many_owned(blocks(bytes)).await.map_err(|_| refused)?;
        Ok(Room { budget: self.clone(), taken: Some(taken) })
    }

    fn refusal(&self, needed: u64) -> NoRoom {
        NoRoom { needed, reserved: self.reserved(), limit: self.limit.unwrap_or(u64::MAX) }
    }
}

/// Blocks of so many bytes; more than 16 TiB count as that.
fn blocks(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(BLOCK)).unwrap_or(u32::MAX)
}

/// Room that somebody has; given back when dropped. What lies in it has to be gone by then.
#[derive(Debug)]
pub struct Room {
    budget: Budget,
    taken: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// How many bytes it is for: whole blocks.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.blocks() as u64 * BLOCK
    }

    fn blocks(&self) -> usize {
        self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Of which budget it is.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Takes more, so that it is for `to` bytes at least.
    ///
    /// # Errors
    /// There is not so much; what was held is still held.
    pub fn grow(&mut self, to: u64) -> Result<(), NoRoom> {
        if to <= self.bytes() {
            return Ok(());
        }
        let more = (blocks(to) as usize).saturating_sub(self.blocks());
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let taken = self.budget.free.clone().try_acquire_many_owned(more);
        self.add(taken.map_err(|_| self.budget.refusal(to))?);
        Ok(())
    }

    /// Takes more for a file that is getting longer, so that it is for `to` bytes at least: a good piece at a time as
    /// long as there is that much.
    ///
    /// # Errors
    /// As for [`Room::grow`].
    pub fn grow_in_steps(&mut self, to: u64) -> Result<(), NoRoom> {
        if to <= self.bytes() {
            return Ok(());
        }
        self.grow(step(to)).or_else(|_| self.grow(to))
    }

    /// As [`Room::grow_in_steps`], out of room that is held already as far as that goes.
    ///
    /// # Errors
    /// As for [`Room::grow`].
    pub(crate) fn grow_out_of(&mut self, spare: &mut Self, to: u64) -> Result<(), NoRoom> {
        if to <= self.bytes() {
            return Ok(());
        }
        let wanted = (blocks(step(to)) as usize).saturating_sub(self.blocks());
        spare.hand_over(self, wanted);
        self.grow_in_steps(to)
    }

    /// Gives back what is more than `to` bytes.
    pub fn shrink(&mut self, to: u64) {
        let mut surplus = self.budget.nothing();
        self.hand_surplus(&mut surplus, to);
    }

    /// Hands over what is more than `keep` bytes.
    pub(crate) fn hand_surplus(&mut self, other: &mut Self, keep: u64) {
        self.hand_over(other, self.blocks().saturating_sub(blocks(keep) as usize));
    }

    /// Hands so many blocks over, or all that there are.
    fn hand_over(&mut self, other: &mut Self, most: usize) {
        let count = most.min(self.blocks());
        if let Some(blocks) = self.taken.as_mut().and_then(|held| held.split(count)) {
            other.add(blocks);
        }
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.taken {
            Some(held) => held.merge(more),
            None => self.taken = Some(more),
        }
    }
}

/// The end of the step that byte number `to` lies in.
fn step(to: u64) -> u64 {
    to.checked_next_multiple_of(STEP).unwrap_or(to)
}
