//! How many threads a run may have.
//!
//! Left to themselves ffmpeg and x264 take as many as the machine has processors and half as many again, whatever part
//! of them the container may use; each thread of a coder holds pictures, so that is a matter of memory too.

use crate::Limits;

/// The processors that this process may use: those that it is bound to, and no more than the quota of its control group
/// (a container's CPU limit, rounded down).
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Threads of each run: as set, or its share of the processors.
pub(crate) fn of_a_run(limits: &Limits, processors: usize) -> usize {
    limits.threads.map_or_else(|| (processors / limits.concurrent_runs.max(1)).max(1), std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn threads(set: Option<usize>, concurrent_runs: usize, processors: usize) -> usize {
        let limits =
            Limits { threads: set.and_then(NonZeroUsize::new), concurrent_runs, ..Limits::default() };
        of_a_run(&limits, processors)
    }

    #[test]
    fn runs_share_the_processors_and_each_has_one_at_least() {
        for (concurrent_runs, processors, each) in
            [(2, 4, 2), (2, 5, 2), (2, 1, 1), (4, 2, 1), (1, 64, 64), (0, 3, 3)]
        {
            assert_eq!(threads(None, concurrent_runs, processors), each);
        }
    }

    #[test]
    fn what_is_set_holds_whatever_there_is() {
        assert_eq!([threads(Some(3), 2, 1), threads(Some(3), 2, 64)], [3, 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn processors_that_we_are_not_bound_to_do_not_count() {
        let bound = std::thread::spawn(|| {
            // SAFETY: all zeros is an empty set, and the calls look at nothing else; they concern this thread alone.
            unsafe {
                let mut set: libc::cpu_set_t = std::mem::zeroed();
                assert_eq!(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set), 0);
                let first = (0..libc::CPU_SETSIZE as usize).find(|cpu| libc::CPU_ISSET(*cpu, &set)).unwrap();
                libc::CPU_ZERO(&mut set);
                libc::CPU_SET(first, &mut set);
                assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set), 0);
            }
            processors()
        });
        assert_eq!(bound.join().unwrap(), 1);
    }
}
