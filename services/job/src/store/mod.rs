//! The read tables: what is asked of all jobs at once.

mod read;
mod write;

use eventlog::Migrations;

pub use read::{Free, Page, VideoFilter, campaign_number, free, job_of_scene, next_id, runner_lease, videos};
pub use write::{created, moved};

/// The service's database.
pub const MIGRATIONS: Migrations = Migrations {
    service: "job",
    sqlite: &[("0001_job", include_str!("../../../../migrations/job/sqlite/0001_job.sql"))],
    postgres: &[("0001_job", include_str!("../../../../migrations/job/postgres/0001_job.sql"))],
};
