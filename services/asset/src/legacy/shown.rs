//! Things as an older database had them: as the log says that they came, and as the tables say that they are. Times are
//! whole, to the microsecond.

use eventlog::{LogError, Row};
use jiff::Timestamp;
use protos::asset::v1 as pb;
use protos::asset::v1::legacy_thing::Thing;
use serde_json::{Map, Value};

use crate::events::{AssetBytesAdded, AssetImported, CampaignImported, ClientImported, Event, KeyImported};
use crate::store::{assets, campaigns, clients};

/// A column of the table of assets: the client of an asset's campaign.
pub(super) const CAMPAIGN_CLIENT: &str =
    "(SELECT campaign.client_id FROM campaign WHERE campaign.id = asset.campaign_id) AS campaign_client";

/// Something as it is, with the client of its campaign if it has one.
#[derive(Debug)]
pub(super) struct Shown {
    thing: Thing,
    campaign_client: Option<String>,
}

/// A row of the table of a kind.
pub(super) fn as_it_is(kind: &str, row: &Row) -> Result<Shown, LogError> {
    let time = |column: &str| Ok::<_, LogError>(row.get::<Timestamp>(column)?.to_string());
    let created_at = time("created_at")?;
    let mut campaign_client = None;
    let thing = match kind {
        "client" => {
            Thing::Client(pb::Client { created_at, updated_at: time("updated_at")?, ..clients::client(row)? })
        }
        "campaign" => Thing::Campaign(pb::Campaign {
            created_at,
            updated_at: time("updated_at")?,
            ..campaigns::campaign(row)?
        }),
        "asset" => {
            campaign_client = row.get("campaign_client")?;
            let updated_at = time("updated_at")?;
            Thing::Asset(pb::Asset { created_at, updated_at, ..assets::asset(row)? })
        }
        _ => Thing::Key(pb::LegacyKey {
            id: row.get("id")?,
            name: row.get("name")?,
            created_at,
            expires_at: row.get::<Option<Timestamp>>("expires_at")?.map(|at| at.to_string()),
            opens: row.get("opens")?,
        }),
    };
    Ok(Shown { thing, campaign_client })
}

/// An asset that came without a client has its campaign's here, which is not told: nothing happened to it.
pub(super) fn without_campaigns_client(shown: Shown, came: &Event) -> Thing {
    let Shown { mut thing, campaign_client } = shown;
    if let (Thing::Asset(asset), Event::AssetImported(came)) = (&mut thing, came)
        && came.client_id.is_none()
        && asset.client_id == campaign_client
    {
        asset.client_id = None;
    }
    thing
}

/// What the log says of it, with bytes that were found later.
pub(super) fn as_it_came(event: Event, added: Option<AssetBytesAdded>) -> Option<Thing> {
    Some(match event {
        Event::ClientImported(event) => Thing::Client(client(*event)),
        Event::CampaignImported(event) => Thing::Campaign(campaign(*event)),
        Event::AssetImported(event) => Thing::Asset(asset(with(*event, added))),
        Event::KeyImported(event) => Thing::Key(key(*event)),
        _ => return None,
    })
}

fn with(asset: AssetImported, added: Option<AssetBytesAdded>) -> AssetImported {
    let Some(added) = added else { return asset };
    AssetImported {
        kind: added.kind,
        blob: Some(added.blob),
        thumbnail: added.thumbnail,
        format: added.format,
        width: added.width,
        height: added.height,
        duration_ms: added.duration_ms,
        ..asset
    }
}

fn json(metadata: Option<Map<String, Value>>) -> Option<String> {
    metadata.map(|metadata| Value::Object(metadata).to_string())
}

fn client(ClientImported { created_at, updated_at, client, .. }: ClientImported) -> pb::Client {
    pb::Client {
        id: client.client_id,
        name: client.name,
        description: client.description,
        homepage: client.homepage,
        brand_guidelines: client.brand_guidelines,
        metadata_json: json(client.metadata),
        created_at: created_at.to_string(),
        updated_at: updated_at.to_string(),
    }
}

fn campaign(CampaignImported { created_at, updated_at, campaign, .. }: CampaignImported) -> pb::Campaign {
    pb::Campaign {
        id: campaign.campaign_id,
        client_id: campaign.client_id,
        name: campaign.name,
        goal: campaign.goal,
        status: campaign.status,
        product_url: campaign.product_url,
        brief: campaign.brief,
        metadata_json: json(campaign.metadata),
        created_at: created_at.to_string(),
        updated_at: updated_at.to_string(),
    }
}

fn asset(event: AssetImported) -> pb::Asset {
    pb::Asset {
        id: event.asset_id,
        r#type: event.kind,
        client_id: event.client_id,
        campaign_id: event.campaign_id,
        name: event.name,
        description: event.description,
        tags: event.tags,
        metadata_json: json(event.metadata),
        source_url: event.source_url,
        blob: event.blob.map(Into::into),
        thumbnail: event.thumbnail.map(Into::into),
        format: event.format,
        width: event.width,
        height: event.height,
        duration_ms: event.duration_ms,
        created_at: event.created_at.to_string(),
        updated_at: event.updated_at.to_string(),
    }
}

fn key(event: KeyImported) -> pb::LegacyKey {
    pb::LegacyKey {
        id: event.key_id,
        name: event.name,
        created_at: event.created_at.to_string(),
        expires_at: event.expires_at.map(|at| at.to_string()),
        opens: false,
    }
}
