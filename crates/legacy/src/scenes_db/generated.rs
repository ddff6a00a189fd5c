//! Pictures and sounds that models made, and blobs that nobody refers to: assets here.

use protos::asset::v1::{Asset, LegacyThing, legacy_thing};
use serde_json::{Map, Value};

use super::{assets::hint, facts::Facts, formats, jobs::milliseconds};
use crate::{
    model::{Broken, Bytes, Found, IMPORTED_CLIENT, Place, Row, Slot, Thing},
    outline::Outline,
    source::{
        Orphans, notes,
        reader::Reader,
        rows::{Record, derived_id},
    },
    urls,
};

/// How many characters of a prompt make a name.
const NAME: usize = 80;

/// Columns that have a place of their own here.
const PLACED: &[&str] = &[
    "id",
    "prompt",
    "model_id",
    "parameters",
    "metadata",
    "created_at",
    "duration",
    "client_id",
    "campaign_id",
    "download_attempted",
    "download_retries",
];

/// How a table of what models made is read.
struct Made {
    table: &'static str,
    kind: &'static str,
    noun: &'static str,
    bytes: &'static str,
    url: &'static str,
}

/// A row of `generated_images` or `generated_audio`. It has no id of its own that could be kept: it gets one that is the
/// same in every run.
pub(super) fn made(
    reader: &Reader,
    outline: &Outline,
    row: &Record,
    table: &'static str,
) -> Result<Row, Broken> {
    let made = if table == "generated_images" {
        Made { table, kind: "image", noun: "Image", bytes: "image_data", url: "image_url" }
    } else {
        Made { table, kind: "audio", noun: "Sound", bytes: "audio_data", url: "audio_url" }
    };
    let Some(place) = row.bytes(made.bytes) else {
        return Ok(row.skipped(without_bytes(row, &made)?, false));
    };
    let (client, campaign) = (row.filled("client_id")?, row.filled("campaign_id")?);
    let owner = match outline.owner(client, campaign) {
        Ok(owner) => owner,
        Err(reason) => return Ok(row.skipped(reason, true)),
    };
    let mut facts = Facts::of(row.others(PLACED)?);
    facts.put("parameters", row.json("parameters")?);
    facts.put("metadata", row.json("metadata")?);
    if owner.note.is_some() {
        facts.put("client_id", client);
        facts.put("campaign_id", campaign);
    }
    facts.put("owner", owner.note);
    facts.note(notes::of(row, &["parameters", "metadata"], &["created_at"]));
    let prompt = row.filled("prompt")?.map(str::trim).unwrap_or_default();
    let mut metadata = Map::new();
    for (name, value) in [("prompt", prompt), ("model", row.filled("model_id")?.unwrap_or_default())] {
        if !value.is_empty() {
            metadata.insert(name.to_owned(), Value::from(value));
        }
    }
    let created_at = row.first_time(&["created_at"])?.to_string();
    let asset = Asset {
        id: derived_id(reader.source(), made.table, row.row()),
        r#type: made.kind.to_owned(),
        client_id: Some(owner.client),
        campaign_id: owner.campaign,
        name: Some(name(prompt).unwrap_or_else(|| format!("{} {}", made.noun, row.row()))),
        metadata_json: facts.beside(Some(metadata)),
        duration_ms: row.real("duration")?.map(milliseconds).filter(|ms| *ms > 0),
        created_at: created_at.clone(),
        updated_at: created_at,
        ..Asset::default()
    };
    Ok(found(reader, row, asset, place))
}

/// The first line of a prompt, or as much of it as makes a name.
fn name(prompt: &str) -> Option<String> {
    let line = prompt.lines().next()?.trim();
    let start: String = line.chars().take(NAME).collect();
    if start.is_empty() {
        None
    } else if start.len() < line.len() {
        Some(format!("{}…", start.trim_end()))
    } else {
        Some(start)
    }
}

fn without_bytes(row: &Record, made: &Made) -> Result<String, Broken> {
    let status = row.filled("status")?.unwrap_or("unknown");
    let url = row.filled(made.url)?.filter(|url| urls::external(url));
    let there = url.map(|url| format!(", only at {}", urls::bare(url))).unwrap_or_default();
    Ok(format!("its bytes are not in the source{there} (its status: {status})"))
}

/// A blob that nobody refers to: kept with the orphans under its own id.
pub(super) fn blob(reader: &Reader, outline: &Outline, row: &Record) -> Result<Row, Broken> {
    let id = row.id("id")?;
    if outline.orphans() == Orphans::Skip {
        return Ok(row.skipped("no asset refers to it", true));
    }
    let Some(place) = row.bytes("data") else {
        return Ok(row.skipped("no asset refers to it, and it is empty", false));
    };
    let content_type = row.filled("content_type")?.and_then(formats::media_type);
    let mut facts = Facts::default();
    facts.put("owner", Some("no asset refers to this blob"));
    facts.note(notes::of(row, &[], &["created_at"]));
    let created_at = row.first_time(&["created_at"])?.to_string();
    let asset = Asset {
        id,
        r#type: formats::kind(content_type.as_deref().unwrap_or_default()).to_owned(),
        client_id: Some(IMPORTED_CLIENT.to_string()),
        metadata_json: facts.beside(None),
        blob: hint(Some(&place), content_type),
        created_at: created_at.clone(),
        updated_at: created_at,
        ..Asset::default()
    };
    Ok(found(reader, row, asset, place))
}

fn found(reader: &Reader, row: &Record, asset: Asset, place: Place) -> Row {
    let origin = row.origin(reader.source(), []);
    let thing = LegacyThing { origin: Some(origin), thing: Some(legacy_thing::Thing::Asset(asset)) };
    let bytes = vec![Bytes { slot: Slot::Asset, place }];
    Row::Found(Box::new(Found { thing: Thing::Stored(thing), bytes, missing: None }))
}
