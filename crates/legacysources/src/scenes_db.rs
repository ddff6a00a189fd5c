//! Databases of the Python service.

mod assets;
mod jobs;
mod kinds_of_jobs;
mod maker;
mod migration;
mod odd_assets;
mod owners;
mod rest;
mod schema;
mod tables;

use std::path::Path;

use anyhow::Result;

use crate::truth::Truth;
use maker::Maker;

/// Which tables and columns there are, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// As a new installation makes them.
    Fresh,
    /// As an old one was upgraded: all, the late columns at the end.
    Upgraded,
    /// Before the late tables and columns.
    Old,
}

/// Everything that was ever met in a `scenes.db`: all kinds of owners, formats, places of bytes, jobs and
/// orphans.
///
/// Same seed, same bytes and same truth; another seed, other ids.
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
    all_of_it(path, seed, Layout::Fresh, clip)
}

/// As [`realistic`] with the same truth, in a file that was upgraded: the late columns are the last ones, and
/// there are more triggers, indexes and empty tables.
///
/// # Errors
/// As [`realistic`].
pub fn upgraded(path: &Path, seed: u64) -> Result<Truth> {
    all_of_it(path, seed, Layout::Upgraded, None)
}

/// A file from before the late columns and tables: no bytes of assets, no scenes, clips that were made one by
/// one.
///
/// # Errors
/// As [`realistic`].
pub fn old_layout(path: &Path) -> Result<Truth> {
    let mut maker = Maker::new(path, Layout::Old, 3, None)?;
    maker.accounts()?;
    let (clients, campaigns) = maker.owners()?;
    maker.old_assets(&clients, &campaigns)?;
    maker.clips(1)?;
    maker.retired()?;
    maker.finish()
}

/// The predecessor's own migration in size: 2 clients, 4 campaigns and 259 images of 150 to 250 KB with their
/// blobs, pictures, tags and owners; nothing else.
///
/// # Errors
/// As [`realistic`].
pub fn migration_case(path: &Path) -> Result<Truth> {
    migration::make(path, 1, 150_000, |images, _| images < 259)
}

/// As [`migration_case`], with images of about 245 KB until there are `bytes` of them: 3,800 for 935 MB.
///
/// # Errors
/// As [`realistic`].
pub fn large(path: &Path, bytes: u64) -> Result<Truth> {
    migration::make(path, 2, 240_000, |_, so_far| so_far < bytes)
}

fn all_of_it(path: &Path, seed: u64, layout: Layout, clip: Option<&[u8]>) -> Result<Truth> {
    let mut maker = Maker::new(path, layout, seed, clip)?;
    maker.accounts()?;
    let (clients, campaigns) = maker.owners()?;
    maker.rooms(&campaigns)?;
    maker.odd_assets(&clients, &campaigns)?;
    maker.orphans(&clients, &campaigns)?;
    maker.clips(1)?;
    maker.storyboards(&clients, &campaigns)?;
    maker.pairs(&clients, &campaigns)?;
    maker.loose(&clients, &campaigns)?;
    maker.retired()?;
    maker.finish()
}
