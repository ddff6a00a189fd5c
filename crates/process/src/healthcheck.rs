//! Asking the process that listens at the configured address whether it is ready, or only whether it lives.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::dependencies;

/// All the time that the answer may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How a process is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// `grpc.health.v1` of this name: none is the whole process, which is ready or not.
    Grpc(&'static str),
    /// A path that answers 200.
    Http(&'static str),
}

impl Ask {
    /// Whether a process that talks gRPC is ready, or only whether it lives.
    pub(crate) const fn service(live: bool) -> Self {
        Self::Grpc(if live { kit::grpc::LIVE } else { "" })
    }
}

/// Asks; the error says why not.
pub(crate) async fn ask(listen: SocketAddr, ask: Ask) -> anyhow::Result<()> {
    let address = reachable(listen);
    ensure!(address.port() != 0, "listen has port 0, so nobody knows where the process listens");
    let asked = async {
        match ask {
            Ask::Grpc(name) => grpc(address, name).await,
            Ask::Http(path) => http(address, path).await,
        }
    };
    let answer = tokio::time::timeout(DEADLINE, asked).await;
    answer.unwrap_or_else(|_| bail!("{address} did not answer within {} s", DEADLINE.as_secs()))
}

/// An address that can be dialled from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn grpc(address: SocketAddr, name: &'static str) -> anyhow::Result<()> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"))?;
    let channel = endpoint.connect().await.with_context(|| format!("nothing answers at {address}"))?;
    let mut health = HealthClient::new(channel);
    let reply = health.check(of(name)).await;
    let reply = reply.map_err(|status| anyhow::anyhow!("{address} does not tell its health: {status}"))?;
    let status = reply.into_inner().status();
    if status == ServingStatus::Serving {
        return Ok(());
    }
    let mut away = Vec::new();
    for dependency in dependencies::NAMES {
        let told = health.check(of(dependency)).await;
        if told.is_ok_and(|told| told.into_inner().status() == ServingStatus::NotServing) {
            away.push(format!("{dependency} is away"));
        }
    }
    let why = if away.is_empty() { String::new() } else { format!(": {}", away.join(", ")) };
    bail!("{address} says {}{why}", status.as_str_name())
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

async fn http(address: SocketAddr, path: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build().context("making an HTTP client")?;
    let answer = client.get(format!("http://{address}{path}")).send().await;
    let answer = answer.with_context(|| format!("nothing answers at {address}"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await.unwrap_or_default();
    bail!("{address}{path} says {status}: {}", body.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_on_every_address_is_asked_on_loopback() {
        let listen = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(listen("0.0.0.0:5001"), "127.0.0.1:5001");
        assert_eq!(listen("[::]:5001"), "[::1]:5001");
        assert_eq!(listen("10.1.2.3:5001"), "10.1.2.3:5001");
    }

    /// Where an HTTP server answers one request.
    async fn answering(answer: &'static str) -> SocketAddr {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(read > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_gateway_is_ready_when_its_path_says_so() {
        let ready = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        ask(ready, Ask::Http("/readyz")).await.unwrap();
        let waiting = answering("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 7\r\n\r\nwaiting").await;
        let error = format!("{:#}", ask(waiting, Ask::Http("/readyz")).await.unwrap_err());
        assert!(error.contains("503") && error.contains("waiting"), "{error}");
    }

    #[tokio::test]
    async fn a_process_on_port_0_cannot_be_asked() {
        let error = ask("127.0.0.1:0".parse().unwrap(), Ask::service(false)).await.unwrap_err().to_string();
        assert!(error.contains("port 0"), "{error}");
    }
}
