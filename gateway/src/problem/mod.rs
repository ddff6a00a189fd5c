//! One body for errors: RFC 9457 problem details, plus the members that the contract's clients read.

mod kinds;
mod service;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

pub(crate) use kinds::Kind;
pub use kinds::error_codes;
pub(crate) use service::{ASSETS, CAMPAIGNS, CLIENTS, JOBS, KEYS, Resource};

/// Seconds after which a caller may try again what failed for a while.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Which of the contract's error shapes a body also has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `error` is text; further members beside it.
    Flat,
    /// `error` is an object with `message` and `code`; further members inside it.
    Object,
    /// `errors` is an object with the status's phrase.
    Framework,
}

impl Family {
    /// The family that the routes under `path` use.
    pub(crate) fn of_path(path: &str) -> Self {
        let object = ["/api/v3/clients", "/api/v3/campaigns"];
        if object.iter().any(|prefix| path.starts_with(prefix)) { Self::Object } else { Self::Flat }
    }
}

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    family: Family,
    text: String,
    detail: Option<String>,
    members: Map<String, Value>,
    violations: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem in a family, with the contract's text.
    pub(crate) fn new(family: Family, kind: Kind, text: impl Into<String>) -> Self {
        let headers = if kind.passes() { vec![(header::RETRY_AFTER, RETRY_AFTER)] } else { Vec::new() };
        Self(Box::new(Inner {
            kind,
            family,
            text: text.into(),
            detail: None,
            members: Map::new(),
            violations: Vec::new(),
            headers,
        }))
    }

    /// A problem whose `error` is text.
    pub(crate) fn flat(kind: Kind, text: impl Into<String>) -> Self {
        Self::new(Family::Flat, kind, text)
    }

    /// A problem whose `errors` holds the status's phrase.
    pub(crate) fn framework(kind: Kind) -> Self {
        let phrase = match kind.status().as_u16() {
            // The contract's older word for it.
            413 => "Request Entity Too Large",
            416 => "Range Not Satisfiable",
            _ => kind.status().canonical_reason().unwrap_or("Error"),
        };
        Self::new(Family::Framework, kind, phrase)
    }

    /// Rejected fields, in the contract's words.
    pub(crate) fn validation(family: Family, violations: Vec<(String, String)>) -> Self {
        let mut problem = Self::new(family, Kind::ValidationFailed, "Validation failed");
        problem.0.violations = violations;
        problem
    }

    /// Our own failure.
    pub(crate) fn internal() -> Self {
        Self::framework(Kind::Internal).detail(
            "Something went wrong on our side; the request can be repeated with the same Idempotency-Key.",
        )
    }

    /// A job that does not exist, with its id as the path gave it.
    pub(crate) fn job_not_found(id: &str) -> Self {
        Self::flat(Kind::JobNotFound, "Job not found").with("job_id", id)
    }

    /// Says more to a person than the contract's text.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds one of the contract's further members.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Whether it is of this type.
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.0.kind == kind
    }

    /// Its body, to be told within another answer.
    pub(crate) fn into_json(self) -> Value {
        self.body().0
    }

    /// Names of the rejected fields.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> Vec<String> {
        self.0.violations.iter().map(|(field, _)| field.clone()).collect()
    }

    fn body(self) -> (Value, Vec<(HeaderName, HeaderValue)>, http::StatusCode) {
        let Inner { kind, family, text, detail, mut members, violations, headers } = *self.0;
        if !violations.is_empty() {
            members.insert("details".to_owned(), details(&violations));
        }
        let sentence = sentence(&violations);
        let status = kind.status();
        let mut body = json!({
            "type": kind.page_path(),
            "title": kind.title(),
            "status": status.as_u16(),
            "detail": detail.or(sentence).unwrap_or_else(|| text.clone()),
            "retryable": kind.is_retryable(),
            "trace_id": trace_id(),
        });
        let Some(object) = body.as_object_mut() else { return (body, headers, status) };
        match family {
            Family::Flat => {
                object.insert("error".to_owned(), text.into());
                object.append(&mut members);
            }
            Family::Object => {
                let mut error = Map::new();
                error.insert("message".to_owned(), text.into());
                error.insert("code".to_owned(), object_code(kind).into());
                error.append(&mut members);
                object.insert("error".to_owned(), error.into());
            }
            Family::Framework => {
                object.insert("errors".to_owned(), json!({ "detail": text }));
                object.append(&mut members);
            }
        }
        object.insert("success".to_owned(), false.into());
        if !violations.is_empty() {
            object.insert("violations".to_owned(), pointers(&violations));
        }
        (body, headers, status)
    }
}

/// Of the request's trace; requests that never came to have one get one of their own.
fn trace_id() -> String {
    kit::trace::current().unwrap_or_else(kit::trace::TraceContext::root).trace_id()
}

/// The contract's machine words inside `error` are fewer than the problem types.
fn object_code(kind: Kind) -> &'static str {
    match kind {
        Kind::ClientNotFound | Kind::CampaignNotFound => "not_found",
        other => other.code(),
    }
}

fn details(violations: &[(String, String)]) -> Value {
    let mut details = Map::new();
    for (field, message) in violations {
        let messages = details.entry(field.clone()).or_insert_with(|| json!([]));
        if let Some(messages) = messages.as_array_mut() {
            messages.push(message.clone().into());
        }
    }
    details.into()
}

fn pointers(violations: &[(String, String)]) -> Value {
    violations
        .iter()
        .map(|(field, message)| json!({ "pointer": pointer(field), "detail": message }))
        .collect()
}

/// A field such as `scenes[0].title` as the fragment of a JSON Pointer (RFC 6901, section 6).
fn pointer(field: &str) -> String {
    let escaped = field.replace('~', "~0").replace('/', "~1");
    format!("#/{}", escaped.replace(['.', '['], "/").replace(']', ""))
}

fn sentence(violations: &[(String, String)]) -> Option<String> {
    let parts: Vec<_> = violations.iter().map(|(field, message)| format!("{field} {message}")).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (body, headers, status) = self.body();
        let mut response = (status, body.to_string()).into_response();
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in headers {
            out.insert(name, value);
        }
        response
    }
}

/// What every error looks like (RFC 9457), with the members of the older error shapes beside it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct ProblemSchema {
    /// Page of this type of problem, relative to the API's root.
    #[schema(schema_with = catalogue)]
    r#type: String,
    /// What this type of problem is called.
    title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What was wrong, where, and what to do.
    detail: String,
    /// Whether the same request can succeed when it is sent again: with its `Idempotency-Key` it is done once.
    retryable: bool,
    /// Of the trace that the request belongs to: what logs and events of all services name.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: String,
    /// Always false; older clients read it.
    success: bool,
    /// The contract's text, or an object with `message`, `code` and more for clients and campaigns.
    #[schema(value_type = Option<Value>)]
    error: Option<Value>,
    /// The status's phrase, where the request never reached a resource.
    #[schema(value_type = Option<Object>)]
    errors: Option<Value>,
    /// Field name to messages, when fields were rejected.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    /// Rejected fields as JSON pointers.
    violations: Option<Vec<ViolationSchema>>,
}

/// All types of problem there are.
fn catalogue() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Page of this type of problem, relative to the API's root."))
        .enum_values(Some(Kind::ALL.iter().map(|kind| kind.page_path())))
        .build()
}

/// One rejected field.
#[derive(Serialize, ToSchema)]
#[schema(as = Violation)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct ViolationSchema {
    /// Where in the request, such as `#/name`.
    pointer: String,
    /// What is wrong with it.
    detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_names_members_of_lists_and_escapes_what_has_a_meaning() {
        for (field, expected) in [
            ("name", "#/name"),
            ("scenes[0].title", "#/scenes/0/title"),
            ("creative.assets[12]", "#/creative/assets/12"),
            ("a/b~c", "#/a~1b~0c"),
        ] {
            assert_eq!(pointer(field), expected);
        }
    }
}
