//! Whole comparisons with a target in memory.

use std::sync::Arc;

use protos::{asset::v1::LegacyThing, job::v1::LegacyFile};

use super::*;
use crate::import::{
    fake::{Content, Fake, Made, asset, client, feed, job, keeper},
    feed::Mode,
    report::tests::empty,
    send::{self, Wishes},
};

fn source() -> Vec<Made> {
    vec![
        client("c1"),
        client("c2"),
        client("c3"),
        asset("a1", &[Content::Here(Slot::Asset, b"one"), Content::Here(Slot::Thumbnail, b"small")]),
        asset("a2", &[Content::At(Slot::Asset, "https://old.example/2")]),
        job(7, &["a1", "a2"], &[Content::Here(Slot::Video, b"film")]),
        job(8, &["gone"], &[]),
    ]
}

async fn brought(fetch: bool) -> Arc<Fake> {
    let target = Fake::new();
    bring(&target, fetch).await;
    target
}

async fn bring(target: &Arc<Fake>, fetch: bool) {
    let dynamic: Arc<dyn Target> = Arc::<Fake>::clone(target);
    let wishes = Wishes { fetch, ..Wishes::default() };
    let (feed, progress) = (feed(source(), Mode::Pieces), Progress::silent());
    send::run(feed, "old", &dynamic, wishes, &progress, &mut empty()).await.unwrap();
}

async fn found(target: &Arc<Fake>, source: Vec<Made>) -> serde_json::Value {
    let dynamic: Arc<dyn Target> = Arc::<Fake>::clone(target);
    let mut findings = Findings::new(empty().source, "memory".to_owned());
    let feed = feed(source, Mode::Digests);
    let ended = run(feed, "old", &dynamic, &Progress::silent(), &mut findings).await;
    findings.close(ended.err().map(|error| error.to_string()));
    serde_json::to_value(&findings).unwrap()
}

/// Sort, row and field of each difference.
fn told(findings: &serde_json::Value) -> Vec<[String; 3]> {
    let differences = findings["differences"].as_array().unwrap();
    let of =
        |one: &serde_json::Value| ["sort", "row", "field"].map(|name| one[name].as_str().unwrap().to_owned());
    differences.iter().map(of).collect()
}

fn one(sort: &str, row: &str, field: &str) -> Vec<[String; 3]> {
    vec![[sort, row, field].map(str::to_owned)]
}

#[tokio::test]
async fn what_was_brought_over_is_the_same_fetched_or_not() {
    for fetch in [false, true] {
        let findings = found(&brought(fetch).await, source()).await;
        assert_eq!((told(&findings), &findings["equal"]), (vec![], &true.into()), "{findings}");
        let counts = serde_json::json!({"source": 2, "here": 2, "same": 2});
        assert_eq!((&findings["counts"]["assets"], &findings["counts"]["jobs"]), (&counts, &counts));
        assert_eq!(findings["blobs"], if fetch { 4 } else { 3 });
    }
    // The job came before what it shows was fetched.
    let target = brought(false).await;
    bring(&target, true).await;
    assert_eq!(told(&found(&target, source()).await), Vec::<[String; 3]>::new());
}

#[tokio::test]
async fn another_order_on_the_other_side_makes_no_difference() {
    let target = brought(false).await;
    let mut reversed = source();
    reversed.swap(0, 2);
    reversed.swap(3, 4);
    assert_eq!(found(&target, reversed).await["equal"], true);
}

#[tokio::test]
async fn spoilt_and_lost_bytes_are_found_and_named_once() {
    let target = brought(false).await;
    target.spoil(b"one", Some(b"0ne"));
    target.spoil(b"film", None);
    let findings = found(&target, source()).await;
    let both = [one("bytes", "a1", "blob"), one("bytes", "7", "video")].concat();
    assert_eq!(told(&findings), both, "although a scene shows the first, too");
    assert!(findings["differences"][0]["here"].as_str().unwrap().contains("damaged"));
}

#[tokio::test]
async fn a_row_that_was_changed_behind_the_back_is_found() {
    let target = brought(false).await;
    target.tamper("c2", |thing| {
        if let Some(LegacyThing { thing: Some(legacy_thing::Thing::Client(client)), .. }) = &mut thing.now {
            client.name = "x".to_owned();
        }
    });
    assert_eq!(told(&found(&target, source()).await), one("differs", "c2", "name"));
    target.tamper("c2", |thing| thing.touched = true);
    assert_eq!(told(&found(&target, source()).await), one("changed_here", "c2", "name"));
    target.tamper("c2", |thing| thing.now = None);
    assert_eq!(told(&found(&target, source()).await), one("deleted_here", "c2", ""));
}

#[tokio::test]
async fn a_log_that_says_otherwise_is_found() {
    let target = brought(false).await;
    target.tamper_job("7", |job| {
        if let Some(came) = &mut job.came {
            came.actual_micros = 5;
            came.audio = Some(LegacyFile::default());
        }
    });
    let findings = found(&target, source()).await;
    assert!(told(&findings).contains(&one("differs", "7", "actual_micros")[0]), "{findings}");
    target.tamper_job("8", |job| job.differs = "status is pending".to_owned());
    assert!(told(&found(&target, source()).await).contains(&one("differs", "8", "")[0]));
}

#[tokio::test]
async fn what_is_on_one_side_alone_is_found_on_either() {
    let target = brought(false).await;
    target.remove("c3");
    assert_eq!(told(&found(&target, source()).await), one("not_here", "c3", ""));
    let mut less = source();
    less.remove(6);
    less.remove(2);
    assert_eq!(told(&found(&target, less).await), one("only_here", "8", ""));
}

#[tokio::test]
async fn the_client_that_keeps_orphans_may_have_come_from_another_source() {
    let target = brought(false).await;
    let mut kept = source();
    kept.insert(0, keeper("old"));
    assert_eq!(found(&target, kept).await["equal"], true);
}

#[tokio::test]
async fn a_source_that_changed_since_is_found() {
    let target = brought(false).await;
    let mut changed = source();
    changed[3] =
        asset("a1", &[Content::Here(Slot::Asset, b"other"), Content::Here(Slot::Thumbnail, b"small")]);
    let told = told(&found(&target, changed).await);
    for field in ["origin.digest", "blob.sha256", "blob.size", "blob"] {
        assert!(told.iter().any(|[_, row, told]| row == "a1" && told == field), "no {field} in {told:?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_and_a_source_that_breaks_off_are_no_equality() {
    let target = brought(false).await;
    let mut broken = source();
    broken.push(Made::Broken("c9"));
    assert_eq!(told(&found(&target, broken).await), one("not_here", "c9", ""));
    let mut torn = source();
    torn.insert(2, Made::Stop);
    let findings = found(&target, torn).await;
    assert_eq!((findings["equal"].clone(), findings["failure"].is_string()), (false.into(), true));
}
