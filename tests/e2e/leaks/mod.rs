//! Nothing grows with the number of jobs: memory, handles, children, files in scratch, leases, slots.
//!
//! A few jobs by default. `FILMSTRIP_LEAKS_JOBS` says how many, `FILMSTRIP_LEAKS_AT_ONCE` how many at a time, and
//! the table is added to the file that `FILMSTRIP_LEAKS_REPORT` names.

mod held;
mod report;
mod standalone;
mod usage;

use std::{path::PathBuf, str::FromStr, time::Duration};

use filmstrip::client::{Client, is_over};
use futures::{StreamExt as _, stream};

pub(crate) use held::Held;
pub(crate) use report::Report;

use crate::world::{approved_job, pause, until_at_any};
use held::Counts;
use usage::Usage;

/// For one job among others, and for everything to come to rest: idle connections of a pool are closed after 90 s.
const PATIENCE: Duration = Duration::from_mins(5);
/// Looks at the processes while jobs go by.
const LOOKS: u64 = 8;
/// Pools are bounded, and how full one is differs from look to look: by so many handles a process may differ.
/// Measured: 16 more at most over 200 jobs, and over 560 with less kept.
const SPARE_HANDLES: u64 = 24;
/// After so many jobs everything is full that keeps something of the last ones.
const KEPT_JOBS: u64 = 550;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Jobs before the first look: caches fill, pools open what they keep.
    pub(crate) warm_up: u64,
    /// Jobs that are looked at.
    pub(crate) jobs: u64,
    pub(crate) at_once: usize,
}

impl Effort {
    /// As the environment says, else so many jobs.
    pub(crate) fn of(jobs: u64) -> Self {
        let jobs = number("FILMSTRIP_LEAKS_JOBS").unwrap_or(jobs);
        let at_once = number("FILMSTRIP_LEAKS_AT_ONCE").unwrap_or(4);
        // Many in a row are long enough to fill all that is kept first; the rest of them are looked at.
        let (warm_up, jobs) = if jobs >= 1000 { (KEPT_JOBS, jobs - KEPT_JOBS) } else { (8, jobs) };
        Self { warm_up, jobs, at_once }
    }
}

fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// A process that is looked at.
pub(crate) struct Watched {
    pub(crate) name: String,
    pub(crate) process: u32,
}

/// What is looked at while jobs go through it.
pub(crate) struct Subject {
    /// For the report.
    pub(crate) name: &'static str,
    pub(crate) clients: Vec<Client>,
    pub(crate) campaign: String,
    pub(crate) watched: Vec<Watched>,
    pub(crate) held: Held,
}

impl Subject {
    /// Sends jobs through it; what it used before, meanwhile and afterwards. Panics when something does not return
    /// to where it began.
    pub(crate) async fn drill(&self, effort: Effort) -> Report {
        let began = self.held.now().await;
        self.jobs(effort.warm_up, effort.at_once).await;
        self.at_rest(&began, None).await;
        let first = self.usage();
        self.tell(0, &first);
        let mut looks = vec![(0, first.clone())];
        for look in 1..=LOOKS {
            let (before, after) = (effort.jobs * (look - 1) / LOOKS, effort.jobs * look / LOOKS);
            self.jobs(after - before, effort.at_once).await;
            self.at_rest(&began, Some(&first)).await;
            let now = self.usage();
            self.tell(after, &now);
            looks.push((after, now));
        }
        let names = self.watched.iter().map(|watched| watched.name.clone()).collect();
        Report { subject: self.name, effort, names, looks, held: began }
    }

    /// A drill takes long: how far it is.
    #[allow(clippy::print_stderr, reason = "a test's output is for whoever runs it")]
    fn tell(&self, jobs: u64, now: &[Usage]) {
        let processes = self.watched.iter().zip(now);
        let told = processes.map(|(watched, usage)| {
            format!("{} {} kB, {} handles", watched.name, usage.memory_kb, usage.all_handles())
        });
        eprintln!("after {jobs} jobs: {}", told.collect::<Vec<_>>().join("; "));
    }

    fn usage(&self) -> Vec<Usage> {
        self.watched.iter().map(|watched| Usage::of(watched.process)).collect()
    }

    /// Runs draft jobs of one scene to their end, a few at a time.
    async fn jobs(&self, count: u64, at_once: usize) {
        let clients = self.clients.iter().cycle().take(usize::try_from(count).unwrap());
        let jobs = clients.map(|client| async {
            let job = approved_job(client, &self.campaign, 1).await;
            let done = until_at_any(PATIENCE, std::slice::from_ref(client), job, is_over).await;
            assert_eq!(done["outcome"], "full", "{done}");
        });
        stream::iter(jobs).buffer_unordered(at_once).collect::<Vec<()>>().await;
    }

    /// Waits until what jobs hold is as it was before the first, no program runs, and no process has more handles
    /// than at the first look, but for what pools may keep.
    async fn at_rest(&self, began: &Counts, first: Option<&Vec<Usage>>) {
        let mut last = String::new();
        let resting = async {
            loop {
                match self.unrest(began, first).await {
                    None => return,
                    Some(why) => last = why,
                }
                pause().await;
            }
        };
        let rested = tokio::time::timeout(PATIENCE, resting).await;
        assert!(rested.is_ok(), "{} does not come to rest: {last}", self.name);
    }

    async fn unrest(&self, began: &Counts, first: Option<&Vec<Usage>>) -> Option<String> {
        let now = self.held.now().await;
        if now != *began {
            let changed: Vec<String> = began
                .iter()
                .filter(|(what, count)| now[*what] != **count)
                .map(|(what, count)| format!("{what}: {count} at the beginning, now {}", now[what]))
                .collect();
            return Some(changed.join("; "));
        }
        for (index, (watched, usage)) in self.watched.iter().zip(self.usage()).enumerate() {
            if usage.children > 0 {
                return Some(format!("{} has {} programs running", watched.name, usage.children));
            }
            let Some(first) = first.map(|first| &first[index]) else { continue };
            if usage.all_handles() > first.all_handles() + SPARE_HANDLES {
                return Some(format!(
                    "{}: handles {:?}, now {:?}",
                    watched.name, first.handles, usage.handles
                ));
            }
        }
        None
    }
}

/// The file that the table is added to.
fn report_file() -> Option<PathBuf> {
    std::env::var_os("FILMSTRIP_LEAKS_REPORT").filter(|path| !path.is_empty()).map(PathBuf::from)
}
