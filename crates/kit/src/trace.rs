//! W3C trace context, carried from call to call (<https://www.w3.org/TR/trace-context/>).
//!
//! A served call runs inside the context of its caller, or a new one; a call made from there carries
//! a child of it in the `traceparent` metadata; an event appended there stores it.

use std::{fmt, future::Future, str::FromStr};

use rand::RngExt as _;

/// One position in a trace: the trace's id and the span's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
}

tokio::task_local! {
    static CURRENT: TraceContext;
}

impl TraceContext {
    /// The root of a new trace.
    #[must_use]
    pub fn root() -> Self {
        let mut random = rand::rng();
        Self { trace: random.random::<u128>().max(1), span: random.random::<u64>().max(1) }
    }

    /// The trace's id, 32 hexadecimal digits: what everything that one request leads to shares.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { trace: self.trace, span: rand::rng().random::<u64>().max(1) }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

/// The text is no trace context.
#[derive(Debug, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct NotTraceparent;

impl FromStr for TraceContext {
    type Err = NotTraceparent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let (Some(version), Some(trace), Some(span), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotTraceparent);
        };
        let hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !hex(version, 2) || version == "ff" || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return Err(NotTraceparent);
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_| NotTraceparent)?;
        let span = u64::from_str_radix(span, 16).map_err(|_| NotTraceparent)?;
        if trace == 0 || span == 0 { Err(NotTraceparent) } else { Ok(Self { trace, span }) }
    }
}

/// The context this task runs in, if any.
#[must_use]
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|context| *context).ok()
}

/// The text to store with an event or to send with a call, if there is a context.
#[must_use]
pub fn traceparent() -> Option<String> {
    current().map(|context| context.to_string())
}

/// Runs `future` inside `context`.
pub async fn within<F: Future>(context: TraceContext, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// Runs `future` inside the context that `traceparent` names, or a new one: for served calls, and for background
/// work that goes on with what an event or a message began.
pub async fn continuing<F: Future>(traceparent: Option<&str>, future: F) -> F::Output {
    let context = traceparent
        .and_then(|text| text.parse::<TraceContext>().ok())
        .map_or_else(TraceContext::root, |parent| parent.child());
    within(context, future).await
}
