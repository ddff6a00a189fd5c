//! Clients and campaigns.

use protos::asset::v1::{Campaign, Client, LegacyThing, legacy_thing};
use serde_json::Value;

use super::{
    CREATED,
    json::{self, Members},
};
use crate::{
    model::{Broken, Found, Row, RowKey, Thing},
    outline::{Outline, Owner},
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record},
    },
};

/// What a campaign is called that has no name.
pub(super) const UNNAMED_CAMPAIGN: &str = "Unnamed Campaign";

/// Reads a client.
pub(super) fn client(reader: &Reader, key: &RowKey) -> Result<Row, Fault> {
    const PLACED: &[&str] =
        &["id", "name", "description", "homepage", "brand_guidelines", "metadata", CREATED, "updated_at"];
    let record = reader.row(key)?;
    let (created_at, updated_at) = times(&record)?;
    let mut facts = record.others(PLACED)?;
    noted(&mut facts, &record);
    let client = Client {
        id: record.id("id")?,
        name: record.filled("name")?.unwrap_or("Unnamed Client").to_owned(),
        description: filled(&record, "description")?,
        homepage: filled(&record, "homepage")?,
        brand_guidelines: filled(&record, "brand_guidelines")?,
        metadata_json: json::kept(&record, "metadata", facts)?,
        created_at,
        updated_at,
    };
    Ok(stored(reader, &record, legacy_thing::Thing::Client(client)))
}

/// Reads a campaign.
pub(super) fn campaign(reader: &Reader, outline: &Outline, key: &RowKey) -> Result<Row, Fault> {
    const PLACED: &[&str] = &[
        "id",
        "client_id",
        "name",
        "goal",
        "status",
        "product_url",
        "brief",
        "metadata",
        CREATED,
        "updated_at",
    ];
    let record = reader.row(key)?;
    let id = record.id("id")?;
    let owner = match outline.owner_of_campaign(record.filled("client_id")?) {
        Ok(owner) => owner,
        Err(reason) => return Ok(record.skipped(reason, true)),
    };
    let mut facts = record.others(PLACED)?;
    differently(&mut facts, &record, &owner)?;
    noted(&mut facts, &record);
    let (created_at, updated_at) = times(&record)?;
    let campaign = Campaign {
        id,
        client_id: owner.client,
        name: record.filled("name")?.unwrap_or(UNNAMED_CAMPAIGN).to_owned(),
        goal: filled(&record, "goal")?,
        status: filled(&record, "status")?,
        product_url: filled(&record, "product_url")?,
        brief: filled(&record, "brief")?,
        metadata_json: json::kept(&record, "metadata", facts)?,
        created_at,
        updated_at,
    };
    Ok(stored(reader, &record, legacy_thing::Thing::Campaign(campaign)))
}

/// The columns of every table that a time is read of.
pub(super) const TIMES: [&str; 2] = [CREATED, "updated_at"];

/// When a row was created and when it was last changed, as RFC 3339 with Z.
pub(super) fn times(record: &Record) -> Result<(String, String), Broken> {
    let created = record.first_time(&TIMES)?;
    let updated = record.time("updated_at")?.unwrap_or(created);
    Ok((created.to_string(), updated.to_string()))
}

/// Keeps what a row says of its owners where they are others here, and why.
pub(super) fn differently(facts: &mut Members, record: &Record, owner: &Owner) -> Result<(), Broken> {
    let Some(note) = &owner.note else { return Ok(()) };
    for column in ["client_id", "campaign_id"] {
        if let Some(id) = record.filled(column)? {
            facts.insert(column.to_owned(), Value::from(id));
        }
    }
    facts.insert("owner".to_owned(), Value::from(note.as_str()));
    Ok(())
}

/// Keeps what is to be noted of how a row and its metadata were read.
pub(super) fn noted(facts: &mut Members, record: &Record) {
    let notes = notes::of(record, &["metadata", "tags"], &TIMES);
    if !notes.is_empty() {
        facts.insert("notes".to_owned(), Value::from(notes));
    }
}

/// Something without bytes.
pub(super) fn stored(reader: &Reader, record: &Record, thing: legacy_thing::Thing) -> Row {
    let origin = Some(record.origin(reader.source(), []));
    let thing = Thing::Stored(LegacyThing { origin, thing: Some(thing) });
    Row::Found(Box::new(Found { thing, bytes: Vec::new(), missing: None }))
}

fn filled(record: &Record, column: &'static str) -> Result<Option<String>, Broken> {
    Ok(record.filled(column)?.map(str::to_owned))
}
