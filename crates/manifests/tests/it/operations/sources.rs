//! Words of the programs that the guide quotes are words that they say.

use std::{fs, path::PathBuf};

use super::{
    guide,
    page::{spans, split, words},
};
use crate::root;

/// What begins like this is typed, not said.
const TYPED: [&str; 12] = [
    "cargo ",
    "cat ",
    "config ",
    "docker ",
    "events ",
    "filmstrip ",
    "healthcheck ",
    "kind ",
    "kubectl ",
    "put ",
    "roll ",
    "run ",
];
const TOPS: [&str; 4] = ["crates", "services", "gateway", "filmstrip"];

/// Everything in the sources, with the line breaks and quotation marks of long texts taken out.
fn sources() -> String {
    let mut all = String::new();
    let mut folders: Vec<PathBuf> = TOPS.iter().map(|top| root().join(top)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if path.is_dir() {
                folders.push(path);
            } else if is_source && !path.components().any(|part| part.as_os_str() == "tests") {
                all.push_str(&fs::read_to_string(path).unwrap().replace("\\\n", ""));
            }
        }
    }
    words(&all, |at| !at.is_whitespace()).collect::<Vec<_>>().join(" ")
}

/// The pieces of a quoted line that a program says as they are: what is between names, numbers and marks of omission, of at
/// least three words.
fn said(quoted: &str) -> impl Iterator<Item = &str> {
    let fixed = |at: char| at.is_ascii_lowercase() || at == ' ' || at == '\'';
    words(quoted, fixed).map(str::trim).filter(|piece| piece.split(' ').count() >= 3)
}

#[test]
fn every_line_that_the_guide_quotes_from_a_log_is_one_that_a_program_says() {
    let (guide, sources) = (guide(), sources());
    let (_, prose) = split(&guide);
    let mut count = 0;
    for quoted in prose.iter().flat_map(|line| spans(line)) {
        if TYPED.iter().any(|begin| quoted.starts_with(begin)) || quoted.contains(['/', '|', '=', '$', '_']) {
            continue;
        }
        for piece in said(quoted) {
            // Names of owners and of what they owe are put in.
            let piece = piece.trim_start_matches("render ").trim_start_matches("stitch ");
            count += 1;
            assert!(
                sources.contains(piece),
                "no program says {piece:?}, which the guide quotes in `{quoted}`"
            );
        }
    }
    assert!(count > 20, "{count}");
}
