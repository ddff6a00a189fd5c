//! What is particular to the store in a local directory.

use std::path::{Path, PathBuf};

use blobs::{BlobError, Blobs};
use tokio::io::AsyncReadExt as _;

use crate::laws::{Fixture, blob_store_laws, sample, spooled};

fn scratch() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    Fixture { blobs: Blobs::local(dir.path().join("blobs")).unwrap(), dir, server: None }
}

blob_store_laws!(laws, super::scratch());

fn place(f: &Fixture, sha256: &str) -> PathBuf {
    f.dir.path().join("blobs").join(&sha256[..2]).join(sha256)
}

#[tokio::test]
async fn a_blob_lies_under_its_hash() {
    let f = scratch();
    let reference = f.blobs.put_bytes("abc", "text/plain").await.unwrap();
    assert_eq!(f.blobs.path(&reference.sha256), Some(place(&f, &reference.sha256)));
    assert_eq!(f.blobs.path(&"0".repeat(64)), None);
    assert_eq!(f.blobs.path("../../etc/passwd"), None);
}

#[tokio::test]
async fn a_blob_of_the_wrong_size_is_replaced_by_the_next_put() {
    let f = scratch();
    let reference = f.blobs.put_bytes(sample(9_000), "image/png").await.unwrap();
    std::fs::write(place(&f, &reference.sha256), b"torn").unwrap();
    assert_eq!(f.blobs.put_bytes(sample(9_000), "image/png").await.unwrap(), reference);
    assert!(std::fs::read(place(&f, &reference.sha256)).unwrap() == sample(9_000));
}

#[tokio::test]
async fn fetching_a_blob_with_other_bytes_is_refused_and_leaves_no_file() {
    let f = scratch();
    let reference = f.blobs.put_bytes("right", "text/plain").await.unwrap();
    std::fs::write(place(&f, &reference.sha256), b"wrong").unwrap();
    let target = f.dir.path().join("copy");
    let refused = f.blobs.fetch_to(&reference.sha256, &target).await.unwrap_err();
    assert!(matches!(refused, BlobError::Damaged { .. }));
    let left = std::fs::read_dir(f.dir.path()).unwrap().count();
    assert_eq!(left, 1, "only the store itself");
}

#[tokio::test]
async fn a_file_that_ends_too_early_is_an_error_not_a_short_read() {
    let f = scratch();
    let reference = f.blobs.put_bytes(sample(300_000), "video/mp4").await.unwrap();
    let mut reader = f.blobs.open(&reference.sha256, None).await.unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(place(&f, &reference.sha256)).unwrap();
    file.set_len(200_000).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

fn spool_entries(root: &Path) -> usize {
    let entries = std::fs::read_dir(root.join("spool")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir()).count()
}

#[tokio::test]
async fn opening_removes_what_a_dead_process_left_in_the_spool() {
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join("spool/in-dead");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join(".lock"), b"").unwrap();
    std::fs::write(left.join("put-half"), b"half").unwrap();
    let _blobs = Blobs::local(dir.path()).unwrap();
    assert!(!left.exists());
    assert_eq!(spool_entries(dir.path()), 1);
}

#[tokio::test]
async fn opening_again_leaves_the_work_of_a_living_handle_alone() {
    let dir = tempfile::tempdir().unwrap();
    let first = Blobs::local(dir.path()).unwrap();
    let work = first.scratch_dir().join("clip.mp4");
    std::fs::write(&work, b"clip").unwrap();
    let second = Blobs::local(dir.path()).unwrap();
    assert!(work.exists());
    assert_ne!(first.scratch_dir(), second.scratch_dir());
    assert!(spooled(&second).is_empty());
    drop((first, second));
    assert_eq!(spool_entries(dir.path()), 0, "the last handle takes its directory with it");
}

#[tokio::test]
async fn what_is_put_is_seen_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let reference = Blobs::local(dir.path()).unwrap().put_bytes("kept", "text/plain").await.unwrap();
    assert_eq!(Blobs::local(dir.path()).unwrap().size(&reference.sha256).await.unwrap(), Some(4));
}
