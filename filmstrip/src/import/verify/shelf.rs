//! What came from a source, taken from the services page by page and matched with the rows of the source.
//!
//! Both sides mostly have the same order, so that hardly more than a page is held.

use std::{collections::HashMap, sync::Arc};

use protos::{
    asset::v1::ImportedThing,
    common::v1::{BlobRef, Origin},
    job::v1::ImportedJob,
};

use super::compare;
use crate::import::{
    report::RowName,
    target::{self, Service, Target, TargetError},
};

/// Something that came, as a service lists it.
#[derive(Clone, Debug)]
pub(super) enum Listed {
    Thing(Box<ImportedThing>),
    Job(Box<ImportedJob>),
}

impl Listed {
    /// Where it came from; none when the log cannot say so any more.
    fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Thing(thing) => thing.origin.as_ref(),
            Self::Job(job) => job.came.as_ref()?.origin.as_ref(),
        }
    }

    /// What it is here, for a person.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Thing(thing) => format!("{} {}", thing.kind, thing.id),
            Self::Job(job) => format!("job {}", job.job_id),
        }
    }

    /// Bytes that it refers to, by the log or by its row.
    pub(super) fn blobs(&self) -> Vec<(String, BlobRef)> {
        match self {
            Self::Thing(thing) => {
                [&thing.came, &thing.now].into_iter().flatten().flat_map(compare::blobs).collect()
            }
            Self::Job(job) => job.came.as_ref().map(compare::job_blobs).unwrap_or_default(),
        }
    }
}

/// What a service has from a source and has not been asked for yet.
pub(super) struct Shelf {
    target: Arc<dyn Target>,
    service: Service,
    source: String,
    held: HashMap<RowName, Listed>,
    /// Without an origin, so that no row of the source can be theirs.
    lost: Vec<Listed>,
    /// Where the next page begins; none when there is none.
    next: Option<Option<i64>>,
}

impl Shelf {
    pub(super) fn new(target: &Arc<dyn Target>, service: Service, source: &str) -> Self {
        Self {
            target: Arc::clone(target),
            service,
            source: source.to_owned(),
            held: HashMap::new(),
            lost: Vec::new(),
            next: Some(None),
        }
    }

    /// What came from a row, if anything did.
    pub(super) async fn take(&mut self, row: &RowName) -> Result<Option<Listed>, TargetError> {
        loop {
            if let Some(listed) = self.held.remove(row) {
                return Ok(Some(listed));
            }
            if !self.page().await? {
                return Ok(None);
            }
        }
    }

    /// Everything that was not taken, page by page; none when there is nothing more.
    pub(super) async fn rest(&mut self) -> Result<Option<Vec<(Option<RowName>, Listed)>>, TargetError> {
        if self.held.is_empty() && self.lost.is_empty() && !self.page().await? {
            return Ok(None);
        }
        let mut rest: Vec<_> = self.held.drain().map(|(row, listed)| (Some(row), listed)).collect();
        rest.sort_by(|(one, _), (other, _)| one.as_ref().map(sort_key).cmp(&other.as_ref().map(sort_key)));
        rest.extend(self.lost.drain(..).map(|listed| (None, listed)));
        Ok(Some(rest))
    }

    /// Takes the next page; false when there is none.
    async fn page(&mut self) -> Result<bool, TargetError> {
        let Some(after) = self.next else { return Ok(false) };
        let failed = target::at(&*self.target, self.service, "listing what came from the source");
        let page: Vec<Listed>;
        (page, self.next) = match self.service {
            Service::Asset => {
                let reply = self.target.list(&self.source, after).await.map_err(failed)?;
                let things = reply.things.into_iter().map(|thing| Listed::Thing(Box::new(thing)));
                (things.collect(), reply.next.map(Some))
            }
            Service::Job => {
                let reply = self.target.list_jobs(&self.source, after).await.map_err(failed)?;
                let jobs = reply.jobs.into_iter().map(|job| Listed::Job(Box::new(job)));
                (jobs.collect(), reply.next.map(Some))
            }
        };
        for listed in page {
            match listed.origin().cloned() {
                Some(Origin { table, row, .. }) => {
                    self.held.insert(RowName { table, row }, listed);
                }
                None => self.lost.push(listed),
            }
        }
        Ok(true)
    }
}

fn sort_key(row: &RowName) -> (&str, &str) {
    (&row.table, &row.row)
}
