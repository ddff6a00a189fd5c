//! Where media lie: finished ones by name, half-made ones in a directory that is emptied at the start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::MediaError;
use crate::error::StageError;

/// The directories of a stage and one lock per medium in the making.
pub(crate) struct MediaStore {
    media: PathBuf,
    scratch: PathBuf,
    uploads: PathBuf,
    cached: bool,
    making: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl MediaStore {
    /// With `cached`, media belong to their input and stay; without, to their prediction.
    pub(crate) fn open(dir: &Path, cached: bool) -> Result<Self, StageError> {
        let store = Self {
            media: dir.join("media"),
            scratch: dir.join("scratch"),
            uploads: dir.join("files"),
            cached,
            making: Mutex::default(),
        };
        let _ = std::fs::remove_dir_all(&store.scratch);
        for path in [&store.media, &store.scratch, &store.uploads] {
            std::fs::create_dir_all(path)
                .map_err(|source| StageError::Directory { path: path.clone(), source })?;
        }
        Ok(store)
    }

    /// Whether equal inputs share one medium.
    pub(crate) fn cached(&self) -> bool {
        self.cached
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.media.join(name)
    }

    pub(crate) fn upload(&self, id: &str) -> PathBuf {
        self.uploads.join(id)
    }

    /// A path that nobody else uses, for something in the making.
    pub(crate) fn scratch(&self, extension: &str) -> PathBuf {
        self.scratch.join(format!("{}.{extension}", uuid::Uuid::new_v4().simple()))
    }

    /// Sees to it that the medium `name` exists. Callers with one name wait for one making.
    pub(crate) async fn ensure<F>(
        &self,
        name: &str,
        make: impl FnOnce(PathBuf) -> F,
    ) -> Result<(), MediaError>
    where
        F: Future<Output = Result<(), MediaError>>,
    {
        let turn = self.making.lock().entry(name.to_owned()).or_default().clone();
        let result = {
            let _turn = turn.lock().await;
            self.make_once(name, make).await
        };
        let mut making = self.making.lock();
        // Two owners: the map and this call.
        if Arc::strong_count(&turn) <= 2 {
            making.remove(name);
        }
        result
    }

    async fn make_once<F>(&self, name: &str, make: impl FnOnce(PathBuf) -> F) -> Result<(), MediaError>
    where
        F: Future<Output = Result<(), MediaError>>,
    {
        let target = self.path(name);
        if tokio::fs::try_exists(&target).await.unwrap_or(false) {
            return Ok(());
        }
        let extension = target.extension().and_then(|e| e.to_str()).unwrap_or("bin");
        let scratch = self.scratch(extension);
        let made = make(scratch.clone()).await;
        if made.is_err() {
            let _ = tokio::fs::remove_file(&scratch).await;
        }
        made?;
        tokio::fs::rename(&scratch, &target)
            .await
            .map_err(|e| MediaError::new(format!("could not keep the output: {e}")))
    }
}
