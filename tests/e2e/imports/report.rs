//! What `--report` says beside what the source is known to hold.

use std::collections::{BTreeMap, BTreeSet};

use legacysources::{LooseTruth, Orphans, Truth, Why};
use serde_json::Value;

/// The kinds of rows that come.
const KINDS: [&str; 5] = ["clients", "campaigns", "assets", "keys", "jobs"];

/// Pictures and sounds by models that come as assets, and those that are left out.
pub(super) fn loose(truth: &Truth, orphans: Orphans) -> (Vec<&LooseTruth>, Vec<&LooseTruth>) {
    truth.loose.iter().partition(|row| {
        row.bytes.is_some() && owned(truth, orphans, row.row_client_id.as_ref(), row.row_campaign_id.as_ref())
    })
}

/// Whether something has an owner here.
fn owned(truth: &Truth, orphans: Orphans, client: Option<&String>, campaign: Option<&String>) -> bool {
    let is_client = |id: &String| truth.clients.iter().any(|client| client.id == *id);
    let is_campaign = |id: &String| truth.campaigns(orphans).any(|(campaign, _)| campaign.id == *id);
    orphans == Orphans::Keep || client.is_some_and(is_client) || campaign.is_some_and(is_campaign)
}

/// How many rows of each kind are there, by the source. All jobs come, also those whose client and campaign do not.
fn wanted(truth: &Truth, orphans: Orphans) -> BTreeMap<&'static str, u64> {
    let counts = truth.counts(orphans);
    let made = loose(truth, orphans).0.len();
    let all = [counts.clients, counts.campaigns, counts.assets + made, counts.keys, truth.jobs.len()];
    KINDS.into_iter().zip(all.map(|count| count as u64)).collect()
}

fn counted(report: &Value, what: &str) -> BTreeMap<&'static str, u64> {
    KINDS.into_iter().map(|kind| (kind, report["counts"][kind][what].as_u64().unwrap())).collect()
}

/// A run that brought everything over: each row is counted, what is left out or without bytes is named with its reason.
pub(super) fn brought(report: &Value, truth: &Truth, orphans: Orphans) {
    assert_eq!(counted(report, "imported"), wanted(truth, orphans), "{report}");
    left_out(report, truth, orphans);
    missing(report, truth, orphans);
    complete(report);
}

/// A run that found everything there already.
pub(super) fn already(report: &Value, truth: &Truth, orphans: Orphans) {
    assert_eq!(counted(report, "already"), wanted(truth, orphans), "{report}");
    for what in ["imported", "completed"] {
        assert_eq!(counted(report, what).values().sum::<u64>(), 0, "{what}: {report}");
    }
    left_out(report, truth, orphans);
    missing(report, truth, orphans);
    complete(report);
}

fn complete(report: &Value) {
    for bad in ["broken", "changed", "taken", "refused"] {
        assert_eq!(rows(report, bad), BTreeSet::new());
    }
    assert_eq!((&report["complete"], &report["failure"]), (&Value::Bool(true), &Value::Null));
}

/// The rows of a list as their table and key; each has a reason.
pub(super) fn rows(report: &Value, list: &str) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = report[list].as_array().unwrap_or_else(|| panic!("no {list} in {report}"));
    let named = rows.iter().inspect(|row| assert!(!text(&row["reason"]).is_empty(), "{row}"));
    named.map(|row| (text(&row["table"]), text(&row["row"]))).collect()
}

fn left_out(report: &Value, truth: &Truth, orphans: Orphans) {
    let named = |table: &str, row: &str| (table.to_owned(), row.to_owned());
    let mut wanted: BTreeSet<_> =
        truth.left_out(orphans).iter().map(|row| named(row.table, &row.row)).collect();
    wanted.extend(loose(truth, orphans).1.iter().map(|row| named(row.table, &row.row)));
    assert_eq!(rows(report, "skipped"), wanted);
    // Those that `--keep-orphans` keeps are told apart.
    for orphan in truth.left_out(orphans) {
        let is_orphan = matches!(orphan.why, Why::NoClient | Why::NoOwner | Why::UnusedBlob);
        let rows = report["skipped"].as_array().unwrap();
        let row = rows.iter().find(|row| row["table"] == orphan.table && row["row"] == orphan.row.as_str());
        assert_eq!(row.unwrap()["orphan"] == Value::Bool(true), is_orphan, "{orphan:?}");
    }
}

fn missing(report: &Value, truth: &Truth, orphans: Orphans) {
    let named = |table: &str, row: String| (table.to_owned(), row);
    let assets = truth.assets(orphans).map(|(asset, _)| asset).filter(|asset| asset.bytes.here().is_none());
    let mut wanted: BTreeSet<_> = assets.map(|asset| named(asset.table, asset.id.clone())).collect();
    let lost = truth.jobs.iter().filter(|job| job.video_missing);
    wanted.extend(lost.map(|job| named(job.table, job.number.to_string())));
    let told = rows(report, "missing");
    // Clips that the older service never kept may be told of their jobs as well.
    assert!(told.is_superset(&wanted), "{wanted:?} not all in {told:?}");
    assert!(
        told.difference(&wanted).all(|(table, _)| ["generated_videos", "jobs"].contains(&table.as_str()))
    );
}

/// How many rows the run handed to the services.
pub(super) fn handed_in(report: &Value) -> usize {
    let of = |what| counted(report, what).values().sum::<u64>();
    usize::try_from(of("imported") + of("already")).unwrap()
}

/// The jobs that got another number: from which to which.
pub(super) fn renumbered(report: &Value) -> BTreeMap<i64, i64> {
    let number = |value: &Value| value.as_i64().unwrap();
    report["renumbered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (number(&row["from"]), number(&row["to"])))
        .collect()
}
