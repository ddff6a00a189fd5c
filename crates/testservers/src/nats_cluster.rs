//! Several NATS servers that are one cluster with JetStream.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use crate::{NatsServer, Port};

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A cluster of its own; gone when dropped.
#[derive(Debug)]
pub struct NatsCluster {
    nodes: Vec<NatsServer>,
    // The nodes' own as long as there are nodes.
    _ports: Vec<(Port, Port)>,
}

impl NatsCluster {
    /// Starts one of `count` servers (an odd number, 3 or more); returns once they have a leader among them.
    ///
    /// # Errors
    /// The server is not installed, or does not start; the text quotes its log.
    pub async fn start(count: usize) -> anyhow::Result<Self> {
        let mut ports = Vec::new();
        for _ in 0..count {
            ports.push((Port::free()?, Port::free()?));
        }
        let routes: Vec<String> =
            ports.iter().map(|(route, _)| format!("nats://{}", route.address())).collect();
        let told = ports.iter().enumerate().map(|(index, (route, monitor))| {
            let of = |text: &str| text.to_owned();
            vec![
                of("--cluster"),
                format!("nats://{}", route.address()),
                of("--cluster_name"),
                of("test"),
                of("--routes"),
                routes.join(","),
                of("--server_name"),
                format!("node-{index}"),
                of("--http_port"),
                monitor.number().to_string(),
            ]
        });
        let mut nodes = Vec::new();
        for arguments in told {
            nodes.push(NatsServer::start_with(arguments).await?);
        }
        for (node, (_, monitor)) in nodes.iter().zip(&ports) {
            let started = Instant::now();
            while !is_healthy(monitor).await.unwrap_or(false) {
                ensure!(started.elapsed() < PATIENCE, "NATS is no cluster: {}", node.log());
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(Self { nodes, _ports: ports })
    }

    /// The addresses of all servers, separated by commas.
    #[must_use]
    pub fn url(&self) -> String {
        self.nodes.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }
}

/// Whether a server says that it is in touch with JetStream's leader.
async fn is_healthy(monitor: &Port) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(monitor.address()).await.context("nobody listens")?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.context("asking")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.context("reading the answer")?;
    Ok(answer.split_ascii_whitespace().nth(1) == Some("200"))
}
