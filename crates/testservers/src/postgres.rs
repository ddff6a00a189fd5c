//! PostgreSQL on a socket file.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::child::{Server, program};

const SUPERUSER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);

/// A PostgreSQL server of its own, without durability (tests only): its data is gone with it.
#[derive(Debug)]
pub struct PostgresServer {
    server: Option<Server>,
    directory: TempDir,
}

impl PostgresServer {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start; the text says which.
    pub async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let user = unprivileged(directory.path())?;
        let data = directory.path().join("data");
        tokio::task::spawn_blocking(move || cluster(&data, user)).await.context("making a cluster")??;
        let mut server = Self { server: None, directory };
        server.run().await?;
        Ok(server)
    }

    /// A URL for `role` on `database`.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{socket}/{database}")
    }

    /// A URL for the superuser on the database every cluster has.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.url(SUPERUSER, "postgres")
    }

    /// Runs SQL as the superuser.
    ///
    /// # Errors
    /// The server refused it.
    pub async fn sql(&self, sql: &str) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.superuser_url(), tokio_postgres::NoTls)
            .await
            .context("connecting")?;
        let driven = tokio::spawn(connection);
        client.batch_execute(sql).await.with_context(|| format!("running {sql}"))?;
        drop(client);
        driven.await.context("closing")?.context("closing")
    }

    /// Ends it at once, as a crash would; the data stays.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.signal(libc::SIGQUIT);
            server.wait();
        }
    }

    /// Starts it again after [`PostgresServer::stop`].
    ///
    /// # Errors
    /// It does not start.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let user = unprivileged(self.directory.path())?;
        let mut command = command("postgres", user)?;
        command.arg("-D").arg(self.directory.path().join("data"));
        command.arg("-k").arg(self.directory.path());
        for setting in ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200"] {
            command.args(["-c", setting]);
        }
        let log = self.directory.path().join("log");
        self.server = Some(Server::start(command, &log)?);
        let answering = async {
            while tokio_postgres::connect(&self.superuser_url(), tokio_postgres::NoTls).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let ready = tokio::time::timeout(PATIENCE, answering).await.is_ok();
        ensure!(ready, "PostgreSQL does not start: {}", fs::read_to_string(&log).unwrap_or_default());
        Ok(())
    }
}

/// PostgreSQL refuses to run as root: there it runs as the account that its package made.
fn unprivileged(directory: &Path) -> anyhow::Result<Option<(u32, u32)>> {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("reading the accounts")?;
    let account = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&SUPERUSER) || fields.first() == Some(&"nobody"))
        .context("no account that PostgreSQL could run as")?;
    let ids = (account[2].parse()?, account[3].parse()?);
    std::os::unix::fs::chown(directory, Some(ids.0), Some(ids.1)).context("handing over the directory")?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).context("opening the directory")?;
    Ok(Some(ids))
}

/// Makes a new cluster at `data`: a copy of one that is made once, because making one takes a second.
fn cluster(data: &Path, user: Option<(u32, u32)>) -> anyhow::Result<()> {
    let initdb = program("initdb", &versions())?;
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    fs::create_dir_all(&tools).context("making the tools directory")?;
    // A cluster belongs to one version of the server.
    let version = Command::new(&initdb).arg("--version").output().context("running initdb")?.stdout;
    let version: String = String::from_utf8_lossy(&version).chars().filter(char::is_ascii_digit).collect();
    let template = tools.join(format!("postgres-{version}"));
    let lock = fs::File::create(tools.join("postgres.lock")).context("locking the template cluster")?;
    lock.lock().context("locking the template cluster")?;
    if !template.exists() {
        let making = tempfile::tempdir().context("making a scratch directory")?;
        unprivileged(making.path())?;
        let fresh = making.path().join("data");
        let initialised = command("initdb", user)?
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={SUPERUSER}"))
            .arg("-D")
            .arg(&fresh)
            .output()
            .context("running initdb")?;
        ensure!(initialised.status.success(), "initdb: {}", String::from_utf8_lossy(&initialised.stderr));
        let copied = tools.join(format!("postgres-{version}.new"));
        drop(fs::remove_dir_all(&copied));
        copy(&fresh, &copied, None)?;
        fs::rename(&copied, &template).context("keeping the template cluster")?;
    }
    drop(lock);
    copy(&template, data, user)
}

/// Copies a directory whole; the copy belongs to `user`.
fn copy(from: &Path, to: &Path, user: Option<(u32, u32)>) -> anyhow::Result<()> {
    fs::create_dir(to).with_context(|| format!("making {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    own(to, user)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, user)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("copying to {}", target.display()))?;
            own(&target, user)?;
        }
    }
    Ok(())
}

fn own(path: &Path, user: Option<(u32, u32)>) -> anyhow::Result<()> {
    let Some((user, group)) = user else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(user), Some(group))
        .with_context(|| format!("handing over {}", path.display()))
}

fn command(name: &str, user: Option<(u32, u32)>) -> anyhow::Result<Command> {
    let mut command = Command::new(program(name, &versions())?);
    command.env("LC_ALL", "C").env("TZ", "UTC");
    if let Some((user, group)) = user {
        command.uid(user).gid(group).current_dir("/");
    }
    Ok(command)
}

/// Where the distribution puts the server's programs, newest first.
fn versions() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    versions.sort_by_key(|path| {
        path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok())
    });
    versions.into_iter().rev().map(|path| path.join("bin")).collect()
}
