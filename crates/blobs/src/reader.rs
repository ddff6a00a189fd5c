//! Streaming reads of a blob.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};

use crate::BlobError;
use crate::hash::Key;
use crate::pieces::FilePieces;

/// A blob, or a range of one, read in pieces: as [`AsyncRead`], or as a [`Stream`] of chunks.
///
/// Bytes that end before the promised length are an [`io::ErrorKind::UnexpectedEof`], never a short read.
#[derive(Debug)]
pub struct BlobReader {
    source: Source,
    /// What arrived and was not handed out yet.
    arrived: Bytes,
    /// How much is to come, what arrived included.
    left: u64,
    size: u64,
    range: Range<u64>,
}

/// Where the bytes come from.
enum Source {
    File(FilePieces),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Stream(_) => "Stream",
        })
    }
}

/// The part of a range that lies in a blob of `size` bytes; none = all of it.
pub(crate) fn clamped(range: Option<Range<u64>>, size: u64) -> Result<Range<u64>, BlobError> {
    let asked = range.unwrap_or(0..size);
    let range = asked.start..asked.end.min(size);
    if range.start > range.end {
        return Err(BlobError::BadRange { start: asked.start, end: asked.end, size });
    }
    Ok(range)
}

impl BlobReader {
    pub(crate) fn of_file(file: File, size: u64, range: Option<Range<u64>>) -> Result<Self, BlobError> {
        let range = clamped(range, size)?;
        let source = Source::File(FilePieces::new(file, range.clone()));
        Ok(Self { source, arrived: Bytes::new(), left: range.end - range.start, size, range })
    }

    /// Gives what the kernel has in memory as it lies there and not as copies, for somebody who only hands it on to
    /// a socket: [`place_of`](crate::place_of) says what to send. Whoever looks at the bytes himself wants copies: where
    /// the disk fails under a mapping, looking at it ends the process.
    #[must_use]
    pub fn mapped(self) -> Self {
        match self.source {
            Source::File(pieces) => Self { source: Source::File(pieces.mapped()), ..self },
            source => Self { source, ..self },
        }
    }

    /// The bytes of `range`, from a stream that gives exactly them.
    pub(crate) fn of_stream(
        stream: BoxStream<'static, io::Result<Bytes>>,
        size: u64,
        range: Range<u64>,
    ) -> Self {
        let left = range.end - range.start;
        Self { source: Source::Stream(stream), arrived: Bytes::new(), left, size, range }
    }

    /// The size of the whole blob in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The half-open range that this reader gives, in bytes of the blob.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// How many bytes are still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// At most `most` bytes, as they arrived; none at the end. It is an error when that comes too early.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        if self.left == 0 {
            return Poll::Ready(Ok(Bytes::new()));
        }
        while self.arrived.is_empty() {
            let piece = match &mut self.source {
                Source::File(pieces) => Some(ready!(pieces.poll_next(cx))),
                Source::Stream(stream) => ready!(stream.poll_next_unpin(cx)),
            };
            match piece.transpose()? {
                // An empty piece of a file is its end; a stream says so itself.
                Some(piece) if !piece.is_empty() || matches!(self.source, Source::Stream(_)) => {
                    self.arrived = piece;
                }
                _ => return Poll::Ready(Err(too_early(self.left))),
            }
        }
        let bytes = self.arrived.split_to(most.min(self.arrived.len()));
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Ok(bytes))
    }
}

fn too_early(missing: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the blob ends {missing} bytes too early"))
}

impl AsyncRead for BlobReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() > 0 {
            let bytes = ready!(self.get_mut().poll_bytes(cx, buf.remaining()))?;
            buf.put_slice(&bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl Stream for BlobReader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        // Handed on as it arrived, without another copy.
        Poll::Ready(Some(ready!(this.poll_bytes(cx, usize::MAX))))
    }
}

/// Copies all of a blob into a file, which exists afterwards only if the bytes had the right hash.
pub(crate) async fn copy_to(mut reader: BlobReader, key: &Key, target: &Path) -> Result<u64, BlobError> {
    let partial = tempfile::TempPath::try_from_path(partial_name(target)).map_err(BlobError::Store)?;
    let mut file = tokio::fs::File::create(&partial).await.map_err(BlobError::Store)?;
    let mut hasher = Sha256::new();
    while let Some(piece) = reader.next().await {
        let piece = piece.map_err(BlobError::Store)?;
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(BlobError::Store)?;
    }
    file.flush().await.map_err(BlobError::Store)?;
    if Key::of(hasher) != *key {
        return Err(BlobError::Damaged { sha256: key.as_str().to_owned() });
    }
    partial.persist(target).map_err(|failed| BlobError::Store(failed.error))?;
    Ok(reader.size())
}

fn partial_name(target: &Path) -> std::path::PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    target.with_file_name(name)
}
