//! Where work belongs: W3C trace context (<https://www.w3.org/TR/trace-context/>), carried from call to call, and spans.
//!
//! A served call runs in a span under its caller's; a call made from there carries its own span in the `traceparent`
//! metadata; an event appended there stores it, so that whoever goes on with the event, today or after a crash, makes
//! its spans under the one that appended it. What a request of its own sets going for something older (an approval, a
//! webhook) is joined by links.
//!
//! Ids are made whether or not anybody collects spans: they are in the logs and in the events.

mod context;
mod span;

use std::future::Future;

pub use context::{NotTraceparent, TraceContext};
use opentelemetry::{Context, context::FutureExt as _, trace::TraceContextExt as _};
pub use span::{Build, Span, span};
pub(crate) use span::{current_span, install};

/// The context this task runs in, if any.
#[must_use]
pub fn current() -> Option<TraceContext> {
    Context::map_current(|context| TraceContext::of(context.span().span_context()))
}

/// The text to store with an event or to send with a call, if there is a context.
#[must_use]
pub fn traceparent() -> Option<String> {
    current().map(|context| context.to_string())
}

/// Runs `future` inside `context`: the spans that it makes are children of that one.
pub async fn within<F: Future>(context: TraceContext, future: F) -> F::Output {
    let inside = Context::map_current(|current| current.with_remote_span_context(context.to_span_context()));
    // On the heap: a future within futures would be moved with each of them.
    Box::pin(future.with_context(inside)).await
}

/// Runs `future` inside the context that `traceparent` names, or in a new one: for background work that goes on with
/// what an event or a message began.
pub async fn continuing<F: Future>(traceparent: Option<&str>, future: F) -> F::Output {
    let context = traceparent.and_then(|text| text.parse::<TraceContext>().ok());
    match context {
        Some(context) => Box::pin(within(context, future)).await,
        None => Box::pin(span("work").root().around(future)).await,
    }
}
