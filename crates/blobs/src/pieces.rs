//! A file in pieces: what the kernel has in memory is read where we are, what lies on the disk on a thread that may wait.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::{at_hand, mapped};

/// Bytes of one piece: a thread is worth waking for so many, and they fit a processor's cache.
const PIECE: usize = 256 * 1024;
/// Bytes that a socket is given at one time: nobody holds them in memory, and each piece costs the same few calls.
const WINDOW: usize = 1024 * 1024;
/// Fewer bytes are read sooner than mapped.
const WORTH_MAPPING: usize = 64 * 1024;
/// Buffers that are kept for further pieces, 16 MiB in all: memory that was just used needs neither be found nor zeroed.
const SPARE: usize = 64;

static SPARES: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// The bytes of a range, one piece after the other.
pub(crate) struct FilePieces {
    file: Arc<File>,
    left: Range<u64>,
    /// The end of the range that is left, for who wants it as it lies in the file.
    mapped: Option<Bytes>,
    /// Read on another thread.
    waited_for: Option<JoinHandle<io::Result<Bytes>>>,
}

/// A buffer that comes back when nobody needs what is in it any more.
struct Buffer {
    memory: Box<[u8]>,
    filled: usize,
}

impl Buffer {
    /// Room for so many bytes. Few of them get no more than they need: a slow reader of a small file holds only that.
    fn new(wanted: usize) -> Self {
        let spare = if wanted < PIECE { None } else { SPARES.lock().pop() };
        Self { memory: spare.unwrap_or_else(|| vec![0; wanted].into()), filled: 0 }
    }

    fn freeze(mut self, filled: usize) -> Bytes {
        self.filled = filled.min(self.memory.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.memory.len() < PIECE {
            return;
        }
        let mut spares = SPARES.lock();
        if spares.len() < SPARE {
            spares.push(std::mem::take(&mut self.memory));
        }
    }
}

impl FilePieces {
    pub(crate) fn new(file: File, range: Range<u64>) -> Self {
        Self { file: Arc::new(file), left: range, mapped: None, waited_for: None }
    }

    /// Gives what is in memory as it lies there, not as copies.
    pub(crate) fn mapped(mut self) -> Self {
        if self.left.end.saturating_sub(self.left.start) >= WORTH_MAPPING as u64 {
            self.mapped = mapped::bytes(&self.file, self.left.clone());
        }
        self
    }

    /// The next piece; an empty one at the end of the range, and at that of the file.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let piece = match &mut self.waited_for {
            Some(reading) => {
                let read = ready!(Pin::new(reading).poll(cx));
                self.waited_for = None;
                read.unwrap_or_else(|lost| Err(io::Error::other(lost)))?
            }
            None => match self.at_hand() {
                Some(piece) => piece,
                None => {
                    self.waited_for = Some(self.read_elsewhere());
                    return self.poll_next(cx);
                }
            },
        };
        self.left.start += piece.len() as u64;
        if let Some(mapped) = &mut self.mapped {
            bytes::Buf::advance(mapped, piece.len().min(mapped.len()));
        }
        Poll::Ready(Ok(piece))
    }

    fn wanted(&self) -> usize {
        usize::try_from(self.left.end - self.left.start).map_or(PIECE, |left| left.min(PIECE))
    }

    /// What can be read without waiting; none when that is nothing, or cannot be known.
    fn at_hand(&self) -> Option<Bytes> {
        let wanted = self.wanted();
        if wanted == 0 {
            return Some(Bytes::new());
        }
        if let Some(window) = self.window() {
            return Some(window);
        }
        let mut buffer = Buffer::new(wanted);
        let read = at_hand::read(&self.file, self.left.start, &mut buffer.memory);
        (read > 0).then(|| buffer.freeze(read))
    }

    /// The next bytes where they lie, if enough of them are in memory.
    fn window(&self) -> Option<Bytes> {
        let mapped = self.mapped.as_ref()?;
        let window = mapped.slice(..mapped.len().min(WINDOW));
        if at_hand::whole(&self.file, self.left.start, window.len()) {
            return Some(window);
        }
        let length = mapped::in_memory(&window);
        (length >= window.len().min(WORTH_MAPPING)).then(|| window.slice(..length))
    }

    fn read_elsewhere(&self) -> JoinHandle<io::Result<Bytes>> {
        let (file, start, wanted) = (self.file.clone(), self.left.start, self.wanted());
        tokio::task::spawn_blocking(move || {
            let mut buffer = Buffer::new(wanted);
            loop {
                match file.read_at(&mut buffer.memory, start) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return Ok(buffer.freeze(read?)),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write as _;

    use super::*;

    async fn all(mut pieces: FilePieces) -> Vec<u8> {
        let mut read = Vec::new();
        loop {
            let piece = poll_fn(|cx| pieces.poll_next(cx)).await.unwrap();
            assert!(piece.len() <= WINDOW);
            if piece.is_empty() {
                return read;
            }
            read.extend_from_slice(&piece);
        }
    }

    #[tokio::test]
    async fn a_range_is_read_whole_whether_it_is_at_hand_or_not() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..PIECE * 3 + 17).map(|at| u8::try_from(at % 251).unwrap()).collect();
        file.write_all(&bytes).unwrap();
        for range in [0..bytes.len(), 5..6, PIECE - 1..PIECE * 2 + 1, 9..9] {
            let wanted = range.start as u64..range.end as u64;
            let pieces = FilePieces::new(file.try_clone().unwrap(), wanted.clone());
            assert_eq!(all(pieces).await, bytes[range.clone()]);
            let mapped = FilePieces::new(file.try_clone().unwrap(), wanted.clone()).mapped();
            assert_eq!(all(mapped).await, bytes[range.clone()]);
            let mut pieces = FilePieces::new(file.try_clone().unwrap(), wanted).mapped();
            pieces.waited_for = Some(pieces.read_elsewhere());
            assert_eq!(all(pieces).await, bytes[range]);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_mapped_is_not_copied() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; WINDOW * 2]).unwrap();
        let mut pieces = FilePieces::new(file, 10..WINDOW as u64 * 2).mapped();
        let mut offset = 10;
        while offset < WINDOW as u64 * 2 {
            let piece = poll_fn(|cx| pieces.poll_next(cx)).await.unwrap();
            assert_eq!(mapped::place_of(&piece).unwrap().offset, offset);
            offset += piece.len() as u64;
        }
    }

    #[tokio::test]
    async fn a_file_that_ends_too_early_ends_the_pieces() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"short").unwrap();
        assert_eq!(all(FilePieces::new(file, 2..100)).await, b"ort");
    }
}
