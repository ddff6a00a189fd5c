//! What this process has used so far, as the kernel counts it.

use std::fs;

/// Kilobytes of a line of `/proc/self/status`, such as `VmRSS`, as megabytes; 0 where there is no such file.
pub(crate) fn megabytes(line: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Milliseconds of processor time, all threads, in user and kernel mode; to 10 ms.
pub(crate) fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // Linux counts them in hundredths of a second.
    (ticks(11) + ticks(12)) * 10.0
}
