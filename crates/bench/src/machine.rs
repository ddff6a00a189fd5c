//! What the figures were taken on: processors, kernel, disk, versions.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use crate::{series::Series, table::Table};

/// Bytes of one sync: a page of PostgreSQL's log.
const BLOCK: usize = 8192;
/// Syncs of one sample, and how long it may take.
const SYNCS: usize = 50;
const LONGEST: Duration = Duration::from_millis(500);

/// Prints what the figures were taken on.
pub(crate) fn print() {
    let mut table = Table::new(&["measured on", ""]);
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model = line("/proc/cpuinfo", "model name").unwrap_or_default();
    table.plain("processors".to_owned(), format!("{processors} × {model}"));
    table.plain("memory".to_owned(), memory());
    table.plain("kernel".to_owned(), said("uname", &["-sr"]));
    let scratch = std::env::temp_dir().display().to_string();
    table.plain("scratch file system".to_owned(), said("df", &["--output=fstype", &scratch]));
    table.plain("PostgreSQL".to_owned(), postgres());
    table.plain("SQLite".to_owned(), rusqlite::version().to_owned());
    table.plain("NATS".to_owned(), nats());
    table.print("The machine");
}

fn line(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let found = text.lines().find(|line| line.starts_with(key))?;
    Some(found.split_once(':')?.1.trim().to_owned())
}

fn memory() -> String {
    let kilobytes = line("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(0.0);
    format!("{:.0} GB", kilobytes / 1024.0 / 1024.0)
}

/// The last line that a program prints; "not found" when it cannot be started.
fn said(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| Some(text.lines().last()?.trim().to_owned())).unwrap_or("not found".to_owned())
}

fn postgres() -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut programs: Vec<PathBuf> = versions.map(|version| version.path().join("bin/postgres")).collect();
    programs.sort();
    said(programs.pop().unwrap_or("postgres".into()), &["--version"])
}

fn nats() -> String {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/nats-server");
    said(if own.is_file() { own } else { "nats-server".into() }, &["--version"])
}

/// The disk that everything lies on: how long a sync takes while the figures are taken.
pub(crate) struct Disk {
    file: File,
    all: Series,
}

impl Disk {
    /// A file in the scratch directory, which goes away with this.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("making a scratch file")?;
        file.write_all_at(&[1; BLOCK], 0).and_then(|()| file.sync_all()).context("writing a scratch file")?;
        Ok(Self { file, all: Series::default() })
    }

    /// Syncs a few times, now that nothing else is measured; the median in milliseconds.
    pub(crate) fn sample(&mut self) -> anyhow::Result<f64> {
        let (begun, mut sample) = (Instant::now(), Series::default());
        for round in 0..SYNCS {
            let block = [u8::try_from(round % 250).unwrap_or(0); BLOCK];
            let started = Instant::now();
            self.file.write_all_at(&block, 0).and_then(|()| self.file.sync_data()).context("syncing")?;
            let took = started.elapsed().as_secs_f64() * 1000.0;
            sample.push(took);
            self.all.push(took);
            if begun.elapsed() > LONGEST {
                break;
            }
        }
        Ok(sample.median())
    }

    /// All samples in one line.
    pub(crate) fn print(&self) {
        println!(
            "\nThe disk meanwhile: writing and syncing 8 kB took {:.2} ms in the middle, {:.2} ms at 99 %, {:.2} ms at \
             most ({} times, between the figures).",
            self.all.median(),
            self.all.quantile(0.99),
            self.all.quantile(1.0),
            self.all.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_takes_time_and_is_remembered() {
        let mut disk = Disk::new().unwrap();
        assert!(disk.sample().unwrap() > 0.0);
        assert!(disk.all.len() > 0);
    }

    #[test]
    fn a_program_that_is_missing_is_not_found() {
        assert_eq!(said("no-such-program", &[]), "not found");
        assert!(said("uname", &["-sr"]).starts_with("Linux"));
    }
}
