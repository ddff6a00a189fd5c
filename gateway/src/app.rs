//! What every handler can reach.

use std::{ops::Deref, sync::Arc};

use blobs::Blobs;
use kit::{Clock, signing::UrlSigner};
use tokio_util::sync::CancellationToken;

use crate::{auth::Keys, backends::Backends, feed::Hub, settings::Settings};

/// The gateway's state; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) signer: UrlSigner,
    pub(crate) backends: Backends,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) hub: Hub,
    pub(crate) cancel: CancellationToken,
    pub(crate) readiness: kit::Readiness,
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// `path` as a link that a browser can open: signed when keys are needed, plain when not.
    pub(crate) fn link(&self, path: &str) -> String {
        if self.keys.is_open() { path.to_owned() } else { self.signed_link(path) }
    }

    /// `path` as a link for a route that always wants one.
    pub(crate) fn signed_link(&self, path: &str) -> String {
        let lifetime = jiff::SignedDuration::try_from(self.settings.link_lifetime).unwrap_or_default();
        format!("{path}?{}", self.signer.query(path, self.clock.now() + lifetime))
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
