//! The few calls of the public API that a job needs.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail, ensure};
use reqwest::{Method, multipart};
use serde_json::{Value, json};

/// Only a hang reaches it: all jobs share the machine.
const PATIENCE: Duration = Duration::from_mins(10);
/// Between two questions whether a job is over.
const ASK: Duration = Duration::from_millis(500);
/// Photographs of the campaign.
const PHOTOS: usize = 12;

/// Talks to one gateway.
pub(crate) struct Api {
    base: String,
    http: reqwest::Client,
}

impl Api {
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build().context("making an HTTP client")?;
        Ok(Self { base: base.to_owned(), http })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.context("calling the gateway")?;
        let (status, path) = (answer.status(), answer.url().path().to_owned());
        let body = answer.text().await.with_context(|| format!("reading the answer of {path}"))?;
        ensure!(status.is_success(), "{path} answered {status}: {body}");
        serde_json::from_str(&body).with_context(|| format!("{path} answered no JSON: {body}"))
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(self.http.request(Method::POST, format!("{}{path}", self.base)).json(&body)).await
    }

    /// A campaign with photographs; its id.
    pub(crate) async fn campaign(&self) -> anyhow::Result<String> {
        let client = self.post("/api/v3/clients", json!({"name": "Northwind Stays"})).await?;
        let body = json!({"name": "Spring", "client_id": client["data"]["id"], "brief": "A sunny lodge"});
        let campaign = self.post("/api/v3/campaigns", body).await?;
        let campaign = campaign["data"]["id"].as_str().context("the campaign has no id")?.to_owned();
        for photo in photos()?.into_iter().cycle().take(PHOTOS) {
            let part = multipart::Part::file(&photo).await;
            let part = part.with_context(|| format!("reading {}", photo.display()))?;
            let form = multipart::Form::new()
                .text("campaign_id", campaign.clone())
                .text("tags", "kitchen")
                .part("file", part);
            self.send(self.http.post(format!("{}/api/v3/assets", self.base)).multipart(form)).await?;
        }
        Ok(campaign)
    }

    /// A job of so many scenes, approved; its id.
    pub(crate) async fn approved_job(&self, campaign: &str, scenes: usize) -> anyhow::Result<i64> {
        let body = json!({"campaign_id": campaign, "num_pairs": scenes, "clip_duration": 4});
        let job = self.post("/api/v3/jobs/from-image-pairs", body).await?;
        let job = job["job_id"].as_i64().context("the job has no id")?;
        self.post(&format!("/api/v3/jobs/{job}/approve"), json!({})).await?;
        Ok(job)
    }

    /// Waits until a job has its video.
    pub(crate) async fn completed(&self, job: i64) -> anyhow::Result<()> {
        let url = format!("{}/api/v3/jobs/{job}", self.base);
        let waiting = async {
            loop {
                let now = self.send(self.http.get(&url)).await?;
                match now["status"].as_str() {
                    Some("completed") => return Ok(()),
                    Some("failed" | "canceled") => bail!("job {job} has no video: {now}"),
                    _ => tokio::time::sleep(ASK).await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.with_context(|| format!("job {job} takes too long"))?
    }
}

/// The photographs of the demo.
fn photos() -> anyhow::Result<Vec<PathBuf>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../demo/photos");
    let entries =
        std::fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))?;
    let photos = entries.flatten().map(|entry| entry.path());
    let mut photos: Vec<PathBuf> =
        photos.filter(|path| path.extension().is_some_and(|extension| extension == "jpg")).collect();
    photos.sort();
    ensure!(!photos.is_empty(), "no photographs in {}", directory.display());
    Ok(photos)
}

#[cfg(test)]
mod tests {
    use super::photos;

    #[test]
    fn the_photographs_are_there() {
        assert!(photos().unwrap().len() > 3);
    }
}
