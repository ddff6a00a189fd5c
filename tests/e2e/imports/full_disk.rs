//! A disk that is full in the middle: the row is named, and the run can be continued.

use std::process::Stdio;

use legacysources::{Orphans, scenes_db};
use tokio::process::Command;

use super::{
    place::{Place, stop},
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

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_with_the_row_and_the_run_can_be_continued() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    let data = place.data().display().to_string();
    // A photograph of 150 KB or more does not fit, rows do: the databases are made first, with room.
    stop(place.serve().await).await;
    let command = on_a_full_disk(&place.command(&source, &["--data-dir", &data]), 256);
    place.run(command).await.refused().says(&["assets"]);
    place.import(&source, &[]).await.well();
    place.import(&source, &["--verify"]).await.well();
    let server = place.serve().await;
    told::assets(&server.client(), &truth, Orphans::Skip).await;
}
