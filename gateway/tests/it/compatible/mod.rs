//! No caller is broken: the gateway's document beside that of the last release.

mod document;
mod gate;
mod schema;

use std::path::Path;

use serde_json::{Value, json};

use gate::breaks;

fn released() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/released.json");
    serde_json::from_slice(&std::fs::read(path).expect("the released document")).expect("JSON")
}

fn now() -> Value {
    serde_json::from_str(&gateway::openapi_json()).expect("JSON")
}

#[test]
fn nothing_that_was_released_is_taken_away() {
    let found = breaks(&released(), &now());
    assert!(
        found.is_empty(),
        "these changes break callers of the released API (gateway/openapi/released.json). Undo them; where one is \
         meant, list it in docs/API.md and run `cargo xtask openapi --release`:\n{}",
        found.join("\n")
    );
}

/// What the gate says when the present document is changed like this.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let before = now();
    let mut after = before.clone();
    change(&mut after);
    assert_ne!(before, after, "the change hit something");
    breaks(&before, &after)
}

fn remove(document: &mut Value, pointer: &str, name: &str) {
    let object = document.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.unwrap_or_else(|| panic!("nothing at {pointer}")).shift_remove(name).expect("a member");
}

const PATHS: &str = "/paths";
const JOB: &str = "/components/schemas/Job";
const NEW_CLIENT: &str = "/components/schemas/NewClient";

#[track_caller]
fn says(found: &[String], words: &[&str]) {
    let told = found.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told, "{words:?} not in {found:#?}");
}

#[test]
fn the_document_breaks_nobody_by_staying_as_it_is() {
    assert_eq!(breaks(&now(), &now()), Vec::<String>::new());
}

#[test]
fn a_path_or_a_method_that_is_gone_is_told() {
    let found = after(|document| remove(document, PATHS, "/api/v3/generated-videos"));
    says(&found, &["GET /api/v3/generated-videos", "is gone"]);
    let found = after(|document| remove(document, "/paths/~1api~1v3~1clients", "post"));
    says(&found, &["POST /api/v3/clients", "is gone"]);
}

#[test]
fn a_field_of_an_answer_that_is_gone_is_told_with_its_place() {
    let found = after(|document| remove(document, &format!("{JOB}/properties"), "progress_percentage"));
    says(&found, &["GET /api/v3/jobs/{id}", "200", "progress_percentage", "is gone"]);
    let found = after(|document| {
        let needed = document.pointer_mut(&format!("{JOB}/required")).and_then(Value::as_array_mut);
        needed.expect("required members").retain(|name| name != "status");
    });
    says(&found, &["GET /api/v3/jobs/{id}", "status", "may be missing"]);
}

#[test]
fn a_field_of_an_answer_that_has_another_type_is_told() {
    let found = after(|document| {
        *document.pointer_mut(&format!("{JOB}/properties/job_id")).expect("a property") =
            json!({"type": "string"});
    });
    says(&found, &["job_id", "string"]);
}

#[test]
fn a_field_that_a_request_needs_from_now_on_is_told() {
    let found = after(|document| {
        let schema = document.pointer_mut(NEW_CLIENT).expect("a schema");
        schema["properties"]["email"] = json!({"type": "string"});
        schema["required"].as_array_mut().expect("required members").push("email".into());
    });
    says(&found, &["POST /api/v3/clients", "email", "is needed"]);
    let found = after(|document| remove(document, &format!("{NEW_CLIENT}/properties"), "homepage"));
    says(&found, &["POST /api/v3/clients", "homepage", "is gone"]);
}

#[test]
fn a_parameter_that_is_gone_or_needed_is_told() {
    let parameters = "/paths/~1api~1v3~1assets/get/parameters";
    let found = after(|document| {
        let listed = document.pointer_mut(parameters).and_then(Value::as_array_mut).expect("parameters");
        listed.retain(|parameter| parameter["name"] != "limit");
    });
    says(&found, &["GET /api/v3/assets", "limit", "is gone"]);
    let found = after(|document| {
        let listed = document.pointer_mut(parameters).and_then(Value::as_array_mut).expect("parameters");
        listed.push(json!({"name": "region", "in": "query", "required": true, "schema": {"type": "string"}}));
    });
    says(&found, &["GET /api/v3/assets", "region", "is needed"]);
}

#[test]
fn an_answer_that_is_gone_is_told_by_its_status_and_type() {
    let found = after(|document| remove(document, "/paths/~1api~1v3~1clients/post/responses", "201"));
    says(&found, &["POST /api/v3/clients", "201", "is gone"]);
    let content = "/paths/~1api~1v3~1videos~1{job_id}~1combined/get/responses/200/content";
    let found = after(|document| remove(document, content, "video/mp4"));
    says(&found, &["combined", "video/mp4", "is gone"]);
}

#[test]
fn a_route_that_wants_a_key_from_now_on_is_told() {
    let found = after(|document| {
        *document.pointer_mut("/paths/~1livez/get/security").expect("security") = json!([{"api_key": []}]);
    });
    says(&found, &["GET /livez", "lets in fewer"]);
}

#[test]
fn a_value_of_an_enumeration_that_is_gone_is_told() {
    let with = |values: Value| json!({"type": "object", "properties": {"state": {"enum": values}}});
    let document = |schema: Value| {
        let content = json!({"application/json": {"schema": schema}});
        json!({"paths": {"/x": {"post": {"requestBody": {"content": content}, "responses": {"200": {"content": content}}}}}})
    };
    let found = breaks(&document(with(json!(["on", "off"]))), &document(with(json!(["on"]))));
    says(&found, &["request", "state", "off", "is gone"]);
    says(&found, &["200", "state", "off", "is gone"]);
    assert!(breaks(&document(with(json!(["on"]))), &document(with(json!(["on", "off"])))).is_empty());
}

#[test]
fn what_only_adds_breaks_nobody() {
    let found = after(|document| {
        document["paths"]["/api/v3/moons"] = json!({"get": {"responses": {"200": {"description": "Moons"}}}});
        document.pointer_mut(&format!("{JOB}/properties")).expect("properties")["moon"] =
            json!({"type": "string"});
        document.pointer_mut(&format!("{NEW_CLIENT}/properties")).expect("properties")["moon"] =
            json!({"type": "string"});
        let parameters = document.pointer_mut("/paths/~1api~1v3~1assets/get/parameters").expect("parameters");
        let moon = json!({"name": "moon", "in": "query", "required": false, "schema": {"type": "string"}});
        parameters.as_array_mut().expect("a list").push(moon);
    });
    assert_eq!(found, Vec::<String>::new());
}
