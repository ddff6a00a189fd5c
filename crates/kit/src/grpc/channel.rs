//! The type that generated clients take: calls are spread over the replicas, bounded in time, and sent again where
//! that is safe.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::retry::budget::Budget;

use super::{
    BadAddress, CALL_DEADLINE, Resolve, SystemResolver, address,
    call::Call,
    idempotency::Method,
    outcome::Failure,
    replicas::Replicas,
    retry::{self, TRIES},
    told::told,
};
use crate::{deadline, grpc::seen::Seen};

/// How often names are looked up again, while there are calls.
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);

/// How a channel behaves.
pub struct Options {
    /// How long a call may take with all its tries. A shorter `grpc-timeout` of the request, or what is left of
    /// the time of the call that is being served, comes first.
    pub deadline: Duration,
    /// What looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// How often it does so, while there are calls.
    pub look_up_every: Duration,
    /// How many calls may be sent again.
    pub budget: Arc<dyn Budget + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: CALL_DEADLINE,
            resolver: Arc::new(SystemResolver),
            look_up_every: LOOK_UP_EVERY,
            budget: retry::budget(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Connections to the replicas of a service; made when first used and again when lost. Cheap to clone.
#[derive(Clone)]
pub struct Channel(Arc<Shared>);

struct Shared {
    replicas: Arc<Replicas>,
    deadline: Duration,
    budget: Arc<dyn Budget + Send + Sync>,
}

impl Channel {
    /// A channel to the replicas at `addresses`, in one of the forms of [`super::channel`].
    ///
    /// # Errors
    /// One of them is no address.
    pub fn new(addresses: &str, options: Options) -> Result<Self, BadAddress> {
        let targets = address::parse(addresses)?;
        let Options { deadline, resolver, look_up_every, budget } = options;
        let replicas = Arc::new(Replicas::new(targets, resolver, look_up_every));
        Ok(Self(Arc::new(Shared { replicas, deadline, budget })))
    }

    pub(super) fn replicas(&self) -> &Arc<Replicas> {
        &self.0.replicas
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.0.replicas).finish()
    }
}

impl tower::Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let time = self.0.time_of(&request);
        let shared = Arc::clone(&self.0);
        let path = request.uri().path().to_owned();
        let seen = Seen::made(&path);
        Box::pin(async move {
            let carry = |at| shared.carry(request, at, seen.traceparent());
            let answer = seen.run(shared.within(time, carry)).await;
            seen.ended(&answer);
            answer.map_err(|status| told(status, &path))
        })
    }
}

impl Shared {
    /// How long a call may take: the shortest of what the channel, the request and the call being served give it.
    fn time_of(&self, request: &http::Request<Body>) -> Duration {
        // What a stream's header says is for all of the stream.
        let said = match Method::of(request.uri().path()) {
            Method::Stream => None,
            _ => deadline::timeout_in(request.headers()),
        };
        let left = deadline::current().map(|at| at.saturating_duration_since(Instant::now()));
        [said, left].into_iter().flatten().fold(self.deadline, Duration::min)
    }

    async fn within<F>(
        &self,
        time: Duration,
        carry: impl FnOnce(Instant) -> F,
    ) -> Result<http::Response<Body>, Status>
    where
        F: Future<Output = Result<http::Response<Body>, Status>>,
    {
        let at = Instant::now() + time;
        match tokio::time::timeout_at(at, carry(at)).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {} ms", time.as_millis()))),
        }
    }

    async fn carry(
        &self,
        request: http::Request<Body>,
        deadline: Instant,
        trace: Option<String>,
    ) -> Result<http::Response<Body>, Status> {
        self.budget.deposit();
        let mut call = Call::new(request, deadline, trace).await?;
        let mut tried = Vec::new();
        for tries in 1.. {
            let failure = match self.replicas.pick(&tried).await {
                Err(none) => Failure::unreachable(none),
                Ok(replica) => match call.ask(&replica).await {
                    Ok(response) => {
                        replica.answered();
                        return Ok(response);
                    }
                    Err(failure) => {
                        if failure.blames_replica() {
                            replica.failed();
                        }
                        tried.push(replica.address().clone());
                        failure
                    }
                },
            };
            if tries >= TRIES || !call.may_go_again(&failure) || !self.budget.withdraw() {
                return Err(failure.status);
            }
            tracing::debug!(status = failure.status.to_string(), tries, "a call is sent again");
            tokio::time::sleep(retry::pause(tries)).await;
        }
        Err(Status::internal("a call was sent without end"))
    }
}
