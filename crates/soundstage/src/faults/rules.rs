//! The data that a test sends: when a rule applies and what goes wrong then.

use serde::{Deserialize, Serialize};

/// The whole rule set; a new one replaces the old.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRules {
    /// All of them are tried on each request; all that match apply.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests.
    #[serde(default)]
    pub when: When,
    /// What goes wrong.
    pub then: Fault,
}

/// Which requests a rule is about. Every given member must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The sort of request; all when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// A part of the prediction's prompt (or of the chat's text), case-sensitive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_contains: Option<String>,
    /// Only the nth matching request, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// At most so often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// In this share of the matching requests, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Makes the probability repeatable; 0 when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// The sorts of request that rules can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Creating an image-to-video prediction.
    Video,
    /// Creating a music prediction, or composing with ElevenLabs.
    Music,
    /// Speaking a text with ElevenLabs.
    Speech,
    /// A chat completion.
    Chat,
    /// Downloading an output.
    Download,
    /// Getting one prediction.
    Get,
    /// Listing predictions.
    List,
    /// Canceling a prediction.
    Cancel,
    /// One webhook delivery.
    Webhook,
    /// Anything with the files API.
    Files,
}

/// Where a held prediction waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldAt {
    /// Before it starts: a cancel is free.
    Starting,
    /// After it started: a cancel is charged.
    #[default]
    Processing,
}

/// What is delivered in place of the medium.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongMedia {
    /// A page of text.
    #[default]
    Text,
    /// A JPEG photo.
    Jpeg,
}

fn yes() -> bool {
    true
}

fn fail_error() -> String {
    "Timeout starting prediction".to_owned()
}

fn unknown_status() -> String {
    "paused".to_owned()
}

fn gone() -> u16 {
    404
}

/// What goes wrong. Seconds are stage seconds (see the time scale), except `retry_after`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The request is handled only after a while; a caller that hangs up before is not served at all.
    Latency {
        /// How long.
        seconds: f64,
    },
    /// An error status. With `accepted` the work is done all the same and only the answer is an error.
    Status {
        /// The HTTP status.
        code: u16,
        /// Also a `Retry-After` header, and the seconds in a 429's text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// The body's `detail`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// Do the work first.
        #[serde(default)]
        accepted: bool,
    },
    /// The work is done, then the connection is closed with no answer.
    AcceptThenDrop,
    /// The work is done at once, the answer comes late.
    DelayedAnswer {
        /// How late.
        seconds: f64,
    },
    /// No answer ever; the connection stays open until the caller closes it.
    NeverAnswers {
        /// Do the work first.
        #[serde(default)]
        accepted: bool,
    },
    /// A success status with a body that is not JSON.
    GarbageJson {
        /// Do the work first (the default).
        #[serde(default = "yes")]
        accepted: bool,
    },
    /// The prediction waits until released.
    Hold {
        /// Where.
        #[serde(default)]
        at: HoldAt,
    },
    /// The prediction takes longer.
    Slow {
        /// By how much.
        seconds: f64,
    },
    /// The prediction ends as `failed`.
    Fail {
        /// The error text.
        #[serde(default = "fail_error")]
        error: String,
        /// Put in brackets after the text, like `(E6716)`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The prediction ends as `canceled` after its start, with nobody having asked.
    Cancel,
    /// The prediction ends as `aborted`, before its start.
    Abort,
    /// The prediction ends in a status that no document knows.
    UnknownStatus {
        /// The word.
        #[serde(default = "unknown_status")]
        status: String,
    },
    /// The prediction succeeds and names no output.
    NoOutput,
    /// Downloads stop half-way.
    TruncatedBody,
    /// Downloads deliver something else.
    WrongMedia {
        /// What.
        #[serde(default)]
        media: WrongMedia,
    },
    /// Downloads answer that nothing is there any more.
    OutputGone {
        /// 404 or 410.
        #[serde(default = "gone")]
        code: u16,
    },
    /// New predictions are not listed yet.
    ListLags {
        /// For how long.
        seconds: f64,
    },
    /// Every delivery comes twice under one id.
    WebhookDuplicate,
    /// A lie with a wrong signature comes before each real delivery.
    WebhookForged,
    /// The news of the start comes after that of the end.
    WebhookOutOfOrder,
    /// No webhook is sent.
    WebhookNever,
    /// The plan is broken off in the middle.
    MalformedPlan,
    /// The plan names assets that nobody has.
    InventedAssets,
    /// The plan uses a scene type that was not offered.
    InventedSceneType,
}
