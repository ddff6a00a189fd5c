//! A collector of telemetry that keeps what it is sent (OTLP as protobuf over HTTP), for tests to look at.

mod decode;
mod graph;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

pub use graph::Graph;

/// One span that ended.
#[derive(Clone, Debug)]
pub struct SpanSeen {
    /// `service.name` of who made it.
    pub service: String,
    /// The trace's id, 32 hexadecimal digits.
    pub trace: String,
    /// Its own id, 16 hexadecimal digits.
    pub span: String,
    /// Its parent's id; none for a root.
    pub parent: Option<String>,
    /// Trace and span of what it is linked to.
    pub links: Vec<(String, String)>,
    /// What kind of work it was.
    pub name: String,
    /// As OTLP counts: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Beginning and end, in nanoseconds since 1970.
    pub time: (u64, u64),
    /// What went wrong, if something did.
    pub error: Option<String>,
}

/// The newest value of one series of a metric.
#[derive(Clone, Debug)]
pub struct Point {
    /// `service.name` of who told it.
    pub service: String,
    /// `service.instance.id` of who told it.
    pub instance: String,
    /// The metric's name.
    pub name: String,
    /// The series' attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// The value; of a histogram, how many values it has.
    pub value: f64,
    /// The sum of a histogram's values.
    pub sum: Option<f64>,
    /// When it arrived.
    pub at: Instant,
}

/// One log event.
#[derive(Clone, Debug)]
pub struct Line {
    /// `service.name` of who wrote it.
    pub service: String,
    /// Its text.
    pub message: String,
    /// The trace that it belongs to, if any.
    pub trace: Option<String>,
    /// Its fields as text.
    pub attributes: BTreeMap<String, String>,
}

/// All that was sent so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Spans in the order of their arrival.
    pub spans: Vec<SpanSeen>,
    /// The newest value of each series.
    pub points: BTreeMap<String, Point>,
    /// Log events in the order of their arrival.
    pub lines: Vec<Line>,
}

impl Seen {
    /// The series of a metric.
    pub fn metric<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Point> {
        self.points.values().filter(move |point| point.name == name)
    }

    /// The spans as a graph.
    #[must_use]
    pub fn graph(&self) -> Graph<'_> {
        Graph::of(&self.spans)
    }
}

/// The collector; it ends when it is dropped.
#[derive(Debug)]
pub struct Otlp {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    news: watch::Receiver<u64>,
    _tasks: JoinSet<()>,
}

impl Otlp {
    /// Starts one on a free port of loopback.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the collector")?;
        let address = listener.local_addr().context("a port for the collector")?;
        let seen = Arc::<Mutex<Seen>>::default();
        let (told, news) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&seen), Arc::new(told)));
        Ok(Self { address, seen, news, _tasks: tasks })
    }

    /// Its base address, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at what was sent so far.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock())
    }

    /// Looks each time something arrives, until `look` finds what it wants; none when that takes longer than `patience`.
    pub async fn until<T>(&self, patience: Duration, look: impl Fn(&Seen) -> Option<T>) -> Option<T> {
        let mut news = self.news.clone();
        let looking = async {
            loop {
                news.borrow_and_update();
                if let Some(found) = self.look(&look) {
                    return Some(found);
                }
                news.changed().await.ok()?;
            }
        };
        tokio::time::timeout(patience, looking).await.ok().flatten()
    }

    /// All of it as text, to look for what must not be there.
    #[must_use]
    pub fn text(&self) -> String {
        self.look(|seen| format!("{seen:#?}"))
    }
}

async fn accept(listener: TcpListener, seen: Arc<Mutex<Seen>>, told: Arc<watch::Sender<u64>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, told) = (Arc::clone(&seen), Arc::clone(&told));
        connections.spawn(async move {
            let service = service_fn(move |request| take(request, Arc::clone(&seen), Arc::clone(&told)));
            // A process that is killed breaks its connection; what it sent before is there.
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn take(
    request: Request<Incoming>,
    seen: Arc<Mutex<Seen>>,
    told: Arc<watch::Sender<u64>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let taken = decode::into(&mut seen.lock(), &path, body);
    told.send_modify(|count| *count += 1);
    let mut response = Response::new(Full::default());
    if taken.is_err() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}
