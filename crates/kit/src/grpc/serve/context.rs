//! Runs each served call in its caller's trace, within its caller's time, and under the name of its service.
//!
//! tonic itself answers a call whose `grpc-timeout` has passed and drops its handler; this makes the same time
//! known to the calls that the handler makes.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::super::seen::Seen;
use crate::{deadline, served};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct ContextLayer;

impl<S> tower::Layer<S> for ContextLayer {
    type Service = InContext<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InContext { inner }
    }
}

/// A service whose calls run in their caller's context.
#[derive(Clone, Debug)]
pub(super) struct InContext<S> {
    inner: S,
}

impl<S, B, R> tower::Service<http::Request<B>> for InContext<S>
where
    S: tower::Service<http::Request<B>, Response = http::Response<R>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<R>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<R>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let headers = request.headers();
        let parent = headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let end = deadline::timeout_in(headers).and_then(|left| Instant::now().checked_add(left));
        let service = served::service_of(request.uri().path()).unwrap_or_default().to_owned();
        let seen = Seen::served(request.uri().path(), parent.as_deref());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = seen.run(served::within(service, answer));
            let answer = match end {
                Some(end) => deadline::within(end, answer).await,
                None => answer.await,
            };
            if let Ok(answer) = &answer {
                seen.answered(answer);
            }
            answer
        })
    }
}
