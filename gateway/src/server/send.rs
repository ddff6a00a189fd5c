//! What a connection writes: bytes in memory as everybody does, bytes of a file from the file itself.
//!
//! A blob that was mapped for its reader is sent with `sendfile(2)`, so that its bytes pass neither through a buffer nor
//! through a processor's cache. What comes before it in the same write, its head, is kept back by the kernel
//! (`MSG_MORE`) until it comes, so that both leave together.

use std::{
    io::{self, IoSlice},
    num::NonZeroUsize,
    pin::Pin,
    task::{Context, Poll, ready},
};

use blobs::{FilePlace, place_of};
use socket2::SockRef;
use tokio::{
    io::{AsyncWrite as _, Interest},
    net::TcpStream,
};

/// Tells the kernel that more follows at once.
#[cfg(target_os = "linux")]
const MORE: libc::c_int = libc::MSG_MORE;
/// Elsewhere nothing is mapped, so nothing follows.
#[cfg(not(target_os = "linux"))]
const MORE: libc::c_int = 0;

/// The next thing to write.
enum Next {
    /// So many slices from the first, which are followed by a file.
    Before(usize),
    /// So many bytes of a file.
    File(FilePlace, NonZeroUsize),
    /// No file among them.
    Memory,
}

/// Writes some of `slices`.
pub(super) fn poll(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    match next(slices) {
        Next::Before(count) => poll_try(stream, context, |socket| {
            socket.send_vectored_with_flags(slices.get(..count).unwrap_or(slices), MORE)
        }),
        Next::File(place, length) => {
            let sent = ready!(poll_try(stream, context, |socket| send_file(socket, &place, length)));
            match sent {
                // A file system that cannot do it.
                Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) => {
                    Pin::new(stream).poll_write_vectored(context, slices)
                }
                sent => Poll::Ready(sent),
            }
        }
        Next::Memory => Pin::new(stream).poll_write_vectored(context, slices),
    }
}

fn next(slices: &[IoSlice<'_>]) -> Next {
    let filled = slices.iter().enumerate().filter(|(_, slice)| !slice.is_empty());
    let mut in_memory = false;
    for (index, slice) in filled {
        match (place_of(slice), NonZeroUsize::new(slice.len())) {
            (Some(_), _) if in_memory => return Next::Before(index),
            (Some(place), Some(length)) => return Next::File(place, length),
            _ => in_memory = true,
        }
    }
    Next::Memory
}

fn send_file(socket: &SockRef<'_>, place: &FilePlace, length: NonZeroUsize) -> io::Result<usize> {
    let offset = usize::try_from(place.offset).map_err(io::Error::other)?;
    match socket.sendfile(&place.file, offset, Some(length))? {
        // To go on asking would be to ask for ever.
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the blob's file has become shorter")),
        sent => Ok(sent),
    }
}

/// Does it as soon as the socket takes something.
fn poll_try(
    stream: &TcpStream,
    context: &mut Context<'_>,
    send: impl Fn(&SockRef<'_>) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(context))?;
        match stream.try_io(Interest::WRITABLE, || send(&SockRef::from(stream))) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            sent => return Poll::Ready(sent),
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::future::poll_fn;

    use futures::TryStreamExt as _;
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn what_is_in_memory_and_what_is_in_a_file_arrive_in_their_order() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let dir = tempfile::tempdir().unwrap();
        let blobs = blobs::Blobs::local(dir.path()).unwrap();
        let stored = blobs.put_bytes(bytes.clone(), "video/mp4").await.unwrap();
        let reader = blobs.open(&stored.sha256, Some(7..2_999_999)).await.unwrap().mapped();
        let parts: Vec<bytes::Bytes> = reader.try_collect().await.unwrap();
        assert!(parts.iter().any(|part| place_of(part).is_some()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut reading = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut writing, _) = listener.accept().await.unwrap();
        let read = tokio::spawn(async move {
            let mut read = Vec::new();
            reading.read_to_end(&mut read).await.unwrap();
            read
        });
        let mut left: Vec<&[u8]> = vec![b"head", b""];
        left.extend(parts.iter().map(|part| &part[..]));
        left.push(b"tail");
        while !left.is_empty() {
            let slices: Vec<_> = left.iter().map(|part| IoSlice::new(part)).collect();
            let mut sent = poll_fn(|context| poll(&mut writing, context, &slices)).await.unwrap();
            while let Some(first) = left.first_mut() {
                let taken = sent.min(first.len());
                *first = &first[taken..];
                sent -= taken;
                if !first.is_empty() {
                    break;
                }
                left.remove(0);
            }
        }
        drop(writing);
        let read = read.await.unwrap();
        assert!(read == [b"head", &bytes[7..2_999_999], b"tail"].concat());
    }
}
