//! `filmstrip import` beside a plain copy: the same bytes out of the same database, hashed, written, and on the disk.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `copy` | the peer: every blob into a file of its own, with SHA-256, and one sync at the end |
//! | `program` | the command as a process: how long it takes and the most memory that it holds |
//! | `report` | the tables |

mod copy;
mod program;
mod report;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use crate::progress;
use program::Program;
use report::{Case, Report};

/// What is brought over, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Megabytes (a million bytes each) of the large source [default: 935, quick: 60].
    #[arg(long)]
    megabytes: Option<u64>,
    /// Runs of each [default: 3, quick: 1].
    #[arg(long)]
    runs: Option<usize>,
    /// Where the program lies; by default beside this one.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// A smaller source, one run.
    #[arg(long)]
    quick: bool,
}

/// Images of the predecessor's own migration.
const NAMED_CASE: usize = 259;

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let megabytes = args.megabytes.unwrap_or(if args.quick { 60 } else { 935 });
    let runs = args.runs.unwrap_or(if args.quick { 1 } else { 3 });
    let program = Program::find(args.bin_dir.as_deref())?;
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let mut report = Report::default();
    progress!("making a source of {NAMED_CASE} images");
    let source = scratch.path().join("named.db");
    legacysources::scenes_db::migration_case(&source)?;
    report.small = Some(measure(&program, &source, scratch.path(), runs)?);
    std::fs::remove_file(&source)?;
    progress!("making a source of {megabytes} MB");
    let source = scratch.path().join("large.db");
    legacysources::scenes_db::large(&source, megabytes * 1_000_000)?;
    report.large = Some(measure(&program, &source, scratch.path(), runs)?);
    report.print();
    Ok(())
}

/// Both sides in turns, on fresh directories each time.
fn measure(program: &Program, source: &Path, scratch: &Path, runs: usize) -> anyhow::Result<Case> {
    let mut case = Case::of(source)?;
    // A round that is not counted: afterwards the source lies in memory for both.
    for run in 0..=runs {
        progress!("{}, run {run} of {runs}", source.display());
        let (copies, target) = (scratch.join("copies"), scratch.join("target"));
        let (mut copied, mut imported) = (None, None);
        for side in if run % 2 == 0 { [0, 1] } else { [1, 0] } {
            settle(scratch)?;
            if side == 0 {
                copied = Some(copy::every_blob(source, &copies)?);
            } else {
                imported = Some(program.import(source, &target)?);
            }
        }
        let (copied, imported) = copied.zip(imported).context("each side has had its turn")?;
        settle(scratch)?;
        let verified = program.verify(source, &target)?;
        let stored = stored(&target.join("blobs"))?;
        ensure!(
            stored == copied.digests,
            "{} blobs were stored and {} copied: the two sides did not do the same",
            stored.len(),
            copied.digests.len()
        );
        if run > 0 {
            case.add(&copied, imported, verified);
        }
        std::fs::remove_dir_all(&copies)?;
        std::fs::remove_dir_all(&target)?;
    }
    Ok(case)
}

/// The names of the blobs in a store of the directory backend: two digits, then a file named after its SHA-256.
fn stored(store: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for shard in std::fs::read_dir(store).with_context(|| store.display().to_string())? {
        let shard = shard?;
        if shard.file_name().len() == 2 {
            for blob in std::fs::read_dir(shard.path())? {
                found.insert(blob?.file_name().to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// Waits until what was written so far is on the disk, so that nobody pays for what another one left.
fn settle(directory: &Path) -> anyhow::Result<()> {
    use std::os::fd::AsRawFd as _;
    let directory = std::fs::File::open(directory)?;
    // SAFETY: the descriptor is open as long as `directory` lives.
    let synced = unsafe { libc::syncfs(directory.as_raw_fd()) };
    ensure!(synced == 0, "syncing the file system: {}", std::io::Error::last_os_error());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_listed_without_what_waits_in_its_spool() {
        let store = tempfile::tempdir().unwrap();
        for path in ["ab/abcd", "00/0012", "spool/half"] {
            let path = store.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        assert_eq!(stored(store.path()).unwrap(), ["0012", "abcd"].map(str::to_owned).into());
        settle(store.path()).unwrap();
    }
}
