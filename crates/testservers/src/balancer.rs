//! A balancer before several HTTP servers, as simple as one can be.
//!
//! It asks each server from time to time whether it is ready, sends requests in turn to those that were when it last
//! asked, so that it notices late when one is about to stop, and repeats nothing. When none was ready it sends to all
//! of them: what they answer is better than nothing. Bodies are passed on as they come.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use http_body_util::{Either, Empty, Full};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{net::TcpListener, task::JoinSet};

/// How long a server may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(5);

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// How a balancer finds out who is ready.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Answers 200 on a server that is ready.
    pub path: &'static str,
    /// How often each server is asked.
    pub every: Duration,
}

/// A balancer on a free port of loopback; it ends when it is dropped.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    servers: Arc<Servers>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Servers {
    each: Vec<Server>,
    turn: AtomicUsize,
    client: Client<HttpConnector, Incoming>,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    ready: AtomicBool,
    taken: AtomicUsize,
}

impl Balancer {
    /// Starts one before `servers`; nothing is ready until it was asked.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn start(servers: &[SocketAddr], probe: Probe) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the balancer")?;
        let address = listener.local_addr().context("a port for the balancer")?;
        let server = |address: &SocketAddr| Server {
            address: *address,
            ready: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
        };
        let mut client = Client::builder(TokioExecutor::new());
        // By itself the client repeats what it could not send.
        let client = client.retry_canceled_requests(false).build_http();
        let servers = Arc::new(Servers {
            each: servers.iter().map(server).collect(),
            turn: AtomicUsize::new(0),
            client,
        });
        let mut tasks = JoinSet::new();
        for place in 0..servers.each.len() {
            tasks.spawn(ask(Arc::clone(&servers), place, probe));
        }
        tasks.spawn(accept(listener, Arc::clone(&servers)));
        Ok(Self { address, servers, _tasks: tasks })
    }

    /// Where it listens: `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests each server was sent.
    #[must_use]
    pub fn taken(&self) -> Vec<usize> {
        self.servers.each.iter().map(|server| server.taken.load(Ordering::SeqCst)).collect()
    }

    /// How many servers were ready when they were last asked.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.servers.each.iter().filter(|server| server.ready.load(Ordering::SeqCst)).count()
    }
}

/// Asks one server again and again whether it is ready.
async fn ask(servers: Arc<Servers>, place: usize, probe: Probe) {
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let server = &servers.each[place];
    let Ok(uri) = format!("http://{}{}", server.address, probe.path).parse::<Uri>() else { return };
    loop {
        let answer = tokio::time::timeout(PATIENCE, client.get(uri.clone())).await;
        let ready = matches!(answer, Ok(Ok(answer)) if answer.status() == StatusCode::OK);
        server.ready.store(ready, Ordering::SeqCst);
        tokio::time::sleep(probe.every).await;
    }
}

/// Takes connections until it is aborted; all of them end with it.
async fn accept(listener: TcpListener, servers: Arc<Servers>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        drop(socket.set_nodelay(true));
        let servers = Arc::clone(&servers);
        connections.spawn(async move {
            let passing = service_fn(move |request| {
                let servers = Arc::clone(&servers);
                async move { servers.pass_on(request).await }
            });
            let server = Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(socket), passing).await);
        });
    }
}

impl Servers {
    /// The next server in turn.
    fn choose(&self) -> &Server {
        let ready: Vec<&Server> =
            self.each.iter().filter(|server| server.ready.load(Ordering::SeqCst)).collect();
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        match ready.len() {
            0 => &self.each[turn % self.each.len()],
            some => ready[turn % some],
        }
    }

    async fn pass_on(&self, mut request: Request<Incoming>) -> Result<Answer, std::convert::Infallible> {
        let server = self.choose();
        server.taken.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("http://{}{path}", server.address).parse::<Uri>();
        // Is about this connection, not about the next one.
        request.headers_mut().remove(header::CONNECTION);
        Ok(match uri {
            Ok(uri) => {
                *request.uri_mut() = uri;
                match self.client.request(request).await {
                    Ok(answer) => answer.map(Either::Left),
                    Err(error) => failed(server.address, &anyhow::Error::new(error)),
                }
            }
            Err(error) => failed(server.address, &anyhow::Error::new(error)),
        })
    }
}

fn failed(address: SocketAddr, error: &anyhow::Error) -> Answer {
    let text = format!("the balancer got no answer from {address}: {error:#}");
    let mut answer = Response::new(Either::Right(Full::new(Bytes::from(text))));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
