//! The allowed differences from the older API, as docs/API.md lists them.

use std::{collections::BTreeSet, path::Path};

const HEADING: &str = "## Differences from the older API";

/// The names of the differences: the first cell of each row of the table, without its backquotes.
pub(super) fn listed() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, section) = page.split_once(HEADING).expect("the section of differences");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let names = rows.filter_map(|row| row.split(" | ").next()).map(|name| name.trim().replace('`', ""));
    let names: BTreeSet<String> =
        names.filter(|name| name != "what" && !name.chars().all(|letter| letter == '-')).collect();
    assert!(names.len() > 20, "{names:?}");
    names
}
