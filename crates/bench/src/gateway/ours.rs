//! The product: a standalone with stand-in providers, over SQLite and a directory.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use filmstrip::{
    client::{Client, is_over},
    standalone::{self, Options},
};
use serde_json::{Value, json};
use tokio::process::Child;

use super::{load::Asked, role};
use crate::process;

/// Largest upload: more than any that is measured.
const MAX_UPLOAD: u64 = 8_000_000_000;

/// A standalone as a process.
pub(super) struct Ours {
    child: Child,
    client: Client,
    campaign: String,
    id: u32,
    /// Resident memory before anything was asked of it, megabytes.
    pub(super) idle_memory: f64,
}

impl Ours {
    pub(super) async fn start(data_dir: &Path) -> anyhow::Result<Self> {
        let mut command = role::process(&["standalone", "--data-dir", &data_dir.display().to_string()])?;
        let (child, base) = role::server(&mut command).await?;
        let id = child.id().context("the standalone has ended")?;
        let client = Client::new(&base)?;
        let campaign = client.campaign("Northwind Stays", "Quay House", "A bright house").await?;
        let idle_memory = process::megabytes(id, "status", "VmRSS");
        Ok(Self { child, client, campaign, id, idle_memory })
    }

    pub(super) fn asked(&self, path: &str) -> Asked {
        Asked { address: address(self.client.base()), path: path.to_owned(), range: None }
    }

    pub(super) fn base(&self) -> &str {
        self.client.base()
    }

    pub(super) fn campaign(&self) -> &str {
        &self.campaign
    }

    /// Uploads a file; the asset's id.
    pub(super) async fn upload(&self, file: &Path) -> anyhow::Result<String> {
        let asset = self.client.upload(&self.campaign, file, "film").await?;
        asset["id"].as_str().map(str::to_owned).context("the asset has no id")
    }

    /// A finished job of ten scenes; its path.
    pub(super) async fn job(&self) -> anyhow::Result<String> {
        let photos = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../demo/photos");
        for room in ["kitchen", "bedroom", "living-room", "dining-room"] {
            for number in 1..=2 {
                let photo = photos.join(format!("{room}-{number}.jpg"));
                self.client.upload(&self.campaign, &photo, room).await?;
            }
        }
        let wishes = json!({"campaign_id": self.campaign, "num_pairs": 10, "clip_duration": 4});
        let job = self.client.create_job("image-pairs", wishes).await?;
        let job = job["job_id"].as_i64().context("the job has no id")?;
        self.client.approve(job).await?;
        loop {
            let mut events = self.client.events(job, None).await?;
            while let Some(open) = &mut events
                && open.next().await?.is_some()
            {}
            let now: Value = self.client.job(job).await?;
            if is_over(&now) {
                anyhow::ensure!(now["status"] == "completed", "the job has no video: {now}");
                return Ok(format!("/api/v3/jobs/{job}"));
            }
        }
    }

    /// What it answers on a path.
    pub(super) async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.client.request(reqwest::Method::GET, path).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    pub(super) fn forget_peak(&self) {
        // Where the kernel does not let us, the peak is that since the start.
        let _ = process::forget_peak(self.id);
    }

    /// The most resident memory since then, megabytes.
    pub(super) fn most_memory(&self) -> f64 {
        process::megabytes(self.id, "status", "VmHWM")
    }

    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.child.start_kill().context("ending the standalone")
    }
}

/// `host:port` of a base URL.
fn address(base: &str) -> String {
    base.trim_start_matches("http://").to_owned()
}

/// Is a standalone until the process is ended.
pub(super) async fn serve(data_dir: PathBuf) -> anyhow::Result<()> {
    // Without an address nothing can be wrong, and there is nothing to keep.
    let _ = telemetry::start("warn", telemetry::LogFormat::Text, &telemetry::Exporting::default());
    let options = Options {
        data_dir,
        port: 0,
        draft: true,
        instant: true,
        max_upload: Some(MAX_UPLOAD),
        ..Options::from_lookup(|_| None)?
    };
    let signals = standalone::Signals::listen()?;
    let standalone = Box::pin(standalone::start(options)).await?;
    println!("{}", standalone.base_url());
    standalone.until_stopped(signals).await
}
