//! Checking that a webhook is the provider's (<https://replicate.com/docs/topics/webhooks/verify-webhook>).

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use standardwebhooks::{Webhook, WebhookError};

/// What comes of checking a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is signed with one of the secrets, of these minutes, and about this prediction.
    Signed(String),
    /// It is all that a signed one is, but for a signature of one of the secrets: forged, or signed with a secret that is
    /// not known yet.
    OtherSecret,
    /// Unsigned, of another time, or about nothing: no secret would make it the provider's.
    Worthless,
}

/// Checks a webhook as it came with each of the secrets.
#[must_use]
pub fn judged<'a>(
    secrets: impl IntoIterator<Item = &'a SecretString>,
    headers: &HashMap<String, String>,
    body: &[u8],
) -> Verdict {
    #[derive(Deserialize)]
    struct About {
        id: String,
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            map.insert(name, value);
        }
    }
    let about = serde_json::from_slice::<About>(body).ok().map(|about| about.id).filter(|id| !id.is_empty());
    // What is wrong besides the signature shows with a key of nobody's.
    let nobodys = Webhook::from_bytes(Vec::new()).and_then(|hook| hook.verify(body, &map));
    let (Some(about), Err(WebhookError::InvalidSignature)) = (about, nobodys) else {
        return Verdict::Worthless;
    };
    let mut hooks = secrets.into_iter().filter_map(|secret| Webhook::new(secret.expose_secret()).ok());
    if hooks.any(|hook| hook.verify(body, &map).is_ok()) {
        Verdict::Signed(about)
    } else {
        Verdict::OtherSecret
    }
}
