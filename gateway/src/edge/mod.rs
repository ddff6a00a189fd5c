//! What happens to every request and every answer, outermost first: slashes, request id, trace and log,
//! other web sites, panics, default headers, compression, and then the routes.

mod accept;
mod cors;
mod headers;
mod observe;
mod slashes;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderMap, Method, StatusCode, header};
use tower::{
    ServiceBuilder,
    util::{MapRequestLayer, option_layer},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

pub(crate) use accept::json_only;

use crate::{app::App, problem::Problem, routes};

/// The whole HTTP service.
pub(crate) fn service(
    app: App,
) -> impl tower::Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send> + Clone
{
    let cors = cors::layer(&app.settings.cors_origins);
    let router: Router = routes::router(app.clone())
        .layer(middleware::from_fn_with_state(app, written))
        .layer(CompressionLayer::new().compress_when(is_plain_json))
        .layer(middleware::from_fn(headers::defaults))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(option_layer(cors))
        .layer(middleware::from_fn(observe::observe));
    ServiceBuilder::new().layer(MapRequestLayer::new(slashes::collapse::<axum::body::Body>)).service(router)
}

/// Lets nothing that was read before a write be given after it.
async fn written(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let response = next.run(request).await;
    if !is_read {
        app.written();
    }
    response
}

/// Media, streams of events and answers with a strong entity tag are sent as they are.
fn is_plain_json(status: StatusCode, _: http::Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    is_json && status != StatusCode::NO_CONTENT && !headers.contains_key(header::ETAG)
}

fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    axum::response::IntoResponse::into_response(Problem::internal())
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn broken() -> &'static str {
        panic!("a bug with a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_it() {
        let router: Router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked));
        let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["type"], "/errors/internal");
        assert_eq!(body["errors"]["detail"], "Internal Server Error");
        assert!(!body.to_string().contains("secret"));
    }
}
