//! What holds for every backend. A new backend passes by calling `blob_store_laws!` with its opener.

use std::io;
use std::path::Path;

use blobs::{BlobError, Blobs};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::io::AsyncReadExt as _;

/// A store on scratch ground.
pub(crate) struct Fixture {
    pub(crate) blobs: Blobs,
    pub(crate) dir: tempfile::TempDir,
    /// What has to live as long as the store.
    #[allow(dead_code, reason = "kept, not looked at")]
    pub(crate) server: Option<testservers::S3Server>,
}

/// Bytes with no period that a chunk size could hide.
pub(crate) fn sample(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

fn pieces(bytes: &[u8], size: usize) -> Vec<io::Result<Bytes>> {
    bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
}

async fn read(blobs: &Blobs, sha256: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    blobs.open(sha256, range).await.unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// The spool's files, hidden ones aside.
pub(crate) fn spooled(blobs: &Blobs) -> Vec<String> {
    let entries = std::fs::read_dir(blobs.scratch_dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

pub(crate) async fn a_blob_reads_back_as_it_was_put(f: Fixture) {
    let bytes = sample(700_001);
    let reference =
        f.blobs.put_stream(stream::iter(pieces(&bytes, 10_007)), "video/mp4", None).await.unwrap();
    assert_eq!(reference.size, 700_001);
    assert_eq!(reference.content_type, "video/mp4");
    assert_eq!(f.blobs.size(&reference.sha256).await.unwrap(), Some(700_001));
    assert!(read(&f.blobs, &reference.sha256, None).await == bytes);
}

pub(crate) async fn the_name_is_the_sha256_of_the_bytes(f: Fixture) {
    let reference = f.blobs.put_bytes("abc", "text/plain").await.unwrap();
    assert_eq!(reference.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

pub(crate) async fn an_empty_blob_is_a_blob(f: Fixture) {
    let reference = f.blobs.put_bytes("", "text/plain").await.unwrap();
    assert_eq!(f.blobs.size(&reference.sha256).await.unwrap(), Some(0));
    assert!(read(&f.blobs, &reference.sha256, None).await.is_empty());
}

pub(crate) async fn putting_the_same_bytes_again_changes_nothing(f: Fixture) {
    let first = f.blobs.put_bytes("again", "text/plain").await.unwrap();
    let puts = (0..16).map(|_| f.blobs.put_bytes("again", "text/plain"));
    for second in futures::future::join_all(puts).await {
        assert_eq!(second.unwrap(), first);
    }
    assert_eq!(read(&f.blobs, &first.sha256, None).await, b"again");
    assert!(spooled(&f.blobs).is_empty());
}

pub(crate) async fn an_unknown_blob_is_not_found(f: Fixture) {
    let unknown = "0".repeat(64);
    assert_eq!(f.blobs.size(&unknown).await.unwrap(), None);
    let refused = f.blobs.open(&unknown, None).await.unwrap_err();
    assert!(matches!(refused, BlobError::NotFound { sha256 } if sha256 == unknown));
}

pub(crate) async fn what_is_no_sha256_is_refused(f: Fixture) {
    for given in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63), &"/".repeat(64)] {
        assert!(matches!(f.blobs.open(given, None).await, Err(BlobError::BadHash { .. })), "{given:?}");
        assert!(matches!(f.blobs.size(given).await, Err(BlobError::BadHash { .. })), "{given:?}");
    }
}

pub(crate) async fn a_range_gives_exactly_its_bytes(f: Fixture) {
    let bytes = sample(300_000);
    let reference = f.blobs.put_bytes(bytes.clone(), "video/mp4").await.unwrap();
    for (start, end) in
        [(0, 1), (0, 300_000), (1, 2), (131_071, 131_073), (299_999, 300_000), (5, 5), (300_000, 300_000)]
    {
        let found = read(&f.blobs, &reference.sha256, Some(start..end)).await;
        assert!(found == bytes[start as usize..end as usize], "{start}..{end}");
    }
}

pub(crate) async fn a_range_past_the_end_is_clamped_or_refused(f: Fixture) {
    let reference = f.blobs.put_bytes("0123456789", "text/plain").await.unwrap();
    assert_eq!(read(&f.blobs, &reference.sha256, Some(7..u64::MAX)).await, b"789");
    let reader = f.blobs.open(&reference.sha256, Some(7..99)).await.unwrap();
    assert_eq!((reader.size(), reader.range(), reader.remaining()), (10, 7..10, 3));
    let refused = f.blobs.open(&reference.sha256, Some(11..12)).await.unwrap_err();
    assert!(matches!(refused, BlobError::BadRange { start: 11, size: 10, .. }));
}

pub(crate) async fn reading_streams_in_pieces_of_bounded_size(f: Fixture) {
    let bytes = sample(1_000_000);
    let reference = f.blobs.put_bytes(bytes.clone(), "video/mp4").await.unwrap();
    let chunks: Vec<_> = f.blobs.open(&reference.sha256, None).await.unwrap().collect().await;
    let chunks: Vec<Bytes> = chunks.into_iter().map(Result::unwrap).collect();
    assert!(chunks.len() > 3 && chunks.iter().all(|chunk| chunk.len() <= 256 * 1024));
    assert!(chunks.concat() == bytes);
}

pub(crate) async fn more_than_the_limit_is_refused_and_leaves_nothing(f: Fixture) {
    let bytes = sample(500_000);
    let put = f.blobs.put_stream(stream::iter(pieces(&bytes, 50_000)), "video/mp4", Some(499_999));
    assert!(matches!(put.await, Err(BlobError::TooLarge { limit: 499_999 })));
    assert!(spooled(&f.blobs).is_empty());
    let exact = f.blobs.put_stream(stream::iter(pieces(&bytes, 50_000)), "video/mp4", Some(500_000));
    assert_eq!(exact.await.unwrap().size, 500_000);
}

pub(crate) async fn a_source_that_fails_leaves_nothing(f: Fixture) {
    let mut chunks = pieces(&sample(400_000), 50_000);
    chunks.push(Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    let put = f.blobs.put_stream(stream::iter(chunks), "video/mp4", None);
    assert!(
        matches!(put.await, Err(BlobError::Source(error)) if error.kind() == io::ErrorKind::ConnectionReset)
    );
    assert!(spooled(&f.blobs).is_empty());
}

pub(crate) async fn an_abandoned_put_leaves_nothing(f: Fixture) {
    let endless = stream::iter(pieces(&sample(400_000), 50_000)).chain(stream::pending());
    let mut put = Box::pin(f.blobs.put_stream(endless, "video/mp4", None));
    // Polled until the file is there and the source has nothing more to give.
    while spooled(&f.blobs).is_empty() {
        tokio::select! { biased; _ = &mut put => unreachable!(), () = tokio::task::yield_now() => {} }
    }
    drop(put);
    // A write that was under way ends on its own thread, and takes the file with it.
    nothing_spooled(&f.blobs).await;
}

/// What is under way ends on its own thread, and takes its file with it.
async fn nothing_spooled(blobs: &Blobs) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !spooled(blobs).is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the spool still holds {:?}", spooled(blobs));
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_file_is_moved_in(f: Fixture) {
    let file = f.blobs.scratch_dir().join("clip.mp4");
    std::fs::write(&file, sample(200_000)).unwrap();
    let (sha256, size) = blobs::hash_file(&file).unwrap();
    let reference = f.blobs.put_file(&file, "video/mp4").await.unwrap();
    assert_eq!((reference.sha256.as_str(), reference.size), (sha256.as_str(), size));
    assert!(!file.exists());
    std::fs::write(&file, sample(200_000)).unwrap();
    assert_eq!(f.blobs.put_file(&file, "video/mp4").await.unwrap(), reference);
    assert!(!file.exists());
}

pub(crate) async fn a_missing_file_is_the_callers_fault(f: Fixture) {
    let put = f.blobs.put_file(Path::new("/nonexistent/clip.mp4"), "video/mp4").await;
    assert!(matches!(put, Err(BlobError::Source(error)) if error.kind() == io::ErrorKind::NotFound));
}

pub(crate) async fn fetching_writes_a_copy(f: Fixture) {
    let bytes = sample(300_000);
    let reference = f.blobs.put_bytes(bytes.clone(), "video/mp4").await.unwrap();
    let target = f.dir.path().join("copy.mp4");
    assert_eq!(f.blobs.fetch_to(&reference.sha256, &target).await.unwrap(), 300_000);
    assert!(std::fs::read(target).unwrap() == bytes);
}

pub(crate) async fn the_blobs_of_a_batch_are_put_whole_and_told_in_order(f: Fixture) {
    let all = [sample(700_001), Vec::new(), b"abc".to_vec(), sample(700_001), sample(131_072)];
    let mut batch = f.blobs.batch();
    for bytes in &all {
        for piece in bytes.chunks(50_021) {
            batch.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        assert_eq!(batch.is_within_a_blob(), !bytes.is_empty());
        let first = &bytes[..bytes.len().min(8 * 1024)];
        let type_of = |seen: &[u8]| {
            assert!(seen == first);
            if seen == b"abc" { "text/plain".to_owned() } else { "video/mp4".to_owned() }
        };
        batch.end(type_of).await.unwrap();
        let (sha256, _) = hash(bytes);
        assert_eq!(f.blobs.size(&sha256).await.unwrap(), None, "not before the batch is committed");
    }
    let size: usize = all.iter().map(Vec::len).sum();
    assert_eq!((batch.len(), batch.size()), (5, size as u64));
    let references = batch.commit().await.unwrap();
    for (reference, bytes) in references.iter().zip(&all) {
        assert_eq!((reference.sha256.clone(), reference.size), hash(bytes));
        assert!(read(&f.blobs, &reference.sha256, None).await == *bytes);
        let content_type = if bytes == b"abc" { "text/plain" } else { "video/mp4" };
        assert_eq!(reference.content_type, content_type);
    }
    assert_eq!(references.len(), 5);
    assert_eq!(references[0], references[3], "the same bytes twice are one blob");
    assert!(spooled(&f.blobs).is_empty());
}

/// SHA-256 and size.
fn hash(bytes: &[u8]) -> (String, u64) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    blobs::hash_file(file.path()).unwrap()
}

pub(crate) async fn a_batch_leaves_what_is_there_already_as_it_is(f: Fixture) {
    let single = f.blobs.put_bytes(sample(300_000), "video/mp4").await.unwrap();
    for _ in 0..2 {
        let mut batch = f.blobs.batch();
        batch.write(sample(300_000).into()).await.unwrap();
        batch.end(|_| "video/mp4".to_owned()).await.unwrap();
        assert_eq!(batch.commit().await.unwrap(), std::slice::from_ref(&single));
    }
    assert!(read(&f.blobs, &single.sha256, None).await == sample(300_000));
    assert!(spooled(&f.blobs).is_empty());
}

pub(crate) async fn a_batch_without_blobs_puts_nothing(f: Fixture) {
    assert!(f.blobs.batch().is_empty());
    assert_eq!(f.blobs.batch().commit().await.unwrap(), []);
    let mut batch = f.blobs.batch();
    batch.write(Bytes::from_static(b"not ended")).await.unwrap();
    assert_eq!(batch.commit().await.unwrap(), [], "what was not ended is no blob");
    nothing_spooled(&f.blobs).await;
}

pub(crate) async fn a_batch_that_is_dropped_leaves_nothing(f: Fixture) {
    let mut batch = f.blobs.batch();
    batch.write(sample(400_000).into()).await.unwrap();
    batch.end(|_| String::new()).await.unwrap();
    batch.write(sample(500_000).into()).await.unwrap();
    assert!(!spooled(&f.blobs).is_empty());
    drop(batch);
    nothing_spooled(&f.blobs).await;
    for len in [400_000, 500_000] {
        let (sha256, _) = hash(&sample(len));
        assert_eq!(f.blobs.size(&sha256).await.unwrap(), None);
    }
}

/// One test per law for a backend: its name, and how to open it on scratch ground.
macro_rules! blob_store_laws {
    ($backend:ident, $open:expr) => {
        mod $backend {
            $crate::laws::blob_store_laws!(@each $open,
                a_blob_reads_back_as_it_was_put
                the_name_is_the_sha256_of_the_bytes
                an_empty_blob_is_a_blob
                putting_the_same_bytes_again_changes_nothing
                an_unknown_blob_is_not_found
                what_is_no_sha256_is_refused
                a_range_gives_exactly_its_bytes
                a_range_past_the_end_is_clamped_or_refused
                reading_streams_in_pieces_of_bounded_size
                more_than_the_limit_is_refused_and_leaves_nothing
                a_source_that_fails_leaves_nothing
                an_abandoned_put_leaves_nothing
                a_file_is_moved_in
                a_missing_file_is_the_callers_fault
                fetching_writes_a_copy
                the_blobs_of_a_batch_are_put_whole_and_told_in_order
                a_batch_leaves_what_is_there_already_as_it_is
                a_batch_without_blobs_puts_nothing
                a_batch_that_is_dropped_leaves_nothing
            );
        }
    };
    (@each $open:expr, $($law:ident)+) => {
        $(#[tokio::test] async fn $law() { $crate::laws::$law($open).await; })+
    };
}
pub(crate) use blob_store_laws;
