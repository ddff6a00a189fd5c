//! What is particular to the store in a bucket.

use std::time::Duration;

use blobs::{BlobAddress, BlobError, Blobs, S3Options};
use reqwest::StatusCode;
use testservers::S3Server;
use tokio::io::AsyncReadExt as _;

use crate::laws::{Fixture, blob_store_laws, sample, spooled};

/// How to reach the bucket of a server.
pub(crate) fn options(server: &S3Server) -> S3Options {
    S3Options {
        endpoint: server.endpoint(),
        region: server.region().to_owned(),
        access_key_id: server.access_key().to_owned(),
        secret_access_key: server.secret_key().to_owned().into(),
        path_style: None,
    }
}

/// A store in the bucket of a server, with a scratch directory in `dir`.
pub(crate) fn store(server: &S3Server, url: &str, dir: &tempfile::TempDir) -> Blobs {
    Blobs::at(&BlobAddress::parse(url, options(server)).unwrap(), dir.path().join("scratch")).unwrap()
}

async fn scratch() -> (Fixture, S3Server) {
    let server = S3Server::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    (Fixture { blobs: store(&server, &server.blob_url(), &dir), dir, server: None }, server)
}

async fn fixture() -> Fixture {
    let (fixture, server) = scratch().await;
    Fixture { server: Some(server), ..fixture }
}

blob_store_laws!(laws, super::fixture().await);

pub(crate) async fn read(blobs: &Blobs, sha256: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    blobs.open(sha256, None).await.unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn a_blob_lies_under_its_prefix_shard_and_hash() {
    let (f, server) = scratch().await;
    let url = format!("{}/film/strip/", server.blob_url());
    let reference = store(&server, &url, &f.dir).put_bytes("abc", "text/plain").await.unwrap();
    assert_eq!(server.objects(), [format!("film/strip/ba/{}", reference.sha256)]);
    assert_eq!(f.blobs.size(&reference.sha256).await.unwrap(), None, "the whole bucket is another store");
    assert_eq!(f.blobs.path(&reference.sha256), None);
}

#[tokio::test]
async fn a_large_blob_goes_in_parts_and_is_never_whole_in_memory() {
    let (f, server) = scratch().await;
    let bytes = sample(40_000_001);
    let file = f.blobs.scratch_dir().join("film.mp4");
    std::fs::write(&file, &bytes).unwrap();
    let reference = f.blobs.put_file(&file, "video/mp4").await.unwrap();
    assert!(!file.exists());
    let (peak, limit) = f.blobs.upload_memory().unwrap();
    const PART: u64 = 8 * 1024 * 1024;
    assert!((PART..=3 * PART).contains(&peak), "three parts of 8 MiB at once: {peak}");
    assert_eq!(limit, 64 * 1024 * 1024);
    assert_eq!(f.blobs.size(&reference.sha256).await.unwrap(), Some(40_000_001));
    assert!(read(&f.blobs, &reference.sha256).await == bytes);
    let part = 16_000_000..16_900_000_u64;
    let mut found = Vec::new();
    let mut reader = f.blobs.open(&reference.sha256, Some(part.clone())).await.unwrap();
    reader.read_to_end(&mut found).await.unwrap();
    assert!(found == bytes[part.start as usize..part.end as usize]);
    assert_eq!(server.unfinished(), (0, 0));
    assert!(spooled(&f.blobs).is_empty());
}

#[tokio::test]
async fn an_object_of_the_wrong_size_is_replaced_by_the_next_put() {
    let (f, server) = scratch().await;
    let reference = f.blobs.put_bytes(sample(9_000), "image/png").await.unwrap();
    let [key] = server.objects().try_into().unwrap();
    std::fs::write(server.object_path(&key), b"torn").unwrap();
    assert_eq!(f.blobs.put_bytes(sample(9_000), "image/png").await.unwrap(), reference);
    assert!(read(&f.blobs, &reference.sha256).await == sample(9_000));
}

#[tokio::test]
async fn fetching_an_object_with_other_bytes_is_refused_and_leaves_no_file() {
    let (f, server) = scratch().await;
    let reference = f.blobs.put_bytes("right", "text/plain").await.unwrap();
    let [key] = server.objects().try_into().unwrap();
    std::fs::write(server.object_path(&key), b"wrong").unwrap();
    let target = f.dir.path().join("copy");
    let refused = f.blobs.fetch_to(&reference.sha256, &target).await.unwrap_err();
    assert!(matches!(refused, BlobError::Damaged { .. }));
    assert_eq!(std::fs::read_dir(f.dir.path()).unwrap().count(), 1, "only the scratch directory");
}

#[tokio::test]
async fn many_puts_of_one_key_at_once_all_succeed() {
    let (f, server) = scratch().await;
    // Handles of their own, as other processes have them: nothing but S3 sees to it that they agree.
    let others: Vec<_> = (0..4).map(|_| store(&server, &server.blob_url(), &f.dir)).collect();
    for round in 0..5_usize {
        let bytes = sample(100_000 + round);
        let puts = (0..16).map(|at| others[at % others.len()].put_bytes(bytes.clone(), "image/png"));
        let references = futures::future::try_join_all(puts).await.unwrap();
        assert!(references.iter().all(|reference| reference == &references[0]));
        assert!(read(&f.blobs, &references[0].sha256).await == bytes);
    }
    assert_eq!(server.objects().len(), 5);
}

#[tokio::test]
async fn a_presigned_link_gives_the_bytes_and_ranges_of_them_to_anyone() {
    let (f, _server) = scratch().await;
    let reference = f.blobs.put_bytes("0123456789", "video/mp4").await.unwrap();
    let lifetime = Duration::from_secs(600);
    let url = f.blobs.presigned(&reference.sha256, "video/mp4", lifetime).await.unwrap().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let whole = client.get(url.clone()).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()["content-type"], "video/mp4");
    assert_eq!(whole.bytes().await.unwrap(), "0123456789");
    let part = client.get(url.clone()).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.bytes().await.unwrap(), "234");
    let other = url.as_str().replace(&reference.sha256, &"0".repeat(64));
    assert_eq!(client.get(other).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let refused = f.blobs.presigned("../secrets", "", lifetime).await;
    assert!(matches!(refused, Err(BlobError::BadHash { .. })));
}

#[tokio::test]
async fn a_presigned_link_names_the_type_and_disposition_of_the_answer() {
    let (f, _server) = scratch().await;
    let reference = f.blobs.put_bytes("0123456789", "").await.unwrap();
    let disposition = "attachment; filename=\"audio_1.mp3\"";
    let lifetime = Duration::from_secs(600);
    let url = f
        .blobs
        .presigned_as(&reference.sha256, "audio/mpeg", Some(disposition), lifetime)
        .await
        .unwrap()
        .unwrap();
    assert!(url.query_pairs().any(|said| said == ("X-Amz-Expires".into(), "600".into())), "{url}");
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "audio/mpeg");
    assert_eq!(answer.headers()["content-disposition"], disposition);
}

#[tokio::test]
async fn a_directory_has_no_links() {
    let dir = tempfile::tempdir().unwrap();
    let address = BlobAddress::parse(dir.path().to_str().unwrap(), S3Options::default()).unwrap();
    let blobs = Blobs::at(&address, dir.path().join("unused")).unwrap();
    let reference = blobs.put_bytes("abc", "text/plain").await.unwrap();
    assert_eq!(blobs.presigned(&reference.sha256, "", Duration::from_secs(60)).await.unwrap(), None);
    assert!(blobs.path(&reference.sha256).is_some() && !dir.path().join("unused").exists());
}

#[tokio::test]
async fn opening_removes_what_a_dead_process_left_in_the_scratch_directory() {
    let (f, server) = scratch().await;
    let left = f.dir.path().join("scratch/spool/in-dead");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("put-half"), b"half").unwrap();
    let second = store(&server, &server.blob_url(), &f.dir);
    assert!(!left.exists());
    assert!(f.blobs.scratch_dir().exists() && second.scratch_dir().exists());
}
