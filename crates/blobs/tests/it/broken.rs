//! S3 that is away, breaks in the middle, or refuses.

use std::time::Duration;

use blobs::{BlobAddress, BlobError, Blobs, S3Options};
use futures::StreamExt as _;
use testservers::S3Server;
use tokio::io::AsyncReadExt as _;

use crate::laws::{sample, spooled};
use crate::s3::{options, read, store};

const LARGE: usize = 40_000_001;

/// Waits for something that another task or thread does.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(tokio::time::Instant::now() < deadline, "{what} does not happen");
        tokio::task::yield_now().await;
    }
}

/// Polls `work` until `done`, without letting it finish.
async fn poll_until(what: &str, work: &mut (impl Future + Unpin), done: impl FnMut() -> bool) {
    tokio::select! { biased;
        () = until(what, done) => {}
        _ = work => panic!("it is over before {what}"),
    }
}

#[tokio::test]
async fn a_read_survives_a_restart_of_the_server_in_its_middle() {
    let (mut server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    let bytes = sample(LARGE);
    let reference = blobs.put_bytes(bytes.clone(), "video/mp4").await.unwrap();
    let mut reader = blobs.open(&reference.sha256, Some(5..LARGE as u64)).await.unwrap();
    let first = reader.next().await.unwrap().unwrap();
    server.stop();
    server.run().await.unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).await.unwrap();
    assert!([first.as_ref(), &rest].concat() == bytes[5..]);
}

#[tokio::test]
async fn a_read_fails_when_the_object_has_changed_its_size_meanwhile() {
    let (mut server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    let reference = blobs.put_bytes(sample(LARGE), "video/mp4").await.unwrap();
    let mut reader = blobs.open(&reference.sha256, None).await.unwrap();
    reader.next().await.unwrap().unwrap();
    server.stop();
    let [key] = server.objects().try_into().unwrap();
    std::fs::write(server.object_path(&key), sample(LARGE - 1)).unwrap();
    server.run().await.unwrap();
    let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{error}");
}

#[tokio::test]
async fn a_put_survives_a_restart_of_the_server_in_its_middle() {
    let (mut server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    let bytes = sample(LARGE);
    let mut put = Box::pin(blobs.put_bytes(bytes.clone(), "video/mp4"));
    poll_until("the first part", &mut put, || server.unfinished().1 > 0).await;
    server.stop();
    server.run().await.unwrap();
    let reference = put.await.unwrap();
    assert!(read(&blobs, &reference.sha256).await == bytes);
}

#[tokio::test]
async fn a_small_put_waits_for_a_server_that_is_away() {
    let (mut server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    server.stop();
    let mut put = Box::pin(blobs.put_bytes("abc", "text/plain"));
    poll_until("the spooling", &mut put, || !spooled(&blobs).is_empty()).await;
    server.run().await.unwrap();
    let reference = put.await.unwrap();
    assert_eq!(read(&blobs, &reference.sha256).await, b"abc");
    assert!(spooled(&blobs).is_empty());
}

#[tokio::test]
async fn an_abandoned_upload_leaves_no_object_and_no_upload() {
    let (server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    let mut put = Box::pin(blobs.put_bytes(sample(LARGE), "video/mp4"));
    poll_until("the first part", &mut put, || server.unfinished().1 > 0).await;
    drop(put);
    until("giving up the upload", || server.unfinished().0 == 0).await;
    assert!(server.objects().is_empty());
    until("emptying the spool", || spooled(&blobs).is_empty()).await;
}

#[tokio::test]
async fn wrong_credentials_are_told_with_the_bucket_and_what_to_check() {
    let (server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    for (id, secret) in [(server.access_key(), "hunter2hunter2"), ("somebody", server.secret_key())] {
        let wrong = S3Options {
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned().into(),
            ..options(&server)
        };
        let address = BlobAddress::parse(&server.blob_url(), wrong).unwrap();
        let blobs = Blobs::at(&address, dir.path()).unwrap();
        for error in [
            blobs.check().await.unwrap_err(),
            blobs.put_bytes("abc", "text/plain").await.unwrap_err(),
            blobs.open(&"0".repeat(64), None).await.map(drop).unwrap_err(),
            blobs.size(&"0".repeat(64)).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, BlobError::Store(cause)
                if cause.kind() == std::io::ErrorKind::PermissionDenied),
                "{error:?}"
            );
            let text = format!("{:#}", anyhow::Error::new(error));
            for part in [server.bucket(), "s3.access_key_id", "s3.secret_access_key", "clock"] {
                assert!(text.contains(part), "{text}");
            }
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn a_reader_is_told_of_a_server_that_stays_away() {
    let (mut server, dir) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let blobs = store(&server, &server.blob_url(), &dir);
    blobs.check().await.unwrap();
    server.stop();
    let error = blobs.size(&"0".repeat(64)).await.unwrap_err();
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(text.contains(server.bucket()) && text.contains("s3.endpoint"), "{text}");
}
