//! What a run came to: counts of each kind, and every row that a person should know of.

mod text;

use std::collections::BTreeMap;

use legacy::{Broken, Skipped, Stage};
use protos::common::v1::{ImportOutcome, ImportResult};
use serde::Serialize;

/// Rows of one sort that are named; beyond them they are only counted.
const NAMED: usize = 10_000;

/// What a run came to. `--report` writes it as this JSON object; so does a run that failed, of what it did until then:
///
/// | member | what it holds |
/// | --- | --- |
/// | `source` | `file`, the file as it was named; `name`, under which its rows are known; `kind`, `scenes.db` or `phoenix` |
/// | `target` | where it was brought to, for a person; null in a dry run |
/// | `dry_run` | whether nothing was written; `imported` then counts what would be |
/// | `complete` | whether everything that was found is there now, but for what was left out on purpose |
/// | `failure` | what stopped the run, for a person; null when nothing did |
/// | `seconds`, `bytes` | how long it took; bytes that were read out of columns |
/// | `counts` | for each kind (`clients`, `campaigns`, `assets`, `keys`, `jobs`, `rest`) its [`Counts`] |
/// | `skipped`, `broken`, `changed`, `taken`, `refused`, `missing`, `remarks` | rows, each as a [`Named`]; at most 10,000 of each |
/// | `renumbered` | jobs whose number was taken: `from`, what it was; `to`, what it is here |
///
/// A row of `missing` came, but without its bytes (or those of its thumbnail, its soundtrack or one of its clips). A row of
/// `remarks` came, and the service had something to say about it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) source: SourceName,
    pub(super) target: Option<String>,
    pub(super) dry_run: bool,
    complete: bool,
    pub(super) failure: Option<String>,
    pub(super) seconds: f64,
    pub(super) bytes: u64,
    counts: BTreeMap<Kind, Counts>,
    skipped: Vec<Named>,
    broken: Vec<Named>,
    changed: Vec<Named>,
    taken: Vec<Named>,
    refused: Vec<Named>,
    missing: Vec<Named>,
    remarks: Vec<Named>,
    renumbered: Vec<Renumbered>,
}

/// Which source was read.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SourceName {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
}

/// Rows of a kind. `found` is the sum of all others but `missing`, unless the run was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Rows in the source.
    pub(super) found: u64,
    /// They are there now.
    pub(super) imported: u64,
    /// They were there, from an earlier run.
    pub(super) already: u64,
    /// They were there without bytes, and have them now.
    pub(super) completed: u64,
    /// Left out on purpose.
    pub(super) skipped: u64,
    /// They cannot be read as what they should be.
    pub(super) broken: u64,
    /// They came before with another content; nothing was changed here.
    pub(super) changed: u64,
    /// Their id belongs to something else here.
    pub(super) taken: u64,
    /// They break a rule here.
    pub(super) refused: u64,
    /// Bytes that are not there, of rows that are.
    pub(super) missing: u64,
}

/// A row that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Named {
    /// Its kind, as in `counts`.
    pub(super) kind: Kind,
    /// Its table.
    pub(super) table: String,
    /// Its primary key.
    pub(super) row: String,
    /// Why it is named.
    pub(super) reason: String,
    /// Whether `--keep-orphans` would have kept it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) orphan: bool,
}

/// A job whose number was taken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Renumbered {
    /// Its number there.
    pub(super) from: i32,
    /// Its number here.
    pub(super) to: i32,
}

/// A stage under its noun, in the order of stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind(pub(super) Stage);

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.noun())
    }
}

/// A row of a source: its table and primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowName {
    pub(super) table: String,
    pub(super) row: String,
}

impl std::fmt::Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table {}, row {}", self.table, self.row)
    }
}

impl Report {
    /// Nothing was found yet.
    pub(super) fn new(source: SourceName, target: Option<String>) -> Self {
        Self {
            source,
            dry_run: target.is_none(),
            target,
            complete: false,
            failure: None,
            seconds: 0.0,
            bytes: 0,
            counts: Stage::ALL.map(|stage| (Kind(stage), Counts::default())).into(),
            skipped: Vec::new(),
            broken: Vec::new(),
            changed: Vec::new(),
            taken: Vec::new(),
            refused: Vec::new(),
            missing: Vec::new(),
            remarks: Vec::new(),
            renumbered: Vec::new(),
        }
    }

    pub(super) fn found(&mut self, stage: Stage, rows: u64) {
        of(&mut self.counts, stage).found += rows;
    }

    pub(super) fn skipped(&mut self, stage: Stage, skipped: Skipped) {
        of(&mut self.counts, stage).skipped += 1;
        let Skipped { table, row, reason, orphan } = skipped;
        let named = Named { kind: Kind(stage), table: table.to_owned(), row, reason, orphan };
        add(&mut self.skipped, named);
    }

    pub(super) fn broken(&mut self, stage: Stage, broken: Broken) {
        of(&mut self.counts, stage).broken += 1;
        let Broken { table, row, column, reason } = broken;
        let reason = if column.is_empty() { reason } else { format!("column {column}: {reason}") };
        let named = Named { kind: Kind(stage), table: table.to_owned(), row, reason, orphan: false };
        add(&mut self.broken, named);
    }

    /// Bytes of a row that is there are not.
    pub(super) fn missing(&mut self, stage: Stage, row: &RowName, reason: String) {
        of(&mut self.counts, stage).missing += 1;
        add(&mut self.missing, named(stage, row, reason));
    }

    /// A dry run: it would be imported.
    pub(super) fn would_come(&mut self, stage: Stage) {
        of(&mut self.counts, stage).imported += 1;
    }

    /// What importing a row came to.
    pub(super) fn outcome(&mut self, stage: Stage, row: &RowName, result: ImportResult) {
        let outcome = result.outcome();
        let counts = of(&mut self.counts, stage);
        let (count, list) = match outcome {
            ImportOutcome::Imported => (&mut counts.imported, &mut self.remarks),
            ImportOutcome::Already => (&mut counts.already, &mut self.remarks),
            ImportOutcome::Completed => (&mut counts.completed, &mut self.remarks),
            ImportOutcome::Changed => (&mut counts.changed, &mut self.changed),
            ImportOutcome::Taken => (&mut counts.taken, &mut self.taken),
            ImportOutcome::Refused | ImportOutcome::Unspecified => (&mut counts.refused, &mut self.refused),
        };
        *count += 1;
        let reason = why(outcome, result.reason);
        if !reason.is_empty() {
            add(list, named(stage, row, reason));
        }
    }

    pub(super) fn renumbered(&mut self, from: i32, to: i32) {
        self.renumbered.push(Renumbered { from, to });
    }

    /// Whether everything that was found is there, but for what was left out on purpose.
    pub(super) fn is_complete(&self) -> bool {
        self.failure.is_none() && self.counts.values().all(|counts| counts.bad() == 0)
    }

    /// Nothing more happens: how it ended.
    pub(super) fn close(&mut self, failure: Option<String>) {
        self.failure = failure;
        self.complete = self.is_complete();
    }

    /// Rows that should be there and are not.
    pub(super) fn bad(&self) -> u64 {
        self.counts.values().map(Counts::bad).sum()
    }

    /// For a person.
    pub(super) fn text(&self) -> String {
        text::of(self)
    }

    #[cfg(test)]
    pub(super) fn counts(&self, stage: Stage) -> Counts {
        self.counts[&Kind(stage)]
    }
}

impl Counts {
    fn bad(&self) -> u64 {
        self.broken + self.changed + self.taken + self.refused
    }
}

fn of(counts: &mut BTreeMap<Kind, Counts>, stage: Stage) -> &mut Counts {
    counts.entry(Kind(stage)).or_default()
}

/// What a service says of it, or what the outcome means.
fn why(outcome: ImportOutcome, reason: String) -> String {
    if !reason.is_empty() {
        return reason;
    }
    match outcome {
        ImportOutcome::Changed => "it came before with another content; nothing was changed here",
        ImportOutcome::Taken => "its id belongs to something else here",
        ImportOutcome::Refused | ImportOutcome::Unspecified => "the service refused it without a reason",
        ImportOutcome::Imported | ImportOutcome::Already | ImportOutcome::Completed => "",
    }
    .to_owned()
}

fn named(stage: Stage, row: &RowName, reason: String) -> Named {
    let RowName { table, row } = row.clone();
    Named { kind: Kind(stage), table, row, reason, orphan: false }
}

fn add(list: &mut Vec<Named>, named: Named) {
    if list.len() < NAMED {
        list.push(named);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::import) fn empty() -> Report {
        let source = SourceName { file: "old.db".into(), name: "scenes.db".into(), kind: "scenes.db" };
        Report::new(source, Some("./data".to_owned()))
    }

    pub(super) fn row(row: &str) -> RowName {
        RowName { table: "clients".into(), row: row.into() }
    }

    pub(super) fn result(outcome: ImportOutcome, reason: &str) -> ImportResult {
        ImportResult { outcome: outcome.into(), id: "x".into(), reason: reason.into() }
    }

    #[test]
    fn each_outcome_is_counted_in_its_own_place_and_what_is_not_there_is_named() {
        let mut report = empty();
        report.found(Stage::Clients, 6);
        for outcome in [
            ImportOutcome::Imported,
            ImportOutcome::Already,
            ImportOutcome::Completed,
            ImportOutcome::Changed,
            ImportOutcome::Taken,
            ImportOutcome::Refused,
        ] {
            report.outcome(Stage::Clients, &row(outcome.as_str_name()), result(outcome, ""));
        }
        report.close(None);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            json["counts"]["clients"],
            json!({"found": 6, "imported": 1, "already": 1, "completed": 1, "skipped": 0, "broken": 0,
                   "changed": 1, "taken": 1, "refused": 1, "missing": 0})
        );
        let changed = json!([{"kind": "clients", "table": "clients", "row": "IMPORT_OUTCOME_CHANGED",
                              "reason": "it came before with another content; nothing was changed here"}]);
        assert_eq!((&json["changed"], &json["complete"]), (&changed, &json!(false)));
        assert_eq!(report.bad(), 3);
    }

    #[test]
    fn what_is_left_out_or_without_bytes_is_told_and_is_no_failure() {
        let mut report = empty();
        report.found(Stage::Assets, 2);
        let skipped =
            Skipped { table: "assets", row: "a".into(), reason: "it has no owner".into(), orphan: true };
        report.skipped(Stage::Assets, skipped);
        report.outcome(Stage::Assets, &row("b"), result(ImportOutcome::Imported, ""));
        report.missing(Stage::Assets, &row("b"), "they are nowhere".to_owned());
        report.close(None);
        assert!(report.is_complete());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["skipped"][0]["orphan"], true);
        assert_eq!(json["missing"][0]["reason"], "they are nowhere");
    }

    #[test]
    fn a_run_that_was_stopped_is_not_complete_however_good_its_counts_are() {
        let mut report = empty();
        report.close(Some("the disk is full".to_owned()));
        assert!(!report.is_complete());
        assert_eq!(serde_json::to_value(&report).unwrap()["failure"], "the disk is full");
    }

    #[test]
    fn a_broken_row_names_its_column() {
        let mut report = empty();
        let broken =
            Broken { table: "assets", row: "a".into(), column: "tags", reason: "it is no JSON".into() };
        report.broken(Stage::Assets, broken);
        assert_eq!(report.broken[0].reason, "column tags: it is no JSON");
        assert_eq!(report.bad(), 1);
    }

    #[test]
    fn beyond_the_most_rows_that_are_named_they_are_still_counted() {
        let mut report = empty();
        for number in 0..=NAMED {
            report.missing(Stage::Assets, &row(&number.to_string()), String::new());
        }
        assert_eq!((report.missing.len(), report.counts(Stage::Assets).missing), (NAMED, NAMED as u64 + 1));
    }
}
