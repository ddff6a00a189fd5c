//! All services in this process, behind the gateway, with stand-in providers that deliver small clips at once.

use std::{path::Path, time::Duration};

use filmstrip::{
    client::{Client, is_over},
    standalone::{self, Options, Standalone},
};
use tempfile::TempDir;

/// The longest that a job of small, instant clips may take; only a hang reaches it.
const JOB: Duration = Duration::from_secs(150);

/// A standalone and a client of it.
pub(crate) struct Real {
    standalone: Standalone,
    pub(crate) client: Client,
    // Removed last: fields drop in order.
    dir: TempDir,
}

impl Real {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose options are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = TempDir::new().expect("a directory");
        let mut options = Options {
            data_dir: dir.path().join("data"),
            port: 0,
            draft: true,
            instant: true,
            // Assets are imported from this very server.
            import_from_loopback: true,
            ..Options::from_lookup(|_| None).expect("the defaults")
        };
        change(&mut options);
        let standalone = Box::pin(standalone::start(options)).await.expect("a standalone");
        let client = standalone.client().expect("a client");
        Self { standalone, client, dir }
    }

    pub(crate) fn base(&self) -> &str {
        self.standalone.base_url()
    }

    /// The address of the stand-in providers.
    pub(crate) fn stage(&self) -> String {
        let summary = self.standalone.summary();
        let line = summary.lines().find_map(|line| line.strip_prefix("providers  stand-ins at "));
        line.expect("a line about the providers").to_owned()
    }

    /// The directory that holds the data directory and nothing else.
    pub(crate) fn around(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) async fn stop(self) {
        self.standalone.stop().await.expect("an end");
    }

    /// Waits until a job is over.
    pub(crate) async fn over(&self, job: i64) {
        let waiting = async {
            while !is_over(&self.client.job(job).await.expect("a job")) {
                // The stream wakes us on each change; the job itself is what we believe.
                let mut events = self.client.events(job, None).await.expect("events");
                while let Some(open) = &mut events {
                    let ended = open.next().await.expect("events").is_none();
                    if ended || is_over(&self.client.job(job).await.expect("a job")) {
                        break;
                    }
                }
            }
        };
        tokio::time::timeout(JOB, waiting).await.expect("the job ends");
    }
}

/// A photograph of the repository.
pub(crate) fn photo(name: &str) -> Vec<u8> {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/photos");
    std::fs::read(photos.join(name)).expect("a photograph")
}
