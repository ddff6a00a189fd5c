//! What the API says of itself: its OpenAPI document, and a page for each type of problem.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::{
    openapi::openapi_json,
    params::InPath,
    problem::{Kind, Problem, ProblemSchema},
};

/// The OpenAPI document of this API.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "Docs", operation_id = "get_openapi",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(crate) async fn openapi() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(openapi_json).as_str();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))], document)
        .into_response()
}

/// The OpenAPI document under its older path.
#[utoipa::path(
    get, path = "/api/openapi", tag = "Docs", operation_id = "get_openapi_alias",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(crate) async fn openapi_alias() -> Response {
    openapi().await
}

/// What a type of problem means and what to do about it.
#[utoipa::path(
    get, path = "/errors/{code}", tag = "Docs", operation_id = "get_error_page",
    params(("code" = String, Path, description = "Last part of a problem's `type`")),
    responses(
        (status = 200, description = "The page", content_type = "text/markdown"),
        (status = 404, description = "No such type", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn error_page(InPath(code): InPath<String>) -> Result<Response, Problem> {
    let kind = Kind::ALL
        .iter()
        .find(|kind| kind.code() == code)
        .ok_or_else(|| Problem::framework(Kind::NotFound).detail("There is no problem of this type."))?;
    let markdown = HeaderValue::from_static("text/markdown; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, markdown)], kind.page()).into_response())
}
