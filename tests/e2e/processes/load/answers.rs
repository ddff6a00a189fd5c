//! What became of the requests.

use std::{collections::BTreeMap, time::Duration};

use super::mix::Asks;

/// Failures that are quoted.
const QUOTED: usize = 20;

/// What a write made.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// A client of this name.
    Client(String),
    /// An asset of this id.
    Asset(String),
    /// A job of this number.
    Job(i64),
}

/// One request that is over.
pub(super) struct Answered {
    pub(super) asks: Asks,
    /// When the answer was there, since the load began.
    pub(super) planned: Duration,
    /// Since the planned moment.
    pub(super) latency: Duration,
    /// What it made, if anything; or what was wrong with its answer.
    pub(super) outcome: Result<Option<Made>, String>,
}

/// All that is over.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) took: Duration,
    latencies: BTreeMap<Asks, Vec<Duration>>,
    made: Vec<Made>,
    failures: Vec<String>,
}

impl Answers {
    pub(super) fn add(&mut self, answered: Answered) {
        let Answered { asks, planned, latency, outcome } = answered;
        self.latencies.entry(asks).or_default().push(latency);
        match outcome {
            Ok(made) => self.made.extend(made),
            Err(wrong) => self.failures.push(format!(
                "{asks:?}, answered at {:.1} s after {} ms: {wrong}",
                planned.as_secs_f64(),
                latency.as_millis()
            )),
        }
    }

    /// Whether nine of ten were answered within this time.
    pub(super) fn nine_of_ten_within(&self, time: Duration) -> bool {
        let (mut within, mut all) = (0, 0);
        for latency in self.latencies.values().flatten() {
            within += usize::from(*latency <= time);
            all += 1;
        }
        within * 10 >= all * 9
    }

    /// Takes over what those made; their latencies are dropped.
    pub(super) fn take_made(&mut self, other: Self) {
        self.made.extend(other.made);
        self.failures.extend(other.failures);
    }

    /// What was wrong with the first ones that failed.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures[..self.failures.len().min(QUOTED)]
    }

    /// The names of the clients that were made.
    pub(super) fn clients(&self) -> Vec<String> {
        let name = |made: &Made| if let Made::Client(name) = made { Some(name.clone()) } else { None };
        self.made.iter().filter_map(name).collect()
    }

    /// The assets that were made.
    pub(super) fn assets(&self) -> Vec<String> {
        let id = |made: &Made| if let Made::Asset(id) = made { Some(id.clone()) } else { None };
        self.made.iter().filter_map(id).collect()
    }

    /// The jobs that were made and approved.
    pub(super) fn jobs(&self) -> Vec<i64> {
        let job = |made: &Made| if let Made::Job(job) = made { Some(*job) } else { None };
        self.made.iter().filter_map(job).collect()
    }

    /// How long they took, for a person.
    #[allow(clippy::print_stderr, reason = "numbers to look at; nothing depends on them")]
    pub(super) fn print(&self, rate: u32) {
        let total: usize = self.latencies.values().map(Vec::len).sum();
        let seconds = self.took.as_secs_f64();
        eprintln!("{rate} requests a second, {total} in {seconds:.1} s, {} failed", self.failures.len());
        for (asks, latencies) in &self.latencies {
            let mut sorted = latencies.clone();
            sorted.sort_unstable();
            let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100].as_millis();
            let name = format!("{asks:?}");
            eprintln!(
                "{name:>12} {:>6}  p50 {:>5} ms  p99 {:>5} ms  max {:>5} ms",
                sorted.len(),
                at(50),
                at(99),
                at(100)
            );
        }
    }
}
