//! SQL of the read tables.

use eventlog::{Log, LogError, Migrations, Statement, params};
use predictions::Fact;
use protos::common::v1::BlobRef;
use serde_json::Value;

use crate::{events::Event, request::Take};

/// What the service's database is made of.
pub const MIGRATIONS: Migrations = Migrations {
    service: "render",
    sqlite: &[
        ("0001_prediction", predictions::SQLITE_MIGRATION),
        ("0002_render", include_str!("../../../migrations/render/sqlite/0002_render.sql")),
        ("0003_frame", include_str!("../../../migrations/render/sqlite/0003_frame.sql")),
        ("0004_coordination", predictions::SQLITE_COORDINATION),
    ],
    postgres: &[
        ("0001_prediction", predictions::POSTGRES_MIGRATION),
        ("0002_render", include_str!("../../../migrations/render/postgres/0002_render.sql")),
        ("0003_frame", include_str!("../../../migrations/render/postgres/0003_frame.sql")),
        ("0004_coordination", predictions::POSTGRES_COORDINATION),
    ],
};

/// What a fact of an order changes in the table of renders.
pub(crate) fn render_statement(
    key: &str,
    take: &Take,
    fact: &Fact,
    event: Option<&Event>,
) -> Option<Statement> {
    match (fact, event) {
        (Fact::OrderPlaced { .. }, _) => Some(
            Statement::new(
                "INSERT INTO render (key, job_id, scene_id, scene_index, take) VALUES ($1, $2, $3, $4, $5)",
                params![key, take.job_id, &take.scene_id, take.scene_index, take.take],
            )
            .affecting(1),
        ),
        (_, Some(Event::RenderFinished { clip, duration_ms, cost_micros, .. })) => Some(Statement::new(
            "UPDATE render SET clip = $2, duration_ms = $3, cost_micros = $4 WHERE key = $1",
            params![key, serde_json::to_value(clip).unwrap_or(Value::Null), *duration_ms, *cost_micros],
        )),
        (_, Some(Event::RenderFailed { cost_micros, .. } | Event::RenderCanceled { cost_micros, .. })) => {
            Some(Statement::new(
                "UPDATE render SET cost_micros = $2 WHERE key = $1",
                params![key, *cost_micros],
            ))
        }
        _ => None,
    }
}

/// The key under which a take is rendered.
pub(crate) async fn key_of(log: &Log, take: &Take) -> Result<Option<String>, LogError> {
    let sql = "SELECT key FROM render WHERE job_id = $1 AND scene_id = $2 AND take = $3";
    let rows = log.query(sql, params![take.job_id, &take.scene_id, take.take]).await?;
    rows.first().map(|row| row.get("key")).transpose()
}

/// A photo in the form that the provider gets, if it was made before.
pub(crate) async fn frame(log: &Log, photo_sha256: &str) -> Result<Option<BlobRef>, LogError> {
    let sql = "SELECT sha256, size, content_type FROM frame WHERE photo_sha256 = $1";
    let rows = log.query(sql, params![photo_sha256]).await?;
    let blob = |row: &eventlog::Row| {
        Ok(BlobRef {
            sha256: row.get("sha256")?,
            size: row.get("size")?,
            content_type: row.get("content_type")?,
        })
    };
    rows.first().map(blob).transpose()
}

/// Remembers a photo in the form that the provider gets.
pub(crate) async fn remember_frame(log: &Log, photo_sha256: &str, frame: &BlobRef) -> Result<(), LogError> {
    let sql = "INSERT INTO frame (photo_sha256, sha256, size, content_type) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (photo_sha256) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, \
               content_type = excluded.content_type";
    let params = params![photo_sha256, &frame.sha256, frame.size, &frame.content_type];
    log.execute(vec![Statement::new(sql, params)]).await.map(drop)
}
