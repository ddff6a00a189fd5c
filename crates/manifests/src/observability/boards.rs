//! Dashboards: that Grafana shows them as they are meant.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Observability;
use crate::{
    dashboards::{SCHEMA, uid},
    finding::Finding,
    object::{at, list, text, texts},
};

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Everything that a dashboard asks for.
pub(super) fn targets(board: &Value) -> impl Iterator<Item = &Value> {
    list(board, "/panels").iter().flat_map(|panel| list(panel, "/targets"))
}

pub(super) fn check(all: &Observability) -> Vec<Finding> {
    let sources: BTreeSet<_> =
        list(&all.datasources, "/datasources").iter().map(|one| text(one, "/uid")).collect();
    let mut found = Vec::new();
    for (name, board) in &all.dashboards {
        let mut wrong: Vec<String> = frame(name, board);
        wrong.extend(grid(board));
        for panel in list(board, "/panels").iter().filter(|panel| text(panel, "/type") != "row") {
            let title = text(panel, "/title");
            wrong.extend(shown(panel, &sources).into_iter().map(|what| format!("panel {title:?}: {what}")));
        }
        found.extend(wrong.into_iter().map(|what| Finding::new("dashboards", name.as_str(), what)));
    }
    found
}

fn frame(name: &str, board: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if text(board, "/uid") != uid(name) {
        wrong.push("its uid is not that of its file".to_owned());
    }
    if text(board, "/title").is_empty() || text(board, "/description").is_empty() {
        wrong.push("does not say what it is".to_owned());
    }
    if at(board, "/schemaVersion").as_u64() != Some(SCHEMA) {
        wrong.push(format!("is not of the schema {SCHEMA}"));
    }
    let leads = |link: &Value| text(link, "/type") == "dashboards" && texts(link, "/tags") == ["filmstrip"];
    if !list(board, "/links").iter().any(leads) || !texts(board, "/tags").contains(&"filmstrip") {
        wrong.push("does not lead to the others, or they not to it (links, tags)".to_owned());
    }
    wrong
}

/// Each panel has a number and a place of its own.
fn grid(board: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in list(board, "/panels") {
        let title = text(panel, "/title");
        if !at(panel, "/id").as_u64().is_some_and(|id| ids.insert(id)) {
            wrong.push(format!("panel {title:?} has the id of another one, or none"));
        }
        let side = |key: &str| at(panel, &format!("/gridPos/{key}")).as_u64();
        let (Some(x), Some(y), Some(w @ 1..), Some(h @ 1..)) = (side("x"), side("y"), side("w"), side("h"))
        else {
            wrong.push(format!("panel {title:?} has no place"));
            continue;
        };
        if x + w > COLUMNS {
            wrong.push(format!("panel {title:?} is wider than there is room"));
        }
        let cells = (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row)));
        let free = cells.filter(|cell| taken.insert(*cell)).count();
        if u64::try_from(free).ok() != Some(w * h) {
            wrong.push(format!("panel {title:?} lies over another one"));
        }
    }
    wrong
}

/// A panel says what is normal, and shows something with a name and a unit.
fn shown(panel: &Value, sources: &BTreeSet<&str>) -> Vec<String> {
    let mut wrong = Vec::new();
    if text(panel, "/title").is_empty() || text(panel, "/description").is_empty() {
        wrong.push("has no title or does not say what is normal (description)".to_owned());
    }
    if text(panel, "/fieldConfig/defaults/unit").is_empty() {
        wrong.push("has no unit".to_owned());
    }
    let asking = list(panel, "/targets");
    if asking.is_empty() {
        wrong.push("asks for nothing".to_owned());
    }
    for target in asking {
        let source = text(target, "/datasource/uid");
        if !sources.contains(source) || text(panel, "/datasource/uid") != source {
            wrong.push(format!("asks {source:?}, which is no data source or not its own"));
        }
        if text(target, "/expr").is_empty() {
            wrong.push("has an empty query".to_owned());
        }
        if source == "prometheus" && text(target, "/legendFormat").is_empty() {
            wrong.push("has a series without a name (legendFormat)".to_owned());
        }
    }
    wrong
}
