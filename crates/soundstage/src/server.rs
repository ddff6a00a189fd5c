//! The listener: a port that is kept over restarts, and connections that a fault can cut off.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::error::StageError;

/// Cuts the connection that a request came in on. Found in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Hangup(CancellationToken);

impl Hangup {
    /// Closes the connection with nothing more sent. Never returns: the caller is dropped with it.
    pub(crate) async fn now(&self) -> ! {
        self.0.cancel();
        std::future::pending().await
    }
}

/// Binds the wanted port, or the one this directory had before, and writes it down.
pub(crate) async fn bind(dir: &Path, wanted: SocketAddr) -> Result<TcpListener, StageError> {
    let file = dir.join("port");
    let mut addr = wanted;
    if wanted.port() == 0
        && let Some(port) = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok())
    {
        addr.set_port(port);
    }
    let listener = TcpListener::bind(addr).await.map_err(|source| StageError::Listen { addr, source })?;
    let bound = listener.local_addr().map_err(|source| StageError::Listen { addr, source })?;
    std::fs::write(&file, bound.port().to_string())
        .map_err(|source| StageError::Directory { path: file, source })?;
    Ok(listener)
}

/// Accepts connections until `cancel`; open ones are dropped then.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tasks: TaskTracker,
    cancel: CancellationToken,
) {
    let builder = Arc::new(Builder::new(TokioExecutor::new()));
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) => {
                let _ = socket.set_nodelay(true);
                tasks.spawn(connection(builder.clone(), socket, router.clone(), cancel.child_token()));
            }
            // Out of file descriptors, most likely: let others finish first.
            Err(error) => {
                tracing::warn!(%error, "soundstage could not accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    builder: Arc<Builder<TokioExecutor>>,
    socket: TcpStream,
    router: Router,
    cut: CancellationToken,
) {
    let hangup = Hangup(cut.clone());
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(hangup.clone());
        router.clone().call(request)
    });
    let serving = builder.serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        () = cut.cancelled() => {}
        result = serving => if let Err(error) = result {
            tracing::debug!(%error, "a connection to soundstage ended early");
        },
    }
}
