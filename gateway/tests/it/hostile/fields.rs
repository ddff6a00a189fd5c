//! NULs and wrong types in every text of every route that takes a body, as the OpenAPI document names them.

use std::collections::BTreeSet;

use http::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{
    assets,
    bodies::{Known, Write},
    names, panics, send, send_json, works,
};
use crate::{
    real::{Real, photo},
    world::{Answer, answer},
};

/// Texts that are not read: only one of the two routes that share a body knows them.
const NOT_READ: [(&str, &str); 1] = [("POST /api/v3/jobs/from-image-pairs", "/property_types/0")];

/// Texts that a number is as good as: older clients send ids as numbers.
const NUMBERS_TOO: [(&str, &str); 6] = [
    ("POST /api/v3/jobs/from-image-pairs", "/client_id"),
    ("POST /api/v3/jobs/from-property-photos", "/client_id"),
    ("POST /api/v3/campaigns/{id}/create-job", "/client_id"),
    ("POST /api/v3/jobs/{id}/actions", "/payload/reason"),
    ("POST /api/v3/jobs/{id}/cancel", "/reason"),
    ("POST /api/v3/testing/image-selection", "/campaign_id"),
];

/// The document, and where its bodies hold texts.
struct Document(Value);

/// Where a body holds what, as JSON pointers; `0` is the first of a list.
#[derive(Default)]
struct Places {
    texts: Vec<String>,
    /// Objects of which the document lists no members.
    open: Vec<String>,
}

impl Document {
    fn read() -> Self {
        Self(serde_json::from_str(&gateway::openapi_json()).expect("JSON"))
    }

    /// Routes that take a body of this type, with the places of the body.
    fn bodies(&self, kind: &str) -> Vec<(String, Places)> {
        let mut found = Vec::new();
        for (path, methods) in self.0["paths"].as_object().expect("paths") {
            for (method, route) in methods.as_object().expect("methods") {
                let schema = &route["requestBody"]["content"][kind]["schema"];
                if !schema.is_null() {
                    let mut places = Places::default();
                    self.collect(schema, "", &mut places);
                    found.push((format!("{} {path}", method.to_uppercase()), places));
                }
            }
        }
        found
    }

    fn collect(&self, schema: &Value, at: &str, places: &mut Places) {
        let schema = self.resolved(schema);
        match (kind(schema), schema["properties"].as_object()) {
            (_, Some(members)) => {
                for (name, schema) in members {
                    self.collect(schema, &format!("{at}/{name}"), places);
                }
            }
            ("string", None) => places.texts.push(at.to_owned()),
            ("array", None) => self.collect(&schema["items"], &format!("{at}/0"), places),
            ("object", None) => places.open.push(at.to_owned()),
            _ => {}
        }
    }

    /// The schema that a reference, or a choice between null and something, stands for.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.resolved(self.0.pointer(reference.trim_start_matches('#')).expect("a schema"));
        }
        let choices = ["oneOf", "anyOf"].into_iter().find_map(|name| schema[name].as_array());
        let real = choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
        real.map_or(schema, |choice| self.resolved(choice))
    }
}

/// The type of a schema, null aside.
fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array();
    let kind = kinds.and_then(|kinds| kinds.iter().find(|kind| *kind != "null")).unwrap_or(&schema["type"]);
    kind.as_str().unwrap_or_default()
}

/// The body with this value in this place.
fn spoiled(body: &Value, at: &str, value: Value) -> Value {
    let mut whole = body.clone();
    let mut place = &mut whole;
    for part in at.split('/').skip(1) {
        place = if part == "0" {
            if !place.is_array() {
                *place = json!([null]);
            }
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            &mut place[part]
        };
    }
    *place = value;
    whole
}

/// All texts of all routes. Every route of the document has a body to be spoiled, and every object that it leaves
/// open has members here, so that nothing is forgotten.
fn texts(known: &Known) -> Vec<(Write, Vec<String>)> {
    let document = Document::read().bodies("application/json");
    let mut writes = known.writes();
    let mut found = Vec::new();
    for (route, Places { texts, open }) in &document {
        let own: Vec<&Write> = writes.iter().filter(|write| write.route == route).collect();
        assert!(!own.is_empty(), "{route} has no body in hostile/bodies.rs");
        let named: Vec<&str> = own.iter().flat_map(|write| [write.texts, write.anything].concat()).collect();
        for object in open {
            let is_named = named.iter().any(|place| place.starts_with(&format!("{object}/")));
            assert!(is_named, "{route}: hostile/bodies.rs names no member of {object}");
        }
        // The first of a route's bodies is spoiled wherever the document says.
        let first = writes.iter().position(|write| write.route == route).expect("it is there");
        found.push((writes.remove(first), texts.clone()));
    }
    found.extend(writes.into_iter().map(|write| (write, Vec::new())));
    for (write, texts) in &mut found {
        texts.extend(write.texts.iter().map(|place| (*place).to_owned()));
        texts.retain(|place| !NOT_READ.contains(&(write.route, place.as_str())));
    }
    found
}

/// What a place may be called: its own name, that of the object it is in, or, for a list, that of one of its elements.
fn wanted_names(at: &str) -> Vec<&str> {
    let parts = at.rsplit('/').filter(|part| !["", "0", "x"].contains(part));
    parts.take(2).map(|name| name.trim_end_matches('s')).collect()
}

/// Why an answer is not the refusal of this place.
fn wrong(given: &Answer, route: &str, at: &str) -> Option<String> {
    let mut problem: Value = serde_json::from_slice(&given.bytes).unwrap_or_default();
    let mut is_refusal = given.status.is_client_error();
    if route.ends_with("/from-urls") && given.status == 201 {
        // Each element is answered for itself.
        problem = problem["meta"]["errors"][0]["problem"].take();
        is_refusal = problem["status"].as_u64().is_some_and(|status| (400..500).contains(&status));
    }
    let is_named = wanted_names(at).into_iter().any(|name| names(&problem, name));
    (!is_refusal || !is_named)
        .then(|| format!("{} {}", given.status.as_u16(), String::from_utf8_lossy(&given.bytes)))
}

/// Spoils each of `places` with each of the values; what was not refused by name.
async fn taken(real: &Real, write: &Write, places: &[String], values: &[Value]) -> Vec<String> {
    let (method, _) = write.route.split_once(' ').expect("a method and a path");
    let method: Method = method.parse().expect("a method");
    let mut taken = Vec::new();
    for at in places {
        let is_text = |value: &&Value| value.is_number() && NUMBERS_TOO.contains(&(write.route, at.as_str()));
        for value in values.iter().filter(|value| !is_text(value)) {
            let body = spoiled(&write.body, at, value.clone());
            let given = send_json(real, &method, &write.path, &body).await;
            if let Some(wrong) = wrong(&given, write.route, at) {
                taken.push(format!("{} {at} = {value}: {wrong}", write.route));
            }
        }
    }
    taken
}

/// Everything that is refused has left no trace.
async fn finished(real: Real, known: &Known, taken: Vec<String>, stored: u64) {
    assert!(
        taken.is_empty(),
        "{} were taken, or refused without their names:\n{}",
        taken.len(),
        taken.join("\n")
    );
    assert_eq!(assets(&real).await, stored);
    let path = format!("/api/v3/clients/{}", known.client);
    assert_eq!(real.client.get(&path).await.expect("the client")["data"]["name"], "Northwind Stays");
    works(&real).await;
    panics::none_seen();
    real.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_any_text_of_any_route_is_refused_by_the_name_of_the_field() {
    panics::watch();
    let real = Real::with(|options| options.import_from_loopback = false).await;
    let known = Known::new(&real).await;
    let (stored, mut found, mut tried) = (assets(&real).await, Vec::new(), 0);
    for (write, mut places) in texts(&known) {
        places.extend(write.anything.iter().map(|place| (*place).to_owned()));
        tried += places.len();
        found.extend(taken(&real, &write, &places, &[json!("a\0b")]).await);
    }
    assert!(tried > 150, "{tried} texts");
    finished(real, &known, found, stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused_by_the_name_of_the_field() {
    panics::watch();
    let real = Real::with(|options| options.import_from_loopback = false).await;
    let known = Known::new(&real).await;
    let (stored, mut found, mut tried) = (assets(&real).await, Vec::new(), BTreeSet::new());
    for (write, places) in texts(&known) {
        tried.insert(write.route);
        found.extend(taken(&real, &write, &places, &[json!(7), json!([7]), json!({"a": 7})]).await);
    }
    assert!(tried.len() > 30, "{} routes", tried.len());
    finished(real, &known, found, stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_any_part_of_a_form_is_refused_by_the_name_of_the_part() {
    panics::watch();
    let real = Real::start().await;
    let known = Known::new(&real).await;
    let (stored, mut found) = (assets(&real).await, Vec::new());
    let forms = Document::read().bodies("multipart/form-data");
    assert_eq!(forms.len(), 3);
    for (route, places) in forms {
        let (_, path) = route.split_once(' ').expect("a method and a path");
        let parts = places.texts.iter().map(|place| place.trim_start_matches('/'));
        for name in parts.filter(|name| *name != "file") {
            let text = if name == "metadata" { "{\"x\": \"a\\u0000b\"}" } else { "a\0b" };
            let file = Part::bytes(photo("kitchen-1.jpg")).file_name("kitchen.jpg");
            let form = Form::new().text("client_id", known.client.clone()).part("file", file);
            let form = form.text(name.to_owned(), text);
            let given = answer(real.client.request(Method::POST, path).multipart(form)).await;
            found.extend(wrong(&given, &route, name).map(|wrong| format!("{route} {name}: {wrong}")));
        }
        // No library sends these.
        for (what, head) in [
            ("the name of a file", "name=\"file\"; filename=\"a\0b.jpg\""),
            ("the name of a part", "name=\"na\0me\""),
        ] {
            let body = format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\na\r\n--b--\r\n");
            let given = send(&real, &Method::POST, path, "multipart/form-data; boundary=b", body).await;
            if !given.status.is_client_error() {
                found.push(format!("{route} {what}: {}", given.status));
            }
        }
    }
    finished(real, &known, found, stored).await;
}
