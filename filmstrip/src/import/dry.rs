//! `--dry-run`: everything is read, every byte too, and nothing is written anywhere.

use legacy::Place;
use tokio::sync::mpsc;

use super::{
    batch::{Ended, NOT_FETCHED, row_of},
    feed::{Fed, Read},
    progress::Progress,
    report::Report,
    send::{lost, of_slot},
};

/// Reports what is fed, whose bytes are hashed already, as what would come.
pub(super) async fn run(
    mut feed: mpsc::Receiver<Fed>,
    fetch: bool,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), Ended> {
    loop {
        match feed.recv().await.ok_or(Ended::Vanished)? {
            Fed::Rows(stage, rows) => {
                report.found(stage, rows);
                continue;
            }
            Fed::JobsUpTo(_) => continue,
            Fed::Skipped(stage, skipped) => report.skipped(stage, skipped),
            Fed::Broken(stage, broken) => report.broken(stage, broken),
            Fed::Found(read) => would_come(&read, fetch, report),
            Fed::End => return Ok(()),
            Fed::Failed(error) => return Err(Ended::Source(error)),
            Fed::Piece(_) | Fed::Unreadable(_) => return Err(Ended::Vanished),
        }
        progress.rows(1);
    }
}

fn would_come(read: &Read, fetch: bool, report: &mut Report) {
    let Read { stage, found, .. } = read;
    let row = row_of(&found.thing);
    report.would_come(*stage);
    for bytes in found.bytes.iter().filter(|bytes| matches!(bytes.place, Place::Url(_)) && !fetch) {
        report.missing(*stage, &row, of_slot(bytes.slot, NOT_FETCHED));
    }
    if let Some(reason) = lost(found) {
        report.missing(*stage, &row, reason.to_owned());
    }
}
