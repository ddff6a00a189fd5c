//! The commands of the guide, as the programs' own help knows them.

use std::{collections::BTreeMap, process::Output};

use tokio::process::Command;

use super::{guide, programs, spans, typed};

/// The programs whose commands the guide tells.
const PROGRAMS: [&str; 7] = [
    "filmstrip",
    "filmstrip-gateway",
    "filmstrip-asset",
    "filmstrip-job",
    "filmstrip-render",
    "filmstrip-stitch",
    "filmstrip-audio",
];

/// A program and what is typed behind it, up to the end of the command.
type Typed = (String, Vec<String>);

/// Each command of ours in a text: by its name, by `run SERVICE`, or with the service left open.
fn commands(code: &str) -> Vec<Typed> {
    let mut found = Vec::new();
    for line in code.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for at in (0..words.len()).filter(|at| *at == 0 || begins_a_command(words[at - 1])) {
            let Some((program, behind)) = program(&words[at..]) else { continue };
            let mut typed = Vec::new();
            for word in &words[(at + behind).min(words.len())..] {
                if matches!(*word, "|" | "&&" | ";" | "#" | "}") {
                    break;
                }
                typed.push(bare(word.trim_end_matches(';')).to_owned());
                if word.ends_with(';') {
                    break;
                }
            }
            // What a function of the page is told is not the page's.
            if typed.first().is_some_and(|word| word != "$@") {
                found.push((program, typed));
            }
        }
    }
    found
}

/// Whether what stands behind this word is a command: behind the end of another one, a variable that is set for it, or what a
/// container's command is told behind.
fn begins_a_command(word: &str) -> bool {
    let between = ["do", "|", ";", "&&", "--", "{", "soundstage"];
    between.contains(&word) || word.ends_with(';') || word.ends_with(")\"") || word.contains('=')
}

fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// The program that words begin with, and how many of them name it.
fn program(words: &[&str]) -> Option<(String, usize)> {
    // Where the service is left open, it stands for one with a database.
    let of = |service: &str| {
        if service.starts_with('$') { "filmstrip-job".to_owned() } else { format!("filmstrip-{service}") }
    };
    let first = bare(words.first()?);
    let (program, count) = match first.strip_prefix("filmstrip-") {
        Some(service) => (of(service), 1),
        None if first == "run" => (of(bare(words.get(1)?)), 2),
        None => (first.to_owned(), 1),
    };
    PROGRAMS.contains(&program.as_str()).then_some((program, count))
}

async fn help(program: &str, of: &[String]) -> String {
    let mut command = Command::new(programs().join(program));
    let output: Output = command.args(of).arg("--help").kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success(), "{program} {of:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<&str> {
    let (_, rest) = help.split_once("Commands:\n").unwrap_or_default();
    let lines = rest.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guide_is_one_that_the_programs_have() {
    let guide = guide();
    let code = typed(&guide).into_iter().chain(spans(&guide));
    let all: Vec<Typed> = code.flat_map(commands).collect();
    let mut met = BTreeMap::<String, usize>::new();
    for (program, words) in all {
        let (mut path, mut known) = (Vec::new(), help(&program, &[]).await);
        for word in &words {
            if listed(&known).contains(&word.as_str()) {
                path.push(word.clone());
                known = help(&program, &path).await;
            }
        }
        assert!(
            listed(&known).is_empty() || words == ["--version"],
            "{program} {words:?} is no command: {path:?} wants one of {:?}",
            listed(&known)
        );
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(known.contains(flag.as_str()), "{program} {path:?} has no {flag}");
        }
        *met.entry(format!("{program} {}", path.join(" "))).or_default() += 1;
    }
    for wanted in ["filmstrip strip", "filmstrip-job events reconcile", "filmstrip-job healthcheck"] {
        assert!(met.contains_key(wanted), "{met:#?}");
    }
    assert!(met.len() > 6, "{met:#?}");
}

#[test]
fn commands_are_found_however_they_are_typed() {
    let typed = |program: &str, words: &[&str]| {
        (program.to_owned(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    };
    let found = commands(
        "run job events dead-letters | tail\nfor s in a; do run $s events reconcile; done\n\
         k exec deployment/$s -- filmstrip-$s events republish\ndocker run job x\nfilmstrip --log error strip \"$1\"; }",
    );
    assert_eq!(
        found,
        [
            typed("filmstrip-job", &["events", "dead-letters"]),
            typed("filmstrip-job", &["events", "reconcile"]),
            typed("filmstrip-job", &["events", "republish"]),
            typed("filmstrip", &["--log", "error", "strip", "$1"]),
        ]
    );
}
