//! The tables of the pipeline, with what is aimed at.

use std::time::Duration;

use super::{
    Told, medians,
    moments::Parts,
    place::Place,
    usage::{Costs, Usage},
};
use crate::{
    series::Series,
    table::{Table, verdict},
};

/// Milliseconds that one job may cost.
fn whole_aim(place: Place) -> f64 {
    match place {
        Place::Standalone => 10.0,
        Place::Scaled => 40.0,
    }
}

/// Jobs a second in one process.
const RATE_AIM: f64 = 300.0;

/// Jobs one after the other: each figure is the middle of one run.
#[derive(Debug, Default)]
pub(super) struct OneJob {
    runs: Vec<Parts>,
    /// Of every job of every run.
    all: Series,
    costs: Costs,
    /// Commits that one waits for after the other at most, times a sync of the disk in the same run.
    syncs_ms: Series,
}

impl OneJob {
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub(super) fn push(&mut self, parts: &[Parts], used: Usage, sync_ms: f64) {
        self.runs.push(medians(parts));
        parts.iter().for_each(|parts| self.all.push(parts.whole));
        self.costs.push(used, parts.len());
        self.syncs_ms.push((used.commits + used.worker_commits) as f64 / parts.len() as f64 * sync_ms);
    }

    fn of(&self, part: impl Fn(&Parts) -> f64) -> Series {
        self.runs.iter().map(part).collect()
    }
}

/// Two tables of one job at a time: how long it takes, and what that is made of.
pub(super) struct OneJobTables(Table, Table);

pub(super) fn one_job() -> OneJobTables {
    let times = Table::new(&[
        "where",
        "results told",
        "approved → all scenes requested, ms",
        "last scene done → cut requested, ms",
        "cut and sound done → mix requested, ms",
        "mix done → completed, ms",
        "approved → completed, ms",
        "95 % of all jobs below",
        "aim",
        "",
    ]);
    let costs = Table::new(&[
        "where",
        "results told",
        "commits of the job's log",
        "of the workers' logs",
        "all these commits × the disk's sync, ms",
        "events",
        "processor time of the job service, ms",
        "of the stand-ins and the caller, ms",
        "of the servers, ms",
    ]);
    OneJobTables(times, costs)
}

impl OneJobTables {
    pub(super) fn measured(&mut self, place: Place, told: Told, job: &OneJob) {
        let (whole, aim) = (job.of(|parts| parts.whole), whole_aim(place));
        self.0.row(vec![
            place.name().to_owned(),
            told.name().to_owned(),
            job.of(|parts| parts.to_all_requested).to_string(),
            job.of(|parts| parts.to_cut_requested).to_string(),
            job.of(|parts| parts.to_mix_requested).to_string(),
            job.of(|parts| parts.to_completed).to_string(),
            whole.to_string(),
            format!("{:.1}", job.all.quantile(0.95)),
            format!("≤ {aim:.0} ms"),
            verdict(whole.median() <= aim),
        ]);
        self.1.row(vec![
            place.name().to_owned(),
            told.name().to_owned(),
            job.costs.commits.to_string(),
            job.costs.worker_commits.to_string(),
            job.syncs_ms.to_string(),
            format!("{:.1}", job.costs.events.median()),
            job.costs.service_ms.to_string(),
            job.costs.bench_ms.to_string(),
            job.costs.servers_ms.to_string(),
        ]);
    }

    pub(super) fn print(&self) {
        self.0.print("One job of ten scenes at a time; the providers take no time");
        self.1.print("What that is made of, for one job");
    }
}

/// Jobs that ran at one time, over several runs.
#[derive(Debug, Default)]
pub(super) struct Burst {
    jobs_per_second: Series,
    costs: Costs,
    /// Processors that were busy, of all there are.
    busy: Series,
}

impl Burst {
    #[allow(clippy::cast_precision_loss, reason = "rates")]
    pub(super) fn push(&mut self, took: Duration, used: Usage, jobs: usize) {
        self.jobs_per_second.push(jobs as f64 / took.as_secs_f64());
        self.costs.push(used, jobs);
        let cpu_ms = used.service_ms + used.bench_ms + used.servers_ms;
        self.busy.push(cpu_ms / (took.as_secs_f64() * 1000.0));
    }
}

/// A table of jobs at one time.
pub(super) struct ManyJobs(Table, usize);

pub(super) fn many_jobs(burst: usize) -> ManyJobs {
    let head = [
        "where",
        "results told",
        "jobs/s",
        "aim",
        "",
        "events per commit (job log)",
        "commits (job log)",
        "processor time of the job service, ms",
        "of the stand-ins and the callers, ms",
        "of the servers, ms",
        "processors busy",
    ];
    ManyJobs(Table::new(&head), burst)
}

impl ManyJobs {
    pub(super) fn measured(&mut self, place: Place, told: Told, burst: &Burst) {
        let (aim, met) = match place {
            Place::Standalone => {
                (format!("≥ {RATE_AIM:.0} jobs/s"), verdict(burst.jobs_per_second.median() >= RATE_AIM))
            }
            Place::Scaled => (String::new(), String::new()),
        };
        self.0.row(vec![
            place.name().to_owned(),
            told.name().to_owned(),
            burst.jobs_per_second.to_string(),
            aim,
            met,
            burst.costs.events_per_commit.to_string(),
            burst.costs.commits.to_string(),
            burst.costs.service_ms.to_string(),
            burst.costs.bench_ms.to_string(),
            burst.costs.servers_ms.to_string(),
            burst.busy.to_string(),
        ]);
    }

    pub(super) fn print(&self) {
        self.0.print(&format!("{} jobs of ten scenes at once; costs are for one job", self.1));
    }
}
