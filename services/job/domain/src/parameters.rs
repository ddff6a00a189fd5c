//! The job's parameters: the caller's own, under the keys that the server keeps for itself.

use crate::estimate::CURRENCY;
use serde_json::{Map, Value, json};

/// Keys that a caller cannot set: what the server knows wins.
pub const SERVER_OWNED: [&str; 10] = [
    "campaign_id",
    "campaign_name",
    "client_id",
    "clip_duration",
    "num_pairs",
    "property_types",
    "video_model",
    "video_name",
    "estimated_cost",
    "cost_currency",
];

/// The parameters to store: the caller's without the server's keys, then the server's.
#[must_use]
pub fn merge(caller: &Map<String, Value>, server: &Map<String, Value>) -> Map<String, Value> {
    let own = |name: &&String| !SERVER_OWNED.contains(&name.as_str());
    let mut merged: Map<String, Value> = caller
        .iter()
        .filter(|(name, _)| own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in server {
        merged.insert(name.clone(), value.clone());
    }
    merged.insert("cost_currency".to_owned(), json!(CURRENCY));
    merged
}
