//! The Phoenix service's database.
//!
//! | module | what it reads |
//! | --- | --- |
//! | `owners` | clients and campaigns |
//! | `assets` | images, videos and sounds |
//! | `accounts` | keys of the API; what of accounts is left out |
//! | `jobs` | jobs with their videos and sound |
//! | `ending` | how a job ended, by what it says and by the bytes that are there |
//! | `scenes` | the scenes of a job: what was drawn and what was made of it |
//! | `storyboard` | what was drawn |
//! | `json` | JSON columns, and odd shapes in them |

mod accounts;
mod assets;
mod ending;
mod jobs;
mod json;
mod owners;
mod scenes;
mod storyboard;
#[cfg(test)]
mod tests;

use crate::{
    model::{Row, RowKey, Stage},
    outline::Outline,
    source::{SourceError, reader::Reader, rows::Fault},
};

/// The column of every table that says when a row was created.
const CREATED: &str = "inserted_at";

/// The keys of a stage's rows, by the time of their creation, then by their primary key.
pub(crate) fn keys(reader: &Reader, _: &Outline, stage: Stage) -> Result<Vec<RowKey>, SourceError> {
    let of = |table| reader.keys(stage, &[(table, CREATED)]);
    match stage {
        Stage::Clients => of("clients"),
        Stage::Campaigns => of("campaigns"),
        Stage::Assets => of("assets"),
        Stage::Keys => accounts::with_keys(reader, of("users")?),
        Stage::Jobs => of("jobs"),
        Stage::Rest => {
            let lone = reader.rows_without(("sub_jobs", "job_id"), ("jobs", "id"))?;
            let mut keys = reader.keys(stage, &[("users", CREATED), ("sub_jobs", CREATED)])?;
            keys.retain(|key| key.table != "sub_jobs" || lone.contains(&key.rowid));
            Ok(keys)
        }
    }
}

/// Reads a row.
pub(crate) fn read(reader: &Reader, outline: &Outline, key: &RowKey) -> Result<Row, Fault> {
    match (key.stage, key.table) {
        (Stage::Clients, "clients") => owners::client(reader, key),
        (Stage::Campaigns, "campaigns") => owners::campaign(reader, outline, key),
        (Stage::Assets, "assets") => assets::asset(reader, outline, key),
        (Stage::Keys, "users") => accounts::key(reader, key),
        (Stage::Jobs, "jobs") => jobs::job(reader, outline, key),
        (Stage::Rest, "users") => Ok(reader.row(key)?.skipped("accounts are not part of Filmstrip", false)),
        (Stage::Rest, "sub_jobs") => Ok(jobs::lone_scene(&reader.row(key)?)?),
        _ => Err(reader.unusable(&format!("nothing is known of the table {}", key.table)).into()),
    }
}
