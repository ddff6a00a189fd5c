//! Boundaries in a process of their own: this test binary, started again.

#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
};

use boundary::{CROSSINGS, KILL_AT, arm, around, cross};
use tempfile::TempDir;

/// Tells a child which story to play; without it, it plays none.
const STORY: &str = "BOUNDARY_TEST_STORY";
/// Where a story writes what it got to.
const REACHED: &str = "BOUNDARY_TEST_REACHED";

/// The child of the tests below.
#[tokio::test]
#[ignore = "the child of the tests below"]
async fn child() {
    let Ok(story) = std::env::var(STORY) else { return };
    match story.as_str() {
        "two appends" => {
            arm().unwrap();
            for _ in 0..2 {
                let kind = "JobApproved";
                cross(format_args!("append.before/{kind}"));
                reached("append");
                cross(format_args!("append.after/{kind}"));
                reached("known");
            }
        }
        "work" => {
            arm().unwrap();
            assert_eq!(around("planner", "", async { Ok::<_, ()>(1) }).await, Ok(1));
            assert_eq!(around("file.put", "video", async { Err::<(), _>("full") }).await, Err("full"));
            assert_eq!(around("ffmpeg", "drawing a frame", async { Ok::<_, ()>(2) }).await, Ok(2));
        }
        "unarmed" => {
            arm().unwrap();
            cross("planner.before");
        }
        "not told to arm" => {
            cross("planner.before");
        }
        "no file" => reached(&arm().unwrap_err().to_string()),
        other => panic!("no story {other}"),
    }
}

fn reached(what: &str) {
    use std::io::Write as _;
    let file = std::fs::File::options().create(true).append(true).open(std::env::var(REACHED).unwrap());
    writeln!(file.unwrap(), "{what}").unwrap();
}

/// A child that has ended.
struct Child {
    directory: TempDir,
    status: ExitStatus,
}

impl Child {
    fn of(story: &str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--ignored", "--nocapture"]).current_dir(directory.path());
        command.env_remove(CROSSINGS).env_remove(KILL_AT).env(STORY, story).env(REACHED, "reached");
        command.envs(variables.iter().copied());
        let Output { status, .. } = command.stdin(Stdio::null()).output().unwrap();
        Self { directory, status }
    }

    fn file(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_boundary_is_recorded_at_its_first_crossing() {
    let child = Child::of("two appends", &[(CROSSINGS, "crossings")]);
    assert!(child.status.success(), "{:?}", child.status);
    assert_eq!(
        child.file("crossings"),
        ["crossed append.before/JobApproved", "crossed append.after/JobApproved"]
    );
    assert_eq!(child.file("reached"), ["append", "known", "append", "known"]);
}

#[test]
fn a_process_dies_by_sigkill_at_the_boundary_that_it_is_told() {
    let name = "append.after/JobApproved";
    let child = Child::of("two appends", &[(CROSSINGS, "crossings"), (KILL_AT, name)]);
    assert_eq!(child.status.signal(), Some(9));
    let lines = [
        "crossed append.before/JobApproved",
        "crossed append.after/JobApproved",
        "killed append.after/JobApproved",
    ];
    assert_eq!(child.file("crossings"), lines);
    assert_eq!(child.file("reached"), ["append"], "nothing after it was done");
}

#[test]
fn of_several_boundaries_the_first_one_crossed_ends_it() {
    let names = "append.after/JobApproved,planner.before,append.before/JobApproved";
    let child = Child::of("two appends", &[(CROSSINGS, "crossings"), (KILL_AT, names)]);
    assert_eq!(child.status.signal(), Some(9));
    assert_eq!(
        child.file("crossings"),
        ["crossed append.before/JobApproved", "killed append.before/JobApproved"]
    );
}

#[test]
fn a_process_that_never_gets_to_its_boundary_lives() {
    let child = Child::of("two appends", &[(CROSSINGS, "crossings"), (KILL_AT, "append.after/JobCanceled")]);
    assert!(child.status.success(), "{:?}", child.status);
    assert!(child.file("crossings").iter().all(|line| line.starts_with("crossed ")));
}

#[test]
fn what_follows_work_is_crossed_only_when_it_went_well() {
    let child = Child::of("work", &[(CROSSINGS, "crossings")]);
    assert!(child.status.success(), "{:?}", child.status);
    let wanted = [
        "crossed planner.before",
        "crossed planner.after",
        "crossed file.put.before/video",
        "crossed ffmpeg.before/drawing-a-frame",
        "crossed ffmpeg.after/drawing-a-frame",
    ];
    assert_eq!(child.file("crossings"), wanted);
}

#[test]
fn without_the_environment_nothing_happens() {
    for variables in [&[][..], &[(CROSSINGS, ""), (KILL_AT, "")]] {
        let child = Child::of("unarmed", variables);
        assert!(child.status.success(), "{:?}", child.status);
        assert!(is_empty(child.directory.path()));
    }
    let child = Child::of("not told to arm", &[(CROSSINGS, "crossings"), (KILL_AT, "planner.before")]);
    assert!(child.status.success(), "a program has to ask for it: {:?}", child.status);
    assert!(is_empty(child.directory.path()));
}

#[test]
fn a_place_to_die_at_without_a_file_and_a_file_that_cannot_be_written_are_errors() {
    let child = Child::of("no file", &[(KILL_AT, "planner.before")]);
    assert_eq!(child.file("reached"), ["FILMSTRIP_KILL_AT is set without FILMSTRIP_CROSSINGS"]);
    let child = Child::of("no file", &[(CROSSINGS, "missing/crossings")]);
    assert!(child.file("reached")[0].starts_with("FILMSTRIP_CROSSINGS: missing/crossings: "));
}

#[test]
fn several_processes_share_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file: PathBuf = directory.path().join("crossings");
    for _ in 0..2 {
        assert!(Child::of("two appends", &[(CROSSINGS, &file.to_string_lossy())]).status.success());
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap().lines().count(),
        4,
        "each process recorded its own two"
    );
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}
