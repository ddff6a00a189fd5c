//! What goes wrong while a job is brought over.

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, Log, LogError, Params, Row,
    testing::{Around, Wrapped, scratch_log},
};
use job::legacy::open;
use kit::{Clock, Code};
use protos::{common::v1::ImportOutcome, job::v1::LegacyJob};

use super::{bring, came, scene};

/// Another importer, which brings the same job over just before it is asked whose its scenes are.
#[derive(Debug, Default)]
struct Between(parking_lot::Mutex<Option<LegacyJob>>);

#[async_trait]
impl Around for Between {
    async fn query(&self, log: &Log, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let other = if sql.starts_with("SELECT id, job_id FROM scene") { self.0.lock().take() } else { None };
        if let Some(other) = other {
            let legacy = open(log.clone(), Clock::system());
            assert_eq!(bring(&legacy, other).await.0, ImportOutcome::Imported);
        }
        log.query(sql, params).await
    }
}

#[tokio::test]
async fn a_job_that_another_importer_brings_over_meanwhile_is_known_and_not_taken() {
    let (log, _directory) = scratch_log(&job::MIGRATIONS).await;
    let log = Wrapped::new(log, Between(parking_lot::Mutex::new(Some(came(7)))));
    let legacy = open(log.clone(), Clock::system());
    assert_eq!(bring(&legacy, came(7)).await, (ImportOutcome::Already, 7, String::new()));
    assert!(log.0.lock().is_none(), "the other one was there in between");
    let stolen = LegacyJob { scenes: vec![scene(7, 1)], ..came(70) };
    assert_eq!(bring(&legacy, stolen).await.0, ImportOutcome::Taken);
}

/// A disk that is full when something is to be stored.
#[derive(Debug)]
struct Full;

#[async_trait]
impl Around for Full {
    async fn append(&self, _: &Log, _: Append) -> Result<Appended, AppendError> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(AppendError::Log(LogError::Commit(std::sync::Arc::new(full))))
    }
}

#[tokio::test]
async fn a_disk_that_is_full_is_told() {
    let (log, _directory) = scratch_log(&job::MIGRATIONS).await;
    let legacy = open(Wrapped::new(log, Full), Clock::system());
    let error = legacy.import(came(7)).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (Code::Exhausted, "no_space"));
    assert!(error.message.contains("the disk of the job service"), "{error}");
}
