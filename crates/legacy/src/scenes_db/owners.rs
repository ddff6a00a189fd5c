//! Clients, campaigns and keys.

use protos::asset::v1::{Campaign, Client, LegacyKey, LegacyThing, legacy_thing};

use super::facts::Facts;
use crate::{
    model::{Broken, Found, Row, Thing},
    outline::Outline,
    source::{
        json, notes,
        reader::Reader,
        rows::{Record, derived_id},
    },
};

/// A client. Its guidelines are JSON there and text here: the text is kept to the letter, and must be JSON.
pub(super) fn client(reader: &Reader, row: &Record) -> Result<Row, Broken> {
    const PLACED: &[&str] = &[
        "id",
        "name",
        "description",
        "homepage",
        "brand_guidelines",
        "metadata",
        "created_at",
        "updated_at",
    ];
    let (created_at, updated_at) = times(row)?;
    let mut facts = Facts::of(row.others(PLACED)?);
    facts.note(notes::of(row, &["metadata", "brand_guidelines"], &TIMES));
    let client = Client {
        id: row.id("id")?,
        name: row.filled("name")?.unwrap_or("Unnamed client").to_owned(),
        description: row.filled("description")?.map(str::to_owned),
        homepage: row.filled("homepage")?.map(str::to_owned),
        brand_guidelines: json_text(row, "brand_guidelines")?,
        metadata_json: facts.beside(row.object("metadata")?),
        created_at,
        updated_at,
    };
    Ok(found(reader, row, legacy_thing::Thing::Client(client)))
}

/// A campaign.
pub(super) fn campaign(reader: &Reader, outline: &Outline, row: &Record) -> Result<Row, Broken> {
    const PLACED: &[&str] = &[
        "id",
        "client_id",
        "name",
        "goal",
        "status",
        "product_url",
        "brief",
        "metadata",
        "created_at",
        "updated_at",
    ];
    let named = row.filled("client_id")?;
    let owner = match outline.owner_of_campaign(named) {
        Ok(owner) => owner,
        Err(reason) => return Ok(row.skipped(reason, true)),
    };
    let mut facts = Facts::of(row.others(PLACED)?);
    if owner.note.is_some() {
        facts.put("client_id", named);
    }
    facts.put("owner", owner.note);
    facts.note(notes::of(row, &["metadata", "brief"], &TIMES));
    let (created_at, updated_at) = times(row)?;
    let campaign = Campaign {
        id: row.id("id")?,
        client_id: owner.client,
        name: row.filled("name")?.unwrap_or("Unnamed campaign").to_owned(),
        goal: row.filled("goal")?.map(str::to_owned),
        status: row.filled("status")?.map(str::to_owned),
        product_url: row.filled("product_url")?.map(str::to_owned),
        brief: json_text(row, "brief")?,
        metadata_json: facts.beside(row.object("metadata")?),
        created_at,
        updated_at,
    };
    Ok(found(reader, row, legacy_thing::Thing::Campaign(campaign)))
}

/// A key of the API, as a record that opens nothing. Its hash is not even looked at.
pub(super) fn key(reader: &Reader, mut row: Record) -> Result<Row, Broken> {
    row.forget("key_hash");
    let key = LegacyKey {
        id: derived_id(reader.source(), "api_keys", row.row()),
        name: row.filled("name")?.unwrap_or("Unnamed key").to_owned(),
        created_at: row.first_time(&["created_at", "last_used"])?.to_string(),
        expires_at: row.time("expires_at")?.map(|time| time.to_string()),
        opens: false,
    };
    Ok(found(reader, &row, legacy_thing::Thing::Key(key)))
}

/// The columns that the times of most rows are read of.
pub(super) const TIMES: [&str; 2] = ["created_at", "updated_at"];

/// When it was created and last changed. A time that is not there is the other one: nothing is known to have happened
/// between them.
pub(super) fn times(row: &Record) -> Result<(String, String), Broken> {
    let created = row.first_time(&TIMES)?;
    let updated = row.first_time(&["updated_at", "created_at"])?;
    Ok((created.to_string(), updated.to_string()))
}

/// The text of a JSON column to the letter; only numbers that JSON does not have are `null` in it.
fn json_text(row: &Record, column: &'static str) -> Result<Option<String>, Broken> {
    let text = row.json(column)?.and(row.filled(column)?);
    Ok(text.map(|text| json::with_null(text).unwrap_or_else(|| text.to_owned())))
}

fn found(reader: &Reader, row: &Record, thing: legacy_thing::Thing) -> Row {
    let thing = LegacyThing { origin: Some(row.origin(reader.source(), [])), thing: Some(thing) };
    Row::Found(Box::new(Found { thing: Thing::Stored(thing), bytes: Vec::new(), missing: None }))
}
