//! Property-based requests: schemathesis (PyPI) makes them up from the gateway's own document and sends them to a
//! standalone with stand-in providers, which costs nothing and knows nobody.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
    time::Instant,
};

use crate::process::{Step, root, shown, step, succeeds};
use crate::system::Package;
use crate::{tools, up};

/// The versions that the run was made with: another one makes up other requests.
const PACKAGES: [&str; 3] = ["schemathesis==4.32.5", "hypothesis==6.170.17", "jsonschema-rs==0.60.3"];
/// Which checks it makes, and of what.
const CONFIG: &str = "gateway/tests/schemathesis.toml";
/// Seconds after which it stops making up more requests.
const LONGEST: &str = "75";
/// The key of a standalone that lives for this one run.
const KEY: &str = "fuzz-key";

/// schemathesis, in a directory of its own: nothing of Python's own environment is touched.
pub(crate) fn need_schemathesis() -> Result<(), String> {
    let home = home();
    if succeeds(schemathesis(&home, &["--version"])) {
        return Ok(());
    }
    println!("schemathesis not found: it makes up requests from the API's own document.");
    let pip = || {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip"]);
        pip
    };
    let mut asked = pip();
    asked.arg("--version");
    if !succeeds(asked) {
        tools::get("pip", Package::Pip)?;
    }
    drop(fs::remove_dir_all(&home));
    let mut install = pip();
    install.args(["install", "--quiet", "--disable-pip-version-check", "--target"]).arg(&home).args(PACKAGES);
    if step(install).passed && succeeds(schemathesis(&home, &["--version"])) {
        return Ok(());
    }
    Err(format!("{} could not be installed from PyPI (it needs Python 3.10 or later)", PACKAGES.join(", ")))
}

fn home() -> PathBuf {
    root().join("target/tools").join(PACKAGES[0].replace("==", "-"))
}

fn schemathesis(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "schemathesis.cli"]).args(args);
    command.env("PYTHONPATH", home).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(root());
    command
}

/// `cargo xtask fuzz`: gets what is missing, builds the programs and runs it alone.
pub(crate) fn alone() -> Result<ExitCode, String> {
    tools::need_ffmpeg()?;
    need_schemathesis()?;
    if !step(up::build_programs()).passed {
        return Err("the programs could not be built; the compiler's words are above".into());
    }
    Ok(if run().passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts a standalone, gives it a job to talk about, and sends what schemathesis makes up. The programs have to be
/// built before.
pub(crate) fn run() -> Step {
    let started = Instant::now();
    let passed = match Server::start() {
        Ok(server) => step(seed(&server)).passed && sent(&server) && server.is_well(),
        Err(message) => {
            eprintln!("xtask: {message}");
            false
        }
    };
    Step { name: "schemathesis".to_owned(), passed, took: started.elapsed() }
}

/// A client, a campaign, photographs and a finished video: so that there is something to ask for.
fn seed(server: &Server) -> Command {
    let mut command = Command::new(program());
    command.args(["demo", "--scenes", "2", "--base-url", &server.base, "--api-key", KEY, "--out"]);
    command.arg(server.scratch.join("out")).stdout(Stdio::null()).current_dir(root());
    command
}

fn requests(server: &Server) -> Command {
    let document = format!("{}/api/openapi.json", server.base);
    let config = root().join(CONFIG).display().to_string();
    let mut command = schemathesis(&home(), &["--config-file", &config, "run", &document, "--no-color"]);
    command.args(["--max-time", LONGEST, "--generation-deterministic"]);
    // It keeps what it learnt beside where it runs.
    command.env("FILMSTRIP_KEY", KEY).current_dir(&server.scratch);
    command
}

/// Sends the requests, and makes sure that no operation was left out when the time was over.
fn sent(server: &Server) -> bool {
    let mut command = requests(server);
    println!("==> {}", shown(&command));
    let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else {
        eprintln!("xtask: schemathesis does not start");
        return false;
    };
    let (mut selected, mut tested) = (None, None);
    for line in
        child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines).map_while(Result::ok)
    {
        println!("{line}");
        selected = count(&line, "Selected: ").or(selected);
        tested = count(&line, "Tested: ").or(tested);
    }
    let passed = child.wait().is_ok_and(|status| status.success());
    if selected.is_none() || selected != tested {
        eprintln!("xtask: not all operations were tested: {selected:?} selected, {tested:?} tested");
        return false;
    }
    passed
}

/// The number behind a word of the summary, such as `Selected: 87/87`.
fn count(line: &str, word: &str) -> Option<u32> {
    line.trim().strip_prefix(word)?.split('/').next()?.trim().parse().ok()
}

fn program() -> PathBuf {
    root().join("target/debug/filmstrip")
}

/// A standalone on a free port, in a scratch directory that goes away with it.
struct Server {
    child: Child,
    base: String,
    scratch: PathBuf,
    /// Stays open for as long as it runs: what it says more would have nowhere to go, and stop it.
    _said: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Result<Self, String> {
        let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
        let scratch = std::env::temp_dir().join(format!("filmstrip-fuzz-{}", std::process::id()));
        fs::create_dir_all(&scratch).map_err(|error| failed("making a scratch directory", &error))?;
        let log = fs::File::create(scratch.join("log")).map_err(|error| failed("making a log", &error))?;
        let mut command = Command::new(program());
        command.args(["standalone", "--port", "0", "--draft", "--instant", "--data-dir"]);
        command.arg(scratch.join("data")).env("API_AUTH_KEY", KEY).current_dir(root());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(|error| failed("starting a standalone", &error))?;
        let stdout = child.stdout.take().ok_or("a standalone without stdout")?;
        let mut said = BufReader::new(stdout);
        let base = said
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("gateway").map(|base| base.trim().to_owned()));
        let server = Self { child, base: base.unwrap_or_default(), scratch, _said: said };
        if server.base.is_empty() {
            return Err(format!("a standalone does not start; its words:\n{}", server.log()));
        }
        Ok(server)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }

    /// Whether nothing in it broke: a panic is answered, and must not stay unseen.
    fn is_well(&self) -> bool {
        let log = self.log();
        let broken: Vec<&str> = log.lines().filter(|line| line.contains("panicked")).collect();
        for line in &broken {
            eprintln!("xtask: the standalone's log: {line}");
        }
        broken.is_empty()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_how_many_operations_there_were() {
        assert_eq!(count("  Selected: 87/87", "Selected: "), Some(87));
        assert_eq!(count("  Tested: 86", "Tested: "), Some(86));
        assert_eq!(count("API Operations:", "Tested: "), None);
    }
}
