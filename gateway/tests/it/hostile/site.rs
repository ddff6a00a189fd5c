//! A web site on this machine.

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// A web site that is up until this is dropped.
pub(super) struct Site {
    base: String,
    task: JoinHandle<()>,
}

impl Site {
    pub(super) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { base, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}
