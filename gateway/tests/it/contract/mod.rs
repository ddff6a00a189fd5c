//! The contract with the clients of the older API: a golden request and answer for each of its routes, replayed in
//! order against the real services in one process.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `index` | the routes of the contract, and which of them do not exist yet |
//! | `table` | the golden cases, read from `golden/*.toml` |
//! | `shape` | what an answer must look like, and where it does not |
//! | `replay` | sending the cases, and what holds for every answer |
//! | `differences` | the allowed differences, listed by name in docs/API.md |

mod differences;
pub(crate) mod index;
mod replay;
mod shape;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::Value;

use crate::world::{World, answer};
use index::{Access, NOT_YET, ROUTES, Route, exists};
use replay::Replay;
use table::Table;

#[tokio::test(flavor = "multi_thread")]
async fn every_golden_request_gets_its_golden_answer() {
    let table = Table::read();
    let mut replay = Replay::start(&table.shapes).await;
    for case in &table.cases {
        if !NOT_YET.contains(&case.route.as_str()) {
            replay.play(case).await;
        }
    }
    replay.finish().await;
}

#[test]
fn every_route_of_the_contract_has_a_case_that_succeeds() {
    let table = Table::read();
    for route in ROUTES {
        let mut cases = table.cases.iter().filter(|case| case.route == route.name).peekable();
        assert!(cases.peek().is_some(), "{} has no case", route.name);
        assert!(
            cases.any(|case| case.status < 400 || case.status == 501)
                || table.elsewhere.contains_key(route.name)
                || NOT_YET.contains(&route.name),
            "{} has no case that succeeds; where none can, name a test that shows it in golden/elsewhere.toml",
            route.name
        );
    }
    for case in &table.cases {
        assert!(ROUTES.iter().any(|route| route.name == case.route), "{:?}: {}", case.name, case.route);
    }
}

#[test]
fn the_contract_has_66_routes_and_none_of_them_twice() {
    assert_eq!(ROUTES.iter().filter(|route| route.is_old).count(), 66);
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(names.len(), ROUTES.len());
}

#[test]
fn routes_that_do_not_exist_yet_are_listed_and_no_others() {
    for name in NOT_YET {
        assert!(ROUTES.iter().any(|route| route.name == *name), "{name} is no route of the contract");
    }
    for route in ROUTES {
        let listed = NOT_YET.contains(&route.name);
        let exists = exists(route.name);
        assert!(exists || listed, "{} does not exist", route.name);
        assert!(!exists || !listed, "{} exists: take it out of NOT_YET in contract/index.rs", route.name);
    }
}

#[test]
fn every_route_of_the_document_is_in_the_contract_or_named_as_new() {
    let known: BTreeSet<String> = ROUTES.iter().map(|route| index::shape_of(route.name)).collect();
    for route in index::of_the_document() {
        assert!(known.contains(&route), "{route} is new: add it to ROUTES in contract/index.rs with a case");
    }
}

/// The differences that an answer shows by what it is are not written out at each case.
const IMPLIED: [&str; 2] = ["error bodies", "times"];

#[test]
fn every_difference_from_the_older_api_is_listed_and_shown() {
    let (table, listed) = (Table::read(), differences::listed());
    let mut unused: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    for case in &table.cases {
        for name in &case.differs {
            // The page learns of a difference together with its route.
            let known = listed.contains(name) || NOT_YET.contains(&case.route.as_str());
            assert!(known, "{:?} names {name:?}, which docs/API.md does not list", case.name);
            unused.remove(name.as_str());
        }
    }
    for name in IMPLIED {
        assert!(unused.remove(name), "docs/API.md does not list {name:?}");
    }
    for (name, test) in &table.elsewhere {
        let is_route = ROUTES.iter().any(|route| route.name == name);
        let comes_later = !NOT_YET.is_empty() && !exists(name) && !listed.contains(name);
        assert!(is_route || listed.contains(name) || comes_later, "docs/API.md does not list {name:?}");
        assert!(
            crate::sources::has_test(test) || comes_later,
            "{name:?} is shown by {test}, which is no test"
        );
        unused.remove(name.as_str());
    }
    assert!(
        unused.is_empty(),
        "no case and no test shows these differences of docs/API.md; name them in `differs` of a case, or in \
         golden/elsewhere.toml: {unused:#?}"
    );
}

#[tokio::test]
async fn a_route_is_open_without_a_key_only_when_the_contract_says_so() {
    let world = World::locked().await;
    for Route { name, access, .. } in ROUTES.iter().filter(|route| !NOT_YET.contains(&route.name)) {
        let (method, path) = index::request(name);
        let answer = answer(world.request(method, &path)).await;
        match access {
            Access::Public => assert_ne!(answer.status, 401, "{name}"),
            Access::Link => drop(answer.problem(403, "link_refused")),
            Access::Key => {
                let body = answer.problem(401, "unauthorized");
                assert_eq!(body["error"], "missing or invalid x-api-key header", "{name}");
                assert_eq!(answer.header("www-authenticate"), "", "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_a_405_that_lists_those_it_knows() {
    let world = World::start().await;
    let mut paths: BTreeMap<String, BTreeSet<Method>> = BTreeMap::new();
    for Route { name, .. } in ROUTES.iter().filter(|route| !NOT_YET.contains(&route.name)) {
        let (method, path) = index::request(name);
        paths.entry(path).or_default().insert(method);
    }
    for (path, mut known) in paths {
        if known.contains(&Method::GET) {
            known.insert(Method::HEAD);
        }
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if known.contains(&method) {
                continue;
            }
            let answer = answer(world.request(method.clone(), &path)).await;
            answer.problem(405, "method_not_allowed");
            let allowed: BTreeSet<Method> = answer
                .header("allow")
                .split(',')
                .map(|name| name.trim().parse().expect("a method"))
                .collect();
            assert_eq!(allowed, known, "{method} {path}");
        }
    }
}

/// A JSON text of a golden file.
fn json(text: &str, of: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{of}: {error} in {text}"))
}
