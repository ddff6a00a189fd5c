//! Databases of the Phoenix service.

mod assets;
mod jobs;
mod maker;
mod owners;
mod schema;

use std::path::Path;

use anyhow::Result;

use crate::truth::Truth;
use maker::Maker;

/// The number of the first job of [`realistic`]: above all those of [`crate::scenes_db::realistic`].
const FIRST: i64 = 501;

/// Everything that was ever met in a database of the Phoenix service: all types and places of bytes, jobs in
/// every status, whole and partial videos, and a text where a video should be. Its foreign keys hold, so it
/// has no orphans.
///
/// Same seed, same bytes and same truth; another seed, other ids. Job numbers begin at 501.
///
/// # Errors
/// There is a file already, or it cannot be written.
pub fn realistic(path: &Path, seed: u64) -> Result<Truth> {
    realistic_with(path, seed, None)
}

/// As [`realistic`], with this MP4 in all videos (each with a number after its end) instead of one made
/// without an encoder.
///
/// # Errors
/// As [`realistic`].
pub fn realistic_with(path: &Path, seed: u64, clip: Option<&[u8]>) -> Result<Truth> {
    make(path, seed, FIRST, clip)
}

/// As [`realistic`], with job numbers from 1, which clash with those of [`crate::scenes_db::realistic`]; all
/// other ids are new.
///
/// # Errors
/// As [`realistic`].
pub fn sharing_jobs(path: &Path) -> Result<Truth> {
    make(path, 9, 1, None)
}

fn make(path: &Path, seed: u64, first: i64, clip: Option<&[u8]>) -> Result<Truth> {
    let mut maker = Maker::new(path, seed, clip)?;
    maker.account()?;
    let (clients, campaigns) = maker.owners()?;
    maker.assets(&clients, &campaigns)?;
    maker.jobs(first, &clients, &campaigns)?;
    maker.finish()
}
