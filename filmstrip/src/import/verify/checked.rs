//! Bytes at the other side, each read there once, several at a time.

use std::{collections::HashSet, sync::Arc};

use kit::ServiceError;
use legacy::Stage;
use protos::{asset::v1::CheckBytesReply, common::v1::BlobRef};
use tokio::task::JoinSet;

use super::compare::{Difference, Sort};
use crate::import::{
    report::RowName,
    target::{self, Service, Target, TargetError},
};

/// Blobs that are read at one time.
const AT_ONCE: usize = 4;

/// Blobs that are or were read at the other side.
pub(super) struct Checked {
    target: Arc<dyn Target>,
    begun: HashSet<String>,
    reading: JoinSet<(Asked, Result<CheckBytesReply, ServiceError>)>,
    /// What was found out so far and not taken yet.
    wrong: Vec<(Stage, RowName, Difference)>,
    bytes: u64,
}

/// Bytes that were asked for, and what refers to them.
struct Asked {
    stage: Stage,
    row: RowName,
    field: String,
    blob: BlobRef,
}

impl Checked {
    pub(super) fn new(target: &Arc<dyn Target>) -> Self {
        Self {
            target: Arc::clone(target),
            begun: HashSet::new(),
            reading: JoinSet::new(),
            wrong: Vec::new(),
            bytes: 0,
        }
    }

    /// Has the bytes read that a row refers to, unless they were before.
    pub(super) async fn check(
        &mut self,
        stage: Stage,
        row: &RowName,
        field: String,
        blob: BlobRef,
    ) -> Result<(), TargetError> {
        if blob.sha256.is_empty() || !self.begun.insert(blob.sha256.clone()) {
            return Ok(());
        }
        while self.reading.len() >= AT_ONCE {
            self.next().await?;
        }
        let (target, asked) = (Arc::clone(&self.target), Asked { stage, row: row.clone(), field, blob });
        self.reading.spawn(async move {
            let told = target.check(&asked.blob.sha256).await;
            (asked, told)
        });
        Ok(())
    }

    /// Waits for all that are being read.
    pub(super) async fn finish(&mut self) -> Result<(), TargetError> {
        while self.next().await? {}
        Ok(())
    }

    /// What was found wrong since this was asked last.
    pub(super) fn wrong(&mut self) -> Vec<(Stage, RowName, Difference)> {
        std::mem::take(&mut self.wrong)
    }

    /// How many blobs were read, and how many bytes they are.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.begun.len() as u64, self.bytes)
    }

    /// Waits for one; false when none is being read.
    async fn next(&mut self) -> Result<bool, TargetError> {
        let Some(read) = self.reading.join_next().await else { return Ok(false) };
        let failed = target::at(&*self.target, Service::Asset, "reading back what is stored");
        let (asked, told) = read.map_err(|error| failed(ServiceError::internal(error)))?;
        let told = told.map_err(failed)?;
        self.bytes += told.size;
        if let Some(difference) = difference(&asked, &told) {
            self.wrong.push((asked.stage, asked.row, difference));
        }
        Ok(true)
    }
}

fn difference(asked: &Asked, told: &CheckBytesReply) -> Option<Difference> {
    let BlobRef { sha256, size, .. } = &asked.blob;
    let here = if !told.found {
        "they are not in the object store".to_owned()
    } else if told.sha256 != *sha256 {
        format!("they are damaged: {} bytes with SHA-256 {}", told.size, told.sha256)
    } else if told.size != *size {
        format!("{} bytes", told.size)
    } else {
        return None;
    };
    let source = format!("{size} bytes with SHA-256 {sha256}");
    Some(Difference { sort: Sort::Bytes, field: asked.field.clone(), source, here })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_well_only_when_all_of_them_are_there() {
        let blob = BlobRef { sha256: "aa".into(), size: 3, content_type: String::new() };
        let row = RowName { table: "assets".into(), row: "a".into() };
        let asked = Asked { stage: Stage::Assets, row, field: "blob".into(), blob };
        let told = |found, sha256: &str, size| CheckBytesReply { found, sha256: sha256.into(), size };
        assert_eq!(difference(&asked, &told(true, "aa", 3)), None);
        for (told, wanted) in [
            (told(false, "", 0), "not in the object store"),
            (told(true, "bb", 3), "damaged: 3 bytes with SHA-256 bb"),
            (told(true, "aa", 4), "4 bytes"),
        ] {
            let found = difference(&asked, &told).unwrap();
            assert!(found.here.contains(wanted) && found.source.contains("aa"), "{found:?}");
            assert_eq!(found.sort, Sort::Bytes);
        }
    }
}
