//! What the job service can be told.

use std::time::Duration;

use job_domain::watch::Patience;
use secrecy::SecretString;

/// Settings of the job service. Nothing here is read from the environment by the service itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// gRPC address of the asset service.
    pub asset: String,
    /// gRPC address of the render service.
    pub render: String,
    /// gRPC address of the stitch service.
    pub stitch: String,
    /// gRPC address of the audio service.
    pub audio: String,
    /// The planner that draws storyboards; without one the templates do.
    pub planner: Option<XaiSettings>,
    /// Model of a job that names none; any name of the model registry.
    pub default_model: String,
    /// Whether jobs get a soundtrack.
    pub soundtrack: bool,
    /// How long an outstanding request to a worker may stay silent before it is repeated.
    pub ask_again: Duration,
    /// How long a worker may be away or out of order before what it was asked for is given up.
    pub give_up_after: Duration,
    /// Calls to workers at one time, over all jobs.
    pub calls_at_once: usize,
    /// Name of this process, unique among the living ones on its database. One that keeps its name over a restart
    /// takes its jobs up again at once; those of another are free when it stopped or their lease has run out.
    pub instance: String,
    /// How long a job stays with a process that has died.
    pub lease: Duration,
    /// How long a job may stand still before it is told to be stalled, by who has to move it next.
    pub patience: Patience,
}

/// How the xAI planner is reached.
#[derive(Clone, Debug)]
pub struct XaiSettings {
    /// Base URL with the version, such as `https://api.x.ai/v1`.
    pub base_url: String,
    /// API key.
    pub api_key: SecretString,
    /// Model that draws storyboards.
    pub model: String,
    /// All the time one storyboard may take, repeated calls and bad answers included.
    pub deadline: Duration,
    /// First wait before a call is repeated; it doubles.
    pub backoff: Duration,
}

impl Settings {
    /// The defaults, with the addresses of the four services that the job service asks.
    #[must_use]
    pub fn new(
        asset: impl Into<String>,
        render: impl Into<String>,
        stitch: impl Into<String>,
        audio: impl Into<String>,
    ) -> Self {
        Self {
            asset: asset.into(),
            render: render.into(),
            stitch: stitch.into(),
            audio: audio.into(),
            planner: None,
            default_model: job_domain::models::DEFAULT_MODEL.to_owned(),
            soundtrack: true,
            ask_again: Duration::from_secs(15),
            give_up_after: Duration::from_hours(6),
            calls_at_once: 32,
            instance: "job".to_owned(),
            lease: Duration::from_secs(30),
            patience: Patience::default(),
        }
    }
}

impl XaiSettings {
    /// The defaults with a key.
    #[must_use]
    pub fn new(api_key: SecretString) -> Self {
        Self {
            base_url: "https://api.x.ai/v1".to_owned(),
            api_key,
            model: "grok-4-1-fast-non-reasoning".to_owned(),
            deadline: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
        }
    }
}
