//! What a person types, and what it means.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use legacy::{Orphans, Source};
use serde::Serialize;

use super::{batch::Limits, report::SourceName, target::Addresses};

/// Where a data directory is that is not named.
const DATA_DIR: &str = "filmstrip-data";

/// What the import is told.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// Database of a predecessor: the Python service's scenes.db, or the Phoenix service's. It is only read.
    source: PathBuf,
    /// Data directory of the standalone, which must not be running [default: FILMSTRIP_DATA_DIR, else filmstrip-data].
    #[arg(long, conflicts_with = "server")]
    data_dir: Option<PathBuf>,
    /// Services that run, such as asset=127.0.0.1:5001,job=127.0.0.1:5002, instead of a data directory.
    #[arg(long)]
    server: Option<Addresses>,
    /// Keeps what has no owner (any more) under a client named "Imported".
    #[arg(long)]
    keep_orphans: bool,
    /// Fetches bytes that the source has only a URL of.
    #[arg(long, conflicts_with = "verify")]
    fetch: bool,
    /// Reads everything, writes nothing, and reports what would come.
    #[arg(long, conflicts_with = "verify")]
    dry_run: bool,
    /// Brings nothing over: compares everything with what came, in both directions.
    #[arg(long)]
    verify: bool,
    /// Writes the report as JSON into this file as well; what is in it is gone when the run begins.
    #[arg(long)]
    report: Option<PathBuf>,
    /// What the source is called here; every source has its own name [default: scenes.db or phoenix, by its kind].
    #[arg(long)]
    source_name: Option<String>,
    /// Things that are imported together, for tests.
    #[arg(long, hide = true)]
    batch: Option<usize>,
    /// Lets --fetch reach loopback, for tests.
    #[arg(long, hide = true)]
    import_from_loopback: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Import { fetch: bool },
    DryRun { fetch: bool },
    Verify,
}

/// Where it is done.
#[derive(Clone, Debug)]
pub(super) enum Where {
    DataDir(PathBuf),
    Server(Addresses),
}

impl ImportArgs {
    pub(super) fn doing(&self) -> Doing {
        let fetch = self.fetch;
        match (self.verify, self.dry_run) {
            (true, _) => Doing::Verify,
            (false, true) => Doing::DryRun { fetch },
            (false, false) => Doing::Import { fetch },
        }
    }

    /// `default`: the data directory that the environment names, if it does.
    pub(super) fn place(&self, default: Option<PathBuf>) -> Where {
        match (&self.server, &self.data_dir) {
            (Some(server), _) => Where::Server(server.clone()),
            (None, Some(dir)) => Where::DataDir(dir.clone()),
            (None, None) => Where::DataDir(default.unwrap_or_else(|| DATA_DIR.into())),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits { things: self.batch.unwrap_or(limits.things).max(1), ..limits }
    }

    pub(super) fn import_from_loopback(&self) -> bool {
        self.import_from_loopback
    }

    pub(super) fn open(&self) -> anyhow::Result<(Source, SourceName)> {
        let orphans = if self.keep_orphans { Orphans::Keep } else { Orphans::Skip };
        let source = Source::open(&self.source, self.source_name.as_deref(), orphans)?;
        let name = SourceName {
            file: self.source.display().to_string(),
            name: source.name().to_owned(),
            kind: source.kind().name(),
        };
        Ok((source, name))
    }

    /// Opens the file of the report before anything is done that it should tell of, and empties it: whatever becomes of
    /// this run, the report of an earlier one is not taken for its own.
    pub(super) fn report(&self) -> anyhow::Result<Option<ReportFile>> {
        let Some(path) = &self.report else { return Ok(None) };
        ensure!(!self.is_source(path), "--report {} is the source itself; name another file", path.display());
        let mut options = File::options();
        let opened = options.write(true).create(true).truncate(false).open(path);
        let emptied = opened.and_then(|file| file.set_len(0).map(|()| file));
        let file = emptied.with_context(|| format!("opening the file of the report, {}", path.display()))?;
        Ok(Some(ReportFile { path: path.clone(), file }))
    }

    /// Whether a path leads to the source, also by a link, and also while there is no such file.
    fn is_source(&self, path: &Path) -> bool {
        let file = |path: &Path| path.metadata().ok().map(|file| (file.dev(), file.ino()));
        *path == *self.source || file(path).is_some_and(|found| file(&self.source) == Some(found))
    }
}

/// Where a report is written to; empty until then.
#[derive(Debug)]
pub(super) struct ReportFile {
    path: PathBuf,
    file: File,
}

impl ReportFile {
    pub(super) fn write(mut self, report: &impl Serialize) -> anyhow::Result<()> {
        let path = self.path.clone();
        self.try_write(report).with_context(|| format!("writing the report to {}", Path::display(&path)))
    }

    fn try_write(&mut self, report: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(report)?;
        text.push(b'\n');
        self.file.set_len(0)?;
        self.file.rewind()?;
        Ok(self.file.write_all(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Typed {
        #[command(flatten)]
        args: ImportArgs,
    }

    fn typed(words: &[&str]) -> Result<ImportArgs, String> {
        let words = ["import"].iter().chain(words);
        Typed::try_parse_from(words).map(|typed| typed.args).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_place_it_is_the_data_directory_of_the_standalone() {
        let args = typed(&["old.db"]).unwrap();
        assert!(matches!(args.place(None), Where::DataDir(dir) if dir == Path::new(DATA_DIR)));
        assert!(matches!(args.place(Some("mine".into())), Where::DataDir(dir) if dir == Path::new("mine")));
        assert_eq!(args.doing(), Doing::Import { fetch: false });
        let args = typed(&["old.db", "--server", "asset=a:1,job=b:2"]).unwrap();
        assert!(
            matches!(args.place(Some("mine".into())), Where::Server(_)),
            "what the environment says gives way"
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for words in [
            &["old.db", "--data-dir", "d", "--server", "asset=a:1,job=b:2"][..],
            &["old.db", "--verify", "--dry-run"],
            &["old.db", "--verify", "--fetch"],
            &["old.db", "--server", "asset=a:1"],
            &["--verify"],
        ] {
            assert!(typed(words).is_err(), "{words:?}");
        }
        assert_eq!(typed(&["old.db", "--verify"]).unwrap().doing(), Doing::Verify);
    }

    #[test]
    fn a_report_never_overwrites_the_source() {
        let scratch = tempfile::tempdir().unwrap();
        let source = scratch.path().join("old.db");
        std::fs::write(&source, "rows").unwrap();
        let (symbolic, hard) = (scratch.path().join("symbolic"), scratch.path().join("hard"));
        std::os::unix::fs::symlink(&source, &symbolic).unwrap();
        std::fs::hard_link(&source, &hard).unwrap();
        for way in [&source, &scratch.path().join(".").join("old.db"), &symbolic, &hard] {
            let args = typed(&[source.to_str().unwrap(), "--report", way.to_str().unwrap()]).unwrap();
            assert!(args.report().unwrap_err().to_string().contains("is the source itself"), "{way:?}");
            assert_eq!(std::fs::read_to_string(&source).unwrap(), "rows", "{way:?}");
        }
    }

    #[test]
    fn a_report_in_the_place_of_a_source_that_is_not_there_makes_no_file() {
        let scratch = tempfile::tempdir().unwrap();
        let source = scratch.path().join("absent.db");
        let args = typed(&[source.to_str().unwrap(), "--report", source.to_str().unwrap()]).unwrap();
        assert!(args.report().unwrap_err().to_string().contains("is the source itself"));
        assert!(!source.exists());
    }

    #[test]
    fn the_report_of_an_earlier_run_is_gone_when_a_run_begins_and_the_new_one_is_whole() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("report.json");
        let args = typed(&["old.db", "--report", path.to_str().unwrap()]).unwrap();
        std::fs::write(&path, r#"{"complete": true, "what": "a long report of the last run"}"#).unwrap();
        let file = args.report().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "", "a run that gets no further leaves none");
        file.write(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\n  \"a\": 1\n}\n");
    }

    #[test]
    fn a_report_that_cannot_be_written_is_refused_at_once() {
        let args = typed(&["old.db", "--report", "/nowhere/at/all.json"]).unwrap();
        assert!(format!("{:#}", args.report().unwrap_err()).contains("/nowhere/at/all.json"));
    }
}
