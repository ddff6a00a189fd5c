//! The numbers about unfinished jobs, and about those that end.

use std::time::Duration;

use eventlog::{Log, LogError};
use job_domain::{Job, JobStatus, Outcome};
use kit::{Clock, work::every_second};
use telemetry::{
    KeyValue,
    metrics::{JOB_DURATION, JOBS_ENDED, JOBS_STALLED, JOBS_UNFINISHED, OLDEST_UNFINISHED_AGE, key},
};
use tokio_util::sync::CancellationToken;

use crate::store::{self, Waiting};

/// Tells how many jobs are unfinished and stalled and how old the oldest is, until `cancel`. Every process tells the same.
///
/// # Errors
/// Never; while the database is away the numbers stay as they were.
pub async fn tell(log: Log, clock: Clock, cancel: CancellationToken) -> anyhow::Result<()> {
    let look = async || {
        store::overview(&log).await?.iter().for_each(|waiting| show(waiting, &clock));
        store::backlog(&log, clock.now()).await?.tell("job");
        Ok::<_, LogError>(())
    };
    every_second(&cancel, look).await;
    Ok(())
}

fn show(waiting: &Waiting, clock: &Clock) {
    let of = [KeyValue::new(key::OWNER, waiting.owner.as_str())];
    JOBS_UNFINISHED.set_count(waiting.unfinished, &of);
    JOBS_STALLED.set_count(waiting.stalled, &of);
    OLDEST_UNFINISHED_AGE.set(waiting.age(clock.now()).as_secs_f64(), &of);
}

/// Tells that a job ended, if what was just stored ended it.
pub fn ended(before: &Job, after: &Job) {
    if let Some((outcome, took)) = end(before, after) {
        let of = [KeyValue::new(key::OUTCOME, outcome)];
        JOBS_ENDED.add(1, &of);
        if let Some(took) = took {
            JOB_DURATION.took(took, &of);
        }
    }
}

/// How a job ended and how long that took from its approval, if it ended between the two. One that was taken up again
/// after a failure took no time that says anything.
fn end(before: &Job, after: &Job) -> Option<(&'static str, Option<Duration>)> {
    if before.status.is_terminal() {
        return None;
    }
    let outcome = match (after.status, after.outcome) {
        (JobStatus::Completed, Some(Outcome::Partial)) => "partial",
        (JobStatus::Completed, _) => "complete",
        (JobStatus::Failed, _) => "failed",
        (JobStatus::Canceled, _) => "canceled",
        (JobStatus::Pending | JobStatus::Approved | JobStatus::Processing, _) => return None,
    };
    let approved = after.approved_at_ms.filter(|_| after.cuts <= 1);
    let took = approved.and_then(|at_ms| u64::try_from(after.updated_at_ms - at_ms).ok());
    Some((outcome, took.map(Duration::from_millis)))
}

#[cfg(test)]
mod tests {
    use job_domain::{Command, JobCreated, JobEvent, JobTerms, carry_out, evolve, state::JobKind};
    use serde_json::Map;

    use super::*;

    /// A job that was made at second 0.
    fn job() -> Job {
        let created = JobCreated {
            job: 43,
            job_kind: JobKind::ImagePairs,
            campaign_id: "spring".to_owned(),
            campaign_name: "Spring".to_owned(),
            client_id: None,
            video_name: "Spring 1".to_owned(),
            model: "veo3".to_owned(),
            price_micros_per_second: 200_000,
            aspect_ratio: None,
            resolution: None,
            scene_count: 0,
            estimate_micros: 0,
            total_assets: 2,
            soundtrack: true,
            music_prompt: None,
            parameters: Map::new(),
            terms: JobTerms::default(),
        };
        evolve(None, &JobEvent::JobCreated(Box::new(created)), 0).unwrap()
    }

    #[test]
    fn an_end_is_told_once_with_the_time_since_the_approval() {
        let before = job();
        let mut canceled = before.clone();
        carry_out(&mut canceled, Command::Cancel { reason: None }, 9_000).unwrap();
        assert_eq!(end(&before, &canceled), Some(("canceled", None)), "it was never approved");
        assert_eq!(end(&canceled, &canceled), None, "it had ended before");
        assert_eq!(end(&before, &before), None);
        let under_way = Job { approved_at_ms: Some(2_000), status: JobStatus::Processing, ..before };
        let failed = Job { status: JobStatus::Failed, updated_at_ms: 9_000, cuts: 1, ..under_way.clone() };
        assert_eq!(end(&under_way, &failed), Some(("failed", Some(Duration::from_secs(7)))));
        let done = |outcome| Job { status: JobStatus::Completed, outcome, cuts: 2, ..failed.clone() };
        assert_eq!(end(&under_way, &done(Some(Outcome::Partial))), Some(("partial", None)), "taken up again");
        assert_eq!(end(&under_way, &done(Some(Outcome::Full))), Some(("complete", None)));
    }
}
