//! What a run came to, as markdown.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    time::Duration,
};

use stack::{Ending, Server, Service};

use super::{
    boundaries::Boundary,
    jobs::{Kind, Outcome},
};

/// Disturbances, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    processes: BTreeMap<(&'static str, Service), usize>,
    servers: BTreeMap<(Server, Ending), usize>,
    /// Asked for by the plan and not possible at that moment.
    pub(super) skipped: usize,
}

impl Tally {
    pub(super) fn add(&mut self, what: &'static str, service: Service) {
        *self.processes.entry((what, service)).or_default() += 1;
    }

    pub(super) fn server(&mut self, server: Server, how: Ending) {
        *self.servers.entry((server, how)).or_default() += 1;
    }

    /// How often that happened to processes of any kind.
    pub(super) fn of(&self, what: &str) -> usize {
        self.processes.iter().filter(|((happened, _), _)| *happened == what).map(|(_, count)| count).sum()
    }

    /// How often a server was restarted.
    pub(super) fn restarts(&self, server: Server) -> usize {
        self.servers.iter().filter(|((restarted, _), _)| *restarted == server).map(|(_, count)| count).sum()
    }
}

/// What was bought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bought {
    /// Predictions that the providers took on.
    pub(super) predictions: usize,
    /// Those that cost money.
    pub(super) charged: usize,
    /// Takes and segments of music that they were for.
    pub(super) takes: usize,
    /// The most that one of them was charged.
    pub(super) most_per_take: usize,
    /// The most renders under way at one moment.
    pub(super) most_videos: u64,
    /// The most tracks.
    pub(super) most_tracks: u64,
}

/// A run from its end.
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) took: Duration,
    /// How long the processes were disturbed.
    pub(super) disturbed: Duration,
    /// From the last disturbance until every job was over.
    pub(super) calmed: Duration,
    pub(super) tally: Tally,
    pub(super) jobs: BTreeMap<(Kind, Option<Outcome>), usize>,
    pub(super) bought: Bought,
    /// Messages in the log and in the stream of each service.
    pub(super) published: BTreeMap<Service, (u64, u64)>,
    /// How often each boundary was a kill point.
    pub(super) boundaries: Vec<(Boundary, usize)>,
    pub(super) wrong: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs: usize = self.jobs.values().sum();
        let points = self.boundaries.iter().filter(|(_, kills)| *kills > 0).count();
        writeln!(f, "# Chaos, seed {}\n", self.seed)?;
        writeln!(
            f,
            "{jobs} jobs in {:.0} s, disturbed for {:.0} s of it; all of them were over {:.0} s after the last disturbance.\n\
             Two replicas of each of six kinds of process, on one PostgreSQL, one NATS and one S3 server.\n",
            self.took.as_secs_f64(),
            self.disturbed.as_secs_f64(),
            self.calmed.as_secs_f64()
        )?;
        let verdict = match self.wrong.len() {
            0 => "Nothing was wrong.".to_owned(),
            count => format!("**{count} things were wrong**; they are listed at the end."),
        };
        writeln!(f, "{verdict}\n\n## Disturbances\n")?;
        self.disturbances(f)?;
        writeln!(f, "\n## Jobs\n\n| what was done to it | how it ended | jobs |\n| --- | --- | --- |")?;
        for ((kind, outcome), count) in &self.jobs {
            let outcome = outcome.map_or_else(|| "not at all".to_owned(), |outcome| format!("{outcome:?}"));
            writeln!(f, "| {kind:?} | {outcome} | {count} |")?;
        }
        let Bought { predictions, charged, takes, most_per_take, most_videos, most_tracks } = self.bought;
        writeln!(
            f,
            "\n## Money\n\n{predictions} predictions were taken on for {takes} takes and segments of music; {charged} were \
             charged, at most {most_per_take} for one take. At most {most_videos} renders (10 are allowed) and {most_tracks} \
             tracks (2 are allowed) were under way at one moment.\n\n## Events\n\n\
             | service | published by its log | on its stream |\n| --- | --- | --- |"
        )?;
        for (service, (logged, streamed)) in &self.published {
            writeln!(f, "| {service} | {logged} | {streamed} |")?;
        }
        writeln!(
            f,
            "\n## Boundaries\n\n{points} of {} boundaries were the point at which a process was killed.\n\n\
             | service | boundary | killed there |\n| --- | --- | --- |",
            self.boundaries.len()
        )?;
        for ((service, name), kills) in &self.boundaries {
            writeln!(f, "| {service} | `{name}` | {kills} |")?;
        }
        if !self.wrong.is_empty() {
            let mut listed = String::new();
            self.wrong.iter().try_for_each(|wrong| writeln!(listed, "- {}", wrong.replace('\n', "\n  ")))?;
            write!(f, "\n## Wrong\n\n{listed}")?;
        }
        Ok(())
    }
}

impl Report {
    fn disturbances(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WHAT: [&str; 5] = ["started", "killed at random", "killed at a boundary", "paused", "replaced"];
        writeln!(f, "| process | {} |\n| --- | --- | --- | --- | --- | --- |", WHAT.join(" | "))?;
        let count = |what, service| self.tally.processes.get(&(what, service)).copied().unwrap_or_default();
        for service in Service::ALL {
            let counts = WHAT.map(|what| count(what, service).to_string());
            writeln!(f, "| {service} | {} |", counts.join(" | "))?;
        }
        writeln!(f, "\n| server | crashed | restarted in order |\n| --- | --- | --- |")?;
        let count = |server, how| self.tally.servers.get(&(server, how)).copied().unwrap_or_default();
        for server in [Server::Postgres, Server::Nats, Server::S3] {
            writeln!(
                f,
                "| {server} | {} | {} |",
                count(server, Ending::Crash),
                count(server, Ending::Orderly)
            )?;
        }
        writeln!(f, "\n{} more were planned and not possible at their moment.", self.tally.skipped)
    }
}
