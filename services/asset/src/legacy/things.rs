//! What is asked for, read and checked: as the event that would be stored. Names, texts and tags may be longer than
//! they may be here: they are history.

use jiff::Timestamp;
use protos::asset::v1 as pb;
use protos::asset::v1::legacy_thing::Thing;
use serde_json::{Map, Value};

use crate::events::{
    AssetImported, CampaignCreated, CampaignImported, ClientCreated, ClientImported, Event, KeyImported,
    Origin,
};

/// What an asset may be said to be.
const KINDS: [&str; 4] = ["image", "video", "audio", "document"];
/// Bytes of the longest id.
const LONGEST_ID: usize = 255;

/// Reads a thing. What its bytes are is what was said of them; that is looked at later.
///
/// # Errors
/// Which rule it breaks.
pub(super) fn read(given: pb::LegacyThing) -> Result<Event, String> {
    let origin = given.origin.map(Origin::from).ok_or("it does not say where it comes from")?;
    for (part, text) in [("source", &origin.source), ("table", &origin.table), ("row", &origin.row)] {
        if text.is_empty() || text.contains('\0') {
            return Err(format!("its origin names no {part}"));
        }
    }
    if origin.digest.len() != 64 || !origin.digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("its origin has no SHA-256".to_owned());
    }
    match given.thing {
        Some(Thing::Client(client)) => self::client(origin, client).map(Event::from),
        Some(Thing::Campaign(campaign)) => self::campaign(origin, campaign).map(Event::from),
        Some(Thing::Asset(asset)) => self::asset(origin, asset).map(Event::from),
        Some(Thing::Key(key)) => self::key(origin, key).map(Event::from),
        None => Err("it is nothing".to_owned()),
    }
}

fn client(origin: Origin, client: pb::Client) -> Result<ClientImported, String> {
    let (created_at, updated_at) = times(&client.created_at, &client.updated_at)?;
    let client = ClientCreated {
        client_id: id("id", client.id)?,
        name: text("name", client.name)?,
        description: maybe("description", client.description)?,
        homepage: maybe("homepage", client.homepage)?,
        brand_guidelines: maybe("brand_guidelines", client.brand_guidelines)?,
        metadata: object(client.metadata_json.as_deref())?,
    };
    Ok(ClientImported { origin, created_at, updated_at, client })
}

fn campaign(origin: Origin, campaign: pb::Campaign) -> Result<CampaignImported, String> {
    let (created_at, updated_at) = times(&campaign.created_at, &campaign.updated_at)?;
    let campaign = CampaignCreated {
        campaign_id: id("id", campaign.id)?,
        client_id: id("client_id", campaign.client_id)?,
        name: text("name", campaign.name)?,
        goal: maybe("goal", campaign.goal)?,
        status: maybe("status", campaign.status)?,
        product_url: maybe("product_url", campaign.product_url)?,
        brief: maybe("brief", campaign.brief)?,
        metadata: object(campaign.metadata_json.as_deref())?,
    };
    Ok(CampaignImported { origin, created_at, updated_at, campaign })
}

fn asset(origin: Origin, asset: pb::Asset) -> Result<AssetImported, String> {
    let (created_at, updated_at) = times(&asset.created_at, &asset.updated_at)?;
    if !KINDS.contains(&asset.r#type.as_str()) {
        return Err(format!("its type is {:?}; image, video, audio or document is needed", asset.r#type));
    }
    let owner =
        |field, given: Option<String>| given.filter(|id| !id.is_empty()).map(|given| id(field, given));
    let client_id = owner("client_id", asset.client_id).transpose()?;
    let campaign_id = owner("campaign_id", asset.campaign_id).transpose()?;
    if client_id.is_none() && campaign_id.is_none() {
        return Err("it belongs to no client and to no campaign".to_owned());
    }
    Ok(AssetImported {
        origin,
        created_at,
        updated_at,
        asset_id: id("id", asset.id)?,
        kind: asset.r#type,
        client_id,
        campaign_id,
        name: maybe("name", asset.name)?,
        description: maybe("description", asset.description)?,
        tags: asset.tags.into_iter().map(|tag| text("tags", tag)).collect::<Result<_, _>>()?,
        metadata: object(asset.metadata_json.as_deref())?,
        source_url: maybe("source_url", asset.source_url)?,
        blob: asset.blob.filter(|blob| !blob.sha256.is_empty()).map(Into::into),
        thumbnail: asset.thumbnail.filter(|blob| !blob.sha256.is_empty()).map(Into::into),
        format: text("format", asset.format)?,
        width: asset.width.filter(|width| *width > 0),
        height: asset.height.filter(|height| *height > 0),
        duration_ms: asset.duration_ms,
    })
}

fn key(origin: Origin, key: pb::LegacyKey) -> Result<KeyImported, String> {
    if key.opens {
        return Err("it says that it opens something; a key that is brought over opens nothing".to_owned());
    }
    let expires_at = key.expires_at.filter(|at| !at.is_empty());
    Ok(KeyImported {
        origin,
        created_at: time("created_at", &key.created_at)?,
        key_id: id("id", key.id)?,
        name: text("name", key.name)?,
        expires_at: expires_at.map(|at| time("expires_at", &at)).transpose()?,
    })
}

fn id(field: &str, given: String) -> Result<String, String> {
    match given.len() {
        1..=LONGEST_ID => text(field, given),
        0 => Err(format!("its {field} is empty")),
        length => Err(format!("its {field} has {length} bytes; {LONGEST_ID} are the most")),
    }
}

/// PostgreSQL takes no text with a zero byte.
fn text(field: &str, given: String) -> Result<String, String> {
    if given.contains('\0') { Err(format!("its {field} holds a zero byte")) } else { Ok(given) }
}

fn maybe(field: &str, given: Option<String>) -> Result<Option<String>, String> {
    given.map(|given| text(field, given)).transpose()
}

fn times(created_at: &str, updated_at: &str) -> Result<(Timestamp, Timestamp), String> {
    let created = time("created_at", created_at)?;
    Ok((created, if updated_at.is_empty() { created } else { time("updated_at", updated_at)? }))
}

/// To the microsecond, as the tables hold it.
fn time(field: &str, given: &str) -> Result<Timestamp, String> {
    let time: Timestamp = given
        .parse()
        .map_err(|_| format!("its {field} is {given:?}; a time such as 2025-03-04T05:06:07Z is needed"))?;
    Ok(Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time))
}

fn object(json: Option<&str>) -> Result<Option<Map<String, Value>>, String> {
    match json.filter(|json| !json.is_empty()).map(serde_json::from_str) {
        None | Some(Ok(Value::Null)) => Ok(None),
        Some(Ok(Value::Object(object))) => Ok(Some(object)),
        Some(_) => Err("its metadata is no JSON object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use protos::common::v1 as common;
    use rstest::rstest;

    use super::*;

    fn given(thing: Thing) -> pb::LegacyThing {
        let text = || "x".to_owned();
        let origin = common::Origin { source: text(), table: text(), row: text(), digest: "0a".repeat(32) };
        pb::LegacyThing { origin: Some(origin), thing: Some(thing) }
    }

    fn an_asset() -> pb::Asset {
        pb::Asset {
            id: "a-1".to_owned(),
            r#type: "image".to_owned(),
            client_id: Some("c-1".to_owned()),
            created_at: "2024-01-02T03:04:05Z".to_owned(),
            ..pb::Asset::default()
        }
    }

    #[rstest]
    #[case::id(|asset: &mut pb::Asset| asset.id.clear(), "its id is empty")]
    #[case::long_id(|asset: &mut pb::Asset| asset.id = "x".repeat(256), "its id has 256 bytes; 255 are the most")]
    #[case::zero(|asset: &mut pb::Asset| asset.tags = vec!["a\0".into()], "its tags holds a zero byte")]
    #[case::nobody(|asset: &mut pb::Asset| asset.client_id = None, "it belongs to no client and to no campaign")]
    #[case::kind(
        |asset: &mut pb::Asset| asset.r#type = "PNG".into(),
        "its type is \"PNG\"; image, video, audio or document is needed"
    )]
    #[case::time(
        |asset: &mut pb::Asset| asset.created_at = "yesterday".into(),
        "its created_at is \"yesterday\"; a time such as 2025-03-04T05:06:07Z is needed"
    )]
    #[case::metadata(|asset: &mut pb::Asset| asset.metadata_json = Some("[1]".into()), "its metadata is no JSON object")]
    fn what_breaks_a_rule_is_told_with_the_rule(#[case] broken: fn(&mut pb::Asset), #[case] why: &str) {
        let mut asset = an_asset();
        broken(&mut asset);
        assert_eq!(read(given(Thing::Asset(asset))).unwrap_err(), why);
    }

    #[test]
    fn history_is_kept_as_it_is() {
        let long = "n".repeat(70_000);
        let asset = pb::Asset {
            name: Some(long.clone()),
            tags: vec![String::new(), " ".to_owned()],
            created_at: "2024-01-02T03:04:05.123456789+01:00".to_owned(),
            ..an_asset()
        };
        let Ok(Event::AssetImported(event)) = read(given(Thing::Asset(asset))) else { panic!("it is fine") };
        assert_eq!((event.name.as_deref(), event.tags.len()), (Some(&*long), 2));
        assert_eq!(event.created_at.to_string(), "2024-01-02T02:04:05.123456Z");
        assert_eq!(event.updated_at, event.created_at, "nobody said that it was changed");
    }

    #[test]
    fn a_key_that_would_open_something_is_refused() {
        let key = pb::LegacyKey {
            id: "k".to_owned(),
            name: "site".to_owned(),
            created_at: "2024-01-02T03:04:05Z".to_owned(),
            ..pb::LegacyKey::default()
        };
        assert!(matches!(read(given(Thing::Key(key.clone()))), Ok(Event::KeyImported(_))));
        let why = read(given(Thing::Key(pb::LegacyKey { opens: true, ..key }))).unwrap_err();
        assert!(why.starts_with("it says that it opens something"), "{why}");
    }

    #[test]
    fn a_thing_says_where_it_comes_from() {
        let nothing = pb::LegacyThing::default();
        assert_eq!(read(nothing).unwrap_err(), "it does not say where it comes from");
        let mut unnamed = given(Thing::Asset(an_asset()));
        unnamed.origin.as_mut().unwrap().digest = "new".to_owned();
        assert_eq!(read(unnamed).unwrap_err(), "its origin has no SHA-256");
    }
}
