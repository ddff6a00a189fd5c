//! The events of clients, campaigns, assets and keys, as the log stores them.
//!
//! Each holds everything that was decided, so that the read tables can be made again from the log alone.

mod data;

use anyhow::Context as _;
use eventlog::{Append, Meta, NewEvent, Statement, StoredEvent};
use jiff::Timestamp;
use kit::ServiceError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

pub use data::{
    ApiKeyCreated, ApiKeyRevoked, AssetDeleted, AssetStored, Blob, CampaignCreated, CampaignDeleted,
    CampaignUpdated, ClientCreated, ClientDeleted, ClientUpdated,
};

use crate::store;

/// Version of the shapes in them; a change to one of them needs a new version and an upcaster.
pub const SCHEMA_VERSION: u32 = 1;

macro_rules! events {
    ($($kind:ident($event:ident): $noun:literal $id:expr, $text:literal;)*) => {
        /// What is stored.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $(#[doc = $text] $kind(Box<$kind>),)*
        }

        impl Event {
            /// The name that it is stored under.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => stringify!($kind),)* }
            }

            /// The id of what it is about.
            #[must_use]
            pub fn entity(&self) -> &str {
                match self { $(Self::$kind($event) => &$id,)* }
            }

            /// The stream of what it is about.
            #[must_use]
            pub fn stream(&self) -> String {
                let noun = match self { $(Self::$kind(_) => $noun,)* };
                format!("{noun}-{}", self.entity())
            }

            /// Reads a stored event; none when it is of a kind that this build does not know.
            ///
            /// # Errors
            /// The data does not fit its kind.
            pub fn from_stored(stored: &StoredEvent) -> anyhow::Result<Option<Self>> {
                let event = match stored.kind.as_str() {
                    $(stringify!($kind) => Self::$kind(read(stored)?),)*
                    _ => return Ok(None),
                };
                Ok(Some(event))
            }

            /// Its data.
            ///
            /// # Errors
            /// It has no JSON form.
            pub fn data(&self) -> serde_json::Result<Value> {
                match self { $(Self::$kind(event) => serde_json::to_value(event),)* }
            }
        }

        $(impl From<$kind> for Event {
            fn from(data: $kind) -> Self {
                Self::$kind(Box::new(data))
            }
        })*
    };
}

events! {
    ClientCreated(event): "client" event.client_id, "A client is there.";
    ClientUpdated(event): "client" event.now.client_id, "A client's fields have changed.";
    ClientDeleted(event): "client" event.client_id, "A client is gone.";
    CampaignCreated(event): "campaign" event.campaign_id, "A campaign is there.";
    CampaignUpdated(event): "campaign" event.now.campaign_id, "A campaign's fields have changed.";
    CampaignDeleted(event): "campaign" event.campaign_id, "A campaign is gone.";
    AssetStored(event): "asset" event.asset_id, "An asset is there; its bytes were durable before.";
    AssetDeleted(event): "asset" event.asset_id, "An asset is gone.";
    ApiKeyCreated(event): "key" event.key_id, "A key is in force.";
    ApiKeyRevoked(event): "key" event.key_id, "A key is in force no more.";
}

impl Event {
    /// The event, to be appended.
    pub(crate) fn to_new(&self, meta: Meta, at: Timestamp) -> Result<NewEvent, ServiceError> {
        let data = self.data().map_err(ServiceError::internal)?;
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).schema_version(SCHEMA_VERSION).meta(meta))
    }

    /// What it changes in the read tables when it is stored. It is only stored while what it tells of an owner is
    /// true: otherwise it is decided again.
    pub(crate) fn rows(&self, at: Timestamp) -> Vec<Statement> {
        match self {
            Self::AssetStored(event) => {
                let client = event.client_id.as_deref();
                let campaign = event.campaign_id.iter();
                let premise = campaign.map(|id| store::campaigns::is_still_of(id, client));
                premise.chain(self.rows_again(at)).collect()
            }
            Self::CampaignDeleted(event) => {
                vec![store::delete_of("campaign", &event.campaign_id, Some(&event.client_id))]
            }
            Self::AssetDeleted(event) => {
                vec![store::delete_of("asset", &event.asset_id, event.client_id.as_deref())]
            }
            _ => self.rows_again(at),
        }
    }

    /// The same for what is in the log already, and has happened whatever it rested on.
    fn rows_again(&self, at: Timestamp) -> Vec<Statement> {
        match self {
            Self::ClientCreated(event) => vec![store::clients::insert(event, &self.stream(), at)],
            Self::ClientUpdated(event) => vec![store::clients::update(&event.now, at)],
            Self::ClientDeleted(event) => vec![store::delete("client", &event.client_id)],
            Self::CampaignCreated(event) => vec![store::campaigns::insert(event, &self.stream(), at)],
            Self::CampaignUpdated(event) => store::campaigns::update(&event.now, at),
            Self::CampaignDeleted(event) => vec![store::delete("campaign", &event.campaign_id)],
            Self::AssetStored(event) => vec![store::assets::insert(event, &self.stream(), at)],
            Self::AssetDeleted(event) => vec![store::delete("asset", &event.asset_id)],
            Self::ApiKeyCreated(event) => vec![store::keys::insert(event, &self.stream(), at)],
            Self::ApiKeyRevoked(event) => vec![store::keys::revoke(&event.key_id, at)],
        }
    }
}

/// The append that stores an event of another log as it was there, with its row: a log replayed into an empty
/// database gives the same tables.
///
/// # Errors
/// The event cannot be read.
pub fn replay(stored: &StoredEvent) -> anyhow::Result<Append> {
    let again = NewEvent {
        id: stored.id,
        kind: stored.kind.clone(),
        schema_version: stored.schema_version,
        data: stored.data.clone(),
        meta: stored.meta.clone(),
        recorded_at: stored.recorded_at,
    };
    let rows = Event::from_stored(stored)?.map(|event| event.rows_again(stored.recorded_at));
    Ok(Append::to(&stored.stream).event(again).statements(rows.unwrap_or_default()))
}

fn read<T: DeserializeOwned>(stored: &StoredEvent) -> anyhow::Result<T> {
    stored.data.read().with_context(|| format!("reading {} at position {}", stored.kind, stored.position))
}
