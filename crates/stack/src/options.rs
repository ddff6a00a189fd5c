//! How many replicas, how patient, where.

use std::{fmt, path::PathBuf, time::Duration};

/// A kind of process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Clients, campaigns, assets.
    Asset,
    /// Clips.
    Render,
    /// Cuts and mixes.
    Stitch,
    /// Soundtracks.
    Audio,
    /// Jobs; asks the four above.
    Job,
    /// The public API; asks all others.
    Gateway,
}

impl Service {
    /// All kinds, each behind those that it asks.
    pub const ALL: [Self; 6] =
        [Self::Asset, Self::Render, Self::Stitch, Self::Audio, Self::Job, Self::Gateway];
    /// The kinds that have a database and publish events.
    pub const WITH_DATABASE: [Self; 5] = [Self::Asset, Self::Render, Self::Stitch, Self::Audio, Self::Job];

    /// Its name, such as "asset".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Render => "render",
            Self::Stitch => "stitch",
            Self::Audio => "audio",
            Self::Job => "job",
            Self::Gateway => "gateway",
        }
    }

    /// The name of its program.
    #[must_use]
    pub fn program(self) -> String {
        format!("filmstrip-{}", self.name())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A server that the processes run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Server {
    /// The databases.
    Postgres,
    /// The published events.
    Nats,
    /// The bytes.
    S3,
}

impl Server {
    /// Its name, such as "PostgreSQL".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Nats => "NATS",
            Self::S3 => "S3",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// At once, in the middle of whatever it does. S3 knows only this one.
    Crash,
    /// As for an upgrade: clients are told, what is under way is ended.
    Orderly,
}

/// Keys of the providers' accounts.
#[derive(Clone, Debug)]
pub struct ProviderKeys {
    /// Clips and music.
    pub replicate: String,
    /// Storyboards.
    pub xai: String,
    /// Voices.
    pub elevenlabs: String,
}

/// How a stack is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Replicas of each kind of process.
    pub replicas: usize,
    /// Further places of each kind that all others know of but where nothing is started: for a new replica that
    /// works beside the ones it will replace.
    pub spares: usize,
    /// Small, quick clips from the stand-in providers.
    pub draft: bool,
    /// The stand-in providers deliver at once.
    pub instant: bool,
    /// Where the built programs lie; by default beside the running program.
    pub bin_dir: Option<PathBuf>,
    /// Where logs and work in progress go; by default a scratch directory that goes away with the stack.
    pub directory: Option<PathBuf>,
    /// How long what a replica works on stays its own after its last sign of life; the default of each process
    /// when there is none.
    pub lease: Option<Duration>,
    /// Replicas are named `render-0` and so on, so that one takes up at once what it held before; else each start
    /// makes up a new name, and what a dead one held is taken over when its lease has run out.
    pub named: bool,
    /// How long a process that is told to stop still takes work.
    pub stop_delay: Duration,
    /// Port that the first gateway takes when it is free.
    pub gateway_port: Option<u16>,
    /// Key that the gateway asks its callers for.
    pub api_key: Option<String>,
    /// PostgreSQL and NATS ask who it is: every role has a password of its own, drawn for this stack.
    pub guarded: bool,
    /// The processes are told the stand-in providers as if they were the providers, with these keys.
    pub provider_keys: Option<ProviderKeys>,
    /// Providers reach the first gateway: they fetch frames by signed links and send webhooks. There is no balancer
    /// before the gateways, so a frame that is fetched while the first one is down fails its scene; without this,
    /// frames are uploaded and polling does all.
    pub public: bool,
    /// What the processes log.
    pub log_filter: String,
    /// More environment variables for processes of a kind; they win over what the stack sets itself.
    pub variables: Vec<(Service, String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            replicas: 2,
            spares: 0,
            draft: false,
            instant: false,
            bin_dir: None,
            directory: None,
            lease: None,
            named: false,
            stop_delay: Duration::ZERO,
            gateway_port: None,
            api_key: None,
            guarded: false,
            provider_keys: None,
            public: false,
            log_filter: "info".to_owned(),
            variables: Vec::new(),
        }
    }
}
