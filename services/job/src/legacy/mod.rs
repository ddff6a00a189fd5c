//! Bringing over the jobs of older databases.
//!
//! A job that is over becomes a stream that begins with `JobImported`, with its rows and what is known of its origin in the
//! same append. It keeps its number when that is free. The same row again finds what it became.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `mod` | [`Legacy`]: bringing one job over |
//! | `came` | a message as the domain's fact, and back to the letter |
//! | `list` | what came, and whether the tables say so too |
//! | `grpc` | `LegacyService` |

mod came;
pub mod grpc;
mod list;

use std::sync::Arc;

use eventlog::{AppendError, Log};
use job_domain::{Command, JobEvent, JobId, JobImported, Refusal, decide, keys, view};
use kit::{Clock, ServiceError};
use protos::{
    common::v1::{ImportOutcome, ImportResult},
    job::v1::{ImportJobReply, LegacyJob},
};

use crate::{
    app::{App, DECISIONS, Done, Remember, crowded},
    error::{database, refused},
    events::{self, Origin},
    store::{self, Known},
};

/// Numbers above leave too few for jobs to come: their jobs get the next free one.
const HIGHEST_KEPT: i32 = 1_000_000_000;

/// Brings over jobs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Legacy {
    app: Arc<App>,
}

/// Brings over jobs into a database that no service has open: nothing is run, heard or published here.
#[must_use]
pub fn open(log: Log, clock: Clock) -> Legacy {
    Legacy::new(Arc::new(App::new(log, clock)))
}

impl Legacy {
    /// Brings over jobs beside the others of `app`.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Brings over one job that is over, unless its row was brought over before. Why it is not brought over, where that is
    /// up to the job, is in the reply.
    ///
    /// # Errors
    /// The database failed.
    pub async fn import(&self, job: LegacyJob) -> Result<ImportJobReply, ServiceError> {
        self.import_leaving(job, 0).await
    }

    /// The same, where a job whose number is taken gets one above `up_to`: those up to there are of other jobs of the
    /// source, which could not keep them if it got the next one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn import_leaving(&self, job: LegacyJob, up_to: JobId) -> Result<ImportJobReply, ServiceError> {
        self.bring(job, up_to).await.map_err(|error| error.or_no_space("job"))
    }

    async fn bring(&self, job: LegacyJob, up_to: JobId) -> Result<ImportJobReply, ServiceError> {
        let came = match came::read(job) {
            Ok(came) => came,
            Err(reason) => return Ok(reply(ImportOutcome::Refused, None, reason)),
        };
        // What is wrong with it is wrong under any number, and is no question to the database.
        if let Err(refusal) = begun(JobImported { job: 1, ..came.clone() }) {
            return Ok(reply(ImportOutcome::Refused, None, why(&refusal)));
        }
        let _turn = self.app.creating().await;
        for _ in 0..DECISIONS {
            if let Some(reply) = self.settled(&came).await? {
                return Ok(reply);
            }
            let came = self.placed(came.clone(), up_to).await?;
            let (id, number, legacy_id) = (came.job, came.number, came.legacy_id);
            let row = store::brought_over(&came, &keys::stream(id));
            let decided = begun(came).map_err(|refusal| refused(&refusal))?;
            let stored =
                self.app.first_append(id, number, &decided, &Origin::import(), nothing(), vec![row]).await;
            match stored {
                Ok(_) => return Ok(reply(ImportOutcome::Imported, Some(id), renumbered(id, legacy_id))),
                // Another process took the id or the number, or brought over the same row.
                Err(AppendError::Conflict { .. } | AppendError::Constraint(_)) => {}
                Err(error) => return Err(ServiceError::internal(error)),
            }
        }
        Err(crowded())
    }

    /// What it comes to when nothing new is to be stored.
    async fn settled(&self, came: &JobImported) -> Result<Option<ImportJobReply>, ServiceError> {
        if let Some(known) = store::known(self.app.log(), &came.origin).await.map_err(database)? {
            return self.again(known, came).await.map(Some);
        }
        let scenes: Vec<&str> = came.scenes.iter().map(|scene| scene.id.as_str()).collect();
        let held = store::held(self.app.log(), &scenes).await.map_err(database)?;
        let Some((scene, job)) = held else { return Ok(None) };
        // Another process may have brought over this very row between the two questions.
        if let Some(known) = store::known(self.app.log(), &came.origin).await.map_err(database)? {
            return self.again(known, came).await.map(Some);
        }
        let reason = format!("scene {scene} belongs to job {job} here, which does not come from this row");
        Ok(Some(reply(ImportOutcome::Taken, None, reason)))
    }

    /// The row once more: it may have bytes now that it did not have, also such that its own content shows.
    async fn again(&self, known: Known, came: &JobImported) -> Result<ImportJobReply, ServiceError> {
        let id = known.job;
        let mut is_same = known.digest == came.origin.digest;
        if !is_same {
            let before = self.as_it_came(id).await?;
            // Somebody may have completed it a moment ago.
            is_same = before.as_ref().is_some_and(|before| before.origin.digest == came.origin.digest);
            if !is_same && !before.is_some_and(|before| came.is_more_of(&before)) {
                return Ok(changed(id));
            }
        }
        let before = self.app.get(id).await?;
        let number = before.job.imported.as_ref().map_or(0, |imported| imported.number);
        let came = JobImported { job: id, number, ..came.clone() };
        let command = Command::Import(Box::new(came));
        let after = self.app.carry_out(id, &command, &Origin::import(), nothing()).await?;
        let has_more = matches!(after, Done::Now(after) if after.version > before.version);
        let outcome = match (has_more, is_same) {
            (true, _) => ImportOutcome::Completed,
            (false, true) => ImportOutcome::Already,
            // What it has more is nothing that the job shows.
            (false, false) => return Ok(changed(id)),
        };
        Ok(reply(outcome, Some(id), renumbered(id, known.legacy_id)))
    }

    /// The job as it came, with what was found later.
    async fn as_it_came(&self, id: JobId) -> Result<Option<JobImported>, ServiceError> {
        let stored = self.app.log().load(&keys::stream(id), 0).await.map_err(database)?;
        for event in stored.iter().rev() {
            if let JobEvent::JobImported(came) = events::read(event).map_err(ServiceError::internal)? {
                return Ok(Some(*came));
            }
        }
        Ok(None)
    }

    /// The job with a number of its own, and one among the videos of its campaign.
    async fn placed(&self, mut came: JobImported, up_to: JobId) -> Result<JobImported, ServiceError> {
        let (log, legacy_id) = (self.app.log(), came.legacy_id);
        let keeps = (1..=HIGHEST_KEPT).contains(&legacy_id);
        came.job = match keeps && store::is_free(log, legacy_id).await.map_err(database)? {
            true => legacy_id,
            false => store::next_id(log).await.map_err(database)?.max(up_to.clamp(0, HIGHEST_KEPT) + 1),
        };
        let campaign = &came.campaign_id;
        let named = number_in_name(&came.campaign_name, &came.video_name);
        let free = match named {
            Some(number) => store::is_free_number(log, campaign, number).await.map_err(database)?,
            None => false,
        };
        came.number = match named.filter(|_| free) {
            Some(number) => number,
            None => store::campaign_number(log, campaign).await.map_err(database)?,
        };
        Ok(came)
    }
}

/// The number that a video's name ends in, when it is the name that the campaign's video of that number has.
fn number_in_name(campaign_name: &str, video_name: &str) -> Option<u32> {
    let (_, last) = video_name.rsplit_once(' ')?;
    let number = last.parse::<u32>().ok().filter(|number| (1..1_000_000).contains(number))?;
    (view::video_name(campaign_name, number.into()) == video_name).then_some(number)
}

fn begun(came: JobImported) -> Result<Vec<JobEvent>, Refusal> {
    decide(None, Command::Import(Box::new(came)))
}

fn changed(id: JobId) -> ImportJobReply {
    let reason = format!("its row has another content than when it came; job {id} stays as it is");
    reply(ImportOutcome::Changed, Some(id), reason)
}

fn renumbered(id: JobId, legacy_id: JobId) -> String {
    if id == legacy_id {
        String::new()
    } else if legacy_id > HIGHEST_KEPT {
        format!("number {legacy_id} leaves too few above it for jobs to come: it is {id} here")
    } else {
        format!("number {legacy_id} was taken: it is {id} here")
    }
}

fn reply(outcome: ImportOutcome, id: Option<JobId>, reason: String) -> ImportJobReply {
    let text = id.map(|id| id.to_string()).unwrap_or_default();
    let result = ImportResult { outcome: outcome.into(), id: text, reason };
    ImportJobReply { result: Some(result), job_id: id.unwrap_or_default() }
}

/// Each field that is wrong, with what is wrong with it.
fn why(refusal: &Refusal) -> String {
    let fields = refusal.violations().iter().map(|wrong| format!("{} {}", wrong.field, wrong.message));
    let fields: Vec<String> = fields.collect();
    if fields.is_empty() { refusal.text() } else { fields.join("; ") }
}

/// An import is known by its origin: no reply is kept for it.
fn nothing() -> Remember<'static> {
    Remember { id: "", digest: "", reply: |_| Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_number_only_as_the_campaigns_own_names_have() {
        for (campaign, video, number) in [
            ("Spring", "Spring 7", Some(7)),
            ("", "Video 12", Some(12)),
            ("Spring 2024", "Spring 2024 3", Some(3)),
            ("Spring", "Autumn 7", None),
            ("Spring", "Spring 07", None),
            ("Spring", "Spring 0", None),
            ("Spring", "Spring +7", None),
            ("Spring", "Spring 99999999999", None),
            ("Spring", "Spring", None),
            ("Spring 7", "Spring 7", None),
        ] {
            assert_eq!(number_in_name(campaign, video), number, "{campaign:?} {video:?}");
        }
    }
}
