//! Many finished jobs in the job service's database: copies of one that really ran, stored through the log with
//! all rows that the service would have left.

use anyhow::Context as _;
use eventlog::{Append, Expected, Log, NewEvent, Statement, StoredEvent, params};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use job::{
    app::{Snapshot, fold},
    store,
};
use job_domain::watch::Patience;
use uuid::Uuid;

/// Appends under way at one time: what a commit takes is shared by so many.
const AT_ONCE: usize = 256;

/// A finished job.
pub(crate) struct Model {
    events: Vec<StoredEvent>,
    snapshot: Snapshot,
    /// Digests and replies kept under idempotency keys.
    commands: Vec<(String, Vec<u8>)>,
}

impl Model {
    /// The job `id` of a log that holds no other.
    pub(crate) async fn of(log: &Log, id: i32) -> anyhow::Result<Self> {
        let events = log.load(&format!("job-{id}"), 0).await?;
        let snapshot = fold(None, &events)?.context("there is no such job")?;
        let commands = log.query("SELECT digest, reply FROM command", params![]).await?;
        let commands = commands.iter().map(|row| anyhow::Ok((row.get("digest")?, row.get("reply")?)));
        Ok(Self { events, snapshot, commands: commands.collect::<Result<_, _>>()? })
    }

    /// Stores copies until there are so many jobs.
    pub(crate) async fn fill(&self, log: &Log, jobs: i32) -> anyhow::Result<()> {
        let copy = |id| {
            let append = self.copy(id);
            async move { log.append(append).await.map(drop) }
        };
        stream::iter(1..=jobs).map(copy).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(())
    }

    fn copy(&self, id: i32) -> Append {
        let events = self.events.iter().cloned().map(|event| {
            NewEvent::new(Uuid::now_v7(), event.kind, event.data, event.recorded_at)
                .schema_version(event.schema_version)
                .meta(event.meta)
        });
        Append::to(format!("job-{id}"))
            .expecting(Expected::NoStream)
            .events(events)
            .statements(self.rows(id))
            .statements(self.kept(id))
    }

    /// The read tables, by the service's own statements.
    fn rows(&self, id: i32) -> Vec<Statement> {
        let Snapshot { mut job, version, .. } = self.snapshot.clone();
        job.id = id;
        job.scenes.iter_mut().for_each(|scene| scene.spec.id = Uuid::now_v7().to_string());
        let at = self.events.last().map(|event| event.recorded_at).unwrap_or_default();
        store::created(&job, id.unsigned_abs(), version, at, &Patience::default())
    }

    /// The lease that the runner gave back, and the replies to creation and approval.
    fn kept(&self, id: i32) -> Vec<Statement> {
        let lease = Statement::new(
            "INSERT INTO lease (name, owner, fence, expires_at) VALUES ($1, $2, 1, 0)",
            params![store::runner_lease(id), "job"],
        );
        let at = self.events.last().map(|event| event.recorded_at).unwrap_or_default();
        let command = |(digest, reply): &(String, Vec<u8>)| {
            Statement::new(
                "INSERT INTO command (id, digest, reply, recorded_at) VALUES ($1, $2, $3, $4)",
                params![Uuid::now_v7().to_string(), digest.as_str(), reply.clone(), at],
            )
        };
        std::iter::once(lease).chain(self.commands.iter().map(command)).collect()
    }
}
