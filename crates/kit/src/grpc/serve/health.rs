//! What health says of a server and of each service in it.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::ServiceExt as _;

use crate::Readiness;

/// The name of the whole server.
const ALL: &str = "";
/// The name under which a process says no more than that it answers: whatever it waits for, and also while it stops.
pub const LIVE: &str = "live";

/// Says `SERVING` of the server and of `names` as long as the process is ready, else `NOT_SERVING`, tells of each of its
/// dependencies under the dependency's name, and under [`LIVE`] that it lives; at the end nothing, which ends the streams of
/// those who watch, so that they do not keep the server from stopping.
pub(super) async fn tell(
    reporter: HealthReporter,
    names: Vec<String>,
    readiness: Readiness,
    cancel: CancellationToken,
) {
    let mut teller = Teller { reporter, told: HashMap::new() };
    teller.set(LIVE, true).await;
    let mut states = readiness.states();
    let following = async {
        loop {
            let state = states.borrow_and_update().clone();
            for name in std::iter::once(ALL).chain(names.iter().map(String::as_str)) {
                teller.set(name, state.is_ready()).await;
            }
            for (name, there) in state.dependencies() {
                teller.set(name, there).await;
            }
            // The sender lives in `readiness`, so waiting cannot fail.
            let _ = states.changed().await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = following => {}
    }
    teller.clear().await;
}

/// Tells what is news.
struct Teller {
    reporter: HealthReporter,
    told: HashMap<String, bool>,
}

impl Teller {
    async fn set(&mut self, name: &str, serves: bool) {
        if self.told.insert(name.to_owned(), serves) == Some(serves) {
            return;
        }
        let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status(name, status).await;
    }

    async fn clear(mut self) {
        for name in self.told.keys() {
            self.reporter.clear_service_status(name).await;
        }
    }
}

/// Which of our services the routes hold. Routes cannot be listed, so each is asked: one unary method is called
/// without a message, which a service refuses before it comes to its handler, and routes without it do not know.
pub(super) async fn mounted(routes: &Routes) -> Vec<String> {
    let mut names = Vec::new();
    for (name, method) in services() {
        let request = http::Request::post(format!("/{name}/{method}"))
            .header(http::header::CONTENT_TYPE, "application/grpc")
            .body(Body::empty());
        let Ok(request) = request else { continue };
        let Ok(answer) = routes.clone().oneshot(request).await;
        let unknown = Status::from_header_map(answer.headers())
            .is_some_and(|status| status.code() == Code::Unimplemented);
        if !unknown {
            names.push(name);
        }
    }
    names
}

/// All our services, each with one unary method.
fn services() -> Vec<(String, String)> {
    let descriptors = FileDescriptorSet::decode(protos::FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut services = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            let unary = service.method.iter().find(|method| {
                !method.client_streaming.unwrap_or_default() && !method.server_streaming.unwrap_or_default()
            });
            if let Some(method) = unary {
                services.push((format!("{}.{}", file.package(), service.name()), method.name().to_owned()));
            }
        }
    }
    services
}
