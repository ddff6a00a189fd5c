//! A report for people: a table of counts, then reasons with examples.

use std::fmt::Write as _;

use indicatif::HumanBytes;

use super::{Counts, Named, Report};

/// Rows that are named under a reason.
const EXAMPLES: usize = 5;

/// A column of the table: its heading, and what is in it.
type Column = (&'static str, fn(&Counts) -> u64);

const COLUMNS: [Column; 10] = [
    ("found", |counts| counts.found),
    ("imported", |counts| counts.imported),
    ("already", |counts| counts.already),
    ("completed", |counts| counts.completed),
    ("skipped", |counts| counts.skipped),
    ("broken", |counts| counts.broken),
    ("changed", |counts| counts.changed),
    ("taken", |counts| counts.taken),
    ("refused", |counts| counts.refused),
    ("no bytes", |counts| counts.missing),
];
/// So many of them are there even when they say nothing.
const ALWAYS: usize = 3;

pub(super) fn of(report: &Report) -> String {
    let mut text = heading(report);
    text.push_str(&table(report));
    for (what, rows) in [
        ("were left out", &report.skipped),
        ("cannot be read; they stay behind", &report.broken),
        ("came before and have another content by now; nothing was changed here", &report.changed),
        ("have an id that belongs to something else here", &report.taken),
        ("were refused", &report.refused),
        ("are without bytes", &report.missing),
        ("came, with a remark", &report.remarks),
    ] {
        section(&mut text, what, rows);
    }
    if !report.renumbered.is_empty() {
        text.push_str("\njobs whose number was taken, and the one they have here:\n");
        for number in &report.renumbered {
            let _ = writeln!(text, "  {} -> {}", number.from, number.to);
        }
    }
    text
}

fn heading(report: &Report) -> String {
    let source = &report.source;
    let what = match &report.target {
        Some(target) => format!("{} ({}) to {target}", source.name, source.file),
        None => format!("{} ({}), read only: nothing was written", source.name, source.file),
    };
    format!("{what}: {} in {:.1} s\n\n", HumanBytes(report.bytes), report.seconds)
}

fn table(report: &Report) -> String {
    let shown: Vec<&Column> = COLUMNS
        .iter()
        .enumerate()
        .filter(|(place, (_, count))| {
            *place < ALWAYS || report.counts.values().any(|counts| count(counts) > 0)
        })
        .map(|(_, column)| column)
        .collect();
    let mut rows = vec![String::new()];
    for (heading, _) in &shown {
        let heading = if report.dry_run && *heading == "imported" { "would come" } else { heading };
        let _ = write!(rows[0], "{heading:>11}");
    }
    rows[0].insert_str(0, &" ".repeat(10));
    for (kind, counts) in report.counts.iter().filter(|(_, counts)| counts.found > 0) {
        let mut row = format!("{:<10}", kind.0.noun());
        for (_, count) in &shown {
            let _ = write!(row, "{:>11}", count(counts));
        }
        rows.push(row);
    }
    rows.join("\n") + "\n"
}

fn section(text: &mut String, what: &str, rows: &[Named]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nrows that {what}:");
    for (reason, rows) in by_reason(rows) {
        let kept = if rows[0].orphan { " (--keep-orphans keeps them)" } else { "" };
        let _ = writeln!(text, "  {} {}: {reason}{kept}", rows.len(), rows[0].kind.0.noun());
        for row in rows.iter().take(EXAMPLES) {
            let own = if row.reason == reason { String::new() } else { format!(": {}", row.reason) };
            let _ = writeln!(text, "    table {}, row {}{own}", row.table, row.row);
        }
        if rows.len() > EXAMPLES {
            let _ = writeln!(text, "    and {} more; --report FILE names them", rows.len() - EXAMPLES);
        }
    }
}

/// Rows of one kind with the same reason but for the ids in it, in the order in which the reasons came.
fn by_reason(rows: &[Named]) -> Vec<(String, Vec<&Named>)> {
    let mut groups: Vec<(String, Vec<&Named>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in rows {
        let reason = without_ids(&row.reason);
        let place = *places.entry((row.kind, reason.clone(), row.orphan)).or_insert_with(|| {
            groups.push((reason, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(row);
    }
    groups
}

/// A reason with `…` in place of every id, number and quotation.
fn without_ids(reason: &str) -> String {
    let mut words = Vec::new();
    let mut quoted = false;
    for word in reason.split(' ') {
        let core = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let quotes = word.matches('"').count();
        let inside = quoted || quotes > 0;
        quoted ^= quotes % 2 == 1;
        let id = inside || (core.len() >= 8 && is_hexadecimal(core)) || is_number(core);
        let word = if id && !core.is_empty() {
            word.replacen(core, "…", 1).replace('"', "")
        } else {
            word.to_owned()
        };
        if !(inside && words.last().is_some_and(|last: &String| last.starts_with('…'))) {
            words.push(word);
        }
    }
    words.join(" ")
}

fn is_hexadecimal(word: &str) -> bool {
    word.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
        && word.chars().any(|l| l.is_ascii_digit())
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_digit() || letter == '.' || letter == ',')
}

#[cfg(test)]
mod tests {
    use legacy::{Skipped, Stage};
    use protos::common::v1::ImportOutcome;

    use super::{
        super::tests::{empty, result, row},
        *,
    };

    #[test]
    fn reasons_that_differ_in_ids_alone_are_one() {
        for (reason, wanted) in [
            (
                "its client 1b4e28ba-2fa1-11d2-883f-0016d3cca427 is not in the source",
                "its client … is not in the source",
            ),
            ("blob 17, which nobody refers to", "blob …, which nobody refers to"),
            ("the name \"Harbour Homes\" is taken", "the name … is taken"),
            ("nobody refers to it", "nobody refers to it"),
        ] {
            assert_eq!(without_ids(reason), wanted);
        }
    }

    #[test]
    fn the_table_is_aligned_and_shows_what_there_is() {
        let mut report = empty();
        report.found(Stage::Clients, 1200);
        report.found(Stage::Jobs, 1);
        report.outcome(Stage::Clients, &row("a"), result(ImportOutcome::Imported, ""));
        report.outcome(Stage::Jobs, &row("1"), result(ImportOutcome::Taken, "job 7 is another one"));
        let text = report.text();
        let lines: Vec<&str> = text.lines().skip(2).take(3).collect();
        assert_eq!(
            lines,
            [
                "                found   imported    already      taken",
                "clients          1200          1          0          0",
                "jobs                1          0          0          1",
            ]
        );
        assert!(
            text.contains("  1 jobs: job … is another one\n    table clients, row 1: job 7 is another one\n")
        );
    }

    #[test]
    fn a_reason_is_told_once_with_some_of_its_rows() {
        let mut report = empty();
        for number in 0..8 {
            let reason = format!("its client {number}0000000-aaaa is not in the source");
            let skipped = Skipped { table: "campaigns", row: format!("c{number}"), reason, orphan: true };
            report.skipped(Stage::Campaigns, skipped);
        }
        let text = report.text();
        let line = "  8 campaigns: its client … is not in the source (--keep-orphans keeps them)\n";
        assert_eq!(text.matches(line).count(), 1, "{text}");
        assert!(text.contains("table campaigns, row c0") && text.contains("and 3 more"), "{text}");
        assert!(!text.contains("row c5"), "{text}");
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_written() {
        let mut report = super::super::Report::new(empty().source, None);
        report.would_come(Stage::Clients);
        let text = report.text();
        assert!(text.contains("nothing was written") && text.contains("would come"), "{text}");
    }

    #[test]
    fn renumbered_jobs_are_listed() {
        let mut report = empty();
        report.renumbered(3, 41);
        assert!(report.text().contains("  3 -> 41\n"));
    }
}
