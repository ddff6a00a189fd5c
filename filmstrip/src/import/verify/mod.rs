//! `--verify`: the source is read once more and compared with what came from it, in both directions.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `compare` | two sides of one row, field by field; pure |
//! | `shelf` | what came, from the services, matched with rows of the source |
//! | `checked` | bytes at the other side |
//! | `findings` | what it came to, as JSON and for people |

mod checked;
mod compare;
mod findings;
mod shelf;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use legacy::{Place, Slot, Stage, Thing};
use protos::{
    asset::v1::legacy_thing,
    common::v1::BlobRef,
    job::v1::{ImportedJob, LegacyJob},
};
use tokio::sync::mpsc;

use super::{
    batch::{Ended, row_of},
    feed::{Fed, Read},
    fill::{self, Assets},
    progress::Progress,
    report::RowName,
    send::Stopped,
    target::{Service, Target},
};
use checked::Checked;
use compare::{Sort, whole};
pub(super) use findings::Findings;
use shelf::{Listed, Shelf};

/// What is said of a row here that no row of the source is of.
const ONLY_HERE: &str = "came from this source, and the source does not bring it any more; if it was imported with \
                         --keep-orphans, verify with it as well";

/// Compares what is fed, whose bytes are hashed already, with what is there. What was found until a failure is in the
/// findings as well.
pub(super) async fn run(
    mut feed: mpsc::Receiver<Fed>,
    source: &str,
    target: &Arc<dyn Target>,
    progress: &Progress,
    findings: &mut Findings,
) -> Result<(), Stopped> {
    let mut comparer = Comparer {
        things: Shelf::new(target, Service::Asset, source),
        jobs: Shelf::new(target, Service::Job, source),
        checked: Checked::new(target),
        assets: Assets::new(),
        fetched: HashSet::new(),
        findings,
    };
    let compared = comparer.all(&mut feed, progress).await;
    comparer.close();
    compared
}

struct Comparer<'a> {
    things: Shelf,
    jobs: Shelf,
    checked: Checked,
    /// Bytes of assets, as the source has them, or as they were fetched.
    assets: Assets,
    /// Assets whose bytes are not in the source. Jobs may have come before these.
    fetched: HashSet<String>,
    findings: &'a mut Findings,
}

impl Comparer<'_> {
    async fn all(&mut self, feed: &mut mpsc::Receiver<Fed>, progress: &Progress) -> Result<(), Stopped> {
        loop {
            match feed.recv().await.ok_or(Ended::Vanished)? {
                Fed::Rows(..) | Fed::JobsUpTo(_) => continue,
                Fed::Skipped(..) => {}
                Fed::Broken(stage, broken) => {
                    let row = RowName { table: broken.table.to_owned(), row: broken.row.clone() };
                    self.findings.expected(stage);
                    let why = format!("it cannot be read, so that it is not here: {broken}");
                    self.findings.differs(stage, &row, whole(Sort::NotHere, &why));
                }
                Fed::Found(read) => self.row(*read).await?,
                Fed::End => break,
                Fed::Failed(error) => return Err(Ended::Source(error).into()),
                Fed::Piece(_) | Fed::Unreadable(_) => return Err(Ended::Vanished.into()),
            }
            progress.rows(1);
        }
        self.only_here().await?;
        Ok(self.checked.finish().await?)
    }

    async fn row(&mut self, read: Read) -> Result<(), Stopped> {
        let Read { stage, found, digests } = read;
        let row = row_of(&found.thing);
        self.findings.expected(stage);
        let shelf = if matches!(found.thing, Thing::Job(_)) { &mut self.jobs } else { &mut self.things };
        let listed = shelf.take(&row).await?;
        let expected = self.expected(found, digests, listed.as_ref());
        if listed.is_none() && fill::is_keeper(&expected) {
            // It came from another source; what it keeps says that it is there.
            self.findings.here(stage);
            self.findings.same(stage);
            return Ok(());
        }
        let Some(listed) = listed else {
            self.findings.differs(stage, &row, whole(Sort::NotHere, "it is not here"));
            return Ok(());
        };
        self.findings.here(stage);
        let differences = match (&expected, &listed) {
            (Thing::Stored(expected), Listed::Thing(here)) => compare::thing(expected, here),
            (Thing::Job(expected), Listed::Job(here)) => compare::job(expected, here),
            _ => vec![whole(Sort::Differs, "it is of another kind here")],
        };
        if differences.is_empty() {
            self.findings.same(stage);
        }
        for difference in differences {
            self.findings.differs(stage, &row, difference);
        }
        self.bytes(stage, &row, &expected, &listed).await
    }

    /// What should be here of a row.
    fn expected(
        &mut self,
        mut found: legacy::Found,
        mut digests: Vec<Option<BlobRef>>,
        listed: Option<&Listed>,
    ) -> Thing {
        found.seal(
            &digests.iter().map(|blob| blob.as_ref().map(|blob| blob.sha256.clone())).collect::<Vec<_>>(),
        );
        // What only has an address may have been fetched or not; what was is compared with itself.
        for (bytes, digest) in found.bytes.iter().zip(&mut digests) {
            if matches!(bytes.place, Place::Url(_)) {
                *digest = listed.and_then(|listed| came(listed, bytes.slot));
            }
        }
        fill::fill(&mut found.thing, &found.bytes, &digests);
        drop_no_picture(&mut found.thing);
        if let Some((id, blob)) = fill::asset_bytes(&found.thing) {
            self.assets.insert(id.to_owned(), blob.clone());
            if found
                .bytes
                .iter()
                .any(|bytes| bytes.slot == Slot::Asset && matches!(bytes.place, Place::Url(_)))
            {
                self.fetched.insert(id.to_owned());
            }
        }
        if let Thing::Job(job) = &mut found.thing {
            fill::frames(job, &self.assets);
            if let Some(Listed::Job(here)) = listed {
                self.forgive(job, here);
            }
        }
        found.thing
    }

    /// A job that came before its assets were fetched has frames without bytes; that is no difference.
    fn forgive(&self, expected: &mut LegacyJob, here: &ImportedJob) {
        let Some(came) = &here.came else { return };
        for (expected, came) in expected.scenes.iter_mut().zip(&came.scenes) {
            for (frame, came) in expected.frames.iter_mut().zip(&came.frames) {
                if came.blob.is_none() && self.fetched.contains(&frame.asset_id) {
                    frame.blob = None;
                }
            }
        }
    }

    /// Has the bytes read that a row should have, and those that it has.
    async fn bytes(
        &mut self,
        stage: Stage,
        row: &RowName,
        expected: &Thing,
        listed: &Listed,
    ) -> Result<(), Stopped> {
        let should = match expected {
            Thing::Stored(thing) => compare::blobs(thing),
            Thing::Job(job) => compare::job_blobs(job),
        };
        for (field, blob) in should.into_iter().chain(listed.blobs()) {
            self.checked.check(stage, row, field, blob).await?;
        }
        Ok(())
    }

    /// What came from the source and is not in it any more.
    async fn only_here(&mut self) -> Result<(), Stopped> {
        for service in [Service::Asset, Service::Job] {
            loop {
                let shelf = if service == Service::Asset { &mut self.things } else { &mut self.jobs };
                let Some(rest) = shelf.rest().await? else { break };
                for (row, listed) in rest {
                    let stage = stage(&listed);
                    self.findings.here(stage);
                    let difference = match (&row, &listed) {
                        (None, Listed::Job(job)) => {
                            whole(Sort::Differs, &format!("{}: {}", listed.name(), job.differs))
                        }
                        _ => whole(Sort::OnlyHere, &format!("{} {ONLY_HERE}", listed.name())),
                    };
                    let row =
                        row.unwrap_or_else(|| RowName { table: "(unknown)".into(), row: listed.name() });
                    self.findings.differs(stage, &row, difference);
                    for (field, blob) in listed.blobs() {
                        self.checked.check(stage, &row, field, blob).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        for (stage, row, difference) in self.checked.wrong() {
            self.findings.differs(stage, &row, difference);
        }
        (self.findings.blobs, self.findings.bytes) = self.checked.so_far();
    }
}

/// A thumbnail that is no picture is left out by the service, which draws another one.
fn drop_no_picture(thing: &mut Thing) {
    let Thing::Stored(stored) = thing else { return };
    if let Some(legacy_thing::Thing::Asset(asset)) = &mut stored.thing {
        asset.thumbnail = asset.thumbnail.take().filter(|blob| blob.content_type.starts_with("image/"));
    }
}

/// Bytes that came with something, by what of it they are.
fn came(listed: &Listed, slot: Slot) -> Option<BlobRef> {
    match listed {
        Listed::Thing(thing) => match (&thing.came.as_ref()?.thing, slot) {
            (Some(legacy_thing::Thing::Asset(asset)), Slot::Asset) => asset.blob.clone(),
            (Some(legacy_thing::Thing::Asset(asset)), Slot::Thumbnail) => asset.thumbnail.clone(),
            _ => None,
        },
        Listed::Job(job) => {
            let came = job.came.as_ref()?;
            match slot {
                Slot::Video => came.video.as_ref()?.blob.clone(),
                Slot::Poster => came.video.as_ref()?.poster.clone(),
                Slot::Audio => came.audio.as_ref()?.blob.clone(),
                Slot::Clip(scene) => came.scenes.get(scene)?.clip.as_ref()?.blob.clone(),
                Slot::Asset | Slot::Thumbnail => None,
            }
        }
    }
}

fn stage(listed: &Listed) -> Stage {
    match listed {
        Listed::Job(_) => Stage::Jobs,
        Listed::Thing(thing) => match thing.kind.as_str() {
            "client" => Stage::Clients,
            "campaign" => Stage::Campaigns,
            "key" => Stage::Keys,
            _ => Stage::Assets,
        },
    }
}
