//! `cargo xtask drill NAME`: tests of the whole system that run for as long as one wants, with their output shown.
//!
//! A drill is a test like any other: the same code, set by environment variables where the test command leaves
//! them at their defaults.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use crate::process::{become_command, cargo, step};
use crate::{servers, tools, up};

/// A drill that can be asked for.
struct Drill {
    name: &'static str,
    about: &'static str,
    /// The tests: whose name has this in it.
    tests: &'static str,
    settings: &'static [Setting],
    /// Variables that it has unless an argument says otherwise: the test command's own sizes are small.
    sizes: &'static [(&'static str, &'static str)],
}

/// What can be set of a drill.
struct Setting {
    flag: &'static str,
    variable: &'static str,
    about: &'static str,
    value: Value,
}

#[derive(Clone, Copy, PartialEq)]
enum Value {
    Number,
    File,
}

/// Where programs are found; a setting of it names a directory, see [`repeating`].
const PATH: &str = "PATH";

const DRILLS: [Drill; 6] = [
    Drill {
        name: "chaos",
        about: "processes killed, servers restarted, replicas replaced, at random and at every boundary",
        tests: "processes::chaos::",
        settings: &[
            Setting {
                flag: "--seed",
                variable: "FILMSTRIP_CHAOS_SEED",
                about: "a whole number that everything random is drawn from",
                value: Value::Number,
            },
            Setting {
                flag: "--jobs",
                variable: "FILMSTRIP_CHAOS_JOBS",
                about: "how many jobs at least",
                value: Value::Number,
            },
            Setting {
                flag: "--minutes",
                variable: "FILMSTRIP_CHAOS_MINUTES",
                about: "how long, or a quarter longer until killed at every boundary; without it one round",
                value: Value::Number,
            },
            Setting {
                flag: "--report",
                variable: "FILMSTRIP_CHAOS_REPORT",
                about: "where the report is written to as well",
                value: Value::File,
            },
        ],
        sizes: &[],
    },
    Drill {
        name: "leaks",
        about: "many jobs in a row; memory, files, leases and slots return to where they began",
        tests: "leaks::",
        settings: &[
            Setting {
                flag: "--jobs",
                variable: "FILMSTRIP_LEAKS_JOBS",
                about: "how many",
                value: Value::Number,
            },
            Setting {
                flag: "--at-once",
                variable: "FILMSTRIP_LEAKS_AT_ONCE",
                about: "how many at a time",
                value: Value::Number,
            },
            Setting {
                flag: "--repeat",
                variable: PATH,
                about: "a directory from which ffmpeg and ffprobe repeat what they answered before",
                value: Value::File,
            },
            Setting {
                flag: "--report",
                variable: "FILMSTRIP_LEAKS_REPORT",
                about: "where the tables are added to",
                value: Value::File,
            },
        ],
        sizes: &[],
    },
    Drill {
        name: "restart",
        about: "every replica replaced in turn under load; no request fails",
        tests: "processes::load::",
        settings: &[
            Setting {
                flag: "--rounds",
                variable: "FILMSTRIP_RESTART_ROUNDS",
                about: "how often each is replaced",
                value: Value::Number,
            },
            Setting {
                flag: "--rate",
                variable: "FILMSTRIP_RESTART_RATE",
                about: "requests a second; without it 200, or fewer where the machine cannot answer as many",
                value: Value::Number,
            },
        ],
        sizes: &[],
    },
    Drill {
        name: "outage",
        about: "PostgreSQL or NATS away for a while under load; nothing is lost",
        tests: "processes::outages::",
        settings: &[Setting {
            flag: "--seconds",
            variable: "FILMSTRIP_OUTAGE_SECONDS",
            about: "for how long",
            value: Value::Number,
        }],
        sizes: &[],
    },
    Drill {
        name: "media",
        about: "bodies over the limit, and many readers of one large asset; memory stays small",
        tests: "memory::",
        settings: &[
            Setting {
                flag: "--limit",
                variable: "FILMSTRIP_MEDIA_LIMIT_MIB",
                about: "MiB that may be uploaded; one byte more is sent; without it 2048",
                value: Value::Number,
            },
            Setting {
                flag: "--asset",
                variable: "FILMSTRIP_MEDIA_ASSET_MIB",
                about: "MiB of what is read; without it 1024",
                value: Value::Number,
            },
            Setting {
                flag: "--readers",
                variable: "FILMSTRIP_MEDIA_READERS",
                about: "how many read it at once; without it 50",
                value: Value::Number,
            },
        ],
        sizes: &[("FILMSTRIP_MEDIA_LIMIT_MIB", "2048"), ("FILMSTRIP_MEDIA_ASSET_MIB", "1024")],
    },
    Drill {
        name: "paging",
        about: "a long list of jobs read page by page while jobs are added; each comes once",
        tests: "paging::",
        settings: &[
            Setting {
                flag: "--jobs",
                variable: "FILMSTRIP_PAGING_JOBS",
                about: "how many are there before; without it 10000",
                value: Value::Number,
            },
            Setting {
                flag: "--rate",
                variable: "FILMSTRIP_PAGING_RATE",
                about: "how many are to be added a second; without it 500, or as many as the machine can make",
                value: Value::Number,
            },
        ],
        sizes: &[("FILMSTRIP_PAGING_JOBS", "10000"), ("FILMSTRIP_PAGING_RATE", "500")],
    },
];

/// Runs the drill that the first argument names.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    match args.split_first() {
        Some((name, rest)) if !name.starts_with('-') => named(name, rest),
        _ => {
            print!("{}", usage());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Runs one drill, with its own arguments.
pub(crate) fn named(name: &str, args: &[String]) -> Result<ExitCode, String> {
    let drill = DRILLS.iter().find(|drill| drill.name == name);
    let drill = drill.ok_or_else(|| format!("there is no drill {name:?}\n\n{}", usage()))?;
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{}", usage());
        return Ok(ExitCode::SUCCESS);
    }
    let variables = variables(drill, args)?;
    tools::need_ffmpeg()?;
    servers::need_servers()?;
    if !step(up::build_programs()).passed {
        return Err("the programs could not be built; the compiler's words are above".into());
    }
    let mut command = test_command(drill);
    command.envs(drill.sizes.iter().copied());
    for (variable, value) in variables {
        let value = if variable == PATH { repeating(Path::new(&value))? } else { value.into() };
        command.env(variable, value);
    }
    become_command(command)
}

/// A `PATH` on which ffmpeg and ffprobe are the program that repeats their answers, kept in this directory.
fn repeating(directory: &Path) -> Result<OsString, String> {
    let failed = |error: io::Error| format!("{} cannot be used: {error}", directory.display());
    let bin = directory.join("bin");
    fs::create_dir_all(&bin).map_err(failed)?;
    // Built beside this program, wherever the command was typed.
    let program = env::current_exe().map_err(failed)?.with_file_name("filmstrip-repeat");
    for name in ["ffmpeg", "ffprobe"] {
        fs::copy(&program, bin.join(name)).map_err(failed)?;
    }
    let path = env::var_os(PATH).unwrap_or_default();
    env::join_paths([bin].into_iter().chain(env::split_paths(&path))).map_err(|error| error.to_string())
}

/// The whole workspace's features, so that nothing is built twice.
fn test_command(drill: &Drill) -> Command {
    let own =
        ["test", "--workspace", "--test", "e2e", "--", drill.tests, "--nocapture", "--test-threads", "1"];
    cargo(own)
}

/// What the arguments set; each flag takes a value of its own.
fn variables(drill: &Drill, args: &[String]) -> Result<Vec<(&'static str, String)>, String> {
    let mut set = Vec::new();
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let setting = drill.settings.iter().find(|setting| setting.flag == flag);
        let setting = setting.ok_or_else(|| format!("{} takes no {flag:?}\n\n{}", drill.name, usage()))?;
        let value = args.next().ok_or_else(|| format!("{flag} needs a value: {}", setting.about))?;
        set.push((setting.variable, checked(setting, value)?));
    }
    Ok(set)
}

fn checked(setting: &Setting, value: &str) -> Result<String, String> {
    match setting.value {
        Value::Number if value.parse::<f64>().is_ok_and(|number| number >= 0.0) => Ok(value.to_owned()),
        Value::Number => Err(format!("{} is {value:?}, which is no number", setting.flag)),
        // Relative to where the command was typed, not to where the test runs.
        Value::File => std::path::absolute(Path::new(value))
            .map(|path| path.display().to_string())
            .map_err(|error| format!("{} is {value:?}: {error}", setting.flag)),
    }
}

fn usage() -> String {
    let mut text = "Usage: cargo xtask drill NAME [OPTIONS]\n".to_owned();
    for drill in &DRILLS {
        text.push_str(&format!("\n  {:<22} {}\n", drill.name, drill.about));
        for setting in drill.settings {
            let value = if setting.value == Value::Number { "N" } else { "FILE" };
            text.push_str(&format!("    {:<20} {}\n", format!("{} {value}", setting.flag), setting.about));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(args: &[&str]) -> Result<Vec<(&'static str, String)>, String> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        variables(&DRILLS[0], &args)
    }

    #[test]
    fn arguments_become_the_environment_of_the_test() {
        let set = set(&["--seed", "7", "--minutes", "2.5"]).unwrap();
        assert_eq!(
            set,
            [("FILMSTRIP_CHAOS_SEED", "7".to_owned()), ("FILMSTRIP_CHAOS_MINUTES", "2.5".to_owned())]
        );
    }

    #[test]
    fn a_drill_has_sizes_only_of_what_can_be_set() {
        for drill in &DRILLS {
            for (variable, value) in drill.sizes {
                let setting = drill.settings.iter().find(|setting| setting.variable == *variable);
                assert!(setting.is_some_and(|setting| checked(setting, value).is_ok()), "{variable}");
            }
        }
        assert!(DRILLS.iter().any(|drill| !drill.sizes.is_empty()));
    }

    #[test]
    fn a_report_goes_where_the_command_was_typed() {
        let set = set(&["--report", "out/chaos.md"]).unwrap();
        assert!(Path::new(&set[0].1).is_absolute(), "{set:?}");
    }

    #[test]
    fn what_a_drill_does_not_take_is_refused_with_what_it_does() {
        assert!(set(&["--rounds", "7"]).unwrap_err().contains("--seed"));
        assert!(set(&["--seed"]).unwrap_err().contains("needs a value"));
        assert!(set(&["--minutes", "soon"]).unwrap_err().contains("no number"));
    }
}
