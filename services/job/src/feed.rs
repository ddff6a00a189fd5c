//! What happens to the jobs, as it happens: one item per event, with the state that the event led to.

use std::collections::HashMap;

use eventlog::{Log, StoredEvent, Tail};
use futures::{Stream, stream};
use job_domain::{Job, JobEvent, JobId, keys, timeline};
use protos::job::v1 as pb;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{Snapshot, fold},
    events, view,
};

/// Jobs that a feed keeps folded; any other is folded again when something happens to it.
const KEPT: usize = 256;

/// Every item after a position, endless until `cancel`; a negative position begins at the end of the log.
///
/// # Errors
/// The database failed.
pub async fn watch(
    log: Log,
    after: i64,
    cancel: CancellationToken,
) -> anyhow::Result<impl Stream<Item = anyhow::Result<pb::FeedItem>> + Send> {
    let after = if after < 0 { log.head().await? } else { after };
    let watch = Watch { tail: Tail::new(log.clone(), after), jobs: Folded::new(log), cancel };
    let batches = stream::unfold(watch, |mut watch| async move {
        let batch = watch.next().await.transpose()?;
        Some((batch, watch))
    });
    Ok(futures::StreamExt::flat_map(batches, |batch| {
        let items = match batch {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(items)
    }))
}

struct Watch {
    tail: Tail,
    jobs: Folded,
    cancel: CancellationToken,
}

impl Watch {
    /// The next items; none once the service stops.
    async fn next(&mut self) -> anyhow::Result<Option<Vec<pb::FeedItem>>> {
        let Some(batch) = self.tail.next_batch(&self.cancel).await? else { return Ok(None) };
        let mut items = Vec::with_capacity(batch.len());
        for stored in &batch {
            if let Some(id) = events::job_of(&stored.stream) {
                items.extend(self.jobs.item(id, stored).await?.filter(|_| is_shown(stored)));
            }
        }
        Ok(Some(items))
    }
}

/// The items of one job after a position.
///
/// # Errors
/// The database failed.
pub async fn read(log: &Log, id: JobId, after: i64) -> anyhow::Result<Vec<pb::FeedItem>> {
    let mut job = None;
    let mut items = Vec::new();
    for stored in log.load(&keys::stream(id), 0).await? {
        job = fold(job, std::slice::from_ref(&stored))?;
        if let (true, Some(job)) = (stored.position > after && is_shown(&stored), &job) {
            items.push(item(&job.job, &events::read(&stored)?, &stored));
        }
    }
    Ok(items)
}

/// The strip of one job: a line for each event. Empty when there is no such job.
///
/// # Errors
/// The database failed.
pub async fn strip(log: &Log, id: JobId) -> anyhow::Result<Vec<pb::StripLine>> {
    let mut job: Option<Snapshot> = None;
    let mut lines = Vec::new();
    for stored in log.load(&keys::stream(id), 0).await? {
        let event = events::read(&stored)?;
        let before = job.clone();
        job = fold(job, std::slice::from_ref(&stored))?;
        // A scene that the event took out is only known before it.
        let known = job.as_ref().or(before.as_ref()).map(|known| &known.job);
        lines.push(pb::StripLine {
            position: stored.position,
            version: stored.version,
            recorded_at: stored.recorded_at.to_string(),
            event: snake_case(&stored.kind),
            text: timeline::line(known, &event),
        });
    }
    Ok(lines)
}

/// Jobs folded up to the events that went by.
struct Folded {
    log: Log,
    jobs: HashMap<JobId, Snapshot>,
}

impl Folded {
    fn new(log: Log) -> Self {
        Self { log, jobs: HashMap::new() }
    }

    async fn item(&mut self, id: JobId, stored: &StoredEvent) -> anyhow::Result<Option<pb::FeedItem>> {
        let before = match self.jobs.remove(&id) {
            Some(before) if before.version + 1 == stored.version => Some(before),
            _ if stored.version == 1 => None,
            _ => self.before(id, stored.version).await?,
        };
        let Some(after) = fold(before, std::slice::from_ref(stored))? else { return Ok(None) };
        let item = item(&after.job, &events::read(stored)?, stored);
        // What is over seldom comes back.
        if !item.terminal {
            if self.jobs.len() >= KEPT {
                self.jobs.clear();
            }
            self.jobs.insert(id, after);
        }
        Ok(Some(item))
    }

    async fn before(&self, id: JobId, version: i64) -> anyhow::Result<Option<Snapshot>> {
        let mut events = self.log.load(&keys::stream(id), 0).await?;
        events.retain(|event| event.version < version);
        fold(None, &events)
    }
}

fn item(job: &Job, event: &JobEvent, stored: &StoredEvent) -> pb::FeedItem {
    let scene = scene_of(event).map(str::to_owned);
    let index = scene.as_deref().and_then(|scene| job.any_scene(scene)).map(|scene| scene.spec.index);
    pb::FeedItem {
        position: stored.position,
        job_id: job.id,
        event: snake_case(&stored.kind),
        recorded_at: stored.recorded_at.to_string(),
        status: job.status.as_str().to_owned(),
        progress: Some(view::progress_of(job)),
        scene_index: index.and_then(|index| i32::try_from(index).ok()),
        scene_id: scene,
        text: timeline::line(Some(job), event),
        terminal: job_domain::view::is_over(job),
        error: job.error.clone().or_else(|| job.next_cut_error.clone()),
        outcome: job.outcome.map(|outcome| outcome.as_str().to_owned()),
    }
}

/// Whether it is something that happened to the job. That a job stands still is for those who run us, and told in
/// the strip and in what is published.
fn is_shown(stored: &StoredEvent) -> bool {
    !matches!(stored.kind.as_str(), "JobStalled" | "JobResumed")
}

/// The scene that an event is about.
fn scene_of(event: &JobEvent) -> Option<&str> {
    match event {
        JobEvent::SceneEdited { scene, .. }
        | JobEvent::SceneOverridden { scene, .. }
        | JobEvent::SceneRemoved { scene, .. }
        | JobEvent::SceneTakeRequested { scene, .. }
        | JobEvent::SceneAttemptStarted { scene, .. }
        | JobEvent::SceneRendered { scene, .. }
        | JobEvent::SceneFailed { scene, .. }
        | JobEvent::SceneTakeClosed { scene, .. }
        | JobEvent::SceneTakeCharged { scene, .. } => Some(scene),
        _ => None,
    }
}

/// `SceneRendered` as `scene_rendered`.
fn snake_case(kind: &str) -> String {
    let mut name = String::with_capacity(kind.len() + 4);
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn the_names_of_events_are_in_snake_case() {
        assert_eq!(snake_case("JobCreated"), "job_created");
        assert_eq!(snake_case("SceneAttemptStarted"), "scene_attempt_started");
    }
}
