//! What was decided about a prediction when it was accepted. Stored with it, so that a restart changes nothing.

use serde::{Deserialize, Serialize};

use super::engine::Script;
use super::rules::{Fault, HoldAt, WrongMedia};

/// The course that a prediction will take.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Fate {
    pub(crate) hold: Option<HoldAt>,
    pub(crate) slow: f64,
    pub(crate) end: Option<End>,
    pub(crate) output: Option<OutputFault>,
    pub(crate) webhooks: Vec<WebhookFault>,
    pub(crate) list_lag: f64,
}

/// An end other than success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum End {
    Fail(String),
    Cancel,
    Abort,
    Unknown(String),
    NoOutput,
}

/// What is wrong with the output when it is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum OutputFault {
    Truncated,
    Wrong(WrongMedia),
    Gone(u16),
}

/// What is wrong with the webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WebhookFault {
    Duplicate,
    Forged,
    OutOfOrder,
    Never,
}

impl Fate {
    /// The part of a create request's script that stays with the prediction.
    pub(crate) fn from_script(script: &Script) -> Self {
        let mut fate = Self::default();
        for fault in &script.0 {
            match fault {
                Fault::Hold { at } => fate.hold = Some(*at),
                Fault::Slow { seconds } => fate.slow += seconds,
                Fault::ListLags { seconds } => fate.list_lag = *seconds,
                _ => {}
            }
        }
        fate.end = script.find(end_of);
        fate.output = output_fault(script);
        fate.webhooks = webhook_faults(script);
        fate
    }
}

fn end_of(fault: &Fault) -> Option<End> {
    Some(match fault {
        Fault::Fail { error, code: Some(code) } => End::Fail(format!("{error} ({code})")),
        Fault::Fail { error, code: None } => End::Fail(error.clone()),
        Fault::Cancel => End::Cancel,
        Fault::Abort => End::Abort,
        Fault::UnknownStatus { status } => End::Unknown(status.clone()),
        Fault::NoOutput => End::NoOutput,
        _ => return None,
    })
}

/// The first fault of a script that concerns the bytes of an output.
pub(crate) fn output_fault(script: &Script) -> Option<OutputFault> {
    script.find(|fault| match fault {
        Fault::TruncatedBody => Some(OutputFault::Truncated),
        Fault::WrongMedia { media } => Some(OutputFault::Wrong(*media)),
        Fault::OutputGone { code } => Some(OutputFault::Gone(*code)),
        _ => None,
    })
}

/// The faults of a script that concern webhooks.
pub(crate) fn webhook_faults(script: &Script) -> Vec<WebhookFault> {
    let fault = |fault: &Fault| match fault {
        Fault::WebhookDuplicate => Some(WebhookFault::Duplicate),
        Fault::WebhookForged => Some(WebhookFault::Forged),
        Fault::WebhookOutOfOrder => Some(WebhookFault::OutOfOrder),
        Fault::WebhookNever => Some(WebhookFault::Never),
        _ => None,
    };
    script.0.iter().filter_map(fault).collect()
}
