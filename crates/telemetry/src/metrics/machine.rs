//! What the operating system says of this process.

use std::fs;

use super::{PROCESS_CPU, PROCESS_MEMORY};

/// Records memory and processor time as they are now; nothing where there is no `/proc`. `spent`: the processor time that was
/// recorded before, seconds.
pub(crate) fn observe(spent: &mut f64) {
    if let Some(bytes) = resident() {
        PROCESS_MEMORY.set_count(bytes, &[]);
    }
    if let Some(seconds) = on_processors() {
        PROCESS_CPU.add((seconds - *spent).max(0.0), &[]);
        *spent = seconds;
    }
}

/// Second field of `/proc/self/statm`, in pages (proc(5)).
fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * configured(libc::_SC_PAGESIZE)?)
}

/// Fields 14 and 15 of `/proc/self/stat`, in clock ticks; the name before them may hold blanks (proc(5)).
#[allow(clippy::cast_precision_loss, reason = "a process does not live for 2^53 ticks")]
fn on_processors() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) as f64 / configured(libc::_SC_CLK_TCK)? as f64)
}

#[allow(unsafe_code, reason = "there is no other way to ask")]
fn configured(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf takes any number and touches no memory of ours.
    u64::try_from(unsafe { libc::sysconf(name) }).ok().filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_uses_memory() {
        assert!(resident().unwrap() > 1 << 20);
        assert!(on_processors().unwrap() < 3600.0);
    }
}
