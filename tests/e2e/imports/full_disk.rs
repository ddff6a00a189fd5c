//! A disk that is full in the middle: the row is named, and the run can be continued.

use std::process::Stdio;

use legacysources::{Orphans, Truth, scenes_db};
use tokio::process::Command;

use super::{
    place::{Place, Ran, stop},
    told,
};

/// Makes the command one whose files may not grow beyond so many blocks of 512 bytes: the kernel refuses what is written
/// behind that as it does on a full disk, and does not kill because the signal is ignored.
fn on_a_full_disk(command: &Command, blocks: u32) -> Command {
    let command = command.as_std();
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null()).kill_on_drop(true);
    limited
}

/// The report's failure names rows by table and key, and they are rows of the source: `at table …, row …`, or the first
/// and the last of those that were brought over together.
fn names_rows_of(ran: &Ran, truth: &Truth) {
    let failure = ran.report["failure"].as_str().unwrap();
    let ids: Vec<&str> = failure
        .split("table assets, row ")
        .skip(1)
        .map(|rest| rest.split([' ', ':']).next().unwrap_or_default())
        .collect();
    assert!(!ids.is_empty(), "{failure}");
    for id in ids {
        assert!(truth.assets.iter().any(|asset| asset.id == id), "{id} is no asset: {failure}");
    }
    assert_eq!(ran.report["complete"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_with_the_row_and_the_run_can_be_continued() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    let data = place.data().display().to_string();
    // A photograph of 150 KB or more does not fit, rows do: the databases are made first, with room.
    stop(place.serve().await).await;
    let command = on_a_full_disk(&place.command(&source, &["--data-dir", &data]), 256);
    let ran = place.run(command).await.refused().says(&["table assets, row "]);
    names_rows_of(&ran, &truth);
    place.import(&source, &[]).await.well();
    place.import(&source, &["--verify"]).await.well();
    let server = place.serve().await;
    told::assets(&server.client(), &truth, Orphans::Skip).await;
}
