//! A client of the public API: what the demo and the end-to-end tests talk through.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode, multipart};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::sse::EventStream;

/// Talks to one gateway.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    key: Option<String>,
}

/// An answer that was read whole: its status and its JSON.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body; null when there was none.
    pub body: Value,
}

impl Client {
    /// A client of the gateway at `base`, such as `http://127.0.0.1:4000`.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(5));
        if is_loopback(base) {
            // A proxy of the environment would look for the gateway on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().context("making an HTTP client")?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http, key: None })
    }

    /// The same client, sending this API key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The address it talks to.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to `path`, with the key when there is one.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    /// Sends JSON and reads the answer, whatever its status.
    ///
    /// # Errors
    /// The server is not reachable or what it says is no JSON.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Answer> {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.with_context(|| format!("{method} {path}"))?).await
    }

    /// GETs JSON; any status but 200 is an error that quotes the answer.
    ///
    /// # Errors
    /// The server is not reachable or refused.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await?.expect(StatusCode::OK, path)
    }

    /// Makes a client and a campaign; returns the campaign's id.
    ///
    /// # Errors
    /// The server is not reachable or refused.
    pub async fn campaign(&self, client: &str, campaign: &str, brief: &str) -> anyhow::Result<String> {
        let path = "/api/v3/clients";
        let made = self.call(Method::POST, path, Some(json!({"name": client}))).await?;
        let client_id = text(&made.expect(StatusCode::CREATED, path)?["data"]["id"])?;
        let path = "/api/v3/campaigns";
        let body = json!({"name": campaign, "client_id": client_id, "brief": brief});
        let made = self.call(Method::POST, path, Some(body)).await?;
        text(&made.expect(StatusCode::CREATED, path)?["data"]["id"])
    }

    /// Uploads one file as multipart, streamed from disk; returns the asset.
    ///
    /// # Errors
    /// The file cannot be read, or the server is not reachable or refused.
    pub async fn upload(&self, campaign: &str, file: &Path, tags: &str) -> anyhow::Result<Value> {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let part = multipart::Part::file(file)
            .await
            .with_context(|| format!("reading {}", file.display()))?
            .file_name(name);
        let form = multipart::Form::new()
            .text("campaign_id", campaign.to_owned())
            .text("tags", tags.to_owned())
            .part("file", part);
        let path = "/api/v3/assets";
        let sent = self.request(Method::POST, path).multipart(form).send().await;
        let made = answer(sent.with_context(|| format!("uploading {}", file.display()))?).await?;
        Ok(made.expect(StatusCode::CREATED, path)?["data"].clone())
    }

    /// Creates a job of `kind` ("image-pairs" or "property-photos"); returns the contract's answer.
    ///
    /// # Errors
    /// The server is not reachable or refused.
    pub async fn create_job(&self, kind: &str, body: Value) -> anyhow::Result<Value> {
        let path = format!("/api/v3/jobs/from-{kind}");
        self.call(Method::POST, &path, Some(body)).await?.expect(StatusCode::CREATED, &path)
    }

    /// Approves a job: from here on it costs money.
    ///
    /// # Errors
    /// The server is not reachable or refused.
    pub async fn approve(&self, job: i64) -> anyhow::Result<Value> {
        let path = format!("/api/v3/jobs/{job}/approve");
        self.call(Method::POST, &path, None).await?.expect(StatusCode::OK, &path)
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// The server is not reachable or the job does not exist.
    pub async fn job(&self, job: i64) -> anyhow::Result<Value> {
        self.get(&format!("/api/v3/jobs/{job}")).await
    }

    /// Follows the job's server-sent events, after `last` when given; none when the job is over and nothing
    /// was missed.
    ///
    /// # Errors
    /// The server is not reachable or refused.
    pub async fn events(&self, job: i64, last: Option<&str>) -> anyhow::Result<Option<EventStream>> {
        let path = format!("/api/v3/jobs/{job}/events");
        let mut request = self.request(Method::GET, &path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.with_context(|| format!("GET {path}"))?;
        match response.status() {
            StatusCode::OK => Ok(Some(EventStream::new(response))),
            StatusCode::NO_CONTENT => Ok(None),
            _ => {
                let refused = answer(response).await?;
                bail!("GET {path} answered {}: {}", refused.status, refused.body)
            }
        }
    }

    /// Downloads `path` to `file`, streamed; returns the bytes written.
    ///
    /// # Errors
    /// The server is not reachable or refused, or the file cannot be written.
    pub async fn download(&self, path: &str, file: &Path) -> anyhow::Result<u64> {
        let mut response =
            self.request(Method::GET, path).send().await.with_context(|| format!("GET {path}"))?;
        if response.status() != StatusCode::OK {
            let refused = answer(response).await?;
            bail!("GET {path} answered {}: {}", refused.status, refused.body);
        }
        let mut out =
            tokio::fs::File::create(file).await.with_context(|| format!("creating {}", file.display()))?;
        let mut written = 0;
        while let Some(chunk) = response.chunk().await.with_context(|| format!("GET {path}"))? {
            out.write_all(&chunk).await.with_context(|| format!("writing {}", file.display()))?;
            written += chunk.len() as u64;
        }
        out.flush().await?;
        Ok(written)
    }
}

impl Answer {
    /// The body when the status is `wanted`.
    ///
    /// # Errors
    /// Any other status; the text quotes the answer.
    pub fn expect(self, wanted: StatusCode, path: &str) -> anyhow::Result<Value> {
        if self.status == wanted {
            Ok(self.body)
        } else {
            bail!("{path} answered {}: {}", self.status, self.body)
        }
    }
}

/// Whether nothing more will happen to the job unless a person acts.
#[must_use]
pub fn is_over(job: &Value) -> bool {
    // A new cut that failed stays visible by its error, without any progress.
    let settled = job["next_cut"]["progress"].is_null();
    matches!(job["status"].as_str(), Some("completed" | "failed" | "canceled")) && settled
}

/// Reads an answer whole.
///
/// # Errors
/// The connection broke, or the body is neither empty nor JSON.
pub async fn answer(response: reqwest::Response) -> anyhow::Result<Answer> {
    let status = response.status();
    let bytes = response.bytes().await.context("reading an answer")?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .with_context(|| format!("an answer {status} is no JSON: {}", String::from_utf8_lossy(&bytes)))?
    };
    Ok(Answer { status, body })
}

fn is_loopback(base: &str) -> bool {
    let url = url::Url::parse(base).ok();
    match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("an answer lacks an id")
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_reached_past_a_proxy() {
        for base in
            ["http://127.0.0.1:4000", "http://127.8.0.1", "http://[::1]:4000", "http://localhost:4000/"]
        {
            assert!(is_loopback(base), "{base}");
        }
        for base in ["https://film.example.org", "http://10.0.0.1:4000", "nonsense"] {
            assert!(!is_loopback(base), "{base}");
        }
    }
}
