//! The project's own commands: `cargo xtask demo`, `up`, `test`, `chaos`, `drill`, `bench`,
//! `openapi` and `manifests`.
//!
//! Only the standard library, so that the first command on a fresh machine starts within seconds.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the terminal")]

mod bench;
mod demo;
mod doctests;
mod drill;
mod fuzz;
mod manifests;
mod openapi;
mod process;
mod servers;
mod system;
mod test;
mod tools;
mod up;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo [ARGS]              make a finished video from the photographs in demo/photos
                           (ARGS go to `filmstrip demo`: try --help)
  up [ARGS]                every service as processes of its own, two replicas each, on PostgreSQL, NATS and S3,
                           until Ctrl-C (ARGS go to `filmstrip-up`: try --help)
  test [-- NEXTEST ARGS]   format check, lints, every test, made-up requests to every route of the API, and what
                           Filmstrip is deployed with
  fuzz                     the made-up requests alone
  chaos [--seed N] [--minutes M] [--report FILE]
                           kill, restart and replace everything at random while jobs run
  drill [NAME [ARGS]]      the other long tests of the whole system; without a name they are listed
  bench eventlog|pipeline|memory|gateway|import [ARGS]
                           how fast the parts are, on durable databases, and what memory each process needs, in
                           tables (ARGS: try --help)
  openapi [--check|--release]
                           write gateway/openapi/v3.json, say whether it is up to date, or make it the released
                           one, which nothing may break
  manifests [--write] [--security]
                           render what it is deployed with and hold it to its rules, and to the schemas of Kubernetes
                           and compose; --write keeps what is rendered, --security runs checkov as well
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    let done = match command.as_deref() {
        Some("demo") => demo::run(&rest),
        Some("up") => up::run(&rest),
        Some("test") => test::run(&rest),
        Some("chaos") => drill::named("chaos", &rest),
        Some("drill") => drill::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("fuzz") => fuzz::alone(),
        Some("openapi") => openapi::run(&rest),
        Some("manifests") => manifests::run(&rest),
        None | Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("there is no command {other:?}\n\n{USAGE}")),
    };
    done.unwrap_or_else(|message| {
        eprintln!("xtask: {message}");
        ExitCode::FAILURE
    })
}
