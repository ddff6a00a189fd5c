//! No more lies in scratch than there is room for, and all room comes back.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blobs::{BlobError, Blobs, Budget, Need, NoRoom, Room};
use bytes::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use proptest::prelude::*;

use crate::laws::{sample, spooled};

const BLOCK: u64 = 4096;
const MIB: u64 = 1 << 20;

fn store(limit: u64) -> (Blobs, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Blobs::local(dir.path()).unwrap().with_budget(Budget::of(limit)), dir)
}

/// Bytes that the disk gives to what lies below a directory.
fn on_disk(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => on_disk(&entry.path()),
        // What is sparse or not on the disk yet has its length all the same.
        Ok(found) => found.len().max(found.blocks() * 512).next_multiple_of(BLOCK),
        // Gone meanwhile.
        Err(_) => 0,
    };
    entries.map(size).sum()
}

#[test]
fn room_is_counted_in_whole_blocks_and_comes_back() {
    let budget = Budget::of(10 * BLOCK + 17);
    assert_eq!(budget.limit(), Some(10 * BLOCK));
    let one = budget.try_reserve(1).unwrap();
    let eight = budget.try_reserve(8 * BLOCK).unwrap();
    assert_eq!((one.bytes(), budget.reserved()), (BLOCK, 9 * BLOCK));
    let refused = budget.try_reserve(BLOCK + 1).unwrap_err();
    assert_eq!(refused, NoRoom { needed: BLOCK + 1, reserved: 9 * BLOCK, limit: 10 * BLOCK });
    assert!(!refused.is_lasting());
    drop(one);
    assert_eq!(budget.try_reserve(BLOCK + 1).unwrap().bytes(), 2 * BLOCK);
    drop(eight);
    assert_eq!(budget.reserved(), 0);
}

#[test]
fn without_a_limit_there_is_always_room() {
    let budget = Budget::unlimited();
    let rooms: Vec<_> = (0..3).map(|_| budget.try_reserve(u64::MAX).unwrap()).collect();
    assert_eq!((budget.limit(), budget.at_most(7)), (None, 7));
    drop(rooms);
    assert_eq!(budget.reserved(), 0);
}

#[test]
fn a_room_grows_in_steps_as_long_as_there_are_any_and_then_by_what_is_needed() {
    let budget = Budget::of(MIB + 2 * BLOCK);
    let mut room = budget.nothing();
    room.grow_in_steps(1).unwrap();
    assert_eq!(room.bytes(), MIB);
    room.grow_in_steps(MIB + 1).unwrap();
    assert_eq!(room.bytes(), MIB + BLOCK, "a whole step is not there");
    assert!(room.grow_in_steps(MIB + 2 * BLOCK + 1).unwrap_err().is_lasting());
    assert_eq!(room.bytes(), MIB + BLOCK, "what was held is still held");
    room.shrink(5);
    assert_eq!((room.bytes(), budget.reserved()), (BLOCK, BLOCK));
}

#[tokio::test]
async fn who_asks_first_has_room_first_and_nobody_gets_past() {
    let budget = Budget::of(4 * BLOCK);
    let held = budget.reserve(3 * BLOCK).await.unwrap();
    let mut large = Box::pin(budget.reserve(4 * BLOCK));
    assert!(large.as_mut().now_or_never().is_none());
    let mut small = Box::pin(budget.reserve(BLOCK));
    assert!(small.as_mut().now_or_never().is_none(), "the large one would starve");
    assert!(budget.try_reserve(BLOCK).is_err());
    drop(held);
    let large = large.await.unwrap();
    assert!(small.as_mut().now_or_never().is_none());
    drop(large);
    assert_eq!(small.await.unwrap().bytes(), BLOCK);
}

#[tokio::test]
async fn who_stops_waiting_leaves_nothing_and_lets_the_next_one_have_it() {
    let budget = Budget::of(4 * BLOCK);
    let held = budget.reserve(2 * BLOCK).await.unwrap();
    let mut large = Box::pin(budget.reserve(4 * BLOCK));
    assert!(large.as_mut().now_or_never().is_none());
    drop(large);
    assert_eq!(budget.try_reserve(2 * BLOCK).unwrap().bytes(), 2 * BLOCK);
    drop(held);
    assert_eq!(budget.reserved(), 0);
}

#[tokio::test]
async fn what_can_never_be_is_not_waited_for() {
    let budget = Budget::of(BLOCK);
    let refused = budget.reserve(BLOCK + 1).now_or_never().unwrap().unwrap_err();
    assert!(refused.is_lasting());
    assert_eq!(budget.at_most(u64::MAX), BLOCK);
}

#[tokio::test]
async fn a_panic_gives_room_back() {
    let (blobs, _dir) = store(MIB);
    let budget = blobs.budget().clone();
    let task = tokio::spawn(async move {
        let _work = blobs.work_dir(Need { copies: 5, made: MIB - 5 }).await.unwrap();
        assert_eq!(blobs.budget().reserved(), 0, "this is the panic");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(budget.reserved(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Take(u64),
    Grow(usize, u64),
    Shrink(usize, u64),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = 0..40 * BLOCK;
    prop_oneof![
        bytes.clone().prop_map(Step::Take),
        (0..6_usize, bytes.clone()).prop_map(|(which, bytes)| Step::Grow(which, bytes)),
        (0..6_usize, bytes).prop_map(|(which, bytes)| Step::Shrink(which, bytes)),
        (0..6_usize).prop_map(Step::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever is done: what is held is what is reserved, never more than the limit; a refusal changes nothing and is
    /// given only when it would be more.
    #[test]
    fn the_budget_is_the_sum_of_what_is_held(steps in proptest::collection::vec(step(), 0..60), limit in 0..64_u64) {
        let budget = Budget::of(limit * BLOCK);
        let mut rooms: Vec<Room> = Vec::new();
        for step in steps {
            let before: u64 = rooms.iter().map(Room::bytes).sum();
            let fits = |more: u64| before + more.next_multiple_of(BLOCK) <= limit * BLOCK;
            match step {
                Step::Take(bytes) => match budget.try_reserve(bytes) {
                    Ok(room) => {
                        prop_assert!(room.bytes() >= bytes && room.bytes() < bytes + BLOCK);
                        rooms.push(room);
                    }
                    Err(_) => prop_assert!(!fits(bytes)),
                },
                Step::Grow(which, to) => if let Some(room) = rooms.get_mut(which) {
                    let more = to.next_multiple_of(BLOCK).saturating_sub(room.bytes());
                    match room.grow(to) {
                        Ok(()) => prop_assert!(room.bytes() >= to),
                        Err(_) => prop_assert!(!fits(more)),
                    }
                },
                Step::Shrink(which, to) => if let Some(room) = rooms.get_mut(which) {
                    let had = room.bytes();
                    room.shrink(to);
                    prop_assert_eq!(room.bytes(), had.min(to.next_multiple_of(BLOCK)));
                },
                Step::Drop(which) => if which < rooms.len() {
                    drop(rooms.swap_remove(which));
                },
            }
            let held: u64 = rooms.iter().map(Room::bytes).sum();
            prop_assert_eq!(budget.reserved(), held);
            prop_assert!(held <= limit * BLOCK);
        }
        drop(rooms);
        prop_assert_eq!(budget.reserved(), 0);
    }
}

/// A stream that gives way to the others before each piece.
fn slowly(bytes: &[u8], each: impl Fn() + Send + Sync) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let pieces: Vec<_> = bytes.chunks(60_000).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).then(giving_way).map(move |piece| {
        each();
        Ok(piece)
    })
}

async fn giving_way(piece: Bytes) -> Bytes {
    tokio::task::yield_now().await;
    piece
}

/// What came of many uploads at one time.
#[derive(Debug, Default)]
struct Crowd {
    stored: usize,
    /// Refused at their beginning, each as often as it tried again.
    refused: usize,
    /// Refused in their middle.
    broken: usize,
    /// The most bytes that lay in scratch.
    most: u64,
}

/// Uploads with or without a length, all at once. Room is taken on this thread alone, so nobody takes any while one of
/// them looks at the directory.
async fn crowd(blobs: &Blobs, announced: bool) -> Crowd {
    const SIZE: usize = 3_000_000;
    let (most, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut uploads = tokio::task::JoinSet::new();
    for number in 0..40_usize {
        let (blobs, most, refused) = (blobs.clone(), most.clone(), refused.clone());
        uploads.spawn(async move {
            let bytes = [&sample(SIZE)[..], &number.to_le_bytes()].concat();
            let room = loop {
                match blobs.budget().try_reserve(if announced { bytes.len() as u64 } else { 0 }) {
                    Ok(room) => break room,
                    Err(_) => refused.fetch_add(1, Ordering::Relaxed),
                };
                tokio::task::yield_now().await;
            };
            let scratch = blobs.scratch_dir();
            let look = || {
                most.fetch_max(on_disk(&scratch), Ordering::Relaxed);
            };
            let stored = blobs.put_stream_within(room, slowly(&bytes, look), "video/mp4", None).await?;
            assert_eq!(blobs.size(&stored.sha256).await?, Some(bytes.len() as u64));
            Ok(())
        });
    }
    let mut crowd = Crowd::default();
    while let Some(upload) = uploads.join_next().await {
        match upload.unwrap() {
            Ok(()) => crowd.stored += 1,
            Err(BlobError::NoRoom(full)) if !full.is_lasting() => crowd.broken += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    let refused = usize::try_from(refused.load(Ordering::Relaxed)).unwrap();
    Crowd { refused, most: most.load(Ordering::Relaxed), ..crowd }
}

#[tokio::test]
async fn many_uploads_never_take_more_than_there_is_and_who_was_let_in_succeeds() {
    let (blobs, _dir) = store(8 * MIB);
    let found = crowd(&blobs, true).await;
    assert_eq!((found.stored, found.broken), (40, 0), "who was let in had its room: {found:?}");
    assert!(found.refused > 0, "{found:?}");
    assert!(found.most > 3_000_000 && found.most <= 8 * MIB, "{found:?}");
    assert_eq!(blobs.budget().reserved(), 0);
    assert!(spooled(&blobs).is_empty());
}

#[tokio::test]
async fn uploads_of_unknown_length_never_take_more_than_there_is_either() {
    let (blobs, _dir) = store(8 * MIB);
    let found = crowd(&blobs, false).await;
    assert!(found.stored + found.broken == 40 && found.broken > 0, "{found:?}");
    assert!(found.most <= 8 * MIB, "{found:?}");
    assert_eq!(blobs.budget().reserved(), 0);
    assert!(spooled(&blobs).is_empty());
}

#[tokio::test]
async fn an_upload_that_is_given_up_gives_its_room_back_with_its_file() {
    let (blobs, _dir) = store(4 * MIB);
    let endless =
        stream::repeat_with(|| Ok(Bytes::from_static(&[7; 60_000]))).take(20).chain(stream::pending());
    let mut put = Box::pin(blobs.put_stream(endless, "video/mp4", None));
    while blobs.budget().reserved() < 2 * MIB {
        tokio::select! { biased; _ = &mut put => unreachable!(), () = tokio::task::yield_now() => {} }
    }
    drop(put);
    // A write that was under way ends on its own thread.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while blobs.budget().reserved() > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{} bytes are still taken",
            blobs.budget().reserved()
        );
        tokio::task::yield_now().await;
    }
    assert!(spooled(&blobs).is_empty(), "the file is gone before its room is free");
}

#[tokio::test]
async fn a_batch_fills_the_room_that_was_taken_for_it_and_is_refused_more() {
    let limit = 4 * MIB;
    let (blobs, _dir) = store(limit);
    let room = blobs.budget().reserve(3 * MIB).await.unwrap();
    let others = blobs.budget().try_reserve(MIB).unwrap();
    let mut batch = blobs.batch_within(room);
    for number in 0..700_u32 {
        batch.write(Bytes::copy_from_slice(&number.to_le_bytes())).await.unwrap();
        batch.end(|_| "text/plain".into()).await.unwrap();
    }
    assert_eq!(blobs.budget().reserved(), limit, "nothing of it went to others meanwhile");
    assert!(on_disk(&blobs.scratch_dir()) <= 3 * MIB);
    let mut refused = None;
    for piece in sample(400_000).chunks(100_000) {
        refused = refused.or(batch.write(Bytes::copy_from_slice(piece)).await.err());
    }
    assert!(matches!(refused, Some(BlobError::NoRoom(_))), "{refused:?}");
    drop((batch, others));
    assert_eq!(blobs.budget().reserved(), 0);
    assert!(spooled(&blobs).is_empty());
}

#[tokio::test]
async fn work_waits_for_its_room_and_gives_it_back_with_its_directory() {
    let (blobs, _dir) = store(4 * MIB);
    let first = blobs.work_dir(Need { copies: MIB, made: 2 * MIB }).await.unwrap();
    std::fs::write(first.join("copy"), b"bytes").unwrap();
    let mut second = Box::pin(blobs.work_dir(Need { copies: 2 * MIB, made: 0 }));
    assert!(second.as_mut().now_or_never().is_none());
    let refused = blobs.work_dir_now(Need { copies: 1, made: 0 }).unwrap_err();
    assert!(matches!(refused, BlobError::NoRoom(full) if !full.is_lasting()), "{refused:?}");
    let path = first.path().to_owned();
    drop(first);
    assert!(!path.exists());
    drop(second.await.unwrap());
    assert_eq!(blobs.budget().reserved(), 0);
}

#[tokio::test]
async fn a_guess_that_is_too_large_has_all_there_is_and_a_copy_that_is_too_large_is_refused() {
    let (blobs, _dir) = store(4 * MIB);
    let all = blobs.work_dir(Need { copies: MIB, made: u64::MAX }).await.unwrap();
    assert_eq!(blobs.budget().reserved(), 4 * MIB);
    drop(all);
    let refused = blobs.work_dir(Need { copies: 4 * MIB + 1, made: 0 }).await.unwrap_err();
    assert!(matches!(refused, BlobError::NoRoom(full) if full.is_lasting()), "{refused:?}");
}
