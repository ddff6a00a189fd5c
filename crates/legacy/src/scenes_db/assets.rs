//! Assets: their owners, bytes and everything that was known of them.

use protos::{
    asset::v1::{Asset, LegacyThing, legacy_thing},
    common::v1::BlobRef,
};
use serde_json::Map;

use super::{facts::Facts, formats, tags};
use crate::{
    model::{Broken, Bytes, Found, Place, Row, Slot, Thing},
    outline::{Outline, Owner},
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record, quoted},
    },
    urls,
};

/// Columns that have a place of their own here.
const PLACED: &[&str] = &[
    "id",
    "client_id",
    "campaign_id",
    "name",
    "asset_type",
    "tags",
    "uploaded_at",
    "width",
    "height",
    "duration",
    "blob_id",
    "thumbnail_blob_id",
    "source_url",
];

/// The bytes of an asset.
struct Whole {
    place: Option<Place>,
    /// Why they are not in the source.
    missing: Option<String>,
    /// The row of `asset_blobs`, if there is one.
    blob: Option<Record>,
    /// Where it came from.
    source_url: Option<String>,
}

/// An asset. Its owner is the campaign's client if it has a campaign, whatever the row says.
pub(super) fn asset(reader: &Reader, outline: &Outline, row: &Record) -> Result<Row, Fault> {
    let owner = match outline.owner(row.filled("client_id")?, row.filled("campaign_id")?) {
        Ok(owner) => owner,
        Err(reason) => return Ok(row.skipped(reason, true)),
    };
    let whole = whole(reader, row)?;
    let thumbnail = blob(reader, row, "thumbnail_blob_id", &["id", "data"])?;
    let picture = thumbnail.as_ref().and_then(|thumbnail| thumbnail.bytes("data"));
    let lost = row.filled("thumbnail_blob_id")?.filter(|_| picture.is_none());
    let asset = fields(row, owner, &whole, lost)?;
    let bytes = [(Slot::Asset, whole.place), (Slot::Thumbnail, picture)];
    let bytes = bytes.into_iter().filter_map(|(slot, place)| Some(Bytes { slot, place: place? })).collect();
    let origin = row.origin(reader.source(), whole.blob.iter().chain(&thumbnail));
    let thing = LegacyThing { origin: Some(origin), thing: Some(legacy_thing::Thing::Asset(asset)) };
    Ok(Row::Found(Box::new(Found { thing: Thing::Stored(thing), bytes, missing: whole.missing })))
}

/// `lost`: the blob of its thumbnail, when there are no bytes of it.
fn fields(row: &Record, owner: Owner, whole: &Whole, lost: Option<&str>) -> Result<Asset, Broken> {
    let id = row.id("id")?;
    let kind = kind(row)?;
    let said = row.filled("format")?.unwrap_or_default();
    let format = formats::known(kind, said);
    let stored = whole.blob.as_ref().map(|blob| blob.filled("content_type")).transpose()?.flatten();
    let content_type =
        format.map(|(_, content_type)| content_type.to_owned()).or(stored.and_then(formats::media_type));
    let seconds = row.integer("duration")?.filter(|_| matches!(kind, "video" | "audio"));
    let tags = row.filled("tags")?.map(tags::read).transpose().map_err(|why| row.broken("tags", why))?;
    // The only time that there is: an asset was never changed after it was put in.
    let uploaded_at = row.first_time(&["uploaded_at"])?.to_string();
    let mut facts = facts(row, &id, &owner, whole, format.map(|(name, _)| name))?;
    facts.put("thumbnail_blob_id", lost);
    facts.put(
        "thumbnail",
        lost.map(|id| format!("its blob {} is not in the source, or is empty", quoted(id))),
    );
    Ok(Asset {
        r#type: kind.to_owned(),
        client_id: Some(owner.client),
        campaign_id: owner.campaign,
        name: row.filled("name")?.map(str::to_owned),
        description: None,
        tags: tags.unwrap_or_default(),
        metadata_json: metadata(facts),
        source_url: whole.source_url.clone(),
        blob: hint(whole.place.as_ref(), content_type),
        thumbnail: None,
        format: format.map(|(name, _)| name.to_owned()).unwrap_or_default(),
        width: pixels(row, "width")?,
        height: pixels(row, "height")?,
        duration_ms: seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .and_then(|seconds| seconds.checked_mul(1_000))
            .filter(|ms| *ms > 0),
        created_at: uploaded_at.clone(),
        updated_at: uploaded_at,
        id,
    })
}

/// What the source says of bytes that it has: a type, and no hash yet.
pub(super) fn hint(place: Option<&Place>, content_type: Option<String>) -> Option<BlobRef> {
    let Some(Place::Column { size, .. }) = place else { return None };
    Some(BlobRef { sha256: String::new(), size: *size, content_type: content_type? })
}

/// Whatever else the row says. Who put the asset in stands where it is looked for when an asset is shown.
fn metadata(mut facts: Facts) -> Option<String> {
    let user = facts.take("user_id").map(|user| Map::from_iter([("user_id".to_owned(), user)]));
    facts.beside(user)
}

/// Whatever else the row says. What says no more than what is known anyway is left out.
fn facts(
    row: &Record,
    id: &str,
    owner: &Owner,
    whole: &Whole,
    format: Option<&str>,
) -> Result<Facts, Broken> {
    let mut facts = Facts::of(row.others(PLACED)?);
    facts.drop_if("url", |url| {
        let own = [format!("/api/v3/assets/{id}/data"), format!("/api/v2/assets/{id}/data")];
        url.as_str()
            .is_some_and(|url| own.iter().any(|own| own == url) || whole.source_url.as_deref() == Some(url))
    });
    facts.drop_if("format", |said| said.as_str() == format);
    let size = whole.place.as_ref().and_then(|place| match place {
        Place::Column { size, .. } => Some(*size),
        _ => None,
    });
    facts.drop_if("size", |said| said.as_u64() == size);
    if owner.note.is_some() {
        facts.put("client_id", row.filled("client_id")?);
        facts.put("campaign_id", row.filled("campaign_id")?);
    }
    facts.put("owner", owner.note.clone());
    facts.note(notes::of(row, &[], &["uploaded_at"]));
    Ok(facts)
}

/// Where the bytes are: the blob's, else the row's own, else where they came from, else where the URL leads if that is
/// not the older service itself.
fn whole(reader: &Reader, row: &Record) -> Result<Whole, Fault> {
    // The blob's own type stands behind its bytes: it is only asked when the format says nothing.
    let known = formats::known(kind(row)?, row.filled("format")?.unwrap_or_default()).is_some();
    let columns: &[&str] = if known { &["id", "data"] } else { &["id", "data", "content_type"] };
    let blob = blob(reader, row, "blob_id", columns)?;
    let came = row.filled("source_url")?.map(str::trim);
    let url = row.filled("url")?.map(str::trim).filter(|url| urls::external(url));
    let source_url = came.or(url).map(str::to_owned);
    let here = blob.as_ref().and_then(|blob| blob.bytes("data")).or_else(|| row.bytes("blob_data"));
    if here.is_some() {
        return Ok(Whole { place: here, missing: None, blob, source_url });
    }
    let gone = match row.filled("blob_id")? {
        Some(id) if blob.is_none() => format!("its blob {} is not in the source", quoted(id)),
        Some(id) => format!("its blob {} is empty", quoted(id)),
        None => "its bytes are not in the source".to_owned(),
    };
    let there = came.filter(|url| urls::external(url)).or(url);
    let missing = match there {
        Some(url) => format!("{gone}, only at {}", urls::bare(url)),
        None => format!("{gone}, nor does it say where they came from"),
    };
    let place = there.map(|url| Place::Url(url.to_owned()));
    Ok(Whole { place, missing: Some(missing), blob, source_url })
}

/// The row of `asset_blobs` that a column refers to, with some of its columns.
fn blob(
    reader: &Reader,
    row: &Record,
    column: &'static str,
    columns: &[&str],
) -> Result<Option<Record>, Fault> {
    let Some(id) = row.filled(column)? else { return Ok(None) };
    Ok(reader.find_only("asset_blobs", "id", &id, columns)?)
}

fn kind(row: &Record) -> Result<&'static str, Broken> {
    let said = row.text("asset_type")?;
    let kinds = ["image", "video", "audio", "document"];
    let kind = kinds.into_iter().find(|kind| said.trim().eq_ignore_ascii_case(kind));
    kind.ok_or_else(|| {
        row.broken(
            "asset_type",
            format!("holds {} where image, video, audio or document should be", quoted(said)),
        )
    })
}

/// A number of pixels; 0 was written for what was not measured.
fn pixels(row: &Record, column: &'static str) -> Result<Option<u32>, Broken> {
    Ok(row.integer(column)?.and_then(|pixels| u32::try_from(pixels).ok()).filter(|pixels| *pixels > 0))
}
