//! What the kernel can do at once, without waiting for a disk: such calls need no thread of their own.

use std::fs::File;
use std::path::Path;
use std::sync::LazyLock;

/// Opens a file for reading whose path the kernel has in memory; none when it has not, or cannot tell, and also for
/// every error: who asks in the usual way then learns which.
#[cfg(target_os = "linux")]
pub(crate) fn open(path: &Path) -> Option<File> {
    use std::ffi::CString;
    use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
    use std::os::unix::ffi::OsStrExt as _;

    // openat2(2), since Linux 5.12; the constant of linux/openat2.h.
    const RESOLVE_CACHED: u64 = 0x20;
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: all members are integers, for which zero is a value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::try_from(libc::O_RDONLY | libc::O_CLOEXEC).ok()?;
    how.resolve = RESOLVE_CACHED;
    // SAFETY: the path ends with a zero byte, and `how` is as large as is said; both outlive the call.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    let opened = RawFd::try_from(opened).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Some(File::from(unsafe { OwnedFd::from_raw_fd(opened) }))
}

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn open(_: &Path) -> Option<File> {
    None
}

/// Reads what the kernel has in memory into `target`; nothing when it has none of it, or cannot tell.
#[cfg(target_os = "linux")]
pub(crate) fn read(file: &File, start: u64, target: &mut [u8]) -> usize {
    use std::os::fd::AsRawFd as _;

    let Ok(start) = libc::off_t::try_from(start) else { return 0 };
    let vector = libc::iovec { iov_base: target.as_mut_ptr().cast(), iov_len: target.len() };
    // SAFETY: the one vector is `target`, which is ours alone for as long as the call takes.
    let read = unsafe { libc::preadv2(file.as_raw_fd(), &raw const vector, 1, start, libc::RWF_NOWAIT) };
    usize::try_from(read).unwrap_or_default()
}

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}

/// Whether the kernel has all of `length` bytes from `start` on in memory, or on their way there; also no when it cannot
/// or may not tell.
#[cfg(target_os = "linux")]
pub(crate) fn whole(file: &File, start: u64, length: usize) -> bool {
    use std::os::fd::AsRawFd as _;

    // cachestat(2), since Linux 6.5: it counts, where mincore(2) looks at page after page. It has this number here.
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        return false;
    }
    const CACHESTAT: libc::c_long = 451;
    let Some(last) = (length as u64).checked_sub(1).and_then(|rest| start.checked_add(rest)) else {
        return false;
    };
    let range: [u64; 2] = [start, length as u64];
    // nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted
    let mut counts = [0_u64; 5];
    // SAFETY: both structures are as large as those of linux/mman.h, and outlive the call.
    let told = unsafe { libc::syscall(CACHESTAT, file.as_raw_fd(), range.as_ptr(), counts.as_mut_ptr(), 0) };
    let page = page();
    told == 0 && counts[0] == last / page - start / page + 1
}

/// Elsewhere nobody can be asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn whole(_: &File, _: u64, _: usize) -> bool {
    false
}

/// Bytes of a page of memory.
pub(crate) fn page() -> u64 {
    static PAGE: LazyLock<u64> = LazyLock::new(|| {
        // SAFETY: it only reads a number.
        let told = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        u64::try_from(told).ok().filter(|page| *page > 0).unwrap_or(4096)
    });
    *PAGE
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_path_that_was_just_written_is_at_hand_and_one_that_is_not_there_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("blob");
        std::fs::write(&path, b"bytes").unwrap();
        assert!(open(&dir.path().join("nope")).is_none());
        // An older kernel, or one that is told to forbid the call, never has anything at hand.
        let Some(mut file) = open(&path) else { return };
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "bytes");
    }

    #[test]
    fn what_was_just_written_is_at_hand_whole_and_what_is_past_the_end_is_not() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 50_000]).unwrap();
        // An older kernel can never tell.
        if !whole(&file, 0, 1) {
            return;
        }
        for (start, length) in [(0, 50_000), (4_095, 2), (4_096, 4_096), (49_999, 1)] {
            assert!(whole(&file, start, length), "{length} from {start} on");
        }
        assert!(!whole(&file, 0, 100_000));
        assert!(!whole(&file, 60_000, 1));
        assert!(!whole(&file, 0, 0));
    }
}
