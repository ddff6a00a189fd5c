//! Short-lived signed URLs: HMAC-SHA256 over the path and the moment of expiry.
//!
//! They let `<video src>`, `<img src>` and a provider's downloader read one thing for a while without a key.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// Signs paths with one secret, and honours those that were signed with it or with another one that is valid beside it.
#[derive(Clone)]
pub struct UrlSigner {
    secret: SecretString,
    /// Valid as well: the one before, or the one to come.
    others: Vec<SecretString>,
}

impl std::fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlSigner")
    }
}

/// Why a signed URL is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// Not made with our secret for this path.
    #[error("the signature of this link is wrong")]
    Wrong,
    /// Too old.
    #[error("this link has expired; ask for a new one")]
    Expired,
}

impl UrlSigner {
    /// A signer with this secret.
    #[must_use]
    pub fn new(secret: SecretString) -> Self {
        Self { secret, others: Vec::new() }
    }

    /// A signer with the secrets of a comma-separated list: it signs with the first one and honours all, so that one can
    /// be replaced while links are out. Blanks around them do not count.
    #[must_use]
    pub fn of_list(list: &SecretString) -> Self {
        let mut secrets = secrets(list).map(SecretString::from);
        Self { secret: secrets.next().unwrap_or_default(), others: secrets.collect() }
    }

    /// The query (`expires=..&signature=..`) that opens `path` until `expires`.
    #[must_use]
    pub fn query(&self, path: &str, expires: Timestamp) -> String {
        let expires = expires.as_second();
        format!("expires={expires}&signature={}", self.signature(path, expires))
    }

    /// Checks what came with a request for `path`.
    ///
    /// # Errors
    /// The signature is not ours, or the link is older than it may be.
    pub fn verify(
        &self,
        path: &str,
        expires: i64,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), BadSignature> {
        let ours =
            std::iter::once(&self.secret).chain(&self.others).fold(Choice::from(0), |found, secret| {
                found | signed(secret, path, expires).as_bytes().ct_eq(signature.as_bytes())
            });
        if !bool::from(ours) {
            return Err(BadSignature::Wrong);
        }
        if now.as_second() > expires { Err(BadSignature::Expired) } else { Ok(()) }
    }

    /// A token that stands for bytes until `expires`: their SHA-256, the moment, and the signature of both.
    #[must_use]
    pub fn token(&self, sha256: &str, expires: Timestamp) -> String {
        let expires = expires.as_second();
        format!("{sha256}.{expires}.{}", self.signature(&token_path(sha256), expires))
    }

    /// The SHA-256 that a token stands for.
    ///
    /// # Errors
    /// The token is not ours, or older than it may be.
    pub fn open_token<'t>(&self, token: &'t str, now: Timestamp) -> Result<&'t str, BadSignature> {
        let mut parts = token.splitn(3, '.');
        let (Some(sha256), Some(expires), Some(signature)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(BadSignature::Wrong);
        };
        let expires = expires.parse().map_err(|_| BadSignature::Wrong)?;
        self.verify(&token_path(sha256), expires, signature, now).map(|()| sha256)
    }

    fn signature(&self, path: &str, expires: i64) -> String {
        signed(&self.secret, path, expires)
    }
}

/// The secrets of a comma-separated list.
pub fn secrets(list: &SecretString) -> impl Iterator<Item = &str> {
    list.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty())
}

fn signed(secret: &SecretString, path: &str, expires: i64) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(path.as_bytes());
    mac.update(b"\n");
    mac.update(expires.to_string().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// What is signed for a token: no path of the API, so that neither can stand for the other.
fn token_path(sha256: &str) -> String {
    format!("token:{sha256}")
}
