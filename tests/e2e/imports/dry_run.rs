//! A dry run writes nothing and promises what the real run keeps.

use std::{collections::BTreeMap, path::Path};

use legacysources::{Orphans, scenes_db};
use serde_json::Value;

use super::{
    place::{Place, digest, stop},
    report,
};

/// Every file below a directory with its bytes' digest.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.insert(path.display().to_string(), String::new());
                open.push(path);
            } else {
                found.insert(path.display().to_string(), digest(&std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_counts_what_the_real_run_brings() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    // Where there is nothing yet, nothing is made.
    let dry = place.import(&source, &["--dry-run"]).await.well();
    assert!(!place.data().exists(), "no data directory is made");
    report::brought(&dry.report, &truth, Orphans::Skip);

    stop(place.serve().await).await;
    let before = (files(&place.data()), files_of_source(&source));
    let dry = place.import(&source, &["--dry-run"]).await.well();
    assert_eq!((files(&place.data()), files_of_source(&source)), before);
    let real = place.import(&source, &[]).await.well();
    assert_eq!(counts(&dry.report), counts(&real.report));
    assert_eq!(files_of_source(&source), before.1, "nor does a real run touch the source");
}

/// The source, and whatever lies beside it under its name.
fn files_of_source(source: &Path) -> BTreeMap<String, String> {
    let name = source.file_name().unwrap().to_string_lossy().into_owned();
    let mut files = files(source.parent().unwrap());
    files.retain(|path, _| {
        Path::new(path).file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name))
    });
    files
}

fn counts(report: &Value) -> Value {
    report["counts"].clone()
}
