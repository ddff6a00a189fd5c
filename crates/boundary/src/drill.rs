//! What an armed process does at its boundaries.

use std::{
    collections::HashSet,
    fmt::Display,
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// An armed process.
#[derive(Debug)]
pub(crate) struct Drill {
    kill_at: HashSet<String>,
    crossed: Mutex<Crossed>,
}

#[derive(Debug)]
struct Crossed {
    file: File,
    names: HashSet<String>,
}

impl Drill {
    /// `kill_at`: boundaries to die at, separated by commas.
    pub(crate) fn open(path: &Path, kill_at: &str) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let kill_at = kill_at.split(',').map(str::to_owned).collect();
        Ok(Self { kill_at, crossed: Mutex::new(Crossed { file, names: HashSet::new() }) })
    }

    pub(crate) fn cross(&self, name: &impl Display) {
        let name = one_word(&name.to_string());
        // Held until the process is dead: nothing else is recorded behind its end.
        let mut crossed = self.crossed.lock().unwrap_or_else(PoisonError::into_inner);
        if crossed.names.contains(&name) {
            return;
        }
        let dies = self.kill_at.contains(&name);
        let mut lines = format!("crossed {name}\n");
        if dies {
            lines.push_str(&format!("killed {name}\n"));
        }
        // One write, so that lines of several processes do not mix. A drill whose file cannot be written counts
        // too few; the work that is drilled goes on.
        let _ = crossed.file.write_all(lines.as_bytes());
        if dies {
            die();
        }
        crossed.names.insert(name);
    }
}

/// Blanks would make a line ambiguous.
fn one_word(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("-")
}

/// As if somebody had sent SIGKILL: nothing is flushed, no destructor runs.
fn die() -> ! {
    // SAFETY: a plain system call about this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    loop {
        // The signal may reach another thread first; this one must not go on meanwhile.
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::one_word;

    #[test]
    fn a_name_is_one_word() {
        assert_eq!(one_word("ffmpeg.before/joining clips\n"), "ffmpeg.before/joining-clips");
    }
}
