//! What processes used over many jobs, as a table, and whether it is too much.

use std::{fmt::Write as _, fs, io::Write as _};

use super::{Effort, KEPT_JOBS, held::Counts, report_file, usage::Usage};

/// Memory may grow by so much, however few jobs there are: each thread has a heap of its own, which takes memory from
/// the system in pieces of up to 4 MB for each size of what it holds, and keeps what it was given. Measured: steps of
/// 15 and 24 MB in a process of 20 threads, 21 MB over 16 jobs in one that had two threads more at their end.
const NOISE_KB: f64 = 32_768.0;
/// And by so much more for each job. What a leaked snapshot, message or future would cost is several times that.
const PER_JOB_KB: f64 = 4.0;
/// And by so much for each job that fills what is kept of the last ones, unless that was full before: pages of
/// SQLite (2 MB for what writes, 1 MB for each reader of each of five files) and folded jobs. Measured: 57 kB.
const FILLING_KB: f64 = 80.0;

/// All looks at all processes.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) subject: &'static str,
    pub(crate) effort: Effort,
    pub(crate) names: Vec<String>,
    /// Jobs that had gone by, and each process then.
    pub(crate) looks: Vec<(u64, Vec<Usage>)>,
    /// What jobs hold: the same before the first and after the last.
    pub(crate) held: Counts,
}

impl Report {
    /// Prints the table, adds it to the report file if there is one, and panics when memory grows.
    pub(crate) fn judge(&self) {
        let table = self.table();
        #[allow(clippy::print_stderr, reason = "a test's output is for whoever runs it")]
        {
            eprintln!("{table}");
        }
        if let Some(path) = report_file() {
            let mut file = fs::File::options().create(true).append(true).open(&path).unwrap();
            writeln!(file, "{table}").unwrap();
        }
        let jobs = self.effort.jobs as f64;
        for (index, name) in self.names.iter().enumerate() {
            let grown = self.slope_kb(index) * jobs;
            let filling = KEPT_JOBS.saturating_sub(self.effort.warm_up).min(self.effort.jobs) as f64;
            let allowed = NOISE_KB + PER_JOB_KB * jobs + FILLING_KB * filling;
            assert!(
                grown <= allowed,
                "{name} grew by {grown:.0} kB over {jobs} jobs, {allowed:.0} kB allowed\n{table}"
            );
        }
    }

    /// Growth of a process's memory per job, kB: the line through all looks.
    fn slope_kb(&self, process: usize) -> f64 {
        let points = self.looks.iter().map(|(jobs, usage)| (*jobs as f64, usage[process].memory_kb as f64));
        let points: Vec<(f64, f64)> = points.collect();
        let count = points.len() as f64;
        let (mean_x, mean_y) =
            points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
        let over: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let under: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        if under == 0.0 { 0.0 } else { over / under }
    }

    fn table(&self) -> String {
        let Effort { warm_up, jobs, at_once } = self.effort;
        let mut text = format!(
            "### {}: {jobs} draft jobs, {at_once} at a time, after {warm_up} to warm up\n\n\
             | process | memory before, MB | after | most | growth per 1,000 jobs | handles before | after | threads before | after |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            self.subject
        );
        for (index, name) in self.names.iter().enumerate() {
            let (first, last) = (&self.looks[0].1[index], &self.looks[self.looks.len() - 1].1[index]);
            let most = self.looks.iter().map(|(_, usage)| usage[index].memory_kb).max().unwrap_or_default();
            let megabytes = |kb: u64| kb as f64 / 1024.0;
            writeln!(
                text,
                "| {name} | {:.1} | {:.1} | {:.1} | {:+.2} MB | {} | {} | {} | {} |",
                megabytes(first.memory_kb),
                megabytes(last.memory_kb),
                megabytes(most),
                self.slope_kb(index) * 1000.0 / 1024.0,
                first.all_handles(),
                last.all_handles(),
                first.threads,
                last.threads,
            )
            .unwrap();
        }
        text.push_str("\nBefore the first job and after the last: ");
        let held = self.held.iter().map(|(what, count)| format!("{what} {count}"));
        text.push_str(&held.collect::<Vec<_>>().join(", "));
        text.push_str(".\n");
        text
    }
}
