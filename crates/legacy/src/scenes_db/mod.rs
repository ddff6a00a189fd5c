//! The Python service's `scenes.db`.
//!
//! | module | what it reads |
//! | --- | --- |
//! | `owners` | clients, campaigns and keys |
//! | `assets` | assets with their blobs |
//! | `generated` | pictures and sounds that models made, and blobs that nobody refers to: assets as well |
//! | `jobs` | `generated_videos` with their scenes |
//! | `rest` | what is never brought over |
//! | `facts` | what a row says that has no place of its own here |
//! | `formats`, `tags` | values in many spellings |

mod assets;
mod facts;
mod formats;
mod generated;
mod jobs;
mod owners;
mod rest;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::{
    model::{Row, RowKey, Stage},
    outline::Outline,
    source::{Orphans, SourceError, reader::Reader, rows::Fault},
};

/// The columns that refer to blobs.
const BLOB_REFERENCES: [(&str, &str); 3] =
    [("assets", "blob_id"), ("assets", "thumbnail_blob_id"), ("video_sub_jobs", "video_blob_id")];

/// The keys of a stage's rows.
pub(crate) fn keys(reader: &Reader, outline: &Outline, stage: Stage) -> Result<Vec<RowKey>, SourceError> {
    match stage {
        Stage::Clients => reader.keys(stage, &[("clients", "created_at")]),
        Stage::Campaigns => reader.keys(stage, &[("campaigns", "created_at")]),
        Stage::Assets => {
            let mut tables = vec![
                ("assets", "uploaded_at"),
                ("generated_images", "created_at"),
                ("generated_audio", "created_at"),
            ];
            if outline.orphans() == Orphans::Skip {
                return reader.keys(stage, &tables);
            }
            tables.push(("asset_blobs", "created_at"));
            reader.keys_among(stage, &tables, ("asset_blobs", &unused_blobs(reader)?))
        }
        Stage::Keys => reader.keys(stage, &[("api_keys", "created_at")]),
        Stage::Jobs => reader.keys(stage, &[("generated_videos", "created_at")]),
        Stage::Rest => rest::keys(reader, outline),
    }
}

/// Reads a row.
pub(crate) fn read(reader: &Reader, outline: &Outline, key: &RowKey) -> Result<Row, Fault> {
    let row = reader.row(key)?;
    match key.table {
        "clients" => Ok(owners::client(reader, &row)?),
        "campaigns" => Ok(owners::campaign(reader, outline, &row)?),
        "api_keys" => Ok(owners::key(reader, row)?),
        "assets" => assets::asset(reader, outline, &row),
        "generated_images" | "generated_audio" => Ok(generated::made(reader, outline, &row, key.table)?),
        "asset_blobs" => Ok(generated::blob(reader, outline, &row)?),
        "generated_videos" => jobs::job(reader, outline, &row),
        table => Ok(rest::left_out(table, &row)?),
    }
}

/// The blobs that nobody refers to, by SQLite's number of the row.
fn unused_blobs(reader: &Reader) -> Result<HashSet<i64>, SourceError> {
    let mut unused = None::<HashSet<i64>>;
    for by in BLOB_REFERENCES {
        let without = reader.rows_without(("asset_blobs", "id"), by)?;
        unused = Some(match unused {
            None => without,
            Some(unused) => unused.intersection(&without).copied().collect(),
        });
    }
    Ok(unused.unwrap_or_default())
}
