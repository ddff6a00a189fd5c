//! Whole runs on a target in memory.

use std::sync::Arc;

use legacy::{Slot, Stage};

use super::{
    super::{
        fake::{Content, Fails, Fake, Made, asset, client, feed, job, keeper, tally},
        feed::Mode,
        report::tests::empty,
    },
    *,
};

async fn ran(target: &Arc<Fake>, made: Vec<Made>, wishes: Wishes) -> (Result<(), Stopped>, Report) {
    let mut report = empty();
    let dynamic: Arc<dyn Target> = Arc::<Fake>::clone(target);
    let feed = feed(made, Mode::Pieces);
    let ended = run(feed, "old", &dynamic, wishes, &Progress::silent(), &mut report).await;
    report.close(ended.as_ref().err().map(ToString::to_string));
    (ended, report)
}

fn limits(things: usize, bytes: u64) -> Wishes {
    Wishes { fetch: false, limits: Limits { things, bytes } }
}

const FETCH: Wishes = Wishes { fetch: true, limits: Limits { things: 64, bytes: 1024 } };

fn some_of_everything() -> Vec<Made> {
    let mut made = vec![client("c1"), client("c2")];
    let bytes: [&'static [u8]; 5] = [b"one", b"two", b"three", b"", b"five"];
    for (row, bytes) in ["a1", "a2", "a3", "a4", "a5"].into_iter().zip(bytes) {
        made.push(asset(row, &[Content::Here(Slot::Asset, bytes), Content::Here(Slot::Thumbnail, b"small")]));
    }
    made.push(job(
        7,
        &["a1", "a3"],
        &[Content::Here(Slot::Video, b"film"), Content::Here(Slot::Clip(0), b"clip")],
    ));
    made.push(job(8, &["a5"], &[]));
    made
}

#[tokio::test]
async fn every_row_comes_exactly_once_wherever_a_run_fails_and_is_run_again() {
    let clean = Fake::new();
    ran(&clean, some_of_everything(), limits(2, 9)).await.0.unwrap();
    let failing: [fn(usize) -> Fails; 2] = [Fails::Before, Fails::After];
    for fails in failing {
        let mut failed = 0;
        for call in 1.. {
            let target = Fake::new();
            target.fails(Some(fails(call)));
            let (ended, report) = ran(&target, some_of_everything(), limits(2, 9)).await;
            if ended.is_ok() {
                break;
            }
            failed += 1;
            assert!(!report.is_complete());
            target.fails(None);
            let (ended, report) = ran(&target, some_of_everything(), limits(2, 9)).await;
            ended.unwrap();
            assert!(report.is_complete());
            assert!(tally(target.rows()).values().all(|times| *times == 1), "{:?}", target.rows());
            assert_eq!(target.rows(), clean.rows(), "in the same order: {:?}", fails(call));
            for row in ["a1", "a2", "a3", "a4", "a5"] {
                assert_eq!(target.asset(row), clean.asset(row));
            }
            assert_eq!(target.job("7"), clean.job("7"));
        }
        assert!(failed > 10, "a run has more calls than {failed}");
    }
}

#[tokio::test]
async fn a_second_run_finds_everything_and_changes_nothing() {
    let target = Fake::new();
    ran(&target, some_of_everything(), limits(3, 99)).await.0.unwrap();
    let before = target.rows();
    let (ended, report) = ran(&target, some_of_everything(), limits(64, 999)).await;
    ended.unwrap();
    assert_eq!(target.rows(), before);
    let already = [Stage::Clients, Stage::Assets, Stage::Jobs].map(|stage| report.counts(stage).already);
    assert_eq!(already, [2, 5, 2]);
}

#[tokio::test]
async fn a_batch_ends_at_so_many_things_or_bytes_and_a_job_is_alone() {
    let target = Fake::new();
    let mut made: Vec<Made> = ["c1", "c2", "c3", "c4", "c5"].map(client).into();
    made.extend([job(7, &[], &[]), job(8, &[], &[]), client("c6")]);
    ran(&target, made, limits(2, u64::MAX)).await.0.unwrap();
    assert_eq!(target.imports(), [2, 2, 1, 1, 1, 1]);

    let target = Fake::new();
    let of = |row, bytes| asset(row, &[Content::Here(Slot::Asset, bytes)]);
    // What a row takes in a message counts too: a few dozen bytes.
    let large = b"far more than what is left, so that the batch ends with it: it is never cut in two, whatever it is. \
                  Another sentence makes it certain that two hundred bytes are reached, and a bit more than that.";
    let made = vec![of("a1", b"x"), of("a2", large), of("a3", b"y"), of("a4", b"z")];
    ran(&target, made, limits(64, 200)).await.0.unwrap();
    assert_eq!(target.imports(), [2, 2]);
    assert_eq!(target.stores(), 2, "the bytes of a batch go through one stream");
}

#[tokio::test]
async fn the_bytes_of_two_batches_at_most_go_ahead() {
    let target = Fake::new();
    target.permits.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let rows: [&str; 9] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];
    let made: Vec<Made> = rows.map(|row| asset(row, &[Content::Here(Slot::Asset, b"bytes")])).into();
    let running = tokio::spawn({
        let target = Arc::clone(&target);
        async move { ran(&target, made, limits(1, 99)).await.0 }
    });
    // Nothing here waits for the outside: this many turns are more than enough for everything that can go on.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(target.stores(), 1 + 2, "those of the one that is imported, and of the next two");
    assert_eq!(target.imports().len(), 0);
    target.permits.add_permits(rows.len());
    running.await.unwrap().unwrap();
    assert_eq!(target.rows(), rows);
}

#[tokio::test]
async fn a_row_whose_bytes_break_off_stays_behind_alone() {
    let target = Fake::new();
    let made = vec![
        asset("a1", &[Content::Here(Slot::Asset, b"one")]),
        asset("a2", &[Content::Here(Slot::Asset, b"two"), Content::Torn(Slot::Thumbnail, b"tor")]),
        Made::Broken("c9"),
        asset("a3", &[Content::Here(Slot::Asset, b"three")]),
    ];
    let (ended, report) = ran(&target, made, limits(64, 999)).await;
    ended.unwrap();
    assert_eq!(target.rows(), ["a1", "a3"]);
    assert_eq!(target.asset("a3").blob.unwrap().size, 5, "each has its own bytes");
    assert_eq!((report.counts(Stage::Assets).broken, report.counts(Stage::Clients).broken), (1, 1));
    assert!(!report.is_complete());
}

#[tokio::test]
async fn what_was_read_before_the_source_failed_is_brought_over() {
    let target = Fake::new();
    let made = vec![client("c1"), Made::Stop, client("c2")];
    let (ended, report) = ran(&target, made, limits(64, 999)).await;
    let told = ended.unwrap_err().to_string();
    assert!(told.contains("old.db is damaged"), "{told}");
    assert_eq!(target.rows(), ["c1"]);
    assert_eq!(report.counts(Stage::Clients).imported, 1);
}

#[tokio::test]
async fn a_failure_names_the_service_and_the_rows() {
    let target = Fake::new();
    // Two lists, two calls of the stream, then the import.
    target.fails(Some(Fails::Before(5)));
    let made = vec![
        asset("a1", &[Content::Here(Slot::Asset, b"one")]),
        asset("a2", &[Content::Here(Slot::Asset, b"two")]),
    ];
    let told = ran(&target, made, limits(64, 999)).await.0.unwrap_err().to_string();
    assert!(told.contains("between table assets, row a1 and table assets, row a2"), "{told}");
    assert!(told.contains("the asset service in memory failed at importing them: call 5 fails"), "{told}");
}

#[tokio::test]
async fn bytes_at_an_address_are_fetched_when_that_is_wished_and_only_once() {
    let made = || {
        vec![
            asset("a1", &[Content::At(Slot::Asset, "https://old.example/1")]),
            asset("a2", &[Content::At(Slot::Asset, "https://old.example/gone")]),
            job(7, &["a1"], &[]),
        ]
    };
    let target = Fake::new();
    let (ended, report) = ran(&target, made(), limits(64, 999)).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Assets).missing, target.fetches()), (2, 0));
    assert!(report.text().contains("only at its address; --fetch gets it"));
    assert!(report.is_complete(), "that they are missing is told, and no failure");

    let (ended, report) = ran(&target, made(), FETCH).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Assets).completed, report.counts(Stage::Assets).missing), (1, 1));
    let told = report.text();
    assert!(
        told.contains("https://old.example/gone did not give them: Failed to download from URL: HTTP 404"),
        "{told}"
    );

    let before = target.fetches();
    let (ended, report) = ran(&target, made(), limits(64, 999)).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Assets).already, target.fetches()), (2, before));
    assert_eq!(report.counts(Stage::Assets).missing, 1, "the one that is here is not missing any more");
}

#[tokio::test]
async fn a_page_in_place_of_an_image_is_missing_and_no_reason_to_leave_the_row_behind() {
    let made = || {
        vec![
            asset("a1", &[Content::At(Slot::Asset, "https://old.example/page")]),
            asset("a2", &[Content::Here(Slot::Asset, b"two")]),
            asset("a3", &[Content::Here(Slot::Asset, b"a torn page")]),
            job(7, &["a1", "a2"], &[]),
        ]
    };
    let of = |report: &Report| {
        let counts = report.counts(Stage::Assets);
        (counts.imported, counts.already, counts.completed, counts.missing, counts.refused)
    };
    for before in [false, true] {
        let target = Fake::new();
        if before {
            ran(&target, made(), limits(64, 999)).await.0.unwrap();
        }
        let (ended, report) = ran(&target, made(), FETCH).await;
        ended.unwrap();
        let there = if before { (0, 2, 0, 1, 1) } else { (2, 0, 0, 1, 1) };
        assert_eq!(of(&report), there, "what the source itself holds wrongly is refused");
        let told = report.text();
        assert!(told.contains("its address gave other bytes: its bytes are no image"), "{told}");
        assert_eq!(target.asset("a1").blob, None);
        let frames: Vec<_> =
            target.job("7").scenes[0].frames.iter().map(|frame| frame.blob.clone()).collect();
        assert_eq!(frames, [None, target.asset("a2").blob]);
        // What is handed in again comes after the others of its batch.
        let mut rows = target.rows();
        rows.sort_unstable();
        assert_eq!(rows, ["7", "a1", "a2"], "each came once");
        let (ended, report) = ran(&target, made(), FETCH).await;
        ended.unwrap();
        assert_eq!(of(&report), (0, 2, 0, 1, 1), "and again");
    }
}

#[tokio::test]
async fn a_service_that_cannot_fetch_stops_the_run_and_leaves_nothing_missing() {
    let made = || vec![asset("a1", &[Content::At(Slot::Asset, "https://old.example/1")])];
    let target = Fake::new();
    // Two lists, then the fetch.
    target.fails(Some(Fails::Before(3)));
    let (ended, report) = ran(&target, made(), FETCH).await;
    let told = ended.unwrap_err().to_string();
    assert!(told.contains("at table assets, row a1"), "{told}");
    assert!(told.contains("failed at fetching their bytes: call 3 fails"), "{told}");
    assert_eq!((report.is_complete(), report.counts(Stage::Assets).missing), (false, 0));
    assert!(target.rows().is_empty());
    target.fails(None);
    let (ended, report) = ran(&target, made(), FETCH).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Assets).imported, report.counts(Stage::Assets).missing), (1, 0));
    assert!(target.asset("a1").blob.is_some());
}

#[tokio::test]
async fn scenes_show_the_bytes_of_their_assets_from_this_run_or_an_earlier_one() {
    let target = Fake::new();
    let fetched = || asset("a2", &[Content::At(Slot::Asset, "https://old.example/2")]);
    ran(&target, vec![fetched()], FETCH).await.0.unwrap();
    let made = vec![
        asset("a1", &[Content::Here(Slot::Asset, b"one")]),
        fetched(),
        job(7, &["a1", "a2", "a3"], &[Content::Here(Slot::Video, b"film")]),
    ];
    ran(&target, made, limits(64, 999)).await.0.unwrap();
    let job = target.job("7");
    let frames: Vec<_> = job.scenes[0].frames.iter().map(|frame| frame.blob.clone()).collect();
    assert_eq!(frames, [target.asset("a1").blob, target.asset("a2").blob, None]);
    assert_eq!(job.video.unwrap().blob.unwrap().size, 4);
}

#[tokio::test]
async fn a_row_with_another_content_is_told_and_left_alone() {
    let target = Fake::new();
    let of = |bytes| vec![asset("a1", &[Content::Here(Slot::Asset, bytes)])];
    ran(&target, of(b"old"), limits(64, 999)).await.0.unwrap();
    let (ended, report) = ran(&target, of(b"new bytes"), limits(64, 999)).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Assets).changed, report.is_complete()), (1, false));
    assert_eq!(target.asset("a1").blob.unwrap().size, 3);
}

#[tokio::test]
async fn the_client_that_keeps_orphans_is_shared_by_all_sources() {
    let target = Fake::new();
    ran(&target, vec![keeper("other")], limits(64, 999)).await.0.unwrap();
    let (ended, report) = ran(&target, vec![keeper("old")], limits(64, 999)).await;
    ended.unwrap();
    assert_eq!((report.counts(Stage::Clients).already, report.is_complete()), (1, true));
    assert_eq!(target.rows().len(), 1);
}

#[tokio::test]
async fn a_job_whose_number_is_taken_is_told_with_both_numbers() {
    let target = Fake::new();
    let (ended, report) = ran(&target, vec![job(1, &[], &[]), job(2, &[], &[])], limits(64, 999)).await;
    ended.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["renumbered"], serde_json::json!([{"from": 1, "to": 100}]));
    assert_eq!(json["remarks"], serde_json::json!([]));
}
