//! One replica: its connection, made when needed, and whether it is left aside.
//!
//! A `tonic::transport::Channel` connects again by itself, but one waiting call after the other, each with its own
//! timeout, and it does not say which calls were never sent. So here a channel is one connection: its
//! connector works once, all calls share one attempt to connect, and a lost connection is replaced by a new one.

use std::{future::ready, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use http::Uri;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{net::TcpStream, time::Instant};
use tonic::{body::Body, transport::Endpoint};
use tower::{Service as _, ServiceExt as _};

use super::{
    KEEPALIVE, KEEPALIVE_TIMEOUT,
    address::Address,
    balance::Standing,
    outcome::{Failure, Got},
};

/// How long a replica may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

type Connecting = Shared<BoxFuture<'static, Result<tonic::transport::Channel, Unreachable>>>;

/// A connection that could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{address} cannot be reached: {why}")]
struct Unreachable {
    address: String,
    why: String,
}

/// What the connector of a lost connection says.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed")]
struct Closed;

/// A replica of a service.
pub(super) struct Replica {
    address: Address,
    connection: Mutex<Option<Connecting>>,
    standing: Mutex<Standing>,
}

impl Replica {
    /// The replica at an address; not connected yet.
    pub(super) fn new(address: Address) -> Self {
        Self { address, connection: Mutex::new(None), standing: Mutex::new(Standing::default()) }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn standing(&self) -> Standing {
        *self.standing.lock()
    }

    /// It was chosen for a call.
    pub(super) fn asked(&self) {
        self.standing.lock().asked(Instant::now());
    }

    pub(super) fn answered(&self) {
        self.standing.lock().answered();
    }

    pub(super) fn failed(&self) {
        self.standing.lock().failed(Instant::now());
    }

    /// Sends a request that `make` makes; a second time if the connection turns out to be closed already, as
    /// connections are that reached their age. `make` is asked for a request as often as one is needed and may
    /// have no more.
    pub(super) async fn send(
        &self,
        make: &mut (dyn FnMut() -> Option<http::Request<Body>> + Send),
    ) -> Result<http::Response<Body>, Failure> {
        let first = self.send_once(make).await;
        match first {
            Err(Attempt::Stale(failure)) => self.send_once(make).await.map_err(|again| match again {
                Attempt::NoRequest => failure,
                again => again.into_failure(),
            }),
            first => first.map_err(Attempt::into_failure),
        }
    }

    async fn send_once(
        &self,
        make: &mut (dyn FnMut() -> Option<http::Request<Body>> + Send),
    ) -> Result<http::Response<Body>, Attempt> {
        let connecting = self.connection.lock().get_or_insert_with(|| dial(self.address.clone())).clone();
        // Whether others used it before, so that it may have been closed since.
        let used = connecting.peek().is_some();
        let mut channel = match connecting.clone().await {
            Ok(channel) => channel,
            Err(error) => {
                self.forget(&connecting);
                return Err(Attempt::Failed(Failure::unreachable(error)));
            }
        };
        let request = make().ok_or(Attempt::NoRequest)?;
        let answer = match channel.ready().await {
            Ok(channel) => channel.call(request).await,
            Err(error) => Err(error),
        };
        let error = match answer {
            Ok(response) => return Ok(response),
            Err(error) => Failure::of_transport(&self.address.dial, &error),
        };
        if error.disconnected {
            self.forget(&connecting);
        }
        if used && error.disconnected && error.got == Got::Nowhere {
            Err(Attempt::Stale(error))
        } else {
            Err(Attempt::Failed(error))
        }
    }

    /// The next call makes a new connection, unless another call did so meanwhile.
    fn forget(&self, lost: &Connecting) {
        let mut connection = self.connection.lock();
        if connection.as_ref().is_some_and(|current| current.ptr_eq(lost)) {
            *connection = None;
        }
    }
}

/// Why sending once led to nothing.
enum Attempt {
    /// The connection had been closed before; a new one may be well.
    Stale(Failure),
    Failed(Failure),
    /// The request was used up.
    NoRequest,
}

impl Attempt {
    fn into_failure(self) -> Failure {
        match self {
            Self::Stale(failure) | Self::Failed(failure) => failure,
            Self::NoRequest => Failure::unreachable("the request cannot be sent a second time"),
        }
    }
}

fn dial(address: Address) -> Connecting {
    let connected = async move {
        let unreachable = |why: String| Unreachable { address: address.dial.clone(), why };
        match tokio::time::timeout(CONNECT_TIMEOUT, connect(&address)).await {
            Ok(connected) => connected.map_err(|error| unreachable(format!("{error:#}"))),
            Err(_) => Err(unreachable(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
    };
    connected.boxed().shared()
}

async fn connect(address: &Address) -> anyhow::Result<tonic::transport::Channel> {
    let endpoint = Endpoint::from(address.uri()?)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    let socket = TcpStream::connect(&address.dial).await?;
    socket.set_nodelay(true)?;
    let mut socket = Some(TokioIo::new(socket));
    let once = tower::service_fn(move |_: Uri| ready(socket.take().ok_or(Closed)));
    Ok(endpoint.connect_with_connector(once).await?)
}
