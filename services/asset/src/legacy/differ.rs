//! What is another one than when it came, and what has an id: in words. Pure.

use serde_json::Value;

use super::known::Came;
use crate::events::Event;

/// What the bytes said, and where things come from, is compared elsewhere.
const APART: [&str; 8] = ["origin", "type", "format", "width", "height", "duration_ms", "blob", "thumbnail"];

/// Names of the fields whose values differ. `bytes`: SHA-256 of the bytes that it has here.
pub(super) fn fields(came: &Event, now: &Event, bytes: Option<&str>) -> Vec<String> {
    let (Ok(Value::Object(came)), Ok(Value::Object(data))) = (came.data(), now.data()) else {
        return Vec::new();
    };
    let differs = |field: &&String| !APART.contains(&field.as_str()) && came.get(*field) != data.get(*field);
    let mut fields: Vec<String> = data.keys().filter(differs).cloned().collect();
    if let (Event::AssetImported(asset), Some(bytes)) = (now, bytes)
        && asset.blob.as_ref().is_some_and(|blob| blob.sha256 != bytes)
    {
        fields.push("bytes".to_owned());
    }
    fields
}

/// Why a row counts as changed.
pub(super) fn reason(came: &Came, now: &Event, fields: &[String]) -> String {
    if came.id != now.entity() {
        return format!("it came as {} {}, and is {} now", came.kind, came.id, now.entity());
    }
    if fields.is_empty() {
        return "something else of its row, or its bytes, is not as it was when it came".to_owned();
    }
    format!("not as it was when it came: {}", fields.join(", "))
}

/// What an id belongs to, by how its stream began.
pub(super) fn owner(began: Option<&Event>) -> String {
    let named = |what: &str, name: Option<&str>| match name {
        Some(name) => format!("{what} {name:?}"),
        None => what.to_owned(),
    };
    let what = match began {
        Some(Event::ClientCreated(event)) => named("the client", Some(&event.name)),
        Some(Event::ClientImported(event)) => named("the client", Some(&event.client.name)),
        Some(Event::CampaignCreated(event)) => named("the campaign", Some(&event.name)),
        Some(Event::CampaignImported(event)) => named("the campaign", Some(&event.campaign.name)),
        Some(Event::AssetStored(event)) => named("the asset", event.name.as_deref()),
        Some(Event::AssetImported(event)) => named("the asset", event.name.as_deref()),
        Some(Event::ApiKeyCreated(event)) => named("the key", Some(&event.name)),
        Some(Event::KeyImported(event)) => named("the key", Some(&event.name)),
        _ => "something".to_owned(),
    };
    match began.and_then(Event::origin) {
        Some(origin) => {
            let (source, table, row) = (&origin.source, &origin.table, &origin.row);
            format!("its id belongs to {what}, which came from {source}, table {table}, row {row}")
        }
        None => format!("its id belongs to {what}, which was made here"),
    }
}
