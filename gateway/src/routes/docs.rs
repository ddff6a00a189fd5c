//! What the API says of itself: its OpenAPI document, a page to read and try it, and a page for each type of problem.

use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use utoipa_swagger_ui::{Config, serve};

use crate::{
    media::A_DAY,
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

/// A page to read the OpenAPI document and to try the API; *Authorize* takes a key.
#[utoipa::path(
    get, path = "/swaggerui", tag = "Docs", operation_id = "get_swagger_ui",
    responses((status = 200, description = "The page", content_type = "text/html"))
)]
pub(crate) async fn swagger_ui() -> Result<Response, Problem> {
    let page = String::from_utf8(file("index.html")?.0).map_err(|_| Problem::internal())?;
    // Its links are relative, and the page's own path has no slash at its end.
    let page = page.replacen("<head>", "<head>\n    <base href=\"/swaggerui/\">", 1);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, html)], page).into_response())
}

/// A file of that page.
#[utoipa::path(
    get, path = "/swaggerui/{file}", tag = "Docs", operation_id = "get_swagger_ui_file",
    params(("file" = String, Path, description = "Name of the file")),
    responses(
        (status = 200, description = "The file", content_type = "*/*"),
        (status = 404, description = "No such file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn swagger_file(InPath(name): InPath<String>) -> Result<Response, Problem> {
    let (bytes, content_type) = file(&name)?;
    let content_type = HeaderValue::try_from(content_type).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, A_DAY)], bytes).into_response())
}

/// A file of the page with its type.
fn file(name: &str) -> Result<(Vec<u8>, String), Problem> {
    let found = serve(name, Arc::new(Config::from("/api/openapi.json"))).map_err(|error| {
        tracing::error!(error = error.to_string(), "the page of the API cannot be made");
        Problem::internal()
    })?;
    let missing = || Problem::framework(Kind::NotFound).detail("The page has no such file.");
    let file = found.ok_or_else(missing)?;
    Ok((file.bytes.into_owned(), file.content_type))
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
