//! Streaming reads of a blob.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, ReadBuf, Take};

use crate::hash::Key;
use crate::{BlobError, CHUNK};

/// A blob, or a range of one, read in pieces: as [`AsyncRead`], or as a [`Stream`] of chunks.
///
/// Bytes that end before the promised length are an [`io::ErrorKind::UnexpectedEof`], never a short read.
#[derive(Debug)]
pub struct BlobReader {
    source: Source,
    size: u64,
    range: Range<u64>,
    buffer: BytesMut,
}

/// Where the bytes come from.
enum Source {
    File(Take<File>),
    /// What arrived and was not handed out yet, and how much is to come with it.
    Stream {
        stream: BoxStream<'static, io::Result<Bytes>>,
        arrived: Bytes,
        left: u64,
    },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Stream { left, .. } => f.debug_struct("Stream").field("left", left).finish_non_exhaustive(),
        }
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
    pub(crate) async fn of_file(
        mut file: File,
        size: u64,
        range: Option<Range<u64>>,
    ) -> Result<Self, BlobError> {
        let range = clamped(range, size)?;
        if range.start > 0 {
            file.seek(io::SeekFrom::Start(range.start)).await.map_err(BlobError::Store)?;
        }
        file.set_max_buf_size(CHUNK);
        let file = file.take(range.end - range.start);
        Ok(Self { source: Source::File(file), size, range, buffer: BytesMut::new() })
    }

    /// The bytes of `range`, from a stream that gives exactly them.
    pub(crate) fn of_stream(
        stream: BoxStream<'static, io::Result<Bytes>>,
        size: u64,
        range: Range<u64>,
    ) -> Self {
        let source = Source::Stream { stream, arrived: Bytes::new(), left: range.end - range.start };
        Self { source, size, range, buffer: BytesMut::new() }
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
        match &self.source {
            Source::File(file) => file.limit(),
            Source::Stream { left, .. } => *left,
        }
    }
}

impl Source {
    /// Reads some bytes; none at the end, whether it comes too early or not.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::File(file) => Pin::new(file).poll_read(cx, buf),
            Self::Stream { .. } => {
                let bytes = ready!(self.poll_bytes(cx, buf.remaining()))?;
                buf.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// At most `most` bytes of a stream, as they arrived.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        let Self::Stream { stream, arrived, left } = self else { return Poll::Ready(Ok(Bytes::new())) };
        while arrived.is_empty() {
            match ready!(stream.poll_next_unpin(cx)) {
                Some(bytes) => *arrived = bytes?,
                None => return Poll::Ready(Ok(Bytes::new())),
            }
        }
        let bytes = arrived.split_to(most.min(arrived.len()));
        *left = left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Ok(bytes))
    }
}

fn too_early(missing: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the blob ends {missing} bytes too early"))
}

impl AsyncRead for BlobReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let left = this.remaining();
        if buf.remaining() == 0 || left == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(this.source.poll_read(cx, buf))?;
        let ended = buf.filled().len() == before;
        Poll::Ready(if ended { Err(too_early(left)) } else { Ok(()) })
    }
}

impl Stream for BlobReader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let left = this.remaining();
        if left == 0 {
            return Poll::Ready(None);
        }
        if matches!(this.source, Source::Stream { .. }) {
            // Handed on as it arrived, without another copy.
            let bytes = ready!(this.source.poll_bytes(cx, CHUNK));
            return Poll::Ready(Some(
                bytes.and_then(|bytes| if bytes.is_empty() { Err(too_early(left)) } else { Ok(bytes) }),
            ));
        }
        let mut buffer = std::mem::take(&mut this.buffer);
        if buffer.capacity() < CHUNK {
            buffer.reserve(CHUNK);
        }
        let read = tokio_util::io::poll_read_buf(Pin::new(&mut *this), cx, &mut buffer);
        match read {
            Poll::Pending => {
                this.buffer = buffer;
                Poll::Pending
            }
            Poll::Ready(Ok(0)) => Poll::Ready(None),
            Poll::Ready(Ok(_)) => Poll::Ready(Some(Ok(buffer.freeze()))),
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
        }
    }
}

/// Copies all of a blob into a file, which exists afterwards only if the bytes had the right hash.
pub(crate) async fn copy_to(mut reader: BlobReader, key: &Key, target: &Path) -> Result<u64, BlobError> {
    let partial = tempfile::TempPath::try_from_path(partial_name(target)).map_err(BlobError::Store)?;
    let mut file = File::create(&partial).await.map_err(BlobError::Store)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        let read = reader.read(&mut buffer).await.map_err(BlobError::Store)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read]).await.map_err(BlobError::Store)?;
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
