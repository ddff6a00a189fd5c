//! Starting and stopping a stage, and the state that its parts share.

use std::collections::HashMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::StageClock;
use crate::error::StageError;
use crate::faults::Faults;
use crate::ledger::LedgerDb;
use crate::media::{Ffmpeg, MediaStore};
use crate::{http, runner, server, sweeper, webhooks};

/// How a stage is to be run.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Where its ledger, files, outputs and port live. One stage per directory at a time.
    pub dir: PathBuf,
    /// Where to listen. Port 0 takes a free port the first time and the same port after that.
    pub listen: SocketAddr,
    /// Small clips (320 pixels on the long side), cached by their input.
    pub draft: bool,
    /// Varies music and camera moves; equal seeds make equal media.
    pub seed: u64,
    /// Predictions complete as soon as their medium exists, without pretended waiting.
    pub instant: bool,
    /// Stage seconds per real second: 60 lets a minute of latency or expiry pass in a second.
    pub time_scale: f64,
}

/// A running stage.
#[derive(Debug)]
pub struct Stage {
    addr: SocketAddr,
    base: String,
    tasks: TaskTracker,
    _lock: File,
}

impl Stage {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Like `http://127.0.0.1:4600`: for [`crate::client::StageControl`].
    pub fn base_url(&self) -> String {
        self.base.clone()
    }

    /// Stands in for `https://api.replicate.com/v1`.
    pub fn replicate_url(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// Stands in for `https://api.x.ai/v1`.
    pub fn xai_url(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// Stands in for `https://api.elevenlabs.io/v1`.
    pub fn elevenlabs_url(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// Returns once everything has ended after the cancel token given to [`start`]. The directory is free then.
    pub async fn wait(self) {
        self.tasks.wait().await;
    }
}

/// What all parts of a running stage share.
pub(crate) struct Shared {
    pub(crate) base: String,
    pub(crate) clock: StageClock,
    pub(crate) draft: bool,
    pub(crate) instant: bool,
    pub(crate) seed: u64,
    pub(crate) ledger: LedgerDb,
    pub(crate) faults: Faults,
    pub(crate) media: MediaStore,
    pub(crate) ffmpeg: Ffmpeg,
    pub(crate) outbound: reqwest::Client,
    pub(crate) fetching: Semaphore,
    pub(crate) running: Mutex<HashMap<String, CancellationToken>>,
    pub(crate) released: Notify,
    /// Fired on every change of any prediction.
    pub(crate) changed: Notify,
    /// What webhooks are signed with at the moment.
    pub(crate) secret: Mutex<String>,
    pub(crate) keys: http::Accepted,
    pub(crate) cancel: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

pub(crate) type Handle = Arc<Shared>;

impl Shared {
    /// Runs `work` until it ends or the stage stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let cancel = self.cancel.clone();
        self.tasks.spawn(async move {
            cancel.run_until_cancelled(work).await;
        });
    }
}

/// Opens the directory, resumes what was unfinished and serves until `cancel`.
pub async fn start(options: StageOptions, cancel: CancellationToken) -> Result<Stage, StageError> {
    if !(options.time_scale.is_finite() && options.time_scale > 0.0) {
        let problem = format!("must be a number above 0, got {}", options.time_scale);
        return Err(StageError::Option { name: "time_scale", problem });
    }
    let dir = options.dir.clone();
    std::fs::create_dir_all(&dir).map_err(|source| StageError::Directory { path: dir.clone(), source })?;
    let lock = lock(&dir)?;
    let ffmpeg = Ffmpeg::find().await?;
    let media = MediaStore::open(&dir, options.draft)?;
    let ledger = LedgerDb::open(&dir.join("ledger.sqlite"))?;
    let secret = ledger.webhook_secret()?;
    let listener = server::bind(&dir, options.listen).await?;
    let addr = listener.local_addr().map_err(|source| StageError::Listen { addr: options.listen, source })?;
    let base = format!("http://{}", reachable(addr));
    let tasks = TaskTracker::new();
    let shared = Arc::new(Shared {
        base: base.clone(),
        clock: StageClock::new(options.time_scale),
        draft: options.draft,
        instant: options.instant,
        seed: options.seed,
        ledger,
        faults: Faults::default(),
        media,
        ffmpeg,
        outbound: webhooks::client()?,
        fetching: Semaphore::new(16),
        running: Mutex::default(),
        released: Notify::new(),
        changed: Notify::new(),
        secret: Mutex::new(secret),
        keys: http::Accepted::default(),
        cancel: cancel.clone(),
        tasks: tasks.clone(),
    });
    runner::resume(&shared)?;
    webhooks::resume(&shared)?;
    shared.spawn(sweeper::run(shared.clone()));
    tasks.spawn(server::serve(listener, http::router(shared), tasks.clone(), cancel));
    tasks.close();
    Ok(Stage { addr, base, tasks, _lock: lock })
}

fn lock(dir: &Path) -> Result<File, StageError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|source| StageError::Directory { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StageError::InUse(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(StageError::Directory { path, source }),
    }
}

/// The address that somebody on this machine can call.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    addr
}
