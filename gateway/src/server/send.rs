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
            socket.send_vectored_with_flags(slices.get(..count).unwrap_or(slices), libc::MSG_MORE)
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
