//! Chat completions at xAI, with structured output.
//!
//! `POST {base}/chat/completions`, Bearer key (<https://docs.x.ai/docs/api-reference#chat-completions>). Calls
//! cost no more than a fraction of a cent and leave nothing behind, so a failed one is simply made again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use rand::RngExt as _;
use reqwest::{StatusCode, header::RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use telemetry::{
    KeyValue,
    metrics::{PROVIDER_CALL_DURATION, key},
    trace::{Build, span},
};
use tokio::time::{Instant, sleep, timeout_at};
use url::{Host, Url};

use crate::settings::XaiSettings;

/// What traces and metrics call this provider, and what is asked of it.
const PROVIDER: &str = "xai";
const OPERATION: &str = "chat";
/// Calls for one answer, the first included.
const CALLS: u32 = 4;
/// The longest wait between two calls, unless the provider asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// Largest answer that is read, bytes.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The client; calls made through it are counted.
#[derive(Debug)]
pub struct Xai {
    http: reqwest::Client,
    url: String,
    /// The provider's host.
    host: String,
    key: SecretString,
    model: String,
    backoff: Duration,
    calls: AtomicU64,
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What the model is.
    pub system: &'a str,
    /// What it is asked.
    pub user: &'a str,
    /// JSON schema that the answer follows.
    pub schema: &'a Value,
    /// Which model is asked; none: the configured one.
    pub model: Option<&'a str>,
}

/// Why there is no answer. The texts are shown to people and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The provider refused.
    #[error("API request failed with status {0}")]
    Status(u16),
    /// The provider was not reached, or the connection broke.
    #[error("{0}")]
    Transport(String),
    /// The time was up.
    #[error("the planner did not answer in time")]
    Late,
    /// The provider answered something that holds no text.
    #[error("Failed to parse AI response")]
    Unreadable,
}

impl NoAnswer {
    /// What kind it is, as traces and metrics have it.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Status(429) => "throttled",
            Self::Status(400..=499) => "refused",
            Self::Status(_) => "status",
            Self::Transport(_) => "transport",
            Self::Late => "late",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What one call came to.
enum Call {
    Answer(String),
    Again(NoAnswer, Option<Duration>),
    Never(NoAnswer),
}

impl Xai {
    /// A client.
    ///
    /// # Errors
    /// The base URL is not a URL, or TLS cannot be set up.
    pub fn new(settings: &XaiSettings) -> anyhow::Result<Self> {
        let url = format!("{}/chat/completions", settings.base_url.trim_end_matches('/'));
        let parsed = Url::parse(&url).context("the planner's base URL is not a URL")?;
        let mut http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10));
        if is_loopback(&parsed) {
            // A stand-in on this machine is never behind a proxy.
            http = http.no_proxy();
        }
        let http = http.build()?;
        Ok(Self {
            http,
            url,
            host: parsed.host_str().unwrap_or_default().to_owned(),
            key: settings.api_key.clone(),
            model: settings.model.clone(),
            backoff: settings.backoff,
            calls: AtomicU64::new(0),
        })
    }

    /// Calls made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The text of the model's answer. Calls that failed on the way, at the provider or for lack of quota are
    /// repeated until `deadline`; `calls` grows by each.
    ///
    /// # Errors
    /// Why the last call failed.
    pub async fn ask(
        &self,
        question: Question<'_>,
        deadline: Instant,
        calls: &mut u32,
    ) -> Result<String, NoAnswer> {
        let body = self.body(question);
        let mut wait = self.backoff;
        let mut last = NoAnswer::Late;
        for call in 1..=CALLS {
            self.calls.fetch_add(1, Ordering::Relaxed);
            *calls += 1;
            let asked = match self.told(&body, deadline).await {
                Call::Answer(text) => return Ok(text),
                Call::Never(error) => return Err(error),
                Call::Again(error, asked) => {
                    tracing::warn!(call, error = %error, "the planner failed");
                    last = error;
                    asked
                }
            };
            let jitter = rand::rng().random_range(0.5..1.0);
            let pause = asked.unwrap_or_else(|| wait.mul_f64(jitter));
            if call == CALLS || Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Err(last)
    }

    fn body(&self, question: Question<'_>) -> Value {
        json!({
            "model": question.model.unwrap_or(&self.model),
            "stream": false,
            "temperature": 0.7,
            "messages": [
                { "role": "system", "content": question.system },
                { "role": "user", "content": question.user },
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": { "name": "storyboard", "strict": true, "schema": question.schema },
            },
        })
    }

    /// A call until `deadline`, with its span and its place in the metrics.
    async fn told(&self, body: &Value, deadline: Instant) -> Call {
        let (span, began) = (self.span(body).start(), Instant::now());
        let asking = timeout_at(deadline, self.call(body));
        let call = span.run(asking).await.unwrap_or(Call::Never(NoAnswer::Late));
        let mut attributes =
            vec![KeyValue::new(key::PROVIDER, PROVIDER), KeyValue::new(key::OPERATION, OPERATION)];
        if let Call::Again(error, _) | Call::Never(error) = &call {
            span.set(key::ERROR, error.class());
            span.fail(error.class());
            attributes.push(KeyValue::new(key::ERROR, error.class()));
            if let NoAnswer::Status(status) = error {
                span.set(key::HTTP_STATUS, i64::from(*status));
            }
        }
        PROVIDER_CALL_DURATION.took(began.elapsed(), &attributes);
        call
    }

    fn span(&self, body: &Value) -> Build {
        let model = body["model"].as_str().unwrap_or_default().to_owned();
        span("ask planner")
            .client()
            .with(key::PROVIDER, PROVIDER)
            .with(key::OPERATION, OPERATION)
            .with(key::MODEL, model)
            .with("server.address", self.host.clone())
    }

    async fn call(&self, body: &Value) -> Call {
        let request = self.http.post(&self.url).bearer_auth(self.key.expose_secret()).json(body);
        let answer = match boundary::around("planner", "", request.send()).await {
            Ok(answer) => answer,
            Err(error) => return Call::Again(transport(&error), None),
        };
        let status = answer.status();
        if !status.is_success() {
            let error = NoAnswer::Status(status.as_u16());
            let again = status.is_server_error()
                || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
            return if again { Call::Again(error, retry_after(&answer)) } else { Call::Never(error) };
        }
        match read(answer).await {
            Ok(bytes) => match text_of(&bytes) {
                Some(text) => Call::Answer(text),
                None => Call::Again(NoAnswer::Unreadable, None),
            },
            Err(error) => Call::Again(error, None),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, NoAnswer> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| transport(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_ANSWER {
            return Err(NoAnswer::Unreadable);
        }
    }
    Ok(bytes)
}

/// Without the URL: what people see holds no address of ours.
fn transport(error: &reqwest::Error) -> NoAnswer {
    let what = if error.is_timeout() {
        "the planner did not answer in time"
    } else if error.is_connect() {
        "the planner cannot be reached"
    } else {
        "the connection to the planner broke"
    };
    NoAnswer::Transport(what.to_owned())
}

fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds: f64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The content of the first choice: a text, a list of fragments, or an object that holds either.
fn text_of(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let text = content(answer.pointer("/choices/0/message/content")?);
    (!text.trim().is_empty()).then_some(text)
}

fn content(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(fragments) => fragments.iter().map(content).collect(),
        Value::Object(object) => ["text", "json", "content"]
            .iter()
            .find_map(|member| object.get(*member))
            .map(|inner| match inner {
                Value::Object(_) if object.contains_key("json") => inner.to_string(),
                inner => content(inner),
            })
            .unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content: Value) -> Vec<u8> {
        json!({ "choices": [{ "message": { "role": "assistant", "content": content } }] })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn only_an_address_of_this_machine_is_reached_without_a_proxy() {
        let loopback = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(loopback("http://127.0.0.1:8080/v1") && loopback("http://[::1]/v1"));
        assert!(loopback("http://localhost:8080/v1"));
        assert!(!loopback("https://api.x.ai/v1") && !loopback("http://10.0.0.1/v1"));
    }

    #[test]
    fn the_content_may_be_a_text_fragments_or_an_object() {
        for content in [
            json!("{\"scenes\":[]}"),
            json!([{ "type": "text", "text": "{\"scenes\"" }, ":[]}"]),
            json!({ "json": { "scenes": [] } }),
        ] {
            assert_eq!(text_of(&answer(content)).unwrap(), "{\"scenes\":[]}");
        }
    }

    #[test]
    fn an_answer_without_text_is_unreadable() {
        assert_eq!(text_of(b"<html>"), None);
        assert_eq!(text_of(&answer(Value::Null)), None);
        assert_eq!(text_of(b"{\"choices\":[]}"), None);
    }
}
