//! What processes and threads have used so far, as the kernel counts it.

use std::{collections::HashMap, fs};

/// Milliseconds of processor time of this process, all threads, in user and kernel mode.
pub(crate) fn cpu_ms() -> f64 {
    // SAFETY: all zeros is a valid value of this plain struct, and the pointer is to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    millis(usage.ru_utime) + millis(usage.ru_stime)
}

#[allow(clippy::cast_precision_loss, reason = "a time")]
fn millis(time: libc::timeval) -> f64 {
    time.tv_sec as f64 * 1000.0 + time.tv_usec as f64 / 1000.0
}

/// A thread of this process.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) id: u32,
    /// At most 15 bytes of it.
    pub(crate) name: String,
    /// Processor time so far.
    pub(crate) cpu_ms: f64,
}

/// The threads that live now.
pub(crate) fn threads() -> Vec<Thread> {
    let ids = numbers("/proc/self/task");
    let thread = |id| {
        let home = format!("/proc/self/task/{id}");
        let name = fs::read_to_string(format!("{home}/comm")).ok()?.trim_end().to_owned();
        Some(Thread { id, name, cpu_ms: run_ms(&home) })
    };
    ids.into_iter().filter_map(thread).collect()
}

/// Children of this process that live now, without their own children.
pub(crate) fn children() -> Vec<u32> {
    family().remove(&std::process::id()).unwrap_or_default()
}

/// All that descend from a process, itself first.
pub(crate) fn with_descendants(of: u32) -> Vec<u32> {
    below(of, &family())
}

/// As [`with_descendants`], for several processes of one look at the machine.
pub(crate) fn below(of: u32, family: &HashMap<u32, Vec<u32>>) -> Vec<u32> {
    let mut found = vec![of];
    let mut next = 0;
    while let Some(member) = found.get(next) {
        found.extend(family.get(member).into_iter().flatten());
        next += 1;
    }
    found
}

/// Milliseconds of processor time of a process and all that descend from it, those included that it has waited for.
pub(crate) fn family_cpu_ms(of: u32) -> f64 {
    let of_member = |id| {
        let live: f64 = numbers(&format!("/proc/{id}/task"))
            .into_iter()
            .map(|thread| run_ms(&format!("/proc/{id}/task/{thread}")))
            .sum();
        live + stat(id).map_or(0.0, |stat| stat.waited_for_ms)
    };
    with_descendants(of).into_iter().map(of_member).sum()
}

/// The program that a process runs, such as "filmstrip-render".
pub(crate) fn program(id: u32) -> String {
    let line = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let first = line.split('\0').next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Megabytes (1024 kB each) of the line `key` of a process's file in `/proc`, such as `VmHWM` in `status` or `Pss` in
/// `smaps_rollup`; 0 when the process is gone.
pub(crate) fn megabytes(id: u32, file: &str, key: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    found.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// From here on `VmHWM` counts the most memory since now.
pub(crate) fn forget_peak(id: u32) -> std::io::Result<()> {
    fs::write(format!("/proc/{id}/clear_refs"), "5")
}

/// The children of every process on the machine, by parent.
pub(crate) fn family() -> HashMap<u32, Vec<u32>> {
    let mut family: HashMap<u32, Vec<u32>> = HashMap::new();
    for id in numbers("/proc") {
        if let Some(stat) = stat(id) {
            family.entry(stat.parent).or_default().push(id);
        }
    }
    family
}

struct Stat {
    parent: u32,
    /// Processor time of children that ended.
    waited_for_ms: f64,
}

fn stat(id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything; what follows it are numbers (proc(5)).
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // Linux counts them in hundredths of a second.
    Some(Stat { parent: fields.get(1)?.parse().ok()?, waited_for_ms: (ticks(13) + ticks(14)) * 10.0 })
}

/// Milliseconds that a thread ran, to the nanosecond (`schedstat`).
fn run_ms(home: &str) -> f64 {
    let text = fs::read_to_string(format!("{home}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

/// The entries of a directory that are numbers.
fn numbers(directory: &str) -> Vec<u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_is_charged_for_it() {
        let (before, threads_before) = (cpu_ms(), threads());
        let worked = std::thread::Builder::new().name("works".to_owned()).spawn(|| {
            let mut sum = 0_u64;
            while threads().iter().filter(|thread| thread.name == "works").all(|thread| thread.cpu_ms < 5.0) {
                sum = (0..10_000).fold(sum, |sum: u64, number| sum.wrapping_mul(31).wrapping_add(number));
            }
            sum
        });
        worked.unwrap().join().unwrap();
        assert!(cpu_ms() - before >= 5.0);
        assert!(threads_before.iter().all(|thread| thread.id > 0));
    }

    #[test]
    fn a_child_is_found_below_its_parent_and_has_memory() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(children().contains(&child.id()));
        assert_eq!(with_descendants(std::process::id())[0], std::process::id());
        assert!(megabytes(std::process::id(), "status", "VmRSS") > 1.0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children().contains(&child.id()));
    }
}
