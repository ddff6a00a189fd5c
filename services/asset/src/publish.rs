//! Stored events, translated into what the world is told (`proto/asset/v1/events.proto`).
//!
//! Stored events may change; what is published only grows.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::asset::v1 as pb;

use crate::events::{
    AssetBytesAdded, AssetDeleted, AssetImported, AssetStored, CampaignCreated, CampaignDeleted,
    CampaignUpdated, ClientUpdated, Event,
};

/// What is published for a stored event; nothing for keys.
///
/// # Errors
/// The event cannot be read.
pub fn translate(stored: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    let event = Event::from_stored(stored).map_err(|error| TranslateError::new(format!("{error:#}")))?;
    let Some(event) = event else {
        return Err(TranslateError::new(format!("{} is not known to this build", stored.kind)));
    };
    let entity = event.entity().to_owned();
    let published = match event {
        Event::ClientCreated(event) => {
            let message = pb::ClientCreated { client_id: event.client_id, name: event.name };
            Published::new(entity, "client_created", &message)
        }
        Event::ClientUpdated(event) => {
            let ClientUpdated { changed, now } = *event;
            let message = pb::ClientUpdated { client_id: now.client_id, name: now.name, changed };
            Published::new(entity, "client_updated", &message)
        }
        Event::ClientDeleted(event) => {
            Published::new(entity, "client_deleted", &pb::ClientDeleted { client_id: event.client_id })
        }
        Event::CampaignCreated(event) => {
            let CampaignCreated { campaign_id, client_id, name, .. } = *event;
            Published::new(entity, "campaign_created", &pb::CampaignCreated { campaign_id, client_id, name })
        }
        Event::CampaignUpdated(event) => {
            let CampaignUpdated { changed, now: CampaignCreated { campaign_id, client_id, name, .. } } =
                *event;
            let message = pb::CampaignUpdated { campaign_id, client_id, name, changed };
            Published::new(entity, "campaign_updated", &message)
        }
        Event::CampaignDeleted(event) => {
            let CampaignDeleted { campaign_id, client_id } = *event;
            Published::new(entity, "campaign_deleted", &pb::CampaignDeleted { campaign_id, client_id })
        }
        Event::AssetStored(event) => Published::new(entity, "asset_stored", &stored_asset(*event)),
        Event::AssetDeleted(event) => {
            let AssetDeleted { asset_id, client_id, campaign_id } = *event;
            Published::new(entity, "asset_deleted", &pb::AssetDeleted { asset_id, client_id, campaign_id })
        }
        Event::ClientImported(event) => {
            let message = pb::ClientImported {
                client_id: event.client.client_id,
                name: event.client.name,
                origin: Some(event.origin.into()),
                created_at: event.created_at.to_string(),
            };
            Published::new(entity, "client_imported", &message)
        }
        Event::CampaignImported(event) => {
            let CampaignCreated { campaign_id, client_id, name, .. } = event.campaign;
            let (origin, created_at) = (Some(event.origin.into()), event.created_at.to_string());
            let message = pb::CampaignImported { campaign_id, client_id, name, origin, created_at };
            Published::new(entity, "campaign_imported", &message)
        }
        Event::AssetImported(event) => Published::new(entity, "asset_imported", &imported_asset(*event)),
        Event::AssetBytesAdded(event) => Published::new(entity, "asset_bytes_added", &added_bytes(*event)),
        // Who may come in is nobody else's business.
        Event::ApiKeyCreated(_) | Event::ApiKeyRevoked(_) | Event::KeyImported(_) => return Ok(None),
    };
    published.map(Some)
}

fn stored_asset(event: AssetStored) -> pb::AssetStored {
    pb::AssetStored {
        asset_id: event.asset_id,
        r#type: event.kind,
        client_id: event.client_id,
        campaign_id: event.campaign_id,
        blob: Some(event.blob.into()),
        width: event.width,
        height: event.height,
        duration_ms: event.duration_ms,
    }
}

fn imported_asset(event: AssetImported) -> pb::AssetImported {
    pb::AssetImported {
        asset_id: event.asset_id,
        r#type: event.kind,
        client_id: event.client_id,
        campaign_id: event.campaign_id,
        blob: event.blob.map(Into::into),
        width: event.width,
        height: event.height,
        duration_ms: event.duration_ms,
        origin: Some(event.origin.into()),
        created_at: event.created_at.to_string(),
    }
}

fn added_bytes(event: AssetBytesAdded) -> pb::AssetBytesAdded {
    pb::AssetBytesAdded {
        asset_id: event.asset_id,
        r#type: event.kind,
        blob: Some(event.blob.into()),
        width: event.width,
        height: event.height,
        duration_ms: event.duration_ms,
        origin: Some(event.origin.into()),
    }
}
