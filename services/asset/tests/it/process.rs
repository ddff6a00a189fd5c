//! The process `filmstrip-asset`, as whoever runs it sees it.

use std::{fs, path::Path, process::Stdio, time::Duration};

use blobs::Blobs;
use tempfile::TempDir;
use testservers::{NatsServer, PostgresServer};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);

/// The command with nothing but these variables.
fn command(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_filmstrip-asset"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(variables.iter().copied()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Exit code, standard output, standard error.
async fn run(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let done = tokio::time::timeout(PATIENCE, command(variables, arguments).output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap_or(-1), text(&done.stdout), text(&done.stderr))
}

#[tokio::test]
async fn every_configuration_error_is_told_at_once_with_exit_code_64() {
    let wrong = [("LISTEN", "here"), ("STOP_GRACE", "soon"), ("DATABASE_URL", "mysql://a:hunter2@b")];
    let (code, out, told) = run(&wrong, &["serve"]).await;
    assert_eq!((code, out.as_str()), (64, ""), "{told}");
    for key in ["listen", "stop.grace", "database_url", "nats_url", "blob_url"] {
        assert!(told.contains(&format!("- {key} (")), "{key}: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");

    let wrong = [
        ("DATABASE_URL", "postgres://a:hunter2@b:port/c"),
        ("NATS_URL", "nats://a:hunter2@b:port"),
        ("BLOB_URL", "ftp://media"),
        ("S3_ENDPOINT", "minio"),
    ];
    let (code, _, told) = run(&wrong, &["serve"]).await;
    assert_eq!(code, 64, "{told}");
    for key in ["database_url", "nats_url", "blob_url", "s3.endpoint"] {
        assert!(told.contains(&format!("- {key} (")), "{key}: {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    for command in [&["migrate"][..], &["events", "reconcile"]] {
        let (code, _, told) = run(&wrong, command).await;
        assert!(code == 64 && told.contains("- database_url ("), "{code} {told}");
    }
}

#[tokio::test]
async fn a_command_that_is_unknown_ends_with_exit_code_64() {
    for wrong in [&[][..], &["dance"], &["config"], &["events", "replay", "x"]] {
        assert_eq!(run(&[], wrong).await.0, 64, "{wrong:?}");
    }
    let (code, help, _) = run(&[], &["--help"]).await;
    assert!(code == 0 && help.contains("Clients, campaigns, assets"), "{help}");
}

#[tokio::test]
async fn the_configuration_is_dumped_with_its_sources_and_without_its_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("asset.toml");
    fs::write(&file, "blob_url = \"s3://media\"\n[s3]\nregion = \"eu-west-1\"\n").unwrap();
    let set = [("DATABASE_URL", "postgres://a:hunter2@b/c"), ("NATS_URL", "nats://n:hunter2@h")];
    let (code, out, told) = run(&set, &["--config", file.to_str().unwrap(), "config", "--dump"]).await;
    assert_eq!((code, told.as_str()), (0, ""));
    assert!(out.contains("database_url = \"***\" # the environment (DATABASE_URL)"), "{out}");
    assert!(out.contains(&format!("region = \"eu-west-1\" # {}:3", file.display())), "{out}");
    assert!(out.contains("listen = \"127.0.0.1:5001\" # the default"), "{out}");
    assert!(!out.contains("hunter2"), "{out}");
}

#[tokio::test]
async fn nothing_that_answers_is_not_healthy() {
    let (code, _, told) = run(&[("LISTEN", "127.0.0.1:1")], &["healthcheck"]).await;
    assert!(code == 1 && told.contains("nothing answers at 127.0.0.1:1"), "{code} {told}");
}

/// What a process needs, on this machine.
struct Servers {
    database: PostgresServer,
    nats: NatsServer,
    directory: TempDir,
}

impl Servers {
    async fn start() -> Self {
        let (database, nats) = tokio::join!(PostgresServer::start(), NatsServer::start());
        Self { database: database.unwrap(), nats: nats.unwrap(), directory: tempfile::tempdir().unwrap() }
    }
}

fn file_url(directory: &Path) -> String {
    format!("file://{}", directory.display())
}

/// A process that serves.
struct Process {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Process {
    async fn serve(nats: &str, directory: &Path, database_url: &str, more: &[(&str, &str)]) -> Self {
        let blobs = file_url(directory);
        let mut variables = vec![
            ("DATABASE_URL", database_url),
            ("NATS_URL", nats),
            ("BLOB_URL", blobs.as_str()),
            ("LISTEN", "127.0.0.1:0"),
        ];
        variables.extend(more);
        let mut child = command(&variables, &["serve"]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, out.next_line()).await.unwrap().unwrap();
        let address = match line.as_deref().and_then(|line| line.strip_prefix("asset listens on ")) {
            Some(address) => address.to_owned(),
            None => panic!("it does not start: {line:?} {}", rest(&mut child).await),
        };
        Self { child, out, address }
    }

    fn signal(&self, signal: i32) {
        let id = libc::pid_t::try_from(self.child.id().unwrap()).unwrap();
        // SAFETY: the child is ours and was not waited for.
        unsafe { libc::kill(id, signal) };
    }

    async fn healthcheck(&self) -> (i32, String) {
        let (code, _, told) = run(&[("LISTEN", &self.address)], &["healthcheck"]).await;
        (code, told)
    }

    /// Its exit code and its log.
    async fn ended(mut self) -> (i32, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert_eq!(self.out.next_line().await.unwrap(), None, "one line on standard output");
        (status.code().unwrap_or(-1), rest(&mut self.child).await)
    }
}

async fn rest(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
    text
}

/// Waits until the process says that it wants no work.
async fn unready(address: &str) {
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let mut health = HealthClient::new(channel);
    let request = HealthCheckRequest { service: String::new() };
    let mut changes = health.watch(request).await.unwrap().into_inner();
    let turned =
        async { while changes.message().await.unwrap().unwrap().status() == ServingStatus::Serving {} };
    tokio::time::timeout(PATIENCE, turned).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_is_migrated_serves_turns_unready_and_stops() {
    let servers = Servers::start().await;
    let urls = servers.database.role_and_schema("asset").await.unwrap();

    let unmigrated =
        [("DATABASE_URL", urls.service.as_str()), ("NATS_URL", "nats://x"), ("BLOB_URL", "file:///x")];
    let (code, _, told) = run(&unmigrated, &["serve"]).await;
    assert!(code == 1 && told.contains("migrate"), "{code} {told}");

    let owner = [("DATABASE_URL", urls.owner.as_str())];
    let (code, out, told) = run(&owner, &["migrate"]).await;
    assert!(code == 0 && out.contains("applied asset/0001_client\n"), "{out} {told}");
    let (code, out, _) = run(&owner, &["migrate"]).await;
    assert!(code == 0 && out.contains("nothing to apply"), "{out}");

    let process =
        Process::serve(&servers.nats.url(), servers.directory.path(), &urls.service, &[("STOP_DELAY", "1h")])
            .await;
    assert_eq!(process.healthcheck().await, (0, String::new()));
    process.signal(libc::SIGTERM);
    unready(&process.address).await;
    let (code, told) = process.healthcheck().await;
    assert!(code == 1 && told.contains("NOT_SERVING"), "{code} {told}");
    process.signal(libc::SIGTERM);
    let (code, log) = process.ended().await;
    assert_eq!(code, 0, "a second signal ends the wait: {log}");
    assert!(log.contains("told again to stop"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_waits_a_while_for_what_is_not_there_yet() {
    let mut servers = Servers::start().await;
    let urls = servers.database.role_and_schema("asset").await.unwrap();
    let migrated = run(&[("DATABASE_URL", &urls.owner)], &["migrate"]).await;
    assert_eq!(migrated.0, 0, "{}", migrated.2);
    servers.database.stop();

    let (nats, blobs) = (servers.nats.url(), file_url(servers.directory.path()));
    let away =
        [("DATABASE_URL", urls.service.as_str()), ("NATS_URL", nats.as_str()), ("BLOB_URL", blobs.as_str())];
    let (code, _, told) = run(&[&away[..], &[("START_PATIENCE", "1s")]].concat(), &["serve"]).await;
    assert!(code == 1 && told.contains("database_url") && told.contains("still not there"), "{code} {told}");

    let Servers { mut database, nats, directory } = servers;
    let nats_url = nats.url();
    let starting = Process::serve(&nats_url, directory.path(), &urls.service, &[("STOP_DELAY", "0s")]);
    let (process, started) = tokio::join!(starting, database.run());
    started.unwrap();
    process.signal(libc::SIGINT);
    assert_eq!(process.ended().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_is_compared_with_the_log_and_made_again() {
    let servers = Servers::start().await;
    let urls = servers.database.role_and_schema("asset").await.unwrap();
    run(&[("DATABASE_URL", &urls.owner)], &["migrate"]).await;
    let nats = servers.nats.url();
    let set = [("DATABASE_URL", urls.service.as_str()), ("NATS_URL", nats.as_str())];

    let log = eventlog::open_checked(&urls.service, &asset::store::MIGRATIONS).await.unwrap();
    let mut world = World::over(log, Blobs::local(servers.directory.path()).unwrap(), |_| ()).await;
    world.client_named("Northwind").await;
    world.stop().await;

    let (code, out, told) = run(&set, &["events", "reconcile"]).await;
    assert_eq!(code, 1, "nothing relayed it yet: {out} {told}");
    let (code, out, told) = run(&set, &["events", "republish"]).await;
    assert!(code == 0 && out.contains("made again with 1"), "{out} {told}");
    let (code, out, told) = run(&set, &["events", "reconcile"]).await;
    assert!(code == 0 && out.contains("equal"), "{out} {told}");
    let (code, out, _) = run(&set, &["events", "dead-letters"]).await;
    assert_eq!((code, out.as_str()), (0, "no dead letters\n"));
    assert_eq!(run(&set, &["events", "replay", "7"]).await.0, 1, "there is no such letter");
}
