//! Makes a source to try an importer on: `make KIND PATH`.

use std::{io::Write as _, path::Path};

use anyhow::{Result, bail};
use legacysources::{Orphans, phoenix, scenes_db};

/// The size of the predecessor's last database.
const LARGE: u64 = 935_000_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, path] = &arguments[..] else {
        bail!(
            "make KIND PATH, where KIND is realistic, upgraded, old, migration, large, \
             phoenix or phoenix-sharing"
        );
    };
    let path = Path::new(path);
    let truth = match kind.as_str() {
        "realistic" => scenes_db::realistic(path, 1),
        "upgraded" => scenes_db::upgraded(path, 1),
        "old" => scenes_db::old_layout(path),
        "migration" => scenes_db::migration_case(path),
        "large" => scenes_db::large(path, LARGE),
        "phoenix" => phoenix::realistic(path, 1),
        "phoenix-sharing" => phoenix::sharing_jobs(path),
        other => bail!("there is no kind {other}"),
    }?;
    let mut out = std::io::stdout();
    writeln!(out, "orphans left out: {:?}", truth.counts(Orphans::Skip))?;
    writeln!(out, "orphans kept:     {:?}", truth.counts(Orphans::Keep))?;
    Ok(())
}
