//! Keys: those of the configuration, which may do everything, and those that the asset service keeps, each for
//! something. Only digests are held, and comparing them takes the same time whatever was sent.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use protos::asset::v1::{GetKeyRingRequest, RingKey};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::sync::Mutex;

use super::Caller;
use crate::{
    app::App,
    problem::{ASSETS, Kind, Problem},
};

const HEADER: &str = "x-api-key";
/// How every kept key begins. What begins otherwise is not asked for.
const KEPT: &[u8] = b"fsk_";
/// How long kept keys are believed: a revoked key works no longer than this.
const BELIEVED: SignedDuration = SignedDuration::from_secs(10);
/// How soon an unknown key may have them fetched again: it may be new.
const AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// The keys that open the API.
pub(crate) struct Keys {
    configured: Vec<[u8; 32]>,
    kept: RwLock<Ring>,
    /// Held by who fetches the kept keys.
    fetching: Mutex<()>,
}

/// The kept keys, as they were at a moment; none: never fetched.
#[derive(Default)]
struct Ring {
    keys: Vec<RingKey>,
    at: Option<Timestamp>,
}

impl Keys {
    pub(crate) fn new(keys: &[SecretString]) -> Self {
        let configured = keys.iter().map(|key| digest(key.expose_secret().as_bytes())).collect();
        Self { configured, kept: RwLock::default(), fetching: Mutex::default() }
    }

    /// Whether every request passes: no key is configured.
    pub(crate) fn is_open(&self) -> bool {
        self.configured.is_empty()
    }

    /// Has the kept keys fetched again: one was made or revoked here.
    pub(crate) fn forget(&self) {
        self.kept.write().at = None;
    }

    /// Who sends exactly one key that is one of ours.
    ///
    /// # Errors
    /// It may be a kept key, and these cannot be fetched.
    pub(crate) async fn admit(&self, app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        if self.is_open() {
            return Ok(Some(Caller::ANYONE));
        }
        let mut given = headers.get_all(HEADER).iter();
        let (Some(only), None) = (given.next(), given.next()) else { return Ok(None) };
        let key = digest(only.as_bytes());
        let found = self.configured.iter().fold(Choice::from(0), |found, own| found | own.ct_eq(&key));
        if bool::from(found) {
            return Ok(Some(Caller::ANYONE));
        }
        if !only.as_bytes().starts_with(KEPT) {
            return Ok(None);
        }
        self.refresh(app, BELIEVED).await?;
        if let Some(caller) = self.find(&key, app.clock.now()) {
            return Ok(Some(caller));
        }
        self.refresh(app, AGAIN).await?;
        Ok(self.find(&key, app.clock.now()))
    }

    /// Fetches the kept keys unless they are fresher than this.
    async fn refresh(&self, app: &App, age: SignedDuration) -> Result<(), Problem> {
        if self.is_fresh(app.clock.now(), age) {
            return Ok(());
        }
        let _fetching = self.fetching.lock().await;
        let now = app.clock.now();
        if self.is_fresh(now, age) {
            return Ok(());
        }
        let ring = app.backends.asset().get_key_ring(GetKeyRingRequest {}).await.map_err(|status| {
            tracing::warn!(status = status.message(), "the keys cannot be fetched");
            let problem = ASSETS.problem(status);
            if problem.is(Kind::Internal) { problem } else { unavailable() }
        })?;
        *self.kept.write() = Ring { keys: ring.into_inner().keys, at: Some(now) };
        Ok(())
    }

    fn is_fresh(&self, now: Timestamp, age: SignedDuration) -> bool {
        // A clock that was set back makes them old.
        self.kept.read().at.is_some_and(|at| now >= at && now.duration_since(at) < age)
    }

    fn find(&self, key: &[u8; 32], now: Timestamp) -> Option<Caller> {
        let ring = self.kept.read();
        let mut found = u32::MAX;
        for (index, kept) in (0..).zip(&ring.keys) {
            found.conditional_assign(&index, kept.digest.as_slice().ct_eq(key));
        }
        let kept = ring.keys.get(usize::try_from(found).ok()?)?;
        let over = kept.expires_at.is_some_and(|end| end <= now.as_second());
        (!over).then(|| Caller::with(&kept.scopes, kept.client_id.as_deref()))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn unavailable() -> Problem {
    Problem::flat(Kind::Unavailable, "Keys cannot be checked")
        .detail("The service that keeps the keys is not reachable; try again in a moment.")
}
