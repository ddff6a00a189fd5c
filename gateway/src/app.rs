//! What every handler can reach.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use blobs::Blobs;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kit::{Clock, signing::UrlSigner};
use protos::{asset::v1::Asset, job::v1 as pb};
use tokio_util::sync::CancellationToken;

use crate::{auth::Keys, backends::Backends, feed::Hub, held::Held, settings::Settings};

/// The gateway's state; cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    inner: Arc<Inner>,
    /// When links that are made with it end at the latest.
    links_until: Option<Timestamp>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) signer: UrlSigner,
    pub(crate) backends: Backends,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) hub: Hub,
    /// Jobs that were read a moment ago.
    pub(crate) jobs: Arc<Held<i32, HeldJob>>,
    /// Assets that were.
    pub(crate) assets: Held<String, Asset>,
    pub(crate) cancel: CancellationToken,
    pub(crate) readiness: kit::Readiness,
}

/// A job, and how it is shown to callers without links that end sooner than others.
pub(crate) struct HeldJob {
    pub(crate) job: pb::Job,
    pub(crate) shown: OnceLock<Bytes>,
}

impl App {
    /// Something was written through this gateway.
    pub(crate) fn written(&self) {
        self.jobs.changed();
        self.assets.changed();
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner), links_until: None }
    }

    /// For answering one who came with a link: what they are given ends with it, or they would never need a key again.
    pub(crate) fn with_links_until(mut self, end: Timestamp) -> Self {
        self.links_until = Some(end);
        self
    }

    /// `path` as a link that a browser can open: signed when keys are needed, plain when not.
    pub(crate) fn link(&self, path: &str) -> String {
        self.link_since(path, self.clock.now())
    }

    /// Like [`App::link`], of something that was written down at `time`: as long as a link from then holds, answers
    /// about it are the same to the byte.
    pub(crate) fn link_since(&self, path: &str, time: Timestamp) -> String {
        if self.keys.is_open() { path.to_owned() } else { self.signed_since(path, time) }
    }

    /// `path` as a link for a route that always wants one.
    pub(crate) fn signed_link(&self, path: &str) -> String {
        self.signed_since(path, self.clock.now())
    }

    fn signed_since(&self, path: &str, time: Timestamp) -> String {
        let lifetime = SignedDuration::try_from(self.settings.link_lifetime).unwrap_or_default();
        let now = self.clock.now();
        let end = if time + lifetime > now { time + lifetime } else { now + lifetime };
        let end = self.links_until.map_or(end, |until| until.min(end));
        format!("{path}?{}", self.signer.query(path, end))
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}
