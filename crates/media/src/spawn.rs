//! Starting a child that cannot outlive us.
//!
//! The kernel's "signal when the parent dies" watches the *thread* that forked, not the process. So all
//! children are started by one thread that lives as long as the process does.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// A child with its group. Dropped in this order: the group is killed while its leader still has its number.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) group: Group,
    pub(crate) child: Child,
}

/// Starts the command in a process group of its own, to be killed by the kernel when we die.
///
/// `address_space` limits the child's memory, in bytes.
pub(crate) async fn spawn(mut command: Command, address_space: Option<u64>) -> io::Result<Started> {
    command.process_group(0).kill_on_drop(true);
    tie_to_us(&mut command, address_space);
    let (reply, started) = oneshot::channel();
    let runtime = Handle::current();
    let job: Job = Box::new(move || {
        let _entered = runtime.enter();
        let started = command.spawn().map(|child| Started { group: Group::of(&child), child });
        // Nobody waits any more: it is dropped here, which kills the child and what the child has started meanwhile.
        let _ = reply.send(started);
    });
    spawner()?.send(job).map_err(|_| io::Error::other("the thread that starts programs is gone"))?;
    started.await.map_err(|_| io::Error::other("the thread that starts programs is gone"))?
}

fn spawner() -> io::Result<&'static Sender<Job>> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    if let Some(spawner) = SPAWNER.get() {
        return Ok(spawner);
    }
    let (sender, jobs) = channel::<Job>();
    std::thread::Builder::new().name("media-spawn".into()).spawn(move || {
        for job in jobs {
            job();
        }
    })?;
    // When two callers race, the loser's thread ends with its sender, before it started anything.
    Ok(SPAWNER.get_or_init(|| sender))
}

fn tie_to_us(command: &mut Command, address_space: Option<u64>) {
    let parent = std::process::id();
    let prepare = move || {
        #[cfg(target_os = "linux")]
        {
            // SAFETY: plain system calls, safe between fork and exec; no memory of the parent is touched.
            let (tied, now) =
                unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
            if tied != 0 {
                return Err(io::Error::last_os_error());
            }
            if u32::try_from(now) != Ok(parent) {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = parent;
        if let Some(bytes) = address_space {
            let limit = libc::rlimit { rlim_cur: bytes as libc::rlim_t, rlim_max: bytes as libc::rlim_t };
            // SAFETY: as above; `limit` lives for the call.
            if unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: the closure only makes system calls that are allowed between fork and exec.
    unsafe { command.pre_exec(prepare) };
}

/// A child's process group, killed when dropped before [`Group::ended`].
#[derive(Debug)]
pub(crate) struct Group {
    id: Option<libc::pid_t>,
}

impl Group {
    fn of(child: &Child) -> Self {
        Self { id: child.id().and_then(|id| libc::pid_t::try_from(id).ok()) }
    }

    /// The child was waited for: its number may soon belong to someone else.
    pub(crate) fn ended(&mut self) {
        self.id = None;
    }

    pub(crate) fn kill(&self) {
        if let Some(id) = self.id {
            // SAFETY: a plain system call; the group is ours and its leader was not waited for yet.
            unsafe { libc::kill(-id, libc::SIGKILL) };
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Bytes that an unprivileged process may still write where `path` lies.
pub(crate) fn free_bytes(path: &std::path::Path) -> io::Result<u64> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` is a C string and `found` has room for the answer.
    if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the answer is there.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "the width of these fields differs between platforms")]
    Ok((found.f_bavail as u64).saturating_mul(found.f_frsize as u64))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

    use super::*;

    #[tokio::test]
    async fn a_program_that_nobody_takes_dies_with_what_it_has_started() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo started; wait"]).stdout(Stdio::piped());
        let mut started = spawn(command, None).await.unwrap();
        let mut words = BufReader::new(started.child.stdout.take().unwrap());
        words.read_line(&mut String::new()).await.unwrap();
        drop(started);
        // Whoever is alive holds the pipe open.
        let rest = tokio::time::timeout(Duration::from_secs(60), words.read_to_end(&mut Vec::new())).await;
        assert_eq!(rest.expect("what it started is gone").unwrap(), 0);
    }
}
