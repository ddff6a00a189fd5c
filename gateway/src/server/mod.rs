//! Starting, serving and draining.

mod connection;
mod send;

use std::{net::SocketAddr, sync::Arc};

use axum::{ServiceExt, extract::Request};
use blobs::Blobs;
use kit::{Clock, Tasks, signing::UrlSigner};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use connection::Cut;

use crate::{
    app::{App, Inner},
    auth::Keys,
    backends::Backends,
    edge, feed,
    held::Held,
    settings::Settings,
};

/// What the world gives the gateway.
#[derive(Debug)]
pub struct GatewayDeps {
    /// Where it serves HTTP; bound already, so that port 0 works and nothing races.
    pub listener: TcpListener,
    /// Where bytes live.
    pub blobs: Blobs,
    /// The time.
    pub clock: Clock,
    /// Canceled when the process is to stop.
    pub cancel: CancellationToken,
    /// Whether callers should send it work; turned off some time before `cancel`.
    pub readiness: kit::Readiness,
    /// The services behind it.
    pub backends: Backends,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API would be open to the network.
    #[error("{0} is not a loopback address and no API key is set: set API_AUTH_KEY, or listen on 127.0.0.1")]
    Open(SocketAddr),
    /// The listener has no address.
    #[error("the listener has no local address")]
    Listener(#[source] std::io::Error),
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Running {
    /// Where it serves HTTP.
    pub address: SocketAddr,
    tasks: Tasks,
}

impl Running {
    /// Waits until everything it started has ended; call after canceling.
    pub async fn stopped(&self) {
        self.tasks.finished().await;
    }
}

/// Starts the gateway: it serves until `deps.cancel`, then finishes what is under way.
///
/// # Errors
/// No key is set and the listener can be reached from other machines.
pub fn build(settings: Settings, deps: GatewayDeps) -> Result<Running, StartError> {
    let address = deps.listener.local_addr().map_err(StartError::Listener)?;
    let keys = Keys::new(&settings.api_keys);
    if keys.is_open() && !address.ip().is_loopback() {
        return Err(StartError::Open(address));
    }
    let tasks = Tasks::new("gateway", deps.cancel.clone());
    let jobs = Arc::new(Held::new(settings.hold));
    let hub = feed::Hub::new(settings.feed_queue, {
        let jobs = Arc::clone(&jobs);
        move || jobs.changed()
    });
    tasks.spawn("feed", feed::tail(hub.clone(), deps.backends.clone(), deps.cancel.clone()));
    let app = App::new(Inner {
        keys,
        signer: UrlSigner::of_list(&settings.link_secret),
        backends: deps.backends,
        blobs: deps.blobs,
        clock: deps.clock,
        hub,
        jobs,
        assets: Held::new(settings.hold),
        cancel: deps.cancel.clone(),
        readiness: deps.readiness,
        settings,
    });
    tasks.spawn("http", serve(deps.listener, app, deps.cancel));
    tracing::info!(%address, "the gateway serves");
    Ok(Running { address, tasks })
}

/// Serves until `cancel`; connections that have not ended when the drain is over are cut.
async fn serve(listener: TcpListener, app: App, cancel: CancellationToken) -> std::io::Result<()> {
    let cut_all = CancellationToken::new();
    let drain = app.settings.drain;
    let service = edge::service(app);
    let connections = connection::Connections::new(listener, cut_all.clone());
    let server =
        axum::serve(connections, ServiceExt::<Request>::into_make_service_with_connect_info::<Cut>(service))
            .with_graceful_shutdown(cancel.clone().cancelled_owned());
    let overdue = async {
        cancel.cancelled().await;
        tokio::time::sleep(drain).await;
        cut_all.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = overdue => Ok(()),
    }
}
