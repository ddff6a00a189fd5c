//! What goes wrong below the services: an ffmpeg that is killed, bytes that disappear from the object store.

use std::{
    env, fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use stack::{Service, Stack};

use crate::world::pause;

/// An ffmpeg for one kind of process that dies in the middle of its work when it is asked to, once each time.
pub(super) struct Mortal {
    directory: PathBuf,
}

impl Mortal {
    /// Puts it into a directory of its own below `within`.
    pub(super) fn new(within: &Path) -> Self {
        let directory = within.join("mortal");
        fs::create_dir_all(&directory).unwrap();
        let mortal = Self { directory };
        let real = env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join("ffmpeg"))
            .find(|program| program.is_file())
            .expect("ffmpeg is installed");
        // Only runs that read something die: at its start a service asks ffmpeg what it can do.
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' -i '*)\n\
             [ -e '{asked}' ] && /bin/rm '{asked}' 2>/dev/null && kill -KILL $$ ;;\nesac\n\
             exec '{real}' \"$@\"\n",
            asked = mortal.asked().display(),
            real = real.display(),
        );
        let program = mortal.directory.join("ffmpeg");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        mortal
    }

    /// The search path of a process that is to use it.
    pub(super) fn search_path(&self) -> String {
        let old = env::var("PATH").unwrap_or_default();
        format!("{}:{old}", self.directory.display())
    }

    /// The next run dies. False: the one asked for before has not died yet.
    pub(super) fn kill_next(&self) -> bool {
        fs::File::create_new(self.asked()).is_ok()
    }

    /// Nobody dies any more.
    pub(super) fn spare(&self) {
        let _ = fs::remove_file(self.asked());
    }

    fn asked(&self) -> PathBuf {
        self.directory.join("asked")
    }
}

/// How a job ends.
const ENDS: [&str; 3] = ["JobCompleted", "JobFailed", "JobCanceled"];

/// Makes bytes disappear that a job waits for.
#[derive(Clone, Debug)]
pub(super) struct Thief {
    /// Of the service that knows which bytes a job waits for.
    database: String,
    blobs: PathBuf,
}

impl Thief {
    pub(super) fn new(stack: &Stack) -> Self {
        let database = stack.database_url(Service::Job).unwrap().to_owned();
        Self { database, blobs: stack.blob_dir() }
    }

    /// Takes the file that the first event of this kind names under `member`, as soon as there is one. Ends
    /// without having done anything when an event of kind `until` comes first, or the end of the job.
    pub(super) async fn takes(&self, job: i64, kind: &str, member: &str, until: &str) {
        while !self.tries(job, kind, member, until).await.unwrap_or_default() {
            pause().await;
        }
    }

    /// Whether it is over. None: the database does not answer just now.
    async fn tries(&self, job: i64, kind: &str, member: &str, until: &str) -> Option<bool> {
        let log = eventlog::open_checked(&self.database, &job::MIGRATIONS).await.ok()?;
        let mut known = 0;
        loop {
            let events = log.load(&format!("job-{job}"), known).await.ok()?;
            for event in &events {
                known = event.version;
                if event.kind == until || ENDS.contains(&event.kind.as_str()) {
                    return Some(true);
                }
                if event.kind == kind {
                    let data = event.data.value().expect("what is stored is JSON");
                    let sha256 = data[member]["sha256"].as_str().expect("bytes go by their hash");
                    match fs::remove_file(self.blobs.join(&sha256[..2]).join(sha256)) {
                        // Another job's thief was faster.
                        Err(error) if error.kind() != ErrorKind::NotFound => panic!("{sha256}: {error}"),
                        _ => return Some(true),
                    }
                }
            }
            pause().await;
        }
    }
}

#[test]
fn an_ffmpeg_dies_once_each_time_it_is_asked_to_and_only_at_work() {
    use std::{os::unix::process::ExitStatusExt as _, process::Command};
    let scratch = tempfile::tempdir().unwrap();
    let mortal = Mortal::new(scratch.path());
    let run =
        |args: &[&str]| Command::new(mortal.directory.join("ffmpeg")).args(args).output().unwrap().status;
    assert!(mortal.kill_next() && !mortal.kill_next(), "one at a time");
    assert!(run(&["-version"]).success());
    let work = ["-v", "error", "-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-"];
    assert_eq!(run(&work).signal(), Some(9));
    assert!(run(&work).success(), "it died before");
    assert!(mortal.kill_next(), "it can be asked for again");
    mortal.spare();
    assert!(run(&work).success());
}
