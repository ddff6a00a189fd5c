//! The tables.

use std::path::Path;

use super::{copy::Copied, program::Ran};
use crate::{
    series::Series,
    table::{Table, verdict},
};

/// Seconds that the predecessor's migration may take.
const SECONDS_AIM: f64 = 5.0;
/// The most times as long as the copy.
const RATIO_AIM: f64 = 2.0;
/// Megabytes of memory.
const MEMORY_AIM: f64 = 100.0;

/// The most that is aimed at, and its unit.
type Aim = (f64, &'static str);

/// One source and its figures.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// Bytes of the source's file.
    size: u64,
    blobs: usize,
    copied: Series,
    imported: Series,
    verified: Series,
    import_memory: Series,
    verify_memory: Series,
}

impl Case {
    pub(super) fn of(source: &Path) -> anyhow::Result<Self> {
        Ok(Self { size: std::fs::metadata(source)?.len(), ..Self::default() })
    }

    pub(super) fn add(&mut self, copied: &Copied, imported: Ran, verified: Ran) {
        self.blobs = copied.digests.len();
        self.copied.push(copied.seconds);
        self.imported.push(imported.seconds);
        self.verified.push(verified.seconds);
        self.import_memory.push(imported.memory);
        self.verify_memory.push(verified.memory);
    }
}

/// All figures.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) small: Option<Case>,
    pub(super) large: Option<Case>,
}

impl Report {
    pub(super) fn print(&self) {
        println!("\n## Bringing old data over");
        if let Some(case) = &self.small {
            print(case, Some((SECONDS_AIM, " s")), None);
        }
        if let Some(case) = &self.large {
            print(case, None, Some((RATIO_AIM, "")));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a size")]
fn print(case: &Case, seconds: Option<Aim>, ratio: Option<Aim>) {
    let mut table = Table::new(&["what", "measured", "aim", ""]);
    let mut row = |what: &str, series: &Series, aim: Option<Aim>| {
        let (aim, met) = match aim {
            Some((most, unit)) => (format!("≤ {most}{unit}"), verdict(series.median() <= most)),
            None => (String::new(), String::new()),
        };
        table.row(vec![what.to_owned(), series.to_string(), aim, met]);
    };
    row("plain copy with SHA-256, s", &case.copied, None);
    row("import, s", &case.imported, seconds);
    row("import / copy", &case.imported.over(&case.copied), ratio);
    row("most resident memory of the import, MB", &case.import_memory, Some((MEMORY_AIM, " MB")));
    row("`--verify`, s", &case.verified, None);
    row("most resident memory of it, MB", &case.verify_memory, Some((MEMORY_AIM, " MB")));
    table.print(&format!("A source of {:.0} MB with {} blobs", case.size as f64 / 1e6, case.blobs));
}
