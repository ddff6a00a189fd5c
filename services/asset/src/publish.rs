//! Stored events, translated into what the world is told (`proto/asset/v1/events.proto`).
//!
//! Stored events may change; what is published only grows.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::asset::v1 as pb;

use crate::events::Event;

/// What is published for a stored event.
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
        Event::CampaignCreated(event) => {
            let message = pb::CampaignCreated {
                campaign_id: event.campaign_id,
                client_id: event.client_id,
                name: event.name,
            };
            Published::new(entity, "campaign_created", &message)
        }
        Event::AssetStored(event) => {
            let message = pb::AssetStored {
                asset_id: event.asset_id,
                r#type: event.kind,
                client_id: event.client_id,
                campaign_id: event.campaign_id,
                blob: Some(event.blob.into()),
                width: event.width,
                height: event.height,
                duration_ms: event.duration_ms,
            };
            Published::new(entity, "asset_stored", &message)
        }
    };
    published.map(Some)
}
