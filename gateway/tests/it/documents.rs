//! The OpenAPI document and the pages of the problem types.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;

use crate::world::World;

#[test]
fn q34_the_committed_document_is_the_one_that_the_handlers_give() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/v3.json");
    let generated = format!("{}\n", gateway::openapi_json());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &generated).expect("a file");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "gateway/openapi/v3.json is not what the handlers give; run `cargo xtask openapi` and commit it"
    );
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_in_it_leads_somewhere() {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("JSON");
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{id}");
        }
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.insert(reference.clone());
            }
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_served_under_both_paths() {
    let world = World::locked().await;
    for path in ["/api/openapi.json", "/api/openapi"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(String::from_utf8_lossy(&answer.bytes), gateway::openapi_json());
    }
}

/// The page and all that it loads come from here, also where keys are needed.
#[tokio::test]
async fn the_page_of_the_api_is_whole_without_any_other_server() {
    let world = World::locked().await;
    for path in ["/swaggerui", "/swaggerui/"] {
        let page = world.get(path).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        let page = String::from_utf8(page.bytes).expect("text");
        assert!(page.contains("<base href=\"/swaggerui/\">") && !page.contains("//"), "{page}");
        let names: Vec<_> = page
            .split('"')
            .filter_map(|part| part.strip_prefix("./").or(Some(part)))
            .filter(|name| [".js", ".css", ".png"].iter().any(|end| name.ends_with(end)))
            .collect();
        assert!(names.len() >= 4, "{names:?}");
        for name in names {
            let file = world.get(&format!("/swaggerui/{name}")).await;
            assert_eq!(file.status, 200, "{name}");
            assert!(!file.bytes.is_empty() && !file.header("content-type").is_empty(), "{name}");
        }
    }
    let start = world.get("/swaggerui/swagger-initializer.js").await;
    let start = String::from_utf8(start.bytes).expect("text");
    assert!(start.contains("/api/openapi.json") && !start.contains("http"), "{start}");
    world.get("/swaggerui/nope.js").await.problem(404, "not_found");
}

#[tokio::test]
async fn every_problem_type_has_a_page_with_cause_and_remedy_and_no_page_is_left_over() {
    let world = World::locked().await;
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let mut left: BTreeSet<String> = std::fs::read_dir(pages)
        .expect("the pages")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    for code in gateway::error_codes() {
        let answer = world.get(&format!("/errors/{code}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/markdown; charset=utf-8")
        );
        let page = String::from_utf8_lossy(&answer.bytes).into_owned();
        for part in ["# ", &format!("`{code}`"), "## Cause", "## What to do"] {
            assert!(page.contains(part), "{code}: {part}");
        }
        assert!(left.remove(&format!("{code}.md")), "{code}");
    }
    assert!(left.is_empty(), "{left:?}");
    world.get("/errors/nope").await.problem(404, "not_found");
}

#[test]
fn the_api_page_names_every_route_and_every_problem_type() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API.md");
    let page = std::fs::read_to_string(page).expect("the page");
    for code in gateway::error_codes() {
        assert!(page.contains(&format!("(errors/{code}.md)")), "{code}");
    }
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("JSON");
    for path in document["paths"].as_object().expect("paths").keys() {
        // The page shortens variable parts and leaves the prefix out.
        let fixed: Vec<_> =
            path.trim_start_matches("/api/v3").split('/').filter(|part| !part.starts_with('{')).collect();
        assert!(fixed.iter().all(|part| page.contains(part)), "{path}");
    }
}

/// The document knows its types by their names alone: of two with one name, one would be described as the other.
#[test]
fn no_two_types_of_the_document_share_a_name() {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("text");
            for part in source.split("#[derive(").skip(1) {
                let (derived, rest) = part.split_once(")]").expect("the end of a derive");
                let mut kind = rest.split_whitespace().skip_while(|word| !["struct", "enum"].contains(word));
                let (true, Some(name)) = (derived.contains("ToSchema"), kind.nth(1)) else {
                    continue;
                };
                let name = name.trim_end_matches(|end: char| !end.is_alphanumeric()).to_owned();
                let here = path.display().to_string();
                if let Some(there) = names.insert(name.clone(), here.clone()) {
                    panic!("{name} is in {there} and in {here}");
                }
            }
        }
    }
    assert!(names.len() > 100, "{names:?}");
}

#[test]
fn every_write_of_the_document_takes_an_idempotency_key() {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("JSON");
    let mut writes = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        // The provider names its own events.
        if path.starts_with("/api/webhooks/") {
            continue;
        }
        for method in ["post", "put", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let names = operation["parameters"].as_array().into_iter().flatten().map(|one| &one["name"]);
            assert!(names.into_iter().any(|name| name == "Idempotency-Key"), "{method} {path}");
            writes += 1;
        }
    }
    assert!(writes > 30, "{writes}");
}

#[test]
fn the_document_lists_all_types_of_problem() {
    let document: Value = serde_json::from_str(&gateway::openapi_json()).expect("JSON");
    let types = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let types: Vec<&str> = types.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let all: Vec<String> = gateway::error_codes().iter().map(|code| format!("/errors/{code}")).collect();
    assert_eq!(types, all);
}
