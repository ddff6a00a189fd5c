//! Where the provider is, how long to wait for it, and the limits of the account.

use std::time::Duration;

use kit::signing::UrlSigner;
use secrecy::SecretString;
use url::Url;

use crate::plan::Timing;

/// How to reach Replicate, or something that speaks like it.
#[derive(Clone, Debug)]
pub struct ReplicateConfig {
    /// Such as `https://api.replicate.com`; a trailing `/v1` is allowed.
    pub base_url: Url,
    /// Sent as `Authorization: Bearer`; never logged.
    pub api_key: SecretString,
    /// How long a create call may take, by the machine's clock.
    pub post_timeout: Duration,
    /// How long after that a prediction may still appear in the provider's list, by the machine's clock.
    pub orphan_margin: Duration,
    /// How many times as fast as the machine's clock the service's runs: 1 but in tests and demonstrations.
    pub time_scale: f64,
    /// How much the provider's clock may differ from ours: the list is read back that much further.
    pub skew: Duration,
    /// How long any other call may take, connecting included.
    pub call_timeout: Duration,
    /// How long the download of one output may take, however steadily its bytes come.
    pub download_timeout: Duration,
    /// Largest output that is downloaded, bytes.
    pub max_output_bytes: u64,
    /// Hosts (and their subdomains) that outputs may be downloaded from, besides that of `base_url`.
    pub output_hosts: Vec<String>,
    /// Set when the provider can reach us: frames are then served by signed URLs and webhooks are asked for.
    /// Without, media goes to the provider by its files API and polling does all.
    pub public: Option<PublicUrls>,
}

/// How the provider reaches us.
#[derive(Clone, Debug)]
pub struct PublicUrls {
    /// The gateway's address, such as `https://film.example.org`.
    pub base: Url,
    /// Signs the frame URLs; the gateway checks them with the same secret.
    pub signer: UrlSigner,
    /// The service that webhooks are for, such as `render`.
    pub service: String,
    /// How long a frame URL works.
    pub lifetime: Duration,
    /// Which of the gateway's routes serves the media.
    pub route: MediaRoute,
}

/// The gateway's routes for media that a provider fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaRoute {
    /// `/api/v3/media/{sha256}` with a signed query.
    Media,
    /// `/api/v3/audio/segments/{token}`: music to be continued.
    Segments,
}

impl PublicUrls {
    /// URLs below `base` that work for two hours.
    #[must_use]
    pub fn new(base: Url, signer: UrlSigner, service: impl Into<String>) -> Self {
        let lifetime = Duration::from_secs(2 * 3600);
        Self { base, signer, service: service.into(), lifetime, route: MediaRoute::Media }
    }

    /// The same for music to be continued: tokens that work for an hour, longer than a prediction may take.
    #[must_use]
    pub fn for_segments(self) -> Self {
        Self { lifetime: Duration::from_secs(3600), route: MediaRoute::Segments, ..self }
    }
}

impl ReplicateConfig {
    /// The real provider.
    #[must_use]
    pub fn replicate(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            post_timeout: Duration::from_secs(30),
            orphan_margin: Duration::from_secs(90),
            time_scale: 1.0,
            skew: Duration::from_secs(300),
            call_timeout: Duration::from_secs(30),
            download_timeout: Duration::from_secs(15 * 60),
            max_output_bytes: 1 << 30,
            output_hosts: vec!["replicate.delivery".to_owned()],
            public: None,
        }
    }

    /// A soundstage: it answers fast, lists at once and forgets nothing.
    #[must_use]
    pub fn soundstage(base_url: Url) -> Self {
        Self {
            post_timeout: Duration::from_secs(10),
            orphan_margin: Duration::from_secs(2),
            // Its clock is the machine's while ours may run ahead of it in tests: all of its list is read.
            skew: Duration::from_secs(30 * 24 * 3600),
            output_hosts: Vec::new(),
            ..Self::replicate(base_url, SecretString::from("soundstage"))
        }
    }
}

impl ReplicateConfig {
    /// The same for a service whose clock is [`kit::Clock::scaled`] by `factor`. A call takes the machine's time,
    /// while what is stored about it is in the service's: without this, a call of milliseconds seems to take
    /// minutes and is given up as lost.
    #[must_use]
    pub fn scaled_for(self, factor: f64) -> Self {
        let time_scale = if factor.is_finite() { factor.max(0.001) } else { 1.0 };
        Self { time_scale, ..self }
    }

    /// The times of a create call, by the service's clock.
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing {
            post_timeout: self.post_timeout.mul_f64(self.time_scale),
            orphan_margin: self.orphan_margin.mul_f64(self.time_scale),
        }
    }
}

/// The limits of one provider account, over everything that this service buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Most attempts that may be unfinished at the provider at one moment.
    pub max_in_flight: u32,
    /// Most create calls per second.
    pub starts_per_second: u32,
}

impl Default for Account {
    fn default() -> Self {
        Self { max_in_flight: 10, starts_per_second: 5 }
    }
}

/// How patient an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Most attempts that the provider accepted and reported failed, per order.
    pub max_attempts: u32,
    /// Most attempts, those for other reasons included, of an order whose media the provider cannot fetch.
    pub max_unfetched: u32,
    /// Most attempts that never came to be (no answer, 5xx), per order.
    pub max_lost: u32,
    /// Most attempts that came to nothing because a process of ours stopped, per order. Far more than ever happens
    /// to an order that is not itself the reason.
    pub max_stopped: u32,
    /// First pause before a fresh attempt; doubles each time.
    pub backoff_first: Duration,
    /// Longest pause before a fresh attempt.
    pub backoff_most: Duration,
    /// How long one prediction may take; then it is canceled.
    pub attempt_deadline: Duration,
    /// How long a canceled prediction may take to be over; then it counts as over.
    pub cancel_grace: Duration,
    /// How long an order puts up with a provider that refuses it for its rate limit.
    pub throttle_patience: Duration,
    /// How long the provider remembers inputs and outputs: an output that cannot be fetched is tried again for
    /// that long.
    pub memory: Duration,
    /// First pause between two polls; doubles each time.
    pub poll_first: Duration,
    /// Longest pause between two polls.
    pub poll_most: Duration,
    /// Most tries at an output that is gone, or that is not what was ordered. What only breaks off or cannot be
    /// reached does not count.
    pub max_downloads: u32,
    /// How long the runner's lease lasts without being renewed; longer than a create call may take.
    pub lease: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            max_unfetched: 8,
            max_lost: 6,
            max_stopped: 100,
            backoff_first: Duration::from_secs(2),
            backoff_most: Duration::from_secs(60),
            attempt_deadline: Duration::from_secs(30 * 60),
            cancel_grace: Duration::from_secs(2 * 60),
            throttle_patience: Duration::from_secs(6 * 3600),
            memory: Duration::from_secs(55 * 60),
            poll_first: Duration::from_secs(1),
            poll_most: Duration::from_secs(10),
            max_downloads: 3,
            lease: Duration::from_secs(60),
        }
    }
}
