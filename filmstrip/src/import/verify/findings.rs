//! What comparing came to.

use std::{collections::BTreeMap, fmt::Write as _};

use indicatif::HumanBytes;
use legacy::Stage;
use serde::Serialize;

use super::compare::{Difference, Sort};
use crate::import::report::{Kind, RowName, SourceName};

/// Differences that are named in the JSON report; beyond them they are only counted.
const NAMED: usize = 10_000;
/// Differences that are named to a person.
const TOLD: usize = 50;
/// Letters of a value that are shown to a person.
const SHOWN: usize = 160;

/// What comparing came to. `--verify --report` writes it as this JSON object:
///
/// | member | what it holds |
/// | --- | --- |
/// | `source` | as in the report of an import |
/// | `target` | what it was compared with, for a person |
/// | `equal` | whether nothing differs and everything was compared |
/// | `failure` | what stopped it, for a person; null when nothing did |
/// | `seconds`, `bytes` | how long it took; bytes that were read here |
/// | `blobs` | blobs that were read here, each once |
/// | `counts` | for each kind: `source`, rows that should be here; `here`, rows that came from this source; `same` |
/// | `differs` | how many differences there are |
/// | `differences` | at most 10,000 of them, each as a [`Named`] |
#[derive(Debug, Serialize)]
pub(in crate::import) struct Findings {
    source: SourceName,
    target: String,
    equal: bool,
    failure: Option<String>,
    pub(in crate::import) seconds: f64,
    pub(in crate::import) bytes: u64,
    pub(in crate::import) blobs: u64,
    counts: BTreeMap<Kind, Compared>,
    differs: u64,
    differences: Vec<Named>,
}

/// Rows of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Compared {
    source: u64,
    here: u64,
    same: u64,
}

/// A difference and the row that it is of.
#[derive(Debug, Serialize)]
struct Named {
    /// `not_here`, `only_here`, `differs`, `bytes`, `changed_here` or `deleted_here`.
    sort: Sort,
    kind: Kind,
    table: String,
    row: String,
    /// Empty when it is the row as a whole.
    field: String,
    /// What the source says, as JSON.
    source: String,
    /// What is here.
    here: String,
}

impl Findings {
    pub(in crate::import) fn new(source: SourceName, target: String) -> Self {
        Self {
            source,
            target,
            equal: false,
            failure: None,
            seconds: 0.0,
            bytes: 0,
            blobs: 0,
            counts: Stage::ALL.map(|stage| (Kind(stage), Compared::default())).into(),
            differs: 0,
            differences: Vec::new(),
        }
    }

    /// A row of the source that should be here.
    pub(super) fn expected(&mut self, stage: Stage) {
        self.counts.entry(Kind(stage)).or_default().source += 1;
    }

    /// A row here that came from the source.
    pub(super) fn here(&mut self, stage: Stage) {
        self.counts.entry(Kind(stage)).or_default().here += 1;
    }

    /// A row that is the same on both sides, bytes aside.
    pub(super) fn same(&mut self, stage: Stage) {
        self.counts.entry(Kind(stage)).or_default().same += 1;
    }

    pub(super) fn differs(&mut self, stage: Stage, row: &RowName, difference: Difference) {
        self.differs += 1;
        if self.differences.len() < NAMED {
            let Difference { sort, field, source, here } = difference;
            let RowName { table, row } = row.clone();
            self.differences.push(Named { sort, kind: Kind(stage), table, row, field, source, here });
        }
    }

    /// Nothing more is compared: how it ended.
    pub(in crate::import) fn close(&mut self, failure: Option<String>) {
        self.equal = failure.is_none() && self.differs == 0;
        self.failure = failure;
    }

    pub(in crate::import) fn differences(&self) -> u64 {
        self.differs
    }

    /// For a person.
    pub(in crate::import) fn text(&self) -> String {
        let mut text = format!(
            "{} ({}) beside {}: {} blobs ({}) read in {:.1} s\n\n",
            self.source.name,
            self.source.file,
            self.target,
            self.blobs,
            HumanBytes(self.bytes),
            self.seconds
        );
        let _ = writeln!(text, "{:<10}{:>10}{:>10}{:>10}", "", "source", "here", "same");
        for (kind, counts) in self.counts.iter().filter(|(_, counts)| counts.source + counts.here > 0) {
            let Compared { source, here, same } = counts;
            let _ = writeln!(text, "{:<10}{source:>10}{here:>10}{same:>10}", kind.0.noun());
        }
        match self.differs {
            0 if self.failure.is_none() => text.push_str("\nnothing differs\n"),
            0 => {}
            number => {
                let _ = writeln!(text, "\n{number} differences:");
            }
        }
        for one in self.differences.iter().take(TOLD) {
            let _ = writeln!(text, "  {}", one.line());
        }
        if self.differs > TOLD as u64 {
            let _ = writeln!(text, "  and {} more; --report FILE names them", self.differs - TOLD as u64);
        }
        text
    }
}

impl Named {
    fn line(&self) -> String {
        let Self { sort, table, row, field, source, here, .. } = self;
        let mut place = format!("table {table}, row {row}");
        if !field.is_empty() {
            let _ = write!(place, ", {field}");
        }
        let since = if matches!(sort, Sort::ChangedHere) { " (changed here since it came)" } else { "" };
        if field.is_empty() {
            return format!("{place}: {}", short(here));
        }
        format!("{place}: the source says {}, here it is {}{since}", value(source), value(here))
    }
}

fn value(text: &str) -> String {
    if text.is_empty() { "nothing".to_owned() } else { short(text) }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        let source = SourceName { file: "old.db".into(), name: "scenes.db".into(), kind: "scenes.db" };
        Findings::new(source, "./data".into())
    }

    fn row() -> RowName {
        RowName { table: "assets".into(), row: "a".into() }
    }

    #[test]
    fn a_difference_is_told_with_table_row_field_and_both_sides() {
        let mut findings = findings();
        for (sort, field, source, here) in [
            (Sort::Differs, "name", r#""Kitchen""#, ""),
            (Sort::ChangedHere, "name", r#""Kitchen""#, r#""Bath""#),
            (Sort::NotHere, "", "", "it is not here"),
        ] {
            let (field, source, here) = (field.to_owned(), source.to_owned(), here.to_owned());
            findings.differs(Stage::Assets, &row(), Difference { sort, field, source, here });
        }
        findings.close(None);
        let text = findings.text();
        for line in [
            "3 differences:",
            r#"  table assets, row a, name: the source says "Kitchen", here it is nothing"#,
            r#"  table assets, row a, name: the source says "Kitchen", here it is "Bath" (changed here since it came)"#,
            "  table assets, row a: it is not here",
        ] {
            assert!(text.lines().any(|told| told == line), "no {line:?} in\n{text}");
        }
        let json = serde_json::to_value(&findings).unwrap();
        assert_eq!((&json["equal"], &json["differs"]), (&false.into(), &3.into()));
        assert_eq!(json["differences"][2]["sort"], "not_here");
    }

    #[test]
    fn it_is_equal_only_when_all_was_compared_and_nothing_differs() {
        let mut stopped = findings();
        stopped.close(Some("the asset service is away".to_owned()));
        assert!(!stopped.equal && !stopped.text().contains("nothing differs"));
        let mut well = findings();
        well.close(None);
        assert!(well.equal && well.text().contains("nothing differs"));
    }

    #[test]
    fn many_and_long_differences_are_cut_short_for_a_person() {
        let mut findings = findings();
        for _ in 0..TOLD + 7 {
            let long = Difference {
                sort: Sort::Differs,
                field: "prompt".into(),
                source: "ä".repeat(500),
                here: String::new(),
            };
            findings.differs(Stage::Jobs, &row(), long);
        }
        let text = findings.text();
        assert!(text.contains("and 7 more") && !text.contains(&"ä".repeat(SHOWN + 1)));
        assert!(text.contains(&format!("{}…", "ä".repeat(SHOWN))));
    }
}
