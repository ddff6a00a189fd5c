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

/// What every run does, for who reads a report first.
const ABOUT: &str = "\
People make videos while everything below them is broken again and again. Two replicas of each of the six kinds of
process run on one PostgreSQL, one NATS and one S3 server, with stand-in providers in a process of their own. People
come and go through any gateway, and repeat under the same key whatever got no answer.

What is done to it:

- Processes are killed (SIGKILL) at random, and at every *boundary*: a point between something that is done and
  somebody who knows it, such as an append that is durable while its caller has not heard. A process that starts is
  told all boundaries where none was killed yet, and kills itself at the first one that it comes to.
- Others stand still (SIGSTOP) for longer than their leases, or are told to stop after a new replica has worked beside
  them.
- PostgreSQL and NATS crash or are restarted in order, S3 crashes; ffmpeg is killed while it joins clips.
- The providers refuse rooms, answer 429 and 5xx, take a purchase on and drop the connection or answer late, break
  downloads off, send webhooks twice, forged or in the wrong order. Of the processes that buy, half have a public address and get webhooks;
  the others upload and poll.
- People cancel before, during and late in a job; clips and soundtracks vanish from the object store.

What is checked when it is over:

- Every job has ended, as what was done to it allows.
- The providers' own ledger: nobody paid twice for a take or a segment of music, nothing was bought that was not
  recorded before, each job paid for what it shows, nothing goes on that nobody waits for.
- Never were more than 10 renders or 2 tracks under way at one moment, over all replicas.
- Each log counts without a gap, and what a service published is on its stream exactly as its log has it: the same
  set, in order for each entity.
- No process ended in any other way than by the hand of this run, and each stopped when it was told to.

The same seed makes the same plan and the same jobs; when what happens differs with the machine. To repeat it:
";

/// Disturbances, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    processes: BTreeMap<(&'static str, Service), usize>,
    servers: BTreeMap<(Server, Ending), usize>,
    /// Runs of ffmpeg that were killed while they made a cut or a mix, or will be.
    pub(super) ffmpeg: usize,
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
    /// How long it was to go on; none for one round of the plan.
    pub(super) asked: Option<Duration>,
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
        let points = self.boundaries.iter().filter(|(_, kills)| *kills > 0).count();
        writeln!(f, "# Chaos, seed {}\n\n{ABOUT}", self.seed)?;
        let minutes = self.asked.map(|time| format!(" --minutes {}", time.as_secs_f64() / 60.0));
        writeln!(
            f,
            "\n```sh\ncargo xtask chaos --seed {}{} --report FILE\n```\n",
            self.seed,
            minutes.unwrap_or_default()
        )?;
        let jobs: usize = self.jobs.values().sum();
        writeln!(
            f,
            "{jobs} jobs in {:.0} s, disturbed for {:.0} s of it; all of them were over {:.0} s after the last disturbance.\n",
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
        writeln!(f, "\n{} runs of ffmpeg were killed while they made a cut or a mix.", self.tally.ffmpeg)?;
        writeln!(f, "\n{} more were planned and not possible at their moment.", self.tally.skipped)
    }
}
