//! The HTTP client for ElevenLabs (<https://elevenlabs.io/docs/api-reference/text-to-speech/convert>). One call speaks
//! one script; it is never made twice behind our back.

use futures::StreamExt as _;
use jiff::SignedDuration;
use predictions::call::Call;
use reqwest::{Response, StatusCode, header, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use telemetry::metrics::key;
use url::{Host, Url};

use super::ElevenLabsConfig;
use super::script::{Request, model_key};

/// What traces and metrics call this provider.
pub(super) const PROVIDER: &str = "elevenlabs";

/// Largest speech, bytes: five thousand characters at 128 kbit/s are far less.
pub(super) const LARGEST: usize = 32 << 20;
/// Largest part of a refusal that is read, bytes.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Why there is no speech.
#[derive(Debug)]
pub enum NoSpeech {
    /// Not taken on; nothing was charged.
    NotNow {
        /// Why.
        why: String,
        /// When to ask again, as far as the provider says.
        after: Option<SignedDuration>,
    },
    /// Refused; nothing was charged.
    Refused(String),
    /// Spoken, and so charged, and yet it did not come whole.
    Broken(String),
    /// Nobody knows.
    Unknown(String),
}

impl NoSpeech {
    /// What kind it is, as traces and metrics have it.
    fn class(&self) -> &'static str {
        match self {
            Self::NotNow { .. } => "not_now",
            Self::Refused(_) => "refused",
            Self::Broken(_) => "broken",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Talks to ElevenLabs.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// The provider's host.
    host: String,
    key: SecretString,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// A client; nothing is dialled yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(config: &ElevenLabsConfig) -> anyhow::Result<Self> {
        let base = config.base_url.as_str().trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let mut http = reqwest::Client::builder();
        if is_loopback(&config.base_url) {
            // A stand-in on this machine is never behind a proxy.
            http = http.no_proxy();
        }
        let http = http
            .connect_timeout(std::time::Duration::from_secs(10))
            .timeout(config.timeout)
            .retry(reqwest::retry::never())
            .redirect(redirect::Policy::none())
            .user_agent(concat!("filmstrip/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let host = config.base_url.host_str().unwrap_or_default().to_owned();
        Ok(Self { http, base, host, key: config.api_key.clone() })
    }

    /// Has a script spoken, as MP3.
    ///
    /// # Errors
    /// There is no speech; whether it is paid depends on why.
    pub async fn speak(&self, request: &Request) -> Result<Vec<u8>, NoSpeech> {
        let call = Call::begin(PROVIDER, "speak", "speak script", &*self.host);
        call.set(key::MODEL, model_key(&request.model));
        let speech = call.run(self.spoken(&call, request)).await;
        call.end(speech.as_ref().err().map(NoSpeech::class));
        speech
    }

    async fn spoken(&self, told: &Call, request: &Request) -> Result<Vec<u8>, NoSpeech> {
        let url = format!("{}/v1/text-to-speech/{}?output_format=mp3_44100_128", self.base, request.voice);
        let call = self.http.post(url).header("xi-api-key", self.key.expose_secret()).json(&body(request));
        let response = call.send().await.map_err(no_answer)?;
        let status = response.status();
        told.answered(status.as_u16());
        if !status.is_success() {
            return Err(refusal(status, response, &self.key).await);
        }
        download(response).await.map_err(NoSpeech::Broken)
    }
}

fn body(request: &Request) -> Value {
    let settings: Map<String, Value> = [
        ("stability", request.stability),
        ("similarity_boost", request.similarity_boost),
        ("speed", request.speed),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
    .collect();
    let mut body = json!({ "text": request.script, "model_id": request.model });
    if !settings.is_empty() {
        body["voice_settings"] = Value::Object(settings);
    }
    body
}

/// A call that got no answer: whether the provider can have seen it is what matters.
fn no_answer(error: reqwest::Error) -> NoSpeech {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        return NoSpeech::NotNow { why: "the voice provider cannot be reached".to_owned(), after: None };
    }
    let why = if error.is_timeout() { "it did not answer in time" } else { "the connection broke" };
    NoSpeech::Unknown(why.to_owned())
}

async fn refusal(status: StatusCode, mut response: Response, key: &SecretString) -> NoSpeech {
    let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|seconds| seconds.trim().parse().ok()).map(SignedDuration::from_secs);
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > LARGEST_REFUSAL {
            break;
        }
    }
    // Some answer a wrong key with the key.
    let why = said(&text)
        .map(|said| kit::redact(&said, key))
        .unwrap_or_else(|| format!("status {}", status.as_u16()));
    match status {
        StatusCode::TOO_MANY_REQUESTS => NoSpeech::NotNow { why, after },
        status if status.is_client_error() => NoSpeech::Refused(why),
        // It may have been spoken before it failed.
        status => NoSpeech::Unknown(format!("it answered with status {}", status.as_u16())),
    }
}

/// The provider's own words, from any of its shapes of errors.
fn said(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text =
        ["/detail/message", "/detail/0/msg", "/detail"].iter().find_map(|at| body.pointer(at)?.as_str())?;
    Some(text.chars().take(300).collect())
}

async fn download(response: Response) -> Result<Vec<u8>, String> {
    let announced = response.content_length();
    let mut stream = response.bytes_stream();
    let mut speech = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| "the connection broke while the speech came".to_owned())?;
        if speech.len() + chunk.len() > LARGEST {
            return Err(format!("the speech is larger than {LARGEST} bytes"));
        }
        speech.extend_from_slice(&chunk);
    }
    let size = speech.len();
    if announced.is_some_and(|announced| announced != size as u64) || size == 0 {
        return Err(format!("the speech broke off after {size} bytes"));
    }
    Ok(speech)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of one call that is answered with this text.
    async fn answered(answer: &'static str) -> Result<Vec<u8>, NoSpeech> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let provider = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                assert!(connection.read_buf(&mut request).await.unwrap() > 0, "a whole request comes");
            }
            connection.write_all(answer.as_bytes()).await.unwrap();
        });
        let client = Client::new(&ElevenLabsConfig::new(base.parse().unwrap(), "xi".into())).unwrap();
        let request = Request {
            key: "testing/voice-1".into(),
            digest: "d".into(),
            script: "Hello".into(),
            voice: "v".into(),
            model: "m".into(),
            stability: None,
            similarity_boost: None,
            speed: None,
        };
        let speech = client.speak(&request).await;
        provider.await.unwrap();
        speech
    }

    #[tokio::test]
    async fn speech_that_breaks_off_was_spoken_all_the_same() {
        let whole = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nmp3").await.unwrap();
        assert_eq!(whole, b"mp3");
        let half = answered("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nmp3").await.unwrap_err();
        assert!(matches!(half, NoSpeech::Broken(_)), "{half:?}");
        let nothing = answered("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap_err();
        assert!(matches!(nothing, NoSpeech::Broken(_)), "{nothing:?}");
        let silence = answered("").await.unwrap_err();
        assert!(matches!(silence, NoSpeech::Unknown(_)), "{silence:?}");
    }

    #[test]
    fn the_providers_words_are_found_in_all_its_shapes() {
        let found = |body: Value| said(body.to_string().as_bytes());
        assert_eq!(found(json!({"detail": {"status": "x", "message": "no credits"}})).unwrap(), "no credits");
        assert_eq!(found(json!({"detail": [{"msg": "too long"}]})).unwrap(), "too long");
        assert_eq!(found(json!({"detail": "Not Found"})).unwrap(), "Not Found");
        assert_eq!(said(b"<html>"), None);
    }
}
