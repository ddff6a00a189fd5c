//! docs/QUIRKS.md: each quirk of the older API has a test whose name begins with its number.

use std::{collections::BTreeMap, path::Path};

use crate::sources;

/// Quirks whose test is still to be written. One that has a test must leave this list: a test says so.
const NOT_YET: &[u32] = &[];
const NOT_APPLICABLE: &str = "not applicable";

fn page() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/QUIRKS.md")
}

/// The number of a quirk in the first cell of its row.
fn number(row: &str) -> Option<u32> {
    row.strip_prefix("| Q")?.split(' ').next()?.parse().ok()
}

/// The tests of all quirks, by number.
fn shown() -> BTreeMap<u32, Vec<&'static str>> {
    let mut shown: BTreeMap<u32, Vec<&'static str>> = BTreeMap::new();
    for name in sources::tests() {
        let number = name.strip_prefix('q').and_then(|rest| rest.split('_').next()?.parse().ok());
        if let Some(number) = number {
            shown.entry(number).or_default().push(name);
        }
    }
    shown
}

#[test]
fn every_quirk_has_a_test_named_after_it() {
    let page = std::fs::read_to_string(page()).expect("the page");
    let rows: BTreeMap<u32, &str> = page.lines().filter_map(|row| Some((number(row)?, row))).collect();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=52).collect::<Vec<_>>());
    let shown = shown();
    for (number, row) in rows {
        let has_test = shown.contains_key(&number);
        assert!(!has_test || !NOT_YET.contains(&number), "Q{number} has a test: take it out of NOT_YET");
        assert!(
            has_test || NOT_YET.contains(&number) || row.contains(NOT_APPLICABLE),
            "no test begins with q{number:02}_"
        );
    }
    assert!(shown.keys().all(|number| (1..=52).contains(number)), "there are 52 quirks: {shown:?}");
}

#[test]
fn the_page_of_quirks_names_the_tests_that_show_them() {
    let committed = std::fs::read_to_string(page()).expect("the page");
    let shown = shown();
    let written = |row: &str| {
        let Some(number) = number(row) else { return row.to_owned() };
        let cells: Vec<&str> = row.split(" | ").collect();
        let tests =
            shown.get(&number).map(|names| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>());
        match tests {
            Some(tests) => format!("{} | {} |", cells[..3].join(" | "), tests.join(", ")),
            None => format!("{} | |", cells[..3].join(" | ")),
        }
    };
    let generated: String = committed.lines().map(|row| format!("{}\n", written(row))).collect();
    if std::env::var_os("UPDATE_QUIRKS").is_some() {
        std::fs::write(page(), &generated).expect("a file");
        return;
    }
    assert!(
        generated == committed,
        "docs/QUIRKS.md names other tests than the sources have; run `UPDATE_QUIRKS=1 cargo nextest run --package \
         filmstrip-gateway -E 'test(quirk)'` and commit it"
    );
}
