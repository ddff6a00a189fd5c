//! One position in a trace, and its text.

use std::{fmt, str::FromStr};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use rand::RngExt as _;

/// One position in a trace: the trace's id and the span's, and whether anybody collects the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceContext {
    /// A position in a trace of its own. No span stands there: for tests, and for callers outside.
    #[must_use]
    pub fn root() -> Self {
        let mut random = rand::rng();
        Self { trace: random.random::<u128>().max(1), span: random.random::<u64>().max(1), sampled: true }
    }

    /// The trace's id, 32 hexadecimal digits: what everything that one request leads to shares.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The span's id, 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span)
    }

    /// None for a context that stands nowhere.
    pub(crate) fn of(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace: u128::from_be_bytes(context.trace_id().to_bytes()),
            span: u64::from_be_bytes(context.span_id().to_bytes()),
            sampled: context.is_sampled(),
        })
    }

    pub(crate) fn to_span_context(self) -> SpanContext {
        let flags = TraceFlags::default().with_sampled(self.sampled);
        let (trace, span) = (TraceId::from(self.trace), SpanId::from(self.span));
        SpanContext::new(trace, span, flags, true, TraceState::default())
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
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
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NotTraceparent)?;
        if trace == 0 || span == 0 {
            Err(NotTraceparent)
        } else {
            Ok(Self { trace, span, sampled: flags & 1 == 1 })
        }
    }
}
