//! Serving: health, reflection, each call in its caller's trace and time, and connections that do not grow old.

mod context;
mod health;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{
    service::RoutesBuilder,
    transport::{Server, server::TcpIncoming},
};

use super::{KEEPALIVE, KEEPALIVE_TIMEOUT};
use crate::Readiness;
use context::ContextLayer;
pub use health::LIVE;

/// A connection this old is asked to end when its calls have, so that its caller connects anew and looks again at
/// which replicas there are. No grace is set: with one, tonic cuts connections without asking first.
const CONNECTION_AGE: Duration = Duration::from_mins(5);
/// Calls of one connection that are worked on at the same time; more wait.
const CALLS_AT_ONCE: usize = 512;
/// Calls and streams of one connection that may be open; the caller keeps more to itself.
const STREAMS: u32 = 1024;

/// Serving ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener or the transport broke.
    #[error("serving gRPC on {address} failed")]
    Transport {
        /// Where it listened.
        address: String,
        /// Why.
        source: tonic::transport::Error,
    },
    /// The reflection service cannot read the descriptors.
    #[error("the reflection service cannot start: {0}")]
    Reflection(String),
    /// The listener has no address.
    #[error("the listener has no local address")]
    Listener(#[source] std::io::Error),
}

/// Serves `routes` with health (`grpc.health.v1`, for the server and for each of our services in it) and reflection
/// until `cancel`; calls under way are finished. Health says `NOT_SERVING` as soon as `readiness` is withdrawn; under
/// [`LIVE`] it says `SERVING` as long as there is somebody to say it.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    routes: RoutesBuilder,
    readiness: Readiness,
    cancel: CancellationToken,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?.to_string();
    let routes = routes.routes();
    let (reporter, health) = tonic_health::server::health_reporter();
    let names = health::mounted(&routes).await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(protos::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| ServeError::Reflection(error.to_string()))?;
    let told = tokio::spawn(health::tell(reporter, names, readiness, cancel.clone()));
    let told = AbortOnDropHandle::new(told);
    let served = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_connection_age(CONNECTION_AGE)
        .max_concurrent_streams(STREAMS)
        .concurrency_limit_per_connection(CALLS_AT_ONCE)
        .layer(ContextLayer)
        .add_routes(routes.add_service(health).add_service(reflection))
        .serve_with_incoming_shutdown(connections(listener), cancel.cancelled_owned())
        .await
        .map_err(|source| ServeError::Transport { address, source });
    drop(told);
    served
}

/// The connections that come in, each sending at once: otherwise a small answer waits for the acknowledgement of the one
/// before it, which a client may delay by 40 ms. The builder's setting of that name counts only for listeners of its own.
fn connections(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;
    use tokio_stream::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_small_answer_does_not_wait_for_an_acknowledgement() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = connections(listener);
        let _client = TcpStream::connect(address).await.unwrap();
        let accepted = connections.next().await.unwrap().unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
