//! The table of pictures that were drawn: a cache, which may be lost.

use eventlog::{Log, LogError, Statement, params};
use protos::common::v1::BlobRef;

/// What every drawn picture is.
pub(crate) const JPEG: &str = "image/jpeg";

/// What a picture is drawn of, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    /// SHA-256 of the image or video.
    pub(crate) source: String,
    /// Pixels at most.
    pub(crate) width: u32,
    /// Which frame; none: the usual one.
    pub(crate) at_ms: Option<u64>,
}

impl Wanted {
    /// NULLs are never equal, so the usual frame has a number of its own.
    fn time(&self) -> i64 {
        self.at_ms.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX))
    }
}

pub(crate) async fn find(log: &Log, wanted: &Wanted) -> Result<Option<BlobRef>, LogError> {
    if super::is_no_id(&wanted.source) {
        return Ok(None);
    }
    let sql = "SELECT sha256, size FROM picture WHERE source = $1 AND width = $2 AND at_ms = $3";
    let rows = log.query(sql, params![&wanted.source, wanted.width, wanted.time()]).await?;
    let picture = rows.first().map(|row| {
        Ok(BlobRef { sha256: row.get("sha256")?, size: row.get("size")?, content_type: JPEG.to_owned() })
    });
    picture.transpose()
}

pub(crate) async fn save(log: &Log, wanted: &Wanted, picture: &BlobRef) -> Result<(), LogError> {
    let sql = "INSERT INTO picture (source, width, at_ms, sha256, size) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (source, width, at_ms) DO UPDATE SET sha256 = $4, size = $5";
    let params = params![&wanted.source, wanted.width, wanted.time(), &picture.sha256, picture.size];
    log.execute(vec![Statement::new(sql, params)]).await.map(|_| ())
}
