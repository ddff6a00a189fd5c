//! All of it together: started in order, disturbed by tests, stopped in reverse order.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context as _, bail, ensure};
use futures::future::{join_all, try_join_all};
use tempfile::TempDir;
use testservers::{NatsServer, Port, PostgresServer};

use crate::{
    BlobSettings, Ending, Options, Server, Service,
    environment::{Place, Surroundings, variables},
    process::{Launch, Process, tail},
    programs::Programs,
    servers::{Servers, drawn},
    starting::{self, Arrival, Arrived},
};

/// Who is asked starts before who asks.
const WAVES: [&[Service]; 3] = [
    &[Service::Asset, Service::Render, Service::Stitch, Service::Audio],
    &[Service::Job],
    &[Service::Gateway],
];

/// A stack that runs; all of it is killed when dropped.
#[derive(Debug)]
pub struct Stack {
    // Fields drop in order: who works, then what they work on, then where it lay.
    replicas: Vec<Replica>,
    stage: Process,
    stage_url: String,
    servers: Servers,
    secrets: Vec<(String, String)>,
    api_key: Option<String>,
    directory: Directory,
}

#[derive(Debug)]
struct Replica {
    service: Service,
    index: usize,
    port: Port,
    launch: Launch,
    process: Option<Process>,
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    // Removed with the stack.
    _scratch: Option<TempDir>,
}

impl Stack {
    /// Starts the servers, makes the tables, starts every replica (spare places stay empty); returns when all of
    /// them listen.
    ///
    /// # Errors
    /// A program is not built or not installed, or something does not start; the text quotes its log.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let places = options.replicas + options.spares;
        ensure!(places > 0, "a stack has at least one place for each process");
        let programs = Programs::find(options.bin_dir.as_deref())?;
        let directory = Directory::make(options.directory.clone())?;
        let (servers, (stage, stage_url)) =
            tokio::try_join!(Servers::start(options.guarded), start_stage(&options, &programs, &directory))?;
        let mut ports = Vec::new();
        for service in Service::ALL {
            for index in 0..places {
                ports.push((service, index, port(&options, service, index)?));
            }
        }
        let around = Surroundings {
            nats_url: servers.nats.url(),
            blobs: servers.blobs(),
            soundstage_url: stage_url.clone(),
            link_secret: drawn(),
            addresses: ports.iter().map(|(service, _, port)| (*service, port.address())).collect(),
        };
        let replica = |(service, index, port): (Service, usize, Port)| {
            let place = Place {
                service,
                index,
                listen: port.address(),
                database_url: servers.database_url(service).map(str::to_owned),
                scratch: directory.scratch(service, index)?,
            };
            let launch = Launch {
                name: format!("{service} {index}"),
                program: programs.of(service),
                arguments: vec!["serve".to_owned()],
                variables: variables(&options, &around, &place),
                log: directory.log(service, index),
            };
            anyhow::Ok(Replica { service, index, port, launch, process: None })
        };
        let wanted = options.replicas;
        let secrets = secrets(&options, &servers, &around);
        let replicas = ports.into_iter().map(replica).collect::<anyhow::Result<_>>()?;
        let mut stack =
            Self { replicas, stage, stage_url, servers, secrets, api_key: options.api_key, directory };
        stack.migrate().await?;
        for wave in WAVES {
            let in_wave = |replica: &&mut Replica| wave.contains(&replica.service) && replica.index < wanted;
            try_join_all(stack.replicas.iter_mut().filter(in_wave).map(Replica::start)).await?;
        }
        Ok(stack)
    }

    /// Makes each service's tables, as the role that owns them.
    async fn migrate(&self) -> anyhow::Result<()> {
        let migrations = Service::WITH_DATABASE.map(|service| async move {
            let mut launch = self.replica(service, 0)?.launch.clone();
            launch.name = format!("{service} migrate");
            launch.arguments = vec!["migrate".to_owned()];
            launch.variables.retain(|(name, _)| name != "DATABASE_URL");
            let owner =
                self.servers.owner_url(service).with_context(|| format!("{service} has no database"))?;
            launch.variables.push(("DATABASE_URL".to_owned(), owner.to_owned()));
            launch.run().await
        });
        try_join_all(migrations).await.context("making the tables").map(drop)
    }

    /// Base URLs of the gateways, such as `http://127.0.0.1:4000`.
    #[must_use]
    pub fn gateways(&self) -> Vec<String> {
        let gateways = self.replicas.iter().filter(|replica| replica.service == Service::Gateway);
        gateways.map(|replica| format!("http://{}", replica.port.address())).collect()
    }

    /// Key that the gateways ask for.
    #[must_use]
    pub fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// Every replica and every spare place: its kind, its number among its kind, where it listens.
    pub fn replicas(&self) -> impl Iterator<Item = (Service, usize, SocketAddr)> {
        self.replicas.iter().map(|replica| (replica.service, replica.index, replica.port.address()))
    }

    /// The number of a replica's process; none when it does not run.
    #[must_use]
    pub fn id(&self, service: Service, index: usize) -> Option<u32> {
        self.replica(service, index).ok()?.process.as_ref()?.id()
    }

    /// Kills a replica (SIGKILL); returns when it is gone.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self, service: Service, index: usize) -> anyhow::Result<()> {
        let mut process = self.replica_mut(service, index)?.take()?;
        process.kill().await
    }

    /// Tells a replica to stop (SIGTERM); returns how it ended.
    ///
    /// # Errors
    /// It does not run, or does not end.
    pub async fn terminate(&mut self, service: Service, index: usize) -> anyhow::Result<ExitStatus> {
        self.replica_mut(service, index)?.terminate().await
    }

    /// Tells a replica to stop (SIGTERM) and does not wait: [`Stack::ended`] reports how it ended.
    ///
    /// # Errors
    /// It does not run.
    pub fn tell_to_stop(&mut self, service: Service, index: usize) -> anyhow::Result<()> {
        self.signal(service, index, libc::SIGTERM)
    }

    /// Stops a replica's clock (SIGSTOP): it holds what it holds and does nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&mut self, service: Service, index: usize) -> anyhow::Result<()> {
        self.signal(service, index, libc::SIGSTOP)
    }

    /// Lets a paused replica go on (SIGCONT).
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&mut self, service: Service, index: usize) -> anyhow::Result<()> {
        self.signal(service, index, libc::SIGCONT)
    }

    /// Starts a replica that ended, on the port it had; returns when it listens.
    ///
    /// # Errors
    /// It runs, or does not start.
    pub async fn start_again(&mut self, service: Service, index: usize) -> anyhow::Result<()> {
        self.replica_mut(service, index)?.start().await
    }

    /// Starts a replica in a place where none runs, with more environment variables than it has anyway, while the
    /// stack does other things; what came of it is given to [`Stack::arrived`].
    ///
    /// # Errors
    /// One runs there.
    pub fn starting(
        &self,
        service: Service,
        index: usize,
        more: Vec<(String, String)>,
    ) -> anyhow::Result<impl Future<Output = Arrival> + Send + 'static> {
        let replica = self.replica(service, index)?;
        ensure!(replica.process.is_none(), "{service} {index} runs already");
        let mut launch = replica.launch.clone();
        launch.variables.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        launch.variables.extend(more);
        Ok(starting::start(service, index, launch))
    }

    /// Takes up a replica that was [`Stack::starting`].
    ///
    /// # Errors
    /// It could not be started, or did not say in time that it listens.
    pub fn arrived(&mut self, arrival: Arrival) -> anyhow::Result<Arrived> {
        let replica = self.replica_mut(arrival.service, arrival.index)?;
        match arrival.started? {
            Ok(process) => {
                replica.process = Some(process);
                Ok(Arrived::Listens)
            }
            Err(status) => Ok(Arrived::Ended(status)),
        }
    }

    /// Takes a server away; what it stored stays.
    pub fn stop_server(&mut self, server: Server, how: Ending) {
        self.servers.stop(server, how);
    }

    /// Starts a server that was taken away, where it was; returns when it answers.
    ///
    /// # Errors
    /// It does not start.
    pub async fn run_server(&mut self, server: Server) -> anyhow::Result<()> {
        self.servers.run(server).await
    }

    /// The replicas that ended without being waited for, and how; each is reported once.
    pub fn ended(&mut self) -> Vec<(Service, usize, ExitStatus)> {
        let mut ended = Vec::new();
        for replica in &mut self.replicas {
            if let Some(status) = replica.process.as_mut().and_then(Process::has_ended) {
                replica.process = None;
                ended.push((replica.service, replica.index, status));
            }
        }
        ended
    }

    /// Everything that a replica has logged, over all its starts.
    #[must_use]
    pub fn log(&self, service: Service, index: usize) -> String {
        fs::read_to_string(self.log_file(service, index)).unwrap_or_default()
    }

    /// The file that a replica logs to.
    #[must_use]
    pub fn log_file(&self, service: Service, index: usize) -> PathBuf {
        self.directory.log(service, index)
    }

    /// Where logs and work in progress lie.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory.path
    }

    /// Runs a command of a service's program, such as `events reconcile`, with the environment of its first
    /// replica; gives what it printed.
    ///
    /// # Errors
    /// It ended with anything but 0; the text quotes what it said.
    pub async fn run(&self, service: Service, arguments: &[&str]) -> anyhow::Result<String> {
        let mut launch = self.replica(service, 0)?.launch.clone();
        launch.name = format!("{} {}", service.program(), arguments.join(" "));
        launch.arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        launch.run().await
    }

    /// Where the stand-in providers listen; their control plane is there too.
    #[must_use]
    pub fn soundstage_url(&self) -> &str {
        &self.stage_url
    }

    /// A service's tables, as the service itself sees them; none for the gateway.
    #[must_use]
    pub fn database_url(&self, service: Service) -> Option<&str> {
        self.servers.database_url(service)
    }

    /// A service's tables, as the role that owns them and may change them; none for the gateway.
    #[must_use]
    pub fn owner_url(&self, service: Service) -> Option<&str> {
        self.servers.owner_url(service)
    }

    /// Every secret that the processes were given, and what it is.
    #[must_use]
    pub fn secrets(&self) -> &[(String, String)] {
        &self.secrets
    }

    /// The whole database, as its superuser.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.servers.superuser_url()
    }

    /// The database server, to be stopped and run again.
    pub fn postgres(&mut self) -> &mut PostgresServer {
        &mut self.servers.postgres
    }

    /// The event server, to be stopped and run again.
    pub fn nats(&mut self) -> &mut NatsServer {
        &mut self.servers.nats
    }

    /// Where the events are.
    #[must_use]
    pub fn nats_url(&self) -> String {
        self.servers.nats.url()
    }

    /// Where the object store keeps its bytes, to be looked at or lost: each in a file named by its SHA-256, in a
    /// directory named by the first two digits of it.
    #[must_use]
    pub fn blob_dir(&self) -> PathBuf {
        self.servers.blob_dir()
    }

    /// Where the bytes are.
    #[must_use]
    pub fn blobs(&self) -> BlobSettings {
        self.servers.blobs()
    }

    /// Tells every process to stop, those that ask before those that are asked, and waits for each.
    ///
    /// # Errors
    /// A process did not end well; all of them are named, with the end of their logs.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        for wave in WAVES.iter().rev() {
            let running =
                |replica: &&mut Replica| wave.contains(&replica.service) && replica.process.is_some();
            let stopping = self.replicas.iter_mut().filter(running).map(Replica::stop);
            wrong.extend(join_all(stopping).await.into_iter().filter_map(Result::err));
        }
        self.stage.signal(libc::SIGTERM)?;
        self.stage.ended().await?;
        self.servers.postgres.stop();
        if !wrong.is_empty() {
            let texts: Vec<String> = wrong.iter().map(|error| format!("{error:#}")).collect();
            bail!("not everything stopped well:\n{}", texts.join("\n"));
        }
        Ok(())
    }

    fn signal(&mut self, service: Service, index: usize, signal: i32) -> anyhow::Result<()> {
        let replica = self.replica(service, index)?;
        replica.process.as_ref().with_context(|| format!("{service} {index} does not run"))?.signal(signal)
    }

    fn replica(&self, service: Service, index: usize) -> anyhow::Result<&Replica> {
        let mut replicas = self.replicas.iter();
        let found = replicas.find(|replica| (replica.service, replica.index) == (service, index));
        found.with_context(|| format!("there is no {service} {index}"))
    }

    fn replica_mut(&mut self, service: Service, index: usize) -> anyhow::Result<&mut Replica> {
        let mut replicas = self.replicas.iter_mut();
        let found = replicas.find(|replica| (replica.service, replica.index) == (service, index));
        found.with_context(|| format!("there is no {service} {index}"))
    }
}

impl Replica {
    async fn start(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "{} {} runs already", self.service, self.index);
        let word = format!("{} listens on", self.service);
        let (process, address) = Process::start(&self.launch, &word).await?;
        self.process = Some(process);
        ensure!(
            address == self.port.address().to_string(),
            "{} was to listen on {} but says {address}",
            self.launch.name,
            self.port.address()
        );
        Ok(())
    }

    fn take(&mut self) -> anyhow::Result<Process> {
        self.process.take().with_context(|| format!("{} does not run", self.launch.name))
    }

    async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let mut process = self.take()?;
        process.signal(libc::SIGTERM)?;
        process.ended().await
    }

    /// As [`Replica::terminate`]; any exit code but 0 is an error.
    async fn stop(&mut self) -> anyhow::Result<()> {
        let status = self.terminate().await?;
        ensure!(status.success(), "{}: {status}; it logged:\n{}", self.launch.name, tail(&self.launch.log));
        Ok(())
    }
}

impl Directory {
    fn make(wanted: Option<PathBuf>) -> anyhow::Result<Self> {
        let (path, scratch) = match wanted {
            Some(path) => (std::path::absolute(path)?, None),
            None => {
                let scratch = tempfile::Builder::new().prefix("filmstrip-stack-").tempdir();
                let scratch = scratch.context("making a scratch directory")?;
                (scratch.path().to_owned(), Some(scratch))
            }
        };
        for part in ["logs", "scratch", "soundstage"] {
            let part = path.join(part);
            fs::create_dir_all(&part).with_context(|| format!("creating {}", part.display()))?;
        }
        Ok(Self { path, _scratch: scratch })
    }

    /// Where a replica's work in progress lies, and whatever else it calls temporary.
    fn scratch(&self, service: Service, index: usize) -> anyhow::Result<PathBuf> {
        let path = self.path.join(format!("scratch/{service}-{index}"));
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    }

    fn log(&self, service: Service, index: usize) -> PathBuf {
        self.path.join(format!("logs/{service}-{index}.log"))
    }
}

/// All that the processes are given and nobody else is to know.
fn secrets(options: &Options, servers: &Servers, around: &Surroundings) -> Vec<(String, String)> {
    let mut secrets = servers.secrets().to_vec();
    secrets.push(("the secret of links".to_owned(), around.link_secret.clone()));
    secrets.extend(options.api_key.iter().map(|key| ("the key of the API".to_owned(), key.clone())));
    if let Some(keys) = &options.provider_keys {
        let of = [("Replicate", &keys.replicate), ("xAI", &keys.xai), ("ElevenLabs", &keys.elevenlabs)];
        secrets.extend(of.map(|(provider, key)| (format!("the key of {provider}"), key.clone())));
    }
    secrets
}

async fn start_stage(
    options: &Options,
    programs: &Programs,
    directory: &Directory,
) -> anyhow::Result<(Process, String)> {
    let home = directory.path.join("soundstage").display().to_string();
    let mut arguments = vec!["soundstage".to_owned(), "--dir".to_owned(), home];
    arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
    arguments.extend(options.draft.then(|| "--draft".to_owned()));
    arguments.extend(options.instant.then(|| "--instant".to_owned()));
    let launch = Launch {
        name: "soundstage".to_owned(),
        program: programs.filmstrip(),
        arguments,
        variables: Vec::new(),
        log: directory.path.join("logs/soundstage.log"),
    };
    Process::start(&launch, "soundstage").await
}

fn port(options: &Options, service: Service, index: usize) -> anyhow::Result<Port> {
    match options.gateway_port.filter(|_| service == Service::Gateway && index == 0) {
        Some(port) => Port::preferably(port),
        None => Port::free(),
    }
}
