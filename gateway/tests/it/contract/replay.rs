//! Sending the golden requests, and what holds for every answer whatever its route.

use std::collections::BTreeMap;

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::{shape::Rules, table::Case};
use crate::{
    real::{Real, photo},
    world::{Answer, answer, is_trace_id},
};

/// Members of a problem document that the older API did not have.
const PROBLEM: [&str; 8] =
    ["type", "title", "status", "detail", "success", "violations", "retryable", "trace_id"];

/// The services, and what the cases have told us so far.
pub(super) struct Replay<'a> {
    shapes: &'a BTreeMap<String, Value>,
    real: Real,
    values: BTreeMap<String, String>,
    failures: Vec<String>,
}

impl<'a> Replay<'a> {
    pub(super) async fn start(shapes: &'a BTreeMap<String, Value>) -> Self {
        let real = Real::start().await;
        let values = BTreeMap::from([("base".to_owned(), real.base().to_owned())]);
        Self { shapes, real, values, failures: Vec::new() }
    }

    /// Stops the services, and fails if anything was not as promised.
    pub(super) async fn finish(self) {
        self.real.stop().await;
        let broken = self.failures.len();
        assert!(broken == 0, "{broken} promises are broken:\n{}", self.failures.join("\n"));
    }

    /// Sends a request and compares; goes on after a broken promise, so that one run shows all of them.
    pub(super) async fn play(&mut self, case: &Case) {
        if let Some(job) = &case.after {
            self.real.over(self.filled(job).parse().expect("a job")).await;
        }
        let (method, path) = self.request_line(case);
        let given = answer(self.request(&method, &path, case)).await;
        let mut broken = self.broken_by(case, &method, &given);
        if given.status.as_u16() != case.status {
            broken.clear();
            broken.push(format!("status {} wanted, {} found", case.status, given.status.as_u16()));
        }
        if broken.is_empty() {
            broken.extend(self.kept(case, &given));
            broken.extend(self.again(case, &method, &path, &given).await);
        }
        if !broken.is_empty() {
            let body = String::from_utf8_lossy(&given.bytes);
            let body: String = body.chars().take(1500).collect();
            self.failures.push(format!(
                "{:?}\n  {method} {path}\n  {}\n  {body}\n",
                case.name,
                broken.join("\n  ")
            ));
        }
    }

    fn request_line(&self, case: &Case) -> (Method, String) {
        let (method, route) = case.route.split_once(' ').expect("a method and a path");
        let path = self.filled(case.path.as_deref().unwrap_or(route));
        (method.parse().expect("a method"), path)
    }

    fn request(&self, method: &Method, path: &str, case: &Case) -> reqwest::RequestBuilder {
        let mut request = self.real.client.request(method.clone(), path);
        if *method != Method::GET && !case.once {
            request = request.header("idempotency-key", case.name.replace(' ', "-"));
        }
        if let Some(body) = &case.body {
            if !case.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(self.filled(body));
        }
        for (name, value) in &case.headers {
            request = request.header(name, self.filled(value));
        }
        if case.file.is_some() || !case.form.is_empty() {
            request = request.multipart(self.form(case));
        }
        request
    }

    fn form(&self, case: &Case) -> Form {
        let mut form = Form::new();
        for (name, value) in &case.form {
            form = form.text(name.clone(), self.filled(value));
        }
        if let Some(name) = &case.file {
            let bytes = if name == "empty" { Vec::new() } else { photo(name) };
            form = form.part("file", Part::bytes(bytes).file_name(name.clone()));
        }
        form
    }

    /// The promises of a case, and those of every answer, that are not kept.
    fn broken_by(&self, case: &Case, method: &Method, given: &Answer) -> Vec<String> {
        let mut broken = general(method, given);
        for (name, wanted) in &case.promises {
            let (found, wanted) = (given.header(name), self.filled(wanted));
            if !is_like(&wanted, found) {
                broken.push(format!("{name}: {wanted:?} wanted, {found:?} found"));
            }
        }
        let Some(shape) = &case.answer else { return broken };
        let Ok(mut body) = serde_json::from_slice::<Value>(&given.bytes) else {
            broken.push("the answer is no JSON".to_owned());
            return broken;
        };
        let is_testing = case.route.contains("/testing/");
        if let Value::Object(members) = &mut body
            && case.status >= 400
        {
            // `success` is a member of the older API on the testing routes.
            members.retain(|name, _| !PROBLEM.contains(&name.as_str()) || (is_testing && name == "success"));
        }
        let more_members = case.differs.iter().any(|name| name == "new members");
        let rules = Rules { named: self.shapes, more_members };
        broken.extend(rules.mismatches(&super::json(&self.filled(shape), &case.name), &body));
        broken
    }

    /// Remembers what later cases need.
    fn kept(&mut self, case: &Case, given: &Answer) -> Vec<String> {
        let body: Value = serde_json::from_slice(&given.bytes).unwrap_or_default();
        let mut missing = Vec::new();
        for (name, place) in &case.keep {
            let found = match place.strip_prefix("header:") {
                Some(header) => Some(given.header(header).to_owned()).filter(|value| !value.is_empty()),
                None => body.pointer(place).map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                }),
            };
            match found {
                Some(value) => drop(self.values.insert(name.clone(), value)),
                None => missing.push(format!("{place} is not there, {name} cannot be kept")),
            }
        }
        missing
    }

    /// A read has a HEAD; a write sent again under its key is answered again, not done again.
    async fn again(&self, case: &Case, method: &Method, path: &str, first: &Answer) -> Vec<String> {
        let is_write = *method != Method::GET;
        if is_write && (case.once || case.status >= 300) {
            return Vec::new();
        }
        let second = if is_write { method.clone() } else { Method::HEAD };
        let second = answer(self.request(&second, path, case)).await;
        let mut broken = Vec::new();
        if second.status != first.status {
            let what = if is_write { "the same write again" } else { "HEAD" };
            broken.push(format!("{what} is a {}: {}", second.status, String::from_utf8_lossy(&second.bytes)));
        } else if is_write && untraced(&second.bytes) != untraced(&first.bytes) {
            broken.push(format!("the same write again: {}", String::from_utf8_lossy(&second.bytes)));
        } else if !is_write {
            for name in ["content-type", "etag", "content-range", "cache-control", "content-disposition"] {
                if second.header(name) != first.header(name) {
                    broken.push(format!("HEAD has another {name}: {:?}", second.header(name)));
                }
            }
        }
        broken
    }

    /// `text` with its variables.
    fn filled(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.values {
            filled = filled.replace(&format!("${{{name}}}"), value);
        }
        filled
    }
}

/// An answer without the traces that problems inside it name: what failed is tried again, in the trace of the repeat.
fn untraced(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let mut parts = text.split("\"trace_id\":");
    let first = parts.next().unwrap_or_default().to_owned();
    // A quote, 32 digits, a quote.
    std::iter::once(first).chain(parts.map(|part| part.get(34..).unwrap_or_default().to_owned())).collect()
}

/// What every answer promises.
fn general(method: &Method, given: &Answer) -> Vec<String> {
    let mut broken = Vec::new();
    let mut need = |what: &str, is_so: bool| {
        if !is_so {
            broken.push(what.to_owned());
        }
    };
    need("an x-request-id of 20 to 200 bytes", (20..=200).contains(&given.header("x-request-id").len()));
    need("a cache-control header", !given.header("cache-control").is_empty());
    need("a date header", !given.header("date").is_empty());
    let kind = given.header("content-type");
    match given.status.as_u16() {
        204 | 304 => need("no body", given.bytes.is_empty()),
        400.. => {
            let body: Value = serde_json::from_slice(&given.bytes).unwrap_or_default();
            let is_text = |name: &str| body[name].as_str().is_some_and(|text| !text.trim().is_empty());
            need("application/problem+json", kind == "application/problem+json");
            need("a type of the catalogue", {
                let code = body["type"].as_str().and_then(|kind| kind.strip_prefix("/errors/"));
                code.is_some_and(|code| gateway::error_codes().contains(&code))
            });
            need("the status in the body", body["status"] == given.status.as_u16());
            need("a title", is_text("title"));
            need("a detail", is_text("detail"));
            need("success: false", body["success"] == false);
            need("whether it can be sent again", body["retryable"].is_boolean());
            need("a trace id", is_trace_id(&body["trace_id"]));
        }
        _ if kind.contains("json") => {
            need("application/json; charset=utf-8", kind == "application/json; charset=utf-8");
            need("vary: accept-encoding", given.header("vary").eq_ignore_ascii_case("accept-encoding"));
        }
        _ => need("bytes", *method == Method::HEAD || !given.bytes.is_empty()),
    }
    broken
}

/// Whether a text is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(end)
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text) in [("a", "a"), ("\"*\"", "\"12\""), ("bytes *-*/10", "bytes 2-5/10"), ("*", "")] {
        assert!(is_like(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("a", "b"), ("\"*\"", "12"), ("bytes *-*/10", "bytes 2/10")] {
        assert!(!is_like(pattern, text), "{pattern} {text}");
    }
}
