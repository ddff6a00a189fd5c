//! What jobs cost: processor time, commits, events.

use std::ops::Sub;

use crate::series::Series;

/// What was used up to a moment, or between two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Processor time of the job service, milliseconds.
    pub(crate) service_ms: f64,
    /// That of the rest of the process: the stand-ins with their logs, the caller, the reader.
    pub(crate) bench_ms: f64,
    /// That of PostgreSQL and NATS.
    pub(crate) servers_ms: f64,
    /// Of the job service's log.
    pub(crate) commits: u64,
    pub(crate) events: u64,
    /// Of the stand-ins' logs.
    pub(crate) worker_commits: u64,
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            service_ms: self.service_ms - before.service_ms,
            bench_ms: self.bench_ms - before.bench_ms,
            servers_ms: self.servers_ms - before.servers_ms,
            commits: self.commits - before.commits,
            events: self.events - before.events,
            worker_commits: self.worker_commits - before.worker_commits,
        }
    }
}

/// What one job cost, over several runs.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    pub(crate) service_ms: Series,
    pub(crate) bench_ms: Series,
    pub(crate) servers_ms: Series,
    pub(crate) commits: Series,
    pub(crate) events: Series,
    pub(crate) worker_commits: Series,
    pub(crate) events_per_commit: Series,
}

impl Costs {
    /// One run of so many jobs.
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub(crate) fn push(&mut self, used: Usage, jobs: usize) {
        let jobs = jobs as f64;
        self.service_ms.push(used.service_ms / jobs);
        self.bench_ms.push(used.bench_ms / jobs);
        self.servers_ms.push(used.servers_ms / jobs);
        self.commits.push(used.commits as f64 / jobs);
        self.events.push(used.events as f64 / jobs);
        self.worker_commits.push(used.worker_commits as f64 / jobs);
        self.events_per_commit.push(used.events as f64 / used.commits.max(1) as f64);
    }
}
