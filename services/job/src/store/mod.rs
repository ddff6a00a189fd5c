//! The read tables: what is asked of all jobs at once.

mod behind;
mod imported;
mod list;
mod read;
mod watch;
mod write;

use eventlog::Migrations;

pub use behind::{behind, catch_up};
pub use imported::{Known, brought_over, held, holds, imported, is_free, is_free_number, known, rows};
pub use list::{JobFilter, ListedScene, Page, Place, SceneFilter, Spend, jobs, scenes, spend};
pub use read::{Free, backlog, campaign_number, free, job_of_scene, next_id, runner_lease};
pub use watch::{WATCHDOG, Waiting, is_watched_elsewhere, overdue, overview, respread, watched};
pub use write::{created, is_playable, moved, remember};

/// The service's database.
pub const MIGRATIONS: Migrations = Migrations {
    service: "job",
    sqlite: &[
        ("0001_job", include_str!("../../../../migrations/job/sqlite/0001_job.sql")),
        ("0002_shown", include_str!("../../../../migrations/job/sqlite/0002_shown.sql")),
        ("0003_imported", include_str!("../../../../migrations/job/sqlite/0003_imported.sql")),
        ("0004_watch", include_str!("../../../../migrations/job/sqlite/0004_watch.sql")),
    ],
    postgres: &[
        ("0001_job", include_str!("../../../../migrations/job/postgres/0001_job.sql")),
        ("0002_shown", include_str!("../../../../migrations/job/postgres/0002_shown.sql")),
        ("0003_imported", include_str!("../../../../migrations/job/postgres/0003_imported.sql")),
        ("0004_watch", include_str!("../../../../migrations/job/postgres/0004_watch.sql")),
    ],
};
