//! Query, body and path as one set of fields: the body wins over the query, the path over both.

mod command;
mod fields;
mod path;
mod pieces;

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{HeaderMap, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Map, Value};

pub(crate) use command::CommandId;
pub(crate) use fields::{Fields, object_has_nul};
pub(crate) use path::InPath;
pub(crate) use pieces::{camel_case, leading_integer};

use crate::problem::{Kind, Problem};

/// Largest JSON or form body, bytes.
pub(crate) const MAX_BODY: usize = 8_000_000;
/// Bytes beyond a limit that are still read, so that the refusal reaches a client that is sending.
pub(crate) const DRAIN: usize = 16 * 1024 * 1024;
/// How long they are read.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(10);

/// The fields of a request, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Map<String, Value>);

impl Params {
    /// Fields from the query alone.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        let mut params = Self::default();
        if let Some(query) = query {
            params.add_form(query.as_bytes());
        }
        params
    }

    /// Fields that are there already.
    pub(crate) fn of_object(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// Fields of a body alone.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn of_body(kind: BodyKind, bytes: &[u8]) -> Result<Self, Problem> {
        let mut params = Self::default();
        params.add_body(kind, bytes)?;
        Ok(params)
    }

    /// All fields, as they came.
    pub(crate) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Sets a field; a later one of the same name wins.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        match name.strip_suffix("[]") {
            Some(list) => {
                let entry = self.0.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                match entry {
                    Value::Array(items) => items.push(value),
                    other => *other = Value::Array(vec![value]),
                }
            }
            None => {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    /// The field under its own name or its camelCase spelling.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).or_else(|| self.0.get(&camel_case(name)))
    }

    fn add_body(&mut self, kind: BodyKind, bytes: &[u8]) -> Result<(), Problem> {
        match kind {
            BodyKind::Json => return self.add_json(bytes),
            BodyKind::Form => self.add_form(bytes),
            BodyKind::Multipart | BodyKind::Other if bytes.is_empty() => {}
            BodyKind::Multipart | BodyKind::Other => return Err(unsupported()),
        }
        Ok(())
    }

    fn add_form(&mut self, bytes: &[u8]) {
        for (name, value) in url::form_urlencoded::parse(bytes) {
            self.set(&name, Value::String(value.into_owned()));
        }
    }

    fn add_json(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => {
                self.0.extend(object);
                Ok(())
            }
            Ok(_) => Err(Problem::framework(Kind::BadRequest)
                .detail("The body has to be a JSON object, with the fields as its members.".to_owned())),
            Err(error) => {
                Err(Problem::framework(Kind::BadRequest)
                    .detail(format!("The body is not valid JSON: {error}.")))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of_query(parts.uri.query()))
    }
}

/// The fields of a request that may have a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyParams(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for BodyParams {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let mut params = Params::of_query(request.uri().query());
        let kind = BodyKind::of(request.headers());
        let bytes = collect(request.into_body(), MAX_BODY).await?;
        params.add_body(kind, &bytes)?;
        Ok(Self(params))
    }
}

/// What a body says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    Multipart,
    Other,
}

impl BodyKind {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            other if other.starts_with("application/") && other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

/// A body whose type the route does not understand.
fn unsupported() -> Problem {
    Problem::framework(Kind::UnsupportedMediaType).detail(
        "Send the body as application/json or application/x-www-form-urlencoded (asset uploads: multipart/form-data), \
         and name it in Content-Type.",
    )
}

/// A body of at most `limit` bytes.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    match Limited::new(&mut body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            // A client that stops sending must not keep its answer waiting.
            let _ = tokio::time::timeout(DRAIN_TIME, drain(body)).await;
            Err(too_large(limit as u64))
        }
        Err(error) => Err(Problem::framework(Kind::BadRequest)
            .detail(format!("The body could not be read to its end: {error}."))),
    }
}

/// Reads what is left of a refused body, bounded, and throws it away.
async fn drain(body: Body) {
    let mut rest = Limited::new(body, DRAIN);
    while let Some(Ok(_)) = rest.frame().await {}
}

/// The same, bounded in time as well, while the refusal is on its way already.
pub(crate) fn drain_meanwhile(body: Body) {
    tokio::spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
}

/// A body that is larger than it may be.
pub(crate) fn too_large(limit: u64) -> Problem {
    Problem::framework(Kind::TooLarge).detail(format!("The body is larger than the limit of {limit} bytes."))
}
