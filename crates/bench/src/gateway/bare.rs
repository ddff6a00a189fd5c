//! The least that axum can do: a handler that answers the same bytes each time.

use std::{net::Ipv4Addr, path::Path};

use anyhow::Context as _;
use axum::{Router, http::header, routing::get};
use tokio::{net::TcpListener, process::Child};

use super::{load::Asked, role};

/// The handler as a process.
pub(super) struct Bare {
    _child: Child,
    address: String,
}

impl Bare {
    pub(super) async fn start(body: &[u8], scratch: &Path) -> anyhow::Result<Self> {
        let file = scratch.join("job.json");
        std::fs::write(&file, body).context("keeping a job")?;
        let mut command = role::process(&["bare", "--file", &file.display().to_string()])?;
        let (child, address) = role::server(&mut command).await?;
        Ok(Self { _child: child, address })
    }

    pub(super) fn asked(&self, path: &str) -> Asked {
        Asked { address: self.address.clone(), path: path.to_owned(), range: None }
    }
}

/// Is that handler until the process is ended.
pub(super) async fn serve(file: &Path) -> anyhow::Result<()> {
    let body = bytes::Bytes::from(std::fs::read(file).context("reading the answer")?);
    let answer = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body) }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("finding a port")?;
    println!("{}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // As the gateway does.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(get(answer))).await.context("serving")
}
