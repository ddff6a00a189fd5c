//! The HTTP client for Replicate; the only one there is (<https://replicate.com/docs/reference/http>).

mod files;
mod refusal;
mod told;
pub mod wire;

use std::time::Duration;

use async_trait::async_trait;
use blobs::{Blobs, ScratchFile};
use boundary::around;
use kit::Clock;
use protos::common::v1::BlobRef;
use reqwest::{RequestBuilder, Response, StatusCode, header, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;
use telemetry::metrics::key;
use url::Url;

pub(crate) use self::told::PROVIDER;
use self::{
    told::{host, is_news, told},
    wire::{Page, Prediction, WebhookSecret},
};
use crate::{
    call::Call,
    config::ReplicateConfig,
    error::ProviderError,
    provider::{Create, Provider},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer that is read into memory is not larger than this, bytes.
const MAX_ANSWER: usize = 16 << 20;

/// Talks to Replicate. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api: Url,
    key: SecretString,
    call_timeout: Duration,
    download_timeout: Duration,
    max_output_bytes: u64,
    output_hosts: Vec<String>,
    blobs: Blobs,
    clock: Clock,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.api.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for `config`; media to upload is read from `blobs`. Nothing is dialled yet.
    ///
    /// # Errors
    /// The base URL cannot be extended, or TLS cannot be set up.
    pub fn new(config: &ReplicateConfig, blobs: Blobs, clock: Clock) -> anyhow::Result<Self> {
        let base = config.base_url.as_str().trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let api = Url::parse(&format!("{base}/v1/"))?;
        let mut http = reqwest::Client::builder();
        if is_loopback(&api) {
            // A stand-in on this machine is never behind a proxy.
            http = http.no_proxy();
        }
        let http = http
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(config.call_timeout)
            // A create call must never be sent twice behind our back.
            .retry(reqwest::retry::never())
            .redirect(redirect::Policy::none())
            .user_agent(concat!("filmstrip/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            api,
            key: config.api_key.clone(),
            call_timeout: config.call_timeout,
            download_timeout: config.download_timeout,
            max_output_bytes: config.max_output_bytes,
            output_hosts: config.output_hosts.clone(),
            blobs,
            clock,
        })
    }

    fn url(&self, path: &str) -> Result<Url, ProviderError> {
        self.api.join(path).map_err(|error| ProviderError::NotSent(error.to_string()))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.key.expose_secret())
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: RequestBuilder,
    ) -> Result<T, ProviderError> {
        let response = self.accepted(call, self.authorized(request)).await?;
        let body = text(response).await?;
        serde_json::from_str(&body)
            .map_err(|error| ProviderError::Ambiguous(format!("an answer that cannot be read: {error}")))
    }

    /// Sends, and turns what is not a success into its error.
    async fn accepted(&self, call: &Call, request: RequestBuilder) -> Result<Response, ProviderError> {
        let response = request.send().await.map_err(sending)?;
        let status = response.status();
        call.answered(status.as_u16());
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        // A refusal counts even when its text breaks off.
        let body = kit::redact(&text(response).await.unwrap_or_default(), &self.key);
        Err(refusal::refusal(status, &headers, &body, self.clock.now()))
    }
}

/// A request that got no answer: whether the provider can have seen it is what matters.
fn sending(error: reqwest::Error) -> ProviderError {
    // The URL may carry a signature; it says nothing new anyway.
    let error = error.without_url();
    let text = chain(&error);
    if error.is_connect() || error.is_builder() {
        ProviderError::NotSent(text)
    } else {
        ProviderError::Ambiguous(text)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

async fn text(mut response: Response) -> Result<String, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(sending)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(ProviderError::Ambiguous("an answer of more than 16 MiB".to_owned()));
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[async_trait]
impl Provider for Client {
    async fn create(&self, create: &Create) -> Result<Prediction, ProviderError> {
        let mut body = json!({ "version": create.model, "input": create.input });
        if let Some(webhook) = &create.webhook {
            body["webhook"] = json!(webhook);
            body["webhook_events_filter"] = json!(["start", "completed"]);
        }
        let request = self.http.post(self.url("predictions")?).json(&body);
        // Should we die now and never come back, the provider stops by itself.
        let request = request.header("Cancel-After", format!("{}s", create.cancel_after_seconds.max(5)));
        let call = self.call("create", "create prediction");
        call.set(key::MODEL, &*create.model_key);
        let asking = async {
            let prediction: Prediction = around("provider.create", "", self.answer(&call, request)).await?;
            if prediction.id.is_empty() {
                return Err(ProviderError::Ambiguous("an answer without an id".to_owned()));
            }
            Ok(prediction)
        };
        told(&call, asking).await
    }

    async fn get(&self, id: &str) -> Result<Prediction, ProviderError> {
        let request = self.http.get(self.url(&format!("predictions/{}", segment(id)))?);
        let mut call = self.poll("get", "get prediction");
        let asking = self.answer(&call, request.timeout(self.call_timeout));
        let answer = around("provider.get", "", asking).await;
        if is_news(&answer) {
            call = call.was_worth();
        }
        told(&call, async { answer }).await
    }

    async fn cancel(&self, id: &str) -> Result<(), ProviderError> {
        let request = self.http.post(self.url(&format!("predictions/{}/cancel", segment(id)))?);
        let request = request.header(header::CONTENT_LENGTH, 0).timeout(self.call_timeout);
        let call = self.call("cancel", "cancel prediction");
        let asking = around("provider.cancel", "", self.accepted(&call, self.authorized(request)));
        told(&call, asking).await.map(drop)
    }

    async fn list(&self, next: Option<&str>) -> Result<Page, ProviderError> {
        let url = match next {
            None => self.url("predictions")?,
            Some(next) => self.url(next)?,
        };
        if url.origin() != self.api.origin() {
            return Err(ProviderError::ForeignHost { host: host(&url).to_owned() });
        }
        let call = self.call("list", "list predictions");
        let request = self.http.get(url).timeout(self.call_timeout);
        told(&call, around("provider.list", "", self.answer(&call, request))).await
    }

    async fn upload(&self, blob: &BlobRef, name: &str, attempt: &str) -> Result<String, ProviderError> {
        let is_image = blob.content_type.starts_with("image/");
        let call = self.call("upload", if is_image { "upload frame" } else { "upload segment" });
        told(&call, around("provider.upload", "", self.upload_file(&call, blob, name, attempt))).await
    }

    async fn download(&self, url: &str, to: &mut ScratchFile) -> Result<u64, ProviderError> {
        let at = Url::parse(url).ok();
        let at = at.as_ref().map(host).unwrap_or_default();
        let call = Call::begin(PROVIDER, "download", "download output", at);
        told(&call, around("provider.download", "", self.download_file(&call, url, to))).await
    }

    async fn webhook_secret(&self) -> Result<SecretString, ProviderError> {
        let request = self.http.get(self.url("webhooks/default/secret")?).timeout(self.call_timeout);
        let call = self.call("webhook_secret", "get webhook secret");
        let secret: WebhookSecret = told(&call, self.answer(&call, request)).await?;
        Ok(SecretString::from(secret.key))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An id as one path segment, whatever the provider put into it.
fn segment(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// Statuses that a missing output has.
#[must_use]
pub fn is_gone(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Refused { status, .. }
        if [StatusCode::NOT_FOUND, StatusCode::GONE, StatusCode::FORBIDDEN].iter().any(|gone| gone.as_u16() == *status))
}
