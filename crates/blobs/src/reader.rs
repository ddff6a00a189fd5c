//! Streaming reads of a blob.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, ReadBuf, Take};

use crate::hash::Key;
use crate::{BlobError, CHUNK};

/// A blob, or a range of one, read in pieces: as [`AsyncRead`], or as a [`Stream`] of chunks.
///
/// A file that ends before the promised length is an [`io::ErrorKind::UnexpectedEof`], never a short read.
#[derive(Debug)]
pub struct BlobReader {
    file: Take<File>,
    size: u64,
    range: Range<u64>,
    buffer: BytesMut,
}

impl BlobReader {
    pub(crate) async fn of_file(
        mut file: File,
        size: u64,
        range: Option<Range<u64>>,
    ) -> Result<Self, BlobError> {
        let asked = range.unwrap_or(0..size);
        let range = asked.start..asked.end.min(size);
        if range.start > range.end {
            return Err(BlobError::BadRange { start: asked.start, end: asked.end, size });
        }
        if range.start > 0 {
            file.seek(io::SeekFrom::Start(range.start)).await.map_err(BlobError::Store)?;
        }
        file.set_max_buf_size(CHUNK);
        let file = file.take(range.end - range.start);
        Ok(Self { file, size, range, buffer: BytesMut::new() })
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
        self.file.limit()
    }
}

impl AsyncRead for BlobReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let wanted = buf.remaining() > 0 && this.file.limit() > 0;
        ready!(Pin::new(&mut this.file).poll_read(cx, buf))?;
        if wanted && buf.filled().len() == before {
            let text = format!("the blob ends {} bytes too early", this.file.limit());
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
        }
        Poll::Ready(Ok(()))
    }
}

impl Stream for BlobReader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
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
