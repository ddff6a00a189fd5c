//! `docs/DEPLOYING.md` tells every setting of every process, as the default TOMLs say it.
//!
//! `UPDATE=1 cargo nextest run -p filmstrip-process deploying` writes it again.

use std::{fs, path::PathBuf};

use process::config::{defaults, tables};

const PROCESSES: [&str; 6] = ["gateway", "asset", "job", "render", "stitch", "audio"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn default_toml(process: &str) -> String {
    let directory = if process == "gateway" { "gateway".to_owned() } else { format!("services/{process}") };
    fs::read_to_string(root().join(directory).join("config.default.toml")).unwrap()
}

/// `text` with what lies between the marks of each process replaced by its table.
fn with_tables(text: &str) -> String {
    PROCESSES.iter().fold(text.to_owned(), |text, process| {
        let (begin, end) =
            (format!("<!-- settings of {process} -->\n"), format!("<!-- end of {process} -->"));
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no mark {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no mark {end}"));
        let table = tables::markdown(&default_toml(process)).unwrap();
        format!("{before}{begin}{table}{end}{after}")
    })
}

#[test]
fn the_guide_tells_every_setting() {
    let path = root().join("docs/DEPLOYING.md");
    let found = fs::read_to_string(&path).unwrap();
    let wanted = with_tables(&found);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        found == wanted,
        "docs/DEPLOYING.md differs from the default TOMLs; write it again with \
         UPDATE=1 cargo nextest run -p filmstrip-process the_guide_tells_every_setting"
    );
}

#[test]
fn every_setting_has_a_meaning() {
    for process in PROCESSES {
        for key in defaults::keys(&default_toml(process)).unwrap() {
            assert!(key.meaning.len() > 15, "{process}: {} has no meaning", key.path);
        }
    }
}

#[test]
fn a_setting_that_several_processes_have_is_said_to_be_secret_by_all_or_none() {
    let mut seen = std::collections::BTreeMap::new();
    for process in PROCESSES {
        for key in defaults::keys(&default_toml(process)).unwrap() {
            let (other, secret) = *seen.entry(key.path.clone()).or_insert((process, key.secret));
            assert_eq!(secret, key.secret, "{}: {other} and {process} disagree", key.path);
        }
    }
}
