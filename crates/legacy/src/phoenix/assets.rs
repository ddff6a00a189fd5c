//! Images, videos and sounds.
//!
//! What a row does not say itself is looked for in its metadata, as the service's own readers did.

use protos::{
    asset::v1::{Asset, LegacyThing, legacy_thing},
    common::v1::BlobRef,
};

use super::{
    CREATED,
    json::{self, Members},
    owners::{differently, noted, times},
};
use crate::{
    model::{Broken, Bytes, Found, Place, Row, RowKey, Slot, Thing},
    outline::{Outline, Owner},
    source::{
        reader::Reader,
        rows::{Fault, Record, quoted},
    },
    urls,
};

/// Columns that have a place of their own here.
const PLACED: &[&str] = &[
    "id",
    "type",
    "blob_data",
    "source_url",
    "campaign_id",
    "client_id",
    "name",
    "description",
    "tags",
    "metadata",
    "width",
    "height",
    CREATED,
    "updated_at",
];

/// Reads an asset.
pub(super) fn asset(reader: &Reader, outline: &Outline, key: &RowKey) -> Result<Row, Fault> {
    let record = reader.row(key)?;
    let metadata = json::object(&record, "metadata")?;
    let said = metadata.as_ref();
    let client = record.filled("client_id")?.or_else(|| json::text(said, &["clientId", "client_id"]));
    let owner = match outline.owner(client, record.filled("campaign_id")?) {
        Ok(owner) => owner,
        Err(reason) => return Ok(record.skipped(reason, true)),
    };
    let (place, missing) = place(&record)?;
    let asset = fields(&record, said, owner, place.as_ref())?;
    let origin = Some(record.origin(reader.source(), []));
    let thing = Thing::Stored(LegacyThing { origin, thing: Some(legacy_thing::Thing::Asset(asset)) });
    let bytes = place.map(|place| Bytes { slot: Slot::Asset, place }).into_iter().collect();
    Ok(Row::Found(Box::new(Found { thing, bytes, missing })))
}

fn fields(
    record: &Record,
    said: Option<&Members>,
    owner: Owner,
    place: Option<&Place>,
) -> Result<Asset, Broken> {
    let name = record.filled("name")?;
    let name = name.or_else(|| json::text(said, &["name", "original_name", "originalName"]));
    let description = record.filled("description")?;
    let description = description.or_else(|| json::text(said, &["description", "caption", "summary"]));
    let (created_at, updated_at) = times(record)?;
    let source_url = record.filled("source_url")?;
    let mut facts = record.others(PLACED)?;
    differently(&mut facts, record, &owner)?;
    noted(&mut facts, record);
    Ok(Asset {
        id: record.id("id")?,
        r#type: kind(record)?,
        client_id: Some(owner.client),
        campaign_id: owner.campaign,
        name: name.map(str::to_owned),
        description: description.map(str::to_owned),
        tags: json::tags(record, said)?,
        source_url: source_url.map(str::to_owned),
        blob: hint(place, said),
        thumbnail: None,
        format: format(said, source_url),
        width: pixels(record, "width", said)?,
        height: pixels(record, "height", said)?,
        duration_ms: said.and_then(|members| json::milliseconds(members.get("duration")?)),
        metadata_json: json::kept(record, "metadata", facts)?,
        created_at,
        updated_at,
    })
}

/// What the source says of bytes that it has: a type, and no hash yet.
fn hint(place: Option<&Place>, metadata: Option<&Members>) -> Option<BlobRef> {
    let Some(Place::Column { size, .. }) = place else { return None };
    Some(BlobRef { sha256: String::new(), size: *size, content_type: content_type(metadata)? })
}

/// Where an asset's bytes are; where they are not in the source, why they are missing.
fn place(record: &Record) -> Result<(Option<Place>, Option<String>), Broken> {
    if let Some(place) = record.bytes("blob_data") {
        return Ok((Some(place), None));
    }
    Ok(match record.filled("source_url")?.map(str::trim) {
        Some(url) if urls::external(url) => {
            let place = Place::Url(url.to_owned());
            (Some(place), Some(format!("its bytes are not in the source, only at {}", bare(url))))
        }
        Some(url) => {
            let url = quoted(&bare(url));
            let reason =
                format!("its bytes are not in the source, and {url} is no address to fetch them from");
            (None, Some(reason))
        }
        None => (None, Some("its bytes are not in the source, nor is an address of them".to_owned())),
    })
}

/// An address from its host on, without what may let someone in: a name and a password before the host, and the query.
fn bare(url: &str) -> String {
    let bare = urls::bare(url);
    bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest).to_owned()
}

fn kind(record: &Record) -> Result<String, Broken> {
    let text = record.text("type")?;
    let kind = text.trim().to_ascii_lowercase();
    if ["image", "video", "audio"].contains(&kind.as_str()) {
        Ok(kind)
    } else {
        Err(record.broken("type", format!("holds {} where image, video or audio should be", quoted(text))))
    }
}

/// The media type that the metadata tell, in lower case and without parameters.
fn content_type(metadata: Option<&Members>) -> Option<String> {
    let told = json::text(metadata, &["content_type", "original_content_type"])?;
    let told = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    told.split_once('/').is_some_and(|(kind, format)| !kind.is_empty() && !format.is_empty()).then_some(told)
}

/// The format: as the metadata say it, by the media type, or by the end of the address.
fn format(metadata: Option<&Members>, source_url: Option<&str>) -> String {
    let told = json::text(metadata, &["format"]).map(str::to_ascii_lowercase);
    let of_type = || content_type(metadata)?.split_once('/').map(|(_, format)| format.to_owned());
    let of_url = || {
        let path = source_url?.split(['?', '#']).next()?;
        let (_, end) = path.rsplit_once('/')?.1.rsplit_once('.')?;
        let plain = (1..=5).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| end.to_ascii_lowercase())
    };
    told.or_else(of_type).or_else(of_url).unwrap_or_default()
}

/// A width or a height; 0 says nothing.
fn pixels(record: &Record, column: &'static str, metadata: Option<&Members>) -> Result<Option<u32>, Broken> {
    if let Some(pixels) = record.integer(column)? {
        let pixels = u32::try_from(pixels).map_err(|_| {
            record.broken(column, format!("holds {pixels} where a number of pixels should be"))
        })?;
        if pixels > 0 {
            return Ok(Some(pixels));
        }
    }
    let told = metadata.and_then(|members| json::number(members.get(column)?));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 32 bits, and not negative"
    )]
    let told = told.filter(|told| (1.0..=f64::from(u32::MAX)).contains(told)).map(|told| told as u32);
    Ok(told)
}

#[cfg(test)]
mod tests {
    //! Odd metadata and addresses.

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case::told(json!({"format": "JPG", "content_type": "image/png"}), None, "jpg")]
    #[case::by_type(json!({"content_type": "image/PNG; charset=x"}), None, "png")]
    #[case::by_the_type_of_the_download(json!({"original_content_type": "image/webp"}), None, "webp")]
    #[case::no_text(json!({"format": null, "content_type": true}), None, "")]
    #[case::by_address(json!({}), Some("https://host.example/a.b/photo.JPEG?w=1.2"), "jpeg")]
    #[case::address_without_an_end(json!({}), Some("https://host.example/photo"), "")]
    fn a_format_is_told_or_follows_from_type_or_address(
        #[case] metadata: Value,
        #[case] url: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(format(metadata.as_object(), url), expected);
    }

    #[rstest]
    #[case("https://u:p@host.example/a/b.jpg?sig=1#x", "host.example/a/b.jpg")]
    #[case("https://host.example?sig=a/b@c", "host.example")]
    #[case("/uploads/a@b.jpg", "/uploads/a@b.jpg")]
    fn what_may_let_someone_in_is_not_said(#[case] url: &str, #[case] said: &str) {
        assert_eq!(bare(url), said);
    }
}
