//! Checking that a webhook is the provider's (<https://replicate.com/docs/topics/webhooks/verify-webhook>).

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use standardwebhooks::Webhook;

/// The prediction that a webhook is about, if it is signed with `secret` and of these minutes.
#[must_use]
pub fn verified(secret: &SecretString, headers: &HashMap<String, String>, body: &[u8]) -> Option<String> {
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
    Webhook::new(secret.expose_secret()).ok()?.verify(body, &map).ok()?;
    serde_json::from_slice::<About>(body).ok().map(|about| about.id).filter(|id| !id.is_empty())
}
