//! What came from a source in earlier runs: its bytes, so that nothing is fetched twice and frames find their assets.

use std::{collections::HashMap, sync::Arc};

use legacy::Slot;
use protos::{
    asset::v1::{ImportedThing, legacy_thing},
    common::v1::{BlobRef, Origin},
    job::v1::{ImportedJob, LegacyFile},
};

use super::{
    fill::Assets,
    report::RowName,
    target::{self, Service, Target, TargetError},
};

/// References to bytes that came before, by the row and what of it they are.
#[derive(Debug, Default)]
pub(super) struct Present {
    blobs: HashMap<RowName, Vec<(Slot, BlobRef)>>,
    /// Bytes of assets by the asset's id.
    pub(super) assets: Assets,
}

impl Present {
    /// Asks both services.
    pub(super) async fn ask(target: &Arc<dyn Target>, source: &str) -> Result<Self, TargetError> {
        let doing = "listing what came before";
        let mut present = Self::default();
        let mut after = None;
        loop {
            let listed = target.list(source, after).await;
            let page = listed.map_err(target::at(&**target, Service::Asset, doing))?;
            page.things.into_iter().for_each(|thing| present.thing(thing));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let listed = target.list_jobs(source, after).await;
            let page = listed.map_err(target::at(&**target, Service::Job, doing))?;
            page.jobs.into_iter().for_each(|job| present.job(job));
            after = page.next;
            if after.is_none() {
                return Ok(present);
            }
        }
    }

    /// Bytes that a row was given before.
    pub(super) fn blob(&self, row: &RowName, slot: Slot) -> Option<&BlobRef> {
        let blobs = self.blobs.get(row)?;
        blobs.iter().find(|(of, _)| *of == slot).map(|(_, blob)| blob)
    }

    fn thing(&mut self, thing: ImportedThing) {
        // What is there now may have bytes that did not come with it.
        for told in [thing.came, thing.now].into_iter().flatten() {
            if let Some(legacy_thing::Thing::Asset(asset)) = told.thing {
                if let Some(blob) = &asset.blob {
                    self.assets.insert(asset.id, blob.clone());
                }
                self.keep(
                    thing.origin.as_ref(),
                    [(Slot::Asset, asset.blob), (Slot::Thumbnail, asset.thumbnail)],
                );
            }
        }
    }

    fn job(&mut self, job: ImportedJob) {
        let Some(came) = job.came else { return };
        let origin = came.origin.as_ref();
        let of = |file: Option<LegacyFile>| file.and_then(|file| file.blob);
        let poster = came.video.as_ref().and_then(|video| video.poster.clone());
        self.keep(
            origin,
            [(Slot::Video, of(came.video)), (Slot::Poster, poster), (Slot::Audio, of(came.audio))],
        );
        let clips = came.scenes.into_iter().enumerate();
        self.keep(origin, clips.map(|(place, scene)| (Slot::Clip(place), of(scene.clip))));
    }

    fn keep(&mut self, origin: Option<&Origin>, blobs: impl IntoIterator<Item = (Slot, Option<BlobRef>)>) {
        let Some(Origin { table, row, .. }) = origin else { return };
        for (slot, blob) in blobs {
            if let Some(blob) = blob {
                let row = RowName { table: table.clone(), row: row.clone() };
                let blobs = self.blobs.entry(row).or_default();
                blobs.retain(|(of, _)| *of != slot);
                blobs.push((slot, blob));
            }
        }
    }
}
