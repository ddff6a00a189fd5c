//! What came from a source: as the log says that it came, and whether the read tables follow from the log.

use std::fmt::Display;

use eventlog::{FromValue, Row, StoredEvent};
use jiff::Timestamp;
use job_domain::{JobEvent, JobImported, keys, view};
use kit::ServiceError;
use protos::job::v1 as pb;

use super::{Legacy, came};
use crate::{
    app::{Snapshot, fold},
    error::database,
    events,
    store::{self, Known},
};

/// Jobs per page at most, and when the caller does not say.
const PAGE: u32 = 100;

impl Legacy {
    /// The jobs that came from a source, in the order in which they came.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_imported(
        &self,
        request: pb::ListImportedJobsRequest,
    ) -> Result<pb::ListImportedJobsReply, ServiceError> {
        let limit = if request.limit == 0 { PAGE } else { request.limit.min(PAGE) };
        let (log, after) = (self.app.log(), request.after.unwrap_or_default());
        // One more, to know whether more follow.
        let mut known = store::imported(log, &request.source, after, limit + 1).await.map_err(database)?;
        let more = known.len() > limit as usize;
        known.truncate(limit as usize);
        let next = known.last().filter(|_| more).map(|last| last.position);
        let mut jobs = Vec::with_capacity(known.len());
        for known in &known {
            jobs.push(self.listed(known).await?);
        }
        Ok(pb::ListImportedJobsReply { jobs, next })
    }

    async fn listed(&self, known: &Known) -> Result<pb::ImportedJob, ServiceError> {
        let (log, job_id) = (self.app.log(), known.job);
        let events = log.load(&keys::stream(job_id), 0).await.map_err(database)?;
        let told = match Told::of(&events) {
            Ok(told) => told,
            // What cannot be read is for the one who compares to know, and no reason to end the list.
            Err(why) => {
                let differs = format!("the log cannot be read: {why:#}");
                return Ok(pb::ImportedJob { job_id, came: None, touched: false, differs });
            }
        };
        let (row, scenes) = store::rows(log, job_id).await.map_err(database)?;
        let differs = told.differs(known, row.as_ref(), &scenes);
        let came = Some(came::told(&told.came));
        Ok(pb::ImportedJob { job_id, came, touched: told.touched, differs: differs.unwrap_or_default() })
    }
}

/// What the log tells of a job that came.
struct Told {
    came: JobImported,
    now: Snapshot,
    touched: bool,
}

impl Told {
    fn of(stored: &[StoredEvent]) -> anyhow::Result<Self> {
        let (mut came, mut touched) = (None, false);
        for event in stored {
            match events::read(event)? {
                JobEvent::JobImported(newest) => came = Some(*newest),
                _ => touched = true,
            }
        }
        let now = fold(None, stored)?;
        match (came, now) {
            (Some(came), Some(now)) => Ok(Self { came, now, touched }),
            _ => anyhow::bail!("it says nothing of its coming"),
        }
    }

    /// The first thing that a row says differently.
    fn differs(&self, known: &Known, row: Option<&Row>, scenes: &[Row]) -> Option<String> {
        let Some(row) = row else { return Some("the row in job is missing".to_owned()) };
        let of_origin = (known.digest != self.came.origin.digest || known.legacy_id != self.came.legacy_id)
            .then(|| "the row in imported names another digest or number than the log".to_owned());
        of_origin.or_else(|| self.job_differs(row)).or_else(|| self.scenes_differ(scenes))
    }

    fn job_differs(&self, row: &Row) -> Option<String> {
        let (job, version) = (&self.now.job, self.now.version);
        let is_playable = store::is_playable(job);
        [
            differs::<String>(row, "campaign_id", &job.campaign_id),
            differs(row, "number", &self.came.number),
            client_differs(row, job.client_id.as_deref()),
            differs::<String>(row, "kind", &job.kind.as_str().to_owned()),
            differs::<String>(row, "status", &job.status.as_str().to_owned()),
            differs(row, "playable", &is_playable),
            differs(row, "unfinished", &view::is_due(job)),
            differs::<String>(row, "video_name", &job.video_name),
            differs(row, "version", &version),
            differs(row, "shown_version", &version),
            time_differs(row, "created_at", job.created_at_ms),
            time_differs(row, "updated_at", job.updated_at_ms),
            differs(row, "spent_micros", &view::actual_cost_micros(job)),
        ]
        .into_iter()
        .flatten()
        .next()
        .map(|what| format!("in the row of job, {what}"))
    }

    fn scenes_differ(&self, rows: &[Row]) -> Option<String> {
        let job = &self.now.job;
        let row_of =
            |id: &str| rows.iter().find(|row| row.get::<String>("id").is_ok_and(|found| found == id));
        for scene in &job.scenes {
            let id = &scene.spec.id;
            let Some(row) = row_of(id) else { return Some(format!("the row of scene {id} is missing")) };
            let status = view::scene_status(job, scene).as_str().to_owned();
            let what = differs(row, "place", &scene.spec.index).or_else(|| differs(row, "status", &status));
            if let Some(what) = what {
                return Some(format!("in the row of scene {id}, {what}"));
            }
        }
        let strange = rows.len() != job.scenes.len();
        strange.then(|| format!("there are {} rows of scenes, the log has {}", rows.len(), job.scenes.len()))
    }
}

fn differs<T: FromValue + PartialEq + Display>(row: &Row, column: &str, wanted: &T) -> Option<String> {
    match row.get::<T>(column) {
        Ok(found) if found == *wanted => None,
        Ok(found) => Some(format!("{column} is {found}, by the log it is {wanted}")),
        Err(error) => Some(error.to_string()),
    }
}

fn client_differs(row: &Row, wanted: Option<&str>) -> Option<String> {
    match row.get::<Option<String>>("client_id") {
        Ok(found) if found.as_deref() == wanted => None,
        Ok(found) => {
            let (found, wanted) = (found.unwrap_or_default(), wanted.unwrap_or_default());
            Some(format!("client_id is {found:?}, by the log it is {wanted:?}"))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// What is shown of a time counts, not what is below it.
fn time_differs(row: &Row, column: &str, wanted_ms: i64) -> Option<String> {
    match row.get::<Timestamp>(column) {
        Ok(found) if found.as_millisecond() == wanted_ms => None,
        Ok(found) => {
            let wanted = Timestamp::from_millisecond(wanted_ms).unwrap_or_default();
            Some(format!("{column} is {found}, by the log it is {wanted}"))
        }
        Err(error) => Some(error.to_string()),
    }
}
