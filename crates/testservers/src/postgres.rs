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

use crate::{
    child::{Server, program},
    port::Port,
};

const SUPERUSER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);

/// A service's place on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrls {
    /// For `migrate`: the role that owns the schema, and grants what the service needs.
    pub owner: String,
    /// For the service itself: a role that owns nothing.
    pub service: String,
}

/// A PostgreSQL server of its own, without durability unless it is asked for: its data is gone with it.
#[derive(Debug)]
pub struct PostgresServer {
    server: Option<Server>,
    directory: TempDir,
    /// Of a server that also listens on loopback, with TLS.
    port: Option<Port>,
    /// Whether a commit is on the disk when it is answered.
    durable: bool,
}

impl PostgresServer {
    /// Makes a cluster and starts it.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start; the text says which.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_as(false).await
    }

    /// Like [`PostgresServer::start`], with PostgreSQL's own defaults for durability (`fsync`, `full_page_writes` and
    /// `synchronous_commit` on), for measuring. The scratch directory has to lie on a real disk.
    ///
    /// # Errors
    /// As for [`PostgresServer::start`].
    pub async fn start_durable() -> anyhow::Result<Self> {
        Self::start_as(true).await
    }

    async fn start_as(durable: bool) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let user = unprivileged(directory.path())?;
        let data = directory.path().join("data");
        tokio::task::spawn_blocking(move || cluster(&data, user)).await.context("making a cluster")??;
        let mut server = Self { server: None, directory, port: None, durable };
        server.run().await?;
        Ok(server)
    }

    /// Like [`PostgresServer::start`]; it also listens on loopback, where it speaks TLS under a certificate made
    /// for `localhost`.
    ///
    /// # Errors
    /// As for [`PostgresServer::start`], or no certificate can be made.
    pub async fn start_with_tls() -> anyhow::Result<Self> {
        let mut server = Self::start().await?;
        server.stop();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("a certificate")?;
        let user = unprivileged(server.directory.path())?;
        for (file, text) in [("tls.pem", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())] {
            let path = server.directory.path().join(file);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            own(&path, user)?;
        }
        server.port = Some(Port::free()?);
        server.run().await?;
        Ok(server)
    }

    /// A URL for `role` on `database` over TLS, of a server that was started with it; the certificate to trust
    /// ([`PostgresServer::certificate`]) is not named.
    #[must_use]
    pub fn tls_url(&self, role: &str, database: &str) -> String {
        format!(
            "postgres://{role}@localhost:{}/{database}?sslmode=verify-full",
            self.port.as_ref().map_or(0, Port::number)
        )
    }

    /// The file with the certificate that clients have to trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("tls.pem")
    }

    /// A URL for `role` (with its password, if it needs one: `role:password`) on `database`.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        let port = self.port.as_ref().map(|port| format!(":{}", port.number())).unwrap_or_default();
        format!("postgres://{role}@{socket}{port}/{database}")
    }

    /// A URL for the superuser on the database every cluster has.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.url(SUPERUSER, "postgres")
    }

    /// Makes what a service needs on the database every cluster has: a role that owns and migrates (`<service>_owner`),
    /// a role that it runs under (`<service>_service`), and a schema named after it that belongs to the owner.
    ///
    /// # Errors
    /// The server refused it, for example because they exist.
    pub async fn role_and_schema(&self, service: &str) -> anyhow::Result<ServiceUrls> {
        self.make_roles(service, None).await
    }

    /// As [`PostgresServer::role_and_schema`], with a password for the owner and one for the service, letters and digits,
    /// which the server asks for from then on.
    ///
    /// # Errors
    /// The server refused it, for example because they exist.
    pub async fn guarded_role_and_schema(
        &self,
        service: &str,
        passwords: [&str; 2],
    ) -> anyhow::Result<ServiceUrls> {
        let rules = self.directory.path().join("data/pg_hba.conf");
        // The superuser, whom only tests know, stays as he is.
        fs::write(&rules, format!("local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"))
            .with_context(|| format!("writing {}", rules.display()))?;
        self.sql("SELECT pg_reload_conf()").await?;
        self.make_roles(service, Some(passwords)).await
    }

    async fn make_roles(&self, service: &str, passwords: Option<[&str; 2]>) -> anyhow::Result<ServiceUrls> {
        let (owner, role) = (format!("{service}_owner"), format!("{service}_service"));
        let password = |which: usize| passwords.map(|both| format!(" PASSWORD '{}'", both[which]));
        self.sql(&format!(
            "CREATE ROLE {owner} LOGIN{}; CREATE ROLE {role} LOGIN{}; CREATE SCHEMA {service} AUTHORIZATION {owner}",
            password(0).unwrap_or_default(),
            password(1).unwrap_or_default(),
        ))
        .await?;
        let url = |name: &str, which: usize| match passwords {
            Some(both) => self.url(&format!("{name}:{}", both[which]), "postgres"),
            None => self.url(name, "postgres"),
        };
        Ok(ServiceUrls {
            owner: format!("{}?schema={service}&grant_to={role}", url(&owner, 0)),
            service: format!("{}?schema={service}", url(&role, 1)),
        })
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
        self.end(libc::SIGQUIT);
    }

    /// Ends it in order, as for an upgrade: sessions are told, what is under way is rolled back.
    pub fn stop_orderly(&mut self) {
        self.end(libc::SIGINT);
    }

    fn end(&mut self, signal: i32) {
        if let Some(mut server) = self.server.take() {
            server.signal(signal);
            server.wait();
        }
    }

    /// Starts it again after [`PostgresServer::stop`] or [`PostgresServer::stop_orderly`].
    ///
    /// # Errors
    /// It does not start.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let user = unprivileged(self.directory.path())?;
        let mut command = command("postgres", user)?;
        command.arg("-D").arg(self.directory.path().join("data"));
        command.arg("-k").arg(self.directory.path());
        // Shared memory in files of the data directory: what is left of it goes away with them.
        command.args(["-c", "max_connections=200", "-c", "dynamic_shared_memory_type=mmap"]);
        if !self.durable {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        match &self.port {
            None => {
                command.args(["-c", "listen_addresses="]);
            }
            Some(port) => {
                let file = |name: &str| self.directory.path().join(name).display().to_string();
                command.args([
                    "-p",
                    &port.number().to_string(),
                    "-c",
                    "listen_addresses=localhost",
                    "-c",
                    "ssl=on",
                ]);
                command.arg("-c").arg(format!("ssl_cert_file={}", file("tls.pem")));
                command.arg("-c").arg(format!("ssl_key_file={}", file("tls.key")));
            }
        }
        let log = self.directory.path().join("log");
        self.server = Some(Server::start(command, &log, libc::SIGQUIT)?);
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

impl Drop for PostgresServer {
    /// Killed, it would leave its processes for a moment and its shared memory for good.
    fn drop(&mut self) {
        self.stop();
    }
}

/// PostgreSQL refuses to run as root: there it runs as the account that its package made, or as nobody.
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
