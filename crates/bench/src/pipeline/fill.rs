//! Many finished jobs in the job service's database: copies of one that really ran.

use anyhow::Context as _;
use eventlog::{Append, Log, NewEvent, Statement, params};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

/// Appends under way at one time.
const AT_ONCE: usize = 64;

/// Stores copies of the finished job `model` until there are `jobs` jobs.
pub(crate) async fn up_to(log: &Log, model: i32, jobs: i64) -> anyhow::Result<()> {
    let rows = log.query("SELECT coalesce(max(id), 0) AS last FROM job", params![]).await?;
    let last: i64 = rows.first().context("no answer")?.get("last")?;
    let events = log.load(&format!("job-{model}"), 0).await?;
    let copy = |id: i64| {
        let events = events.clone().into_iter().map(|event| {
            NewEvent::new(Uuid::now_v7(), event.kind, event.data, event.recorded_at).meta(event.meta)
        });
        let append = Append::to(format!("job-{id}")).events(events).statements(rows_of(id, model));
        async move { log.append(append).await.map(drop) }
    };
    stream::iter(last + 1..=jobs).map(copy).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(())
}

fn rows_of(id: i64, model: i32) -> [Statement; 2] {
    [
        Statement::new(
            "INSERT INTO job (id, campaign_id, number, client_id, kind, status, playable, unfinished, video_name, \
             version, created_at, updated_at) SELECT CAST($1 AS BIGINT), campaign_id, CAST($2 AS BIGINT), client_id, kind, status, playable, \
             unfinished, video_name, version, created_at, updated_at FROM job WHERE id = $3",
            params![id, id, model],
        ),
        Statement::new(
            "INSERT INTO scene (id, job_id) SELECT CAST($1 AS TEXT) || id, CAST($2 AS BIGINT) FROM scene WHERE job_id = $3",
            params![format!("{id}-"), id, model],
        ),
    ]
}
