//! The settings that every process has, and those of every service.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use blobs::{BadAddress, BlobAddress, Budget, S3Options};
use secrecy::{ExposeSecret as _, SecretString};
use telemetry::LogFormat;
use tracing_subscriber::EnvFilter;

use crate::{Reader, instance};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// The least room in scratch that anything can be done in, bytes.
const LEAST_SCRATCH: u64 = 64 << 20;
/// More threads than any run can use.
const MOST_THREADS: usize = 256;

/// What every process is told.
#[derive(Clone, Debug)]
pub struct Common {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Name of this replica.
    pub instance: String,
    pub(crate) log_filter: String,
    pub(crate) log_format: LogFormat,
    /// Where traces, metrics and logs are sent, if anywhere.
    pub(crate) collector: Option<String>,
    pub(crate) stop: Stop,
    /// How long it waits at start for what is not there yet.
    pub(crate) patience: Duration,
}

/// How long stopping takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// From "not ready" to "accepts nothing more".
    pub(crate) delay: Duration,
    /// From there to the end, at the latest.
    pub(crate) grace: Duration,
}

impl Common {
    /// How long finishing may take when the process stops (`stop.grace`); then it ends anyway.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.stop.grace
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let log_filter = reader.text("log.filter");
        if EnvFilter::try_new(&log_filter).is_err() {
            let what = format!("{log_filter:?} is no log filter");
            reader.refuse("log.filter", what, "Give levels such as \"info\" or \"info,bus=debug\".");
        }
        let formats = [("json", LogFormat::Json), ("text", LogFormat::Text)];
        Self {
            listen: reader.socket("listen"),
            instance: instance::made_up(),
            log_filter,
            log_format: reader.word("log.format", &formats).unwrap_or_default(),
            collector: reader.url("otel.exporter_otlp_endpoint").map(String::from),
            stop: Stop {
                delay: reader.duration("stop.delay", Duration::ZERO..=HOUR),
                grace: reader.duration("stop.grace", Duration::ZERO..=HOUR),
            },
            patience: reader.duration("start.patience", SECOND..=HOUR),
        }
    }
}

/// What every service is told besides.
#[derive(Debug)]
pub(crate) struct ServiceSettings {
    pub(crate) database_url: SecretString,
    pub(crate) nats_url: SecretString,
}

impl ServiceSettings {
    pub(crate) fn read(reader: &mut Reader<'_>, common: &mut Common) -> Self {
        let fixed = reader.text("instance");
        if !fixed.is_empty() {
            common.instance = fixed;
        }
        Self { database_url: database_url(reader), nats_url: nats_url(reader) }
    }
}

/// The database, also for commands that need nothing else.
pub(crate) fn database_url(reader: &mut Reader<'_>) -> SecretString {
    let url = reader.required_secret("database_url");
    let text = url.expose_secret();
    let known = ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| text.starts_with(scheme));
    let wrong = match eventlog::check_address(text) {
        _ if text.is_empty() => return url,
        Ok(()) if known => return url,
        Ok(()) => "the secret value is no database URL".to_owned(),
        Err(error) => format!("the secret value is no database URL: {error}"),
    };
    let fix = "Give postgres://role@host/database?schema=name, or sqlite:path for one process alone.";
    reader.refuse("database_url", wrong, fix);
    url
}

/// The event servers, also for commands that need nothing else.
pub(crate) fn nats_url(reader: &mut Reader<'_>) -> SecretString {
    let url = reader.required_secret("nats_url");
    if url.expose_secret().is_empty() {
        return url;
    }
    if let Err(reason) = bus::nats::check_url(url.expose_secret()) {
        let fix = "Give nats://user:password@host:4222, several of them separated by commas.";
        reader.refuse("nats_url", format!("the secret value is no address of NATS: {reason}"), fix);
    }
    url
}

/// Where bytes live.
#[derive(Debug)]
pub(crate) struct BlobSettings {
    pub(crate) address: BlobAddress,
    /// Where bytes wait, and media programs work.
    pub(crate) scratch_dir: PathBuf,
    /// How many bytes there may be at one time.
    pub(crate) scratch: Budget,
}

impl BlobSettings {
    /// None says that the reader has noted why.
    pub(crate) fn read(reader: &mut Reader<'_>, name: &str) -> Option<Self> {
        let url = reader.required_text("blob_url");
        let scratch_dir = reader.path("scratch_dir").unwrap_or_else(|| default_scratch_dir(name));
        let scratch = scratch_limit(reader).map_or_else(Budget::unlimited, Budget::of);
        let endpoint = reader.url("s3.endpoint");
        let (id, key) = ("s3.access_key_id", "s3.secret_access_key");
        for (set, unset) in [(id, key), (key, id)] {
            if reader.is_set(set) && !reader.is_set(unset) {
                reader.refuse(unset, format!("is not set but {set} is"), "Set both, or neither.");
            }
        }
        let options = S3Options {
            endpoint: endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()).unwrap_or_default(),
            region: reader.required_text("s3.region"),
            access_key_id: reader.secret(id).unwrap_or_default().expose_secret().to_owned(),
            secret_access_key: reader.secret(key).unwrap_or_default(),
            path_style: reader.optional_bool("s3.path_style"),
        };
        if url.is_empty() {
            return None;
        }
        match BlobAddress::parse(&url, options) {
            Ok(address) => Some(Self { address, scratch_dir, scratch }),
            // Noted already, at its own key.
            Err(BadAddress::HalfCredentials) => None,
            Err(error) => {
                let fix = "Give s3://bucket, s3://bucket/prefix or file:///directory.";
                reader.refuse("blob_url", error.to_string(), fix);
                None
            }
        }
    }
}

/// The most bytes that may lie in scratch at one time (`scratch.limit`), if anybody set it.
pub fn scratch_limit(reader: &mut Reader<'_>) -> Option<u64> {
    reader.optional_size("scratch.limit", LEAST_SCRATCH)
}

/// Threads of each run of ffmpeg (`media.threads`); none: its share of the processors that this process may use.
pub fn media_threads(reader: &mut Reader<'_>) -> Option<NonZeroUsize> {
    let text = reader.text("media.threads");
    if text == "auto" {
        return None;
    }
    let found = text.parse().ok().and_then(NonZeroUsize::new).filter(|threads| threads.get() <= MOST_THREADS);
    if found.is_none() {
        let fix = format!("Give \"auto\", or a whole number from 1 to {MOST_THREADS}.");
        reader.refuse("media.threads", format!("{text:?} is no number of threads"), fix);
    }
    found
}

/// Below the system's directory for temporary files.
pub(crate) fn default_scratch_dir(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("filmstrip-{name}"))
}
