//! Serving gRPC with health, reflection and trace context; channels with deadlines and keepalive.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, RoutesBuilder, interceptor::InterceptedService},
    transport::{Endpoint, Server},
};

use crate::trace::{self, TraceContext};

/// Deadline of every unary call unless the caller sets a shorter one.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Largest message either side accepts, bytes: a page of a thousand rows with all their texts. Media never
/// travels in messages.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// A connection to a service; connects when first used and again when lost.
pub type Channel = InterceptedService<tonic::transport::Channel, Inject>;

/// Puts the current trace context into a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inject;

impl Interceptor for Inject {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let context = trace::current().map_or_else(TraceContext::root, |context| context.child());
        if let Ok(value) = MetadataValue::try_from(context.to_string()) {
            request.metadata_mut().insert("traceparent", value);
        }
        Ok(request)
    }
}

/// The address is not a URI.
#[derive(Debug, thiserror::Error)]
#[error("{address:?} is no address of a service, such as http://127.0.0.1:5002")]
pub struct BadAddress {
    address: String,
}

/// A channel to the service at `address` ("http://host:port" or "host:port"); nothing is dialled yet.
///
/// # Errors
/// The address is not a URI.
pub fn channel(address: &str) -> Result<Channel, BadAddress> {
    channel_with_deadline(address, CALL_DEADLINE)
}

/// A channel like [`channel`] whose calls may take up to `deadline`: for calls that wait for the outside world.
///
/// # Errors
/// The address is not a URI.
pub fn channel_with_deadline(address: &str, deadline: Duration) -> Result<Channel, BadAddress> {
    let uri = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(uri)
        .map_err(|_| BadAddress { address: address.to_owned() })?
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(deadline)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    Ok(InterceptedService::new(endpoint.connect_lazy(), Inject))
}

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

/// Serves `routes` with health (`grpc.health.v1`) and reflection until `cancel`; calls under way are finished.
///
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    mut routes: RoutesBuilder,
    cancel: CancellationToken,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?.to_string();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(protos::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| ServeError::Reflection(error.to_string()))?;
    routes.add_service(health).add_service(reflection);
    Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(TraceLayer)
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), cancel.cancelled_owned())
        .await
        .map_err(|source| ServeError::Transport { address, source })
}

/// Binds a loopback or other address; port 0 takes a free one.
///
/// # Errors
/// The address is in use or not ours.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Runs every served call inside its caller's trace context.
#[derive(Clone, Copy, Debug)]
pub struct TraceLayer;

impl<S> tower::Layer<S> for TraceLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Traced { inner }
    }
}

/// A service whose calls run inside their caller's trace context.
#[derive(Clone, Debug)]
pub struct Traced<S> {
    inner: S,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;

impl<S, B, R> tower::Service<http::Request<B>> for Traced<S>
where
    S: tower::Service<http::Request<B>, Response = R, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = R;
    type Error = Infallible;
    type Future = BoxFuture<R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let parent =
            request.headers().get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let answer = self.inner.call(request);
        Box::pin(async move { trace::continuing(parent.as_deref(), answer).await })
    }
}
