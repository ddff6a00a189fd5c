//! Links of every page lead to a file that is there, and to a heading that is in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::page;
use crate::root;

/// Every page for people: those at the top, in `docs`, and the one of each crate.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What is wrong with a link of the page at `from`.
fn broken(from: &Path, target: &str) -> Option<String> {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let to = if file.is_empty() { from.to_owned() } else { from.parent()?.join(file) };
    if !to.exists() {
        return Some("there is no such file".to_owned());
    }
    if anchor.is_empty() {
        return None;
    }
    let text = fs::read_to_string(&to).unwrap();
    let (_, prose) = page::split(&text);
    let known = page::anchors(&prose);
    (!known.iter().any(|one| one == anchor)).then(|| "there is no such heading".to_owned())
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let (mut looked_at, mut wrong) = (0, Vec::new());
    let pages = pages();
    for path in &pages {
        let text = fs::read_to_string(path).unwrap();
        let (_, prose) = page::split(&text);
        for target in prose.iter().flat_map(|line| page::links(line)) {
            looked_at += 1;
            if let Some(why) = broken(path, &target) {
                wrong.push(format!("{}: {target}: {why}", path.display()));
            }
        }
    }
    assert!(pages.len() > 60 && looked_at > 200, "{} pages, {looked_at} links", pages.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_link_to_nothing_is_found() {
    let from = root().join("docs/OPERATIONS.md");
    assert_eq!(broken(&from, "DEPLOYING.md#starting"), None);
    assert_eq!(broken(&from, "https://example.org/#nothing"), None);
    assert!(broken(&from, "DEPLOYED.md").is_some_and(|why| why.contains("file")));
    assert!(broken(&from, "#no-such-heading").is_some_and(|why| why.contains("heading")));
}
