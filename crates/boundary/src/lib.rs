//! Boundaries: named points that a process crosses, such as "this append is durable and nobody knows yet".
//!
//! Drills only. A process that is told to ([`arm`]) writes down which boundaries it crosses, each once, and kills
//! itself at one of them when asked to. In every other process a boundary is one load of a static.
//!
//! | variable | what it is |
//! | --- | --- |
//! | `FILMSTRIP_CROSSINGS` | a file; `crossed <name>` is appended at the first crossing of each boundary |
//! | `FILMSTRIP_KILL_AT` | a boundary, or several separated by commas; at the first crossing of any of them `killed <name>` is appended, and SIGKILL follows at once |
//!
//! A name is `<what>.<before or after>` with, mostly, `/<which>` behind it: `append.after/JobApproved`. It is the
//! same in every run: no id is part of it, and no blank. Several processes may share a file: each line is one write.
//!
//! | boundaries | where they are |
//! | --- | --- |
//! | `append.before/<event kind>`, `append.after/…` | around an append: not handed over yet; durable, but the caller does not know |
//! | `lease.claim.…/<leased>`, `lease.renew.…`, `lease.release.…` | around what changes a lease |
//! | `publish.before/<message>`, `publish.after/…` | around a message to NATS: not sent yet; acknowledged |
//! | `consume.before/<durable>/<message>`, `consume.after/…` | around a handler: not called yet; done, not acknowledged |
//! | `provider.create.…`, `.get`, `.cancel`, `.list`, `.upload`, `.download` | around a call to who sells predictions |
//! | `planner.before`, `planner.after` | around a call to who draws storyboards |
//! | `file.put.before/<image, video, audio or other>`, `file.put.after/…` | around storing bytes: whole in scratch; in the object store |
//! | `file.batch.before`, `file.batch.after` | around storing the bytes of an import: whole in scratch; in the object store |
//! | `import.bytes.before/<n>`, `import.bytes.after/<n>` | around the bytes of the n-th row of `filmstrip import`: not sent yet; durable |
//! | `import.row.before/<n>`, `import.row.after/<n>` | around the n-th row itself: not sent yet; there, but not told |
//! | `ffmpeg.before/<what is made>`, `ffmpeg.after/…` | around a run that makes a file |
//!
//! An `after` is crossed only when what it follows went well.

mod drill;

use std::{fmt::Display, io, path::PathBuf, sync::OnceLock};

use drill::Drill;

/// Names the file of crossings.
pub const CROSSINGS: &str = "FILMSTRIP_CROSSINGS";
/// Names the boundary to die at, or several, separated by commas.
pub const KILL_AT: &str = "FILMSTRIP_KILL_AT";

static DRILL: OnceLock<Drill> = OnceLock::new();

/// Does what the environment says, and warns of it in the log; a program calls it once, before it starts anything.
///
/// # Errors
/// The file cannot be opened for appending, or there is a place to die at without a file.
pub fn arm() -> io::Result<()> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let Some(path) = given(CROSSINGS).map(PathBuf::from) else {
        return match given(KILL_AT) {
            None => Ok(()),
            Some(_) => Err(io::Error::other(format!("{KILL_AT} is set without {CROSSINGS}"))),
        };
    };
    let kill_at = given(KILL_AT).map(|name| name.to_string_lossy().into_owned());
    let drill = Drill::open(&path, kill_at.as_deref().unwrap_or_default())
        .map_err(|error| io::Error::new(error.kind(), format!("{CROSSINGS}: {}: {error}", path.display())))?;
    if DRILL.set(drill).is_err() {
        return Err(io::Error::other("the boundaries of this process are armed already"));
    }
    tracing::warn!(
        crossings = %path.display(),
        kill_at,
        "this is a drill: boundaries are recorded, and the process may kill itself at one"
    );
    Ok(())
}

/// This process is at the boundary of that name. `format_args!` makes a name that is put together only in a drill.
/// In a process that is to die here, it does not return.
#[inline]
pub fn cross(name: impl Display) {
    if let Some(drill) = DRILL.get() {
        drill.cross(&name);
    }
}

/// Does some work between two boundaries, `<what>.before` and, if it went well, `<what>.after`; with `/<which>`
/// behind them unless that is empty.
///
/// # Errors
/// Those of the work.
pub async fn around<T, E>(
    what: &str,
    which: impl Display,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let drill = DRILL.get();
    if let Some(drill) = drill {
        drill.cross(&name(what, "before", &which));
    }
    let done = work.await;
    if let (Some(drill), Ok(_)) = (drill, &done) {
        drill.cross(&name(what, "after", &which));
    }
    done
}

fn name(what: &str, when: &str, which: &impl Display) -> String {
    let which = which.to_string();
    let separator = if which.is_empty() { "" } else { "/" };
    format!("{what}.{when}{separator}{which}")
}
