//! The tables of the pipeline, with what is aimed at.

use super::{Burst, Told, moments::Parts, world::Place};
use crate::{
    process,
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
/// How much more a job may cost with the most jobs stored, to be called flat.
const FLAT_AIM: f64 = 1.25;

fn of(parts: &[Parts], part: impl Fn(&Parts) -> f64) -> Series {
    let mut series = Series::default();
    parts.iter().for_each(|parts| series.push(part(parts)));
    series
}

/// A table of one job at a time.
pub(super) struct OneJob(Table);

pub(super) fn one_job() -> OneJob {
    OneJob(Table::new(&[
        "where",
        "results told",
        "approved → all scenes requested, ms",
        "last scene done → cut requested, ms",
        "cut and sound done → mix requested, ms",
        "mix done → completed, ms",
        "approved → completed, ms",
        "95 % below",
        "aim",
        "",
    ]))
}

impl OneJob {
    pub(super) fn measured(&mut self, place: Place, told: Told, parts: &[Parts]) {
        let (whole, aim) = (of(parts, |parts| parts.whole), whole_aim(place));
        self.0.row(vec![
            place.name().to_owned(),
            told.name().to_owned(),
            of(parts, |parts| parts.to_all_requested).to_string(),
            of(parts, |parts| parts.to_cut_requested).to_string(),
            of(parts, |parts| parts.to_mix_requested).to_string(),
            of(parts, |parts| parts.to_completed).to_string(),
            whole.to_string(),
            format!("{:.1}", whole.quantile(0.95)),
            format!("≤ {aim:.0} ms"),
            verdict(whole.median() <= aim),
        ]);
    }

    pub(super) fn print(&self) {
        self.0.print("One job of ten scenes at a time; the providers take no time");
    }
}

/// A table of jobs at one time.
pub(super) struct ManyJobs(Table, usize);

pub(super) fn many_jobs(burst: usize) -> ManyJobs {
    let head = [
        "where",
        "results told",
        "jobs/s",
        "events per commit (job log)",
        "processor time per job, ms",
        "aim",
        "",
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
            burst.events_per_commit.to_string(),
            burst.cpu_ms_per_job.to_string(),
            aim,
            met,
        ]);
    }

    pub(super) fn print(&self) {
        self.0.print(&format!("{} jobs of ten scenes at once", self.1));
    }
}

/// A table of what one more job costs.
pub(super) struct Stored {
    table: Table,
    place: Place,
    /// Milliseconds and jobs per second with the fewest stored.
    first: Option<(f64, f64)>,
}

pub(super) fn stored(place: Place) -> Stored {
    let head =
        ["jobs stored", "approved → completed, ms", "beside the first row", "jobs/s at once", "aim", ""];
    Stored { table: Table::new(&head), place, first: None }
}

impl Stored {
    pub(super) fn measured(&mut self, stored: i64, parts: &[Parts], burst: &Burst) {
        let whole = of(parts, |parts| parts.whole);
        let now = (whole.median(), burst.jobs_per_second.median());
        let first = *self.first.get_or_insert(now);
        // Whichever has become worse: the wait for one job, or the time that one of many takes.
        let ratio = (now.0 / first.0).max(first.1 / now.1);
        self.table.row(vec![
            stored.to_string(),
            whole.to_string(),
            format!("{ratio:.2}"),
            burst.jobs_per_second.to_string(),
            format!("≤ {FLAT_AIM}"),
            verdict(ratio <= FLAT_AIM),
        ]);
    }

    pub(super) fn print(&self) {
        self.table.print(&format!(
            "What a job costs with others stored, {} (results told by message)",
            self.place.name()
        ));
    }
}

/// A table of the memory of this process.
pub(super) struct Memory(Table);

pub(super) fn memory() -> Memory {
    Memory(Table::new(&["where", "when", "resident, MB", "most so far, MB"]))
}

impl Memory {
    pub(super) fn measured(&mut self, place: Place, when: &str) {
        let (now, most) = (process::megabytes("VmRSS"), process::megabytes("VmHWM"));
        self.0.row(vec![place.name().to_owned(), when.to_owned(), format!("{now:.0}"), format!("{most:.0}")]);
    }

    pub(super) fn print(&self) {
        self.0.print("Memory of the measuring process: the job service, the workers' stand-ins, four logs");
    }
}
