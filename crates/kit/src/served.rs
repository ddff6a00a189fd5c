//! Which service a call is for, so that what goes wrong can name it.

use std::future::Future;

tokio::task_local! {
    static SERVICE: String;
}

/// The service whose call is being served, such as "asset".
#[must_use]
pub(crate) fn service() -> Option<String> {
    SERVICE.try_with(Clone::clone).ok()
}

/// The service that a method belongs to: "asset" for "/filmstrip.asset.v1.AssetService/GetAsset".
pub(crate) fn service_of(path: &str) -> Option<&str> {
    path.strip_prefix("/filmstrip.")?.split('.').next()
}

/// Runs `future` as a call of the service.
pub(crate) async fn within<F: Future>(service: String, future: F) -> F::Output {
    SERVICE.scope(service, future).await
}
