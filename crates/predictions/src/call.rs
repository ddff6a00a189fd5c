//! A call to a provider as others see it: its span, and its place in the metrics.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, AtomicU16, Ordering},
};

use telemetry::{
    KeyValue,
    metrics::{PROVIDER_CALL_DURATION, key},
    trace::{Build, Span, span},
};
use tokio::time::Instant;

/// Why a call has no result: whoever made it did not wait for its end, or made no more of it.
const ABANDONED: &str = "abandoned";

/// A call under way. One that is dropped before its end was told counts as abandoned.
#[derive(Debug)]
pub struct Call {
    provider: &'static str,
    operation: &'static str,
    name: &'static str,
    address: String,
    began: Instant,
    /// None while it is not known whether the call is worth a span.
    span: Option<Span>,
    /// HTTP status of the answer; 0 before there is one.
    status: AtomicU16,
    ended: AtomicBool,
}

impl Call {
    /// A call of this operation, such as `create`, that begins now. Its span has this name, such as `create prediction`;
    /// `address` is the host that is called.
    #[must_use]
    pub fn begin(
        provider: &'static str,
        operation: &'static str,
        name: &'static str,
        address: impl Into<String>,
    ) -> Self {
        let mut call = Self::begin_quietly(provider, operation, name, address);
        call.span = Some(call.span().start());
        call
    }

    /// The same for one of many that mostly bring nothing, such as a poll: it has a span only if [`Call::was_worth`]
    /// says so in the end.
    #[must_use]
    pub fn begin_quietly(
        provider: &'static str,
        operation: &'static str,
        name: &'static str,
        address: impl Into<String>,
    ) -> Self {
        Self {
            provider,
            operation,
            name,
            address: address.into(),
            began: Instant::now(),
            span: None,
            status: AtomicU16::new(0),
            ended: AtomicBool::new(false),
        }
    }

    fn span(&self) -> Build {
        span(self.name)
            .client()
            .with(key::PROVIDER, self.provider)
            .with(key::OPERATION, self.operation)
            .with("server.address", self.address.clone())
    }

    /// Something to know of it; never a secret.
    pub fn set(&self, key: &'static str, value: impl Into<String>) {
        if let Some(span) = &self.span {
            span.set(key, value.into());
        }
    }

    /// The answer has this HTTP status.
    pub fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Runs `work` within its span.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        match &self.span {
            Some(span) => span.run(work).await,
            None => work.await,
        }
    }

    /// A quiet one turned out to be worth a span.
    #[must_use]
    pub fn was_worth(mut self) -> Self {
        if self.span.is_none() {
            self.span = Some(self.span().begun(self.began.elapsed()).start());
        }
        self
    }

    /// It is over, with this kind of failure if it failed.
    pub fn end(&self, error: Option<&'static str>) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut attributes =
            vec![KeyValue::new(key::PROVIDER, self.provider), KeyValue::new(key::OPERATION, self.operation)];
        attributes.extend(error.map(|error| KeyValue::new(key::ERROR, error)));
        PROVIDER_CALL_DURATION.took(self.began.elapsed(), &attributes);
        let Some(span) = &self.span else { return };
        let status = self.status.load(Ordering::Relaxed);
        if status > 0 {
            span.set(key::HTTP_STATUS, i64::from(status));
        }
        if let Some(error) = error {
            span.set(key::ERROR, error);
            span.fail(error);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Some(ABANDONED));
    }
}

#[cfg(test)]
mod tests {
    use telemetry::trace::{current, span};

    use super::*;

    fn begin() -> Call {
        Call::begin("replicate", "create", "create prediction", "provider.example")
    }

    #[tokio::test]
    async fn what_a_call_does_is_done_in_a_span_of_its_own_within_its_callers_trace() {
        let caller = span("caller").root().start();
        let call = caller.enter(begin);
        let inside = call.run(async { current() }).await.expect("a span");
        let outside = caller.context().expect("a span");
        assert_eq!(inside.trace_id(), outside.trace_id());
        assert_ne!(inside.span_id(), outside.span_id());
    }

    #[tokio::test]
    async fn a_quiet_call_has_no_span_until_it_was_worth_one() {
        let caller = span("caller").root().start();
        let call =
            caller.enter(|| Call::begin_quietly("replicate", "get", "get prediction", "provider.example"));
        let inside = caller.run(call.run(async { current() })).await;
        assert_eq!(inside, caller.context(), "it runs in its caller's span");
        assert!(call.span.is_none());
        let call = caller.enter(|| call.was_worth());
        let told = call.span.as_ref().and_then(Span::context).expect("a span");
        assert_eq!(told.trace_id(), caller.context().expect("a span").trace_id());
        call.end(None);
    }
}
