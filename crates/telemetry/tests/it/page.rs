//! The page of metrics says what the code has.

use std::{collections::BTreeSet, fs, path::Path};

use telemetry::metrics::{catalogue, page};

#[test]
fn the_page_says_what_the_code_has() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/METRICS.md");
    if std::env::var_os("UPDATE_METRICS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == page(),
        "docs/METRICS.md is not what the catalogue says; UPDATE_METRICS=1 writes it anew"
    );
}

#[test]
fn names_are_unique_and_every_metric_has_a_meaning() {
    let metrics = catalogue();
    let names: BTreeSet<_> = metrics.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), metrics.len());
    assert!(metrics.iter().all(|metric| metric.meaning.ends_with('.') && !metric.unit.is_empty()));
}

/// Instruments are made in one place; so no metric is told of that the page does not have.
#[test]
fn nobody_makes_instruments_beside_the_catalogue() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for part in ["crates", "services", "gateway", "filmstrip"] {
        look(&root.join(part), &mut found).unwrap();
    }
    let allowed = ["instrument.rs", "export.rs", "page.rs"];
    found.retain(|path| !allowed.iter().any(|name| path.ends_with(name)));
    assert!(found.is_empty(), "{found:?}");
}

fn look(directory: &Path, found: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                look(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            if text.contains("global::meter(") || text.contains("SdkMeterProvider") {
                found.push(path);
            }
        }
    }
    Ok(())
}
