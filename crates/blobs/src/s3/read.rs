//! Reads from S3: ranges, streamed, picked up again where a connection broke.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore as _};

use super::Bucketed;
use super::retry::{Fault, Patience, retrying};
use crate::BlobError;
use crate::hash::Key;
use crate::reader::{BlobReader, clamped};

/// Breaks in a row, without a byte between them, after which a read fails.
const BREAKS: u32 = 5;

type Body = BoxStream<'static, object_store::Result<Bytes>>;

/// Opens an object for reading.
pub(super) async fn open(
    remote: Arc<Bucketed>,
    path: ObjectPath,
    key: &Key,
    range: Option<Range<u64>>,
) -> Result<BlobReader, BlobError> {
    // S3 refuses a range without bytes, so it is not asked for one.
    let empty = range.as_ref().is_some_and(|range| range.start >= range.end);
    let first = if empty { Err(Fault::PastTheEnd) } else { get(&remote, &path, range.clone()).await };
    match first {
        Ok(GetResult { meta, range, payload, .. }) => {
            let body = body_of(payload);
            let reading = Reading { remote, path, size: meta.size, left: range.clone(), body, breaks: 0 };
            Ok(BlobReader::of_stream(reading.stream(), meta.size, range))
        }
        Err(Fault::PastTheEnd) => {
            let size = remote.size(&path).await.map_err(|fault| refused(fault, key))?;
            let size = size.ok_or_else(|| not_found(key))?;
            let range = clamped(range, size)?;
            if range.is_empty() {
                return Ok(BlobReader::of_stream(stream::empty().boxed(), size, range));
            }
            Err(BlobError::Store(io::Error::other("S3 refused a range that lies in the object")))
        }
        Err(fault) => Err(refused(fault, key)),
    }
}

fn refused(fault: Fault, key: &Key) -> BlobError {
    match fault {
        Fault::NotThere => not_found(key),
        fault => BlobError::Store(fault.into()),
    }
}

fn not_found(key: &Key) -> BlobError {
    BlobError::NotFound { sha256: key.as_str().to_owned() }
}

async fn get(remote: &Bucketed, path: &ObjectPath, range: Option<Range<u64>>) -> Result<GetResult, Fault> {
    let range = range.map(|range| match i64::try_from(range.end) {
        Ok(_) => GetRange::Bounded(range),
        // More than any object has; not every store can read such a number.
        Err(_) => GetRange::Offset(range.start),
    });
    retrying(Patience::Read, "reading an object", async || {
        let options = GetOptions { range: range.clone(), ..GetOptions::default() };
        remote.checked(remote.s3.get_opts(path, options).await)
    })
    .await
}

fn body_of(payload: GetResultPayload) -> Option<Body> {
    match payload {
        GetResultPayload::Stream(body) => Some(body),
        // Only a store of local files answers with anything else; reading on asks again.
        #[allow(unreachable_patterns, reason = "other payloads exist with other features of the crate")]
        _ => None,
    }
}

/// A read under way.
struct Reading {
    remote: Arc<Bucketed>,
    path: ObjectPath,
    size: u64,
    left: Range<u64>,
    body: Option<Body>,
    breaks: u32,
}

impl Reading {
    fn stream(self) -> BoxStream<'static, io::Result<Bytes>> {
        stream::try_unfold(self, |mut reading| async move {
            Ok(reading.next().await?.map(|bytes| (bytes, reading)))
        })
        .boxed()
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let Some(body) = &mut self.body else {
                self.body = Some(self.again().await?);
                continue;
            };
            match body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(mut bytes)) => {
                    let wanted = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
                    bytes.truncate(wanted);
                    self.left.start += bytes.len() as u64;
                    self.breaks = 0;
                    return Ok(Some(bytes));
                }
                Some(Err(error)) => self.broken(error.into())?,
                None => self.broken(io::ErrorKind::UnexpectedEof.into())?,
            }
        }
        Ok(None)
    }

    fn broken(&mut self, error: io::Error) -> io::Result<()> {
        self.body = None;
        self.breaks += 1;
        if self.breaks > BREAKS {
            return Err(error);
        }
        tracing::warn!(path = %self.path, offset = self.left.start, error = %error, "a read from S3 broke; reading on");
        Ok(())
    }

    /// What is left, from a new request. The name is the hash of the bytes, so the same size is the same object,
    /// whatever its ETag: that differs when another process has put it again in other parts.
    async fn again(&mut self) -> io::Result<Body> {
        let found = get(&self.remote, &self.path, Some(self.left.clone())).await?;
        if found.meta.size != self.size {
            let text = format!("the blob had {} bytes and now has {}", self.size, found.meta.size);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        body_of(found.payload).ok_or_else(|| io::Error::other("S3 answered without a body"))
    }
}
