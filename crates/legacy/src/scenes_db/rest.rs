//! What is never brought over, each row with its reason.

use super::unused_blobs;
use crate::{
    model::{Broken, Row, RowKey, Stage},
    outline::Outline,
    source::{Orphans, SourceError, reader::Reader, rows::Record},
};

/// Tables with the column that says when a row was created.
const TABLES: [(&str, &str); 8] = [
    ("users", "created_at"),
    ("creative_briefs", "created_at"),
    ("generated_scenes", "created_at"),
    ("genesis_videos", "created_at"),
    ("uploaded_assets", "uploaded_at"),
    ("client_assets", "uploaded_at"),
    ("campaign_assets", "uploaded_at"),
    ("luigi_task_state", "created_at"),
];

/// Tables of rows that belong to jobs.
const OF_JOBS: [(&str, &str); 2] = [("job_scenes", "created_at"), ("video_sub_jobs", "created_at")];

/// The keys of all rows that are left out for what they are: also of scenes whose job is gone, and of blobs that nobody
/// refers to unless they are kept.
pub(super) fn keys(reader: &Reader, outline: &Outline) -> Result<Vec<RowKey>, SourceError> {
    let mut keys = reader.keys(Stage::Rest, &TABLES)?;
    for table in OF_JOBS {
        let gone = reader.rows_without((table.0, "job_id"), ("generated_videos", "id"))?;
        keys.extend(reader.keys_among(Stage::Rest, &[table], (table.0, &gone))?);
    }
    if outline.orphans() == Orphans::Skip {
        let blobs = [("asset_blobs", "created_at")];
        keys.extend(reader.keys_among(Stage::Rest, &blobs, ("asset_blobs", &unused_blobs(reader)?))?);
    }
    Ok(keys)
}

/// Says why a row is left out.
pub(super) fn left_out(table: &str, row: &Record) -> Result<Row, Broken> {
    let reason = match table {
        "users" => "accounts are not brought over: there are none here, only keys",
        "creative_briefs" => "briefs of the prompt parser are not brought over: that feature is gone",
        "generated_scenes" => "scenes of the physics simulation are not brought over: that feature is gone",
        "genesis_videos" => {
            "renders of the physics simulation are not brought over: that feature is gone, and their files are not in \
             the source"
        }
        "uploaded_assets" | "client_assets" | "campaign_assets" => {
            "a table that the older service no longer used: what it kept is in assets"
        }
        "luigi_task_state" => "the state of a task runner, of no use without it",
        "job_scenes" | "video_sub_jobs" => {
            let job = row.integer("job_id")?.map_or_else(|| "NULL".to_owned(), |job| job.to_string());
            return Ok(row.skipped(format!("its job {job} is not in the source"), false));
        }
        _ => "nothing is known of this table",
    };
    Ok(row.skipped(reason, false))
}
