//! SIGKILL at any row: run again, the result is that of one clean run.

use std::path::Path;

use legacysources::{Orphans, Truth, phoenix, scenes_db};

use super::{place::Place, report, told};
use crate::world::{Moments, note};

/// How often a run is killed.
const KILLS: usize = 20;
/// The same for the other kind of source, whose rows are read by other code and brought over by the same.
const KILLS_OF_PHOENIX: usize = 6;
/// Of a row: before its bytes are read, when they are in the object store, before and after it is imported.
const MOMENTS: [&str; 4] =
    ["import.bytes.before", "import.bytes.after", "import.row.before", "import.row.after"];
/// Its number is the same on every Unix.
const SIGKILL: i32 = 9;

/// Killed at so many rows by chance, each time run again; at the end as if nothing had happened. `clean` is where the
/// same source comes over at one go.
async fn killed_at_random_rows(
    killed: Place,
    clean: Place,
    make: impl Fn(&Path) -> anyhow::Result<Truth>,
    (kills, seed): (usize, u64),
) {
    let source = clean.file("old.db");
    let truth = make(&source).unwrap();
    let flags = ["--keep-orphans"];
    let once = clean.import(&source, &flags).await.well();
    let rows = report::handed_in(&once.report);
    note(&format!("seed {seed:#x}, {rows} rows"));

    let mut moments = Moments::seeded(seed);
    let mut at: Vec<usize> = (0..kills).map(|_| 1 + moments.number(rows)).collect();
    // Later and later, so that each run has something left to do; the same row twice is two kills there.
    at.sort_unstable();
    for row in at {
        let moment = format!("{}/{row}", MOMENTS[moments.number(MOMENTS.len())]);
        let crossings = killed.file("crossings").display().to_string();
        let armed = [("FILMSTRIP_CROSSINGS", crossings), ("FILMSTRIP_KILL_AT", moment.clone())];
        let ran = killed.import_with(&source, &flags, &armed).await;
        assert_eq!(ran.signal(), Some(SIGKILL), "seed {seed:#x}, {moment}: {}", ran.said);
    }
    killed.import(&source, &flags).await.well();
    killed.import(&source, &[&flags[..], &["--verify"]].concat()).await.well();

    let (one, other) = (clean.serve().await, killed.serve().await);
    let wanted = told::census(&one.client()).await;
    told::same(&told::census(&other.client()).await, &wanted);
    told::assets(&other.client(), &truth, Orphans::Keep).await;
}

fn of_python(path: &Path) -> anyhow::Result<Truth> {
    scenes_db::realistic(path, 1)
}

fn of_phoenix(path: &Path) -> anyhow::Result<Truth> {
    phoenix::realistic(path, 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_rows_an_import_comes_to_the_same_on_sqlite() {
    let (killed, clean) = (Place::on_sqlite(), Place::on_sqlite());
    killed_at_random_rows(killed, clean, of_python, (KILLS, 0x5eed_0601)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_rows_an_import_comes_to_the_same_on_postgresql() {
    let (killed, clean) = (Place::on_postgres().await, Place::on_sqlite());
    killed_at_random_rows(killed, clean, of_python, (KILLS, 0x5eed_0602)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_some_rows_an_import_of_phoenix_comes_to_the_same() {
    let (killed, clean) = (Place::on_sqlite(), Place::on_sqlite());
    killed_at_random_rows(killed, clean, of_phoenix, (KILLS_OF_PHOENIX, 0x5eed_0603)).await;
}
