//! Stored events, translated into what the world is told (`proto/asset/v1/events.proto`).
//!
//! Stored events may change; what is published only grows.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::asset::v1 as pb;

use crate::events::{
    AssetDeleted, AssetStored, CampaignCreated, CampaignDeleted, CampaignUpdated, ClientUpdated, Event,
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
        // Who may come in is nobody else's business.
        Event::ApiKeyCreated(_) | Event::ApiKeyRevoked(_) => return Ok(None),
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
