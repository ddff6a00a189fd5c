//! Servers that send too much, or too slowly: they are left at the cap, and nothing of it is kept.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::import::{import, reason};
use crate::world::World;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server whose files have no length and no end: `chunk` after `chunk`, as far apart as `pace` says.
async fn endless(chunk: &'static [u8], pace: Option<Duration>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(send(socket, chunk, pace));
        }
    });
    address
}

/// Sends until the other side has had enough.
async fn send(mut socket: TcpStream, chunk: &[u8], pace: Option<Duration>) {
    let mut piece = format!("{:x}\r\n", chunk.len()).into_bytes();
    piece.extend_from_slice(chunk);
    piece.extend_from_slice(b"\r\n");
    let mut beat = pace.map(tokio::time::interval);
    let mut sent = socket.write_all(HEAD.as_bytes()).await;
    while sent.is_ok() {
        if let Some(beat) = &mut beat {
            beat.tick().await;
        }
        sent = socket.write_all(&piece).await;
    }
}

/// Nothing is kept, not even what was underway.
async fn assert_nothing_is_kept(world: &World) {
    assert_eq!(world.assets().await, (0, 0));
    let left = std::fs::read_dir(world.blobs.scratch_dir()).unwrap().map(|entry| entry.unwrap().file_name());
    // What keeps others from sweeping the directory is no file of anybody's.
    assert_eq!(left.collect::<Vec<_>>(), [".lock"]);
}

#[tokio::test]
async fn a_file_without_a_length_is_left_where_it_exceeds_the_limit() {
    let mut world = World::with(|import| import.max_bytes = 100_000).await;
    let server = endless(&[0xff; 16_384], None).await;
    let error = import(&mut world, &format!("http://{server}/a.jpg")).await.unwrap_err();
    assert_eq!(reason(&error), "the file is larger than 100000 bytes");
    assert_nothing_is_kept(&world).await;
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_sends_a_byte_now_and_then_is_given_up_when_the_time_is_over() {
    let mut world = World::with(|import| import.deadline = Duration::from_millis(300)).await;
    let server = endless(b"x", Some(Duration::from_millis(10))).await;
    let error = import(&mut world, &format!("http://{server}/a.jpg")).await.unwrap_err();
    assert!(reason(&error).contains("took longer"), "{:?}", error.facts);
    assert_nothing_is_kept(&world).await;
    world.stop().await;
}
