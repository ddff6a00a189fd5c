//! Whether a service is well: whether any of its replicas says so.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{call::Call, channel::Channel, replica::Replica};

impl Channel {
    /// Whether at least one replica says within `patience` that it serves. One that is about to stop does not speak
    /// for the others.
    pub async fn serves(&self, patience: Duration) -> bool {
        let asking = async {
            let Ok(replicas) = self.replicas().current().await else { return false };
            let mut answers: FuturesUnordered<_> =
                replicas.iter().map(|replica| ask(Arc::clone(replica), patience)).collect();
            while let Some(serves) = answers.next().await {
                if serves {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(patience, asking).await.unwrap_or(false)
    }
}

async fn ask(replica: Arc<Replica>, patience: Duration) -> bool {
    let one = One { replica, deadline: Instant::now() + patience };
    let request = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(one).check(request).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}

/// Calls to one replica, once each.
#[derive(Clone)]
struct One {
    replica: Arc<Replica>,
    deadline: Instant,
}

impl tower::Service<http::Request<Body>> for One {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Self { replica, deadline } = self.clone();
        Box::pin(async move {
            let mut call = Call::new(request, deadline, None).await?;
            call.ask(&replica).await.map_err(|failure| failure.status)
        })
    }
}
