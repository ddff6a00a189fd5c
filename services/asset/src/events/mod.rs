//! The events of clients, campaigns, assets and keys, as the log stores them.
//!
//! Each holds everything that was decided, so that the read tables can be made again from the log alone.

mod data;
mod imported;

use anyhow::Context as _;
use eventlog::{Append, Meta, NewEvent, Statement, StoredEvent};
use jiff::Timestamp;
use kit::ServiceError;
use serde_json::Value;
use uuid::Uuid;

pub use data::{
    ApiKeyCreated, ApiKeyRevoked, AssetDeleted, AssetStored, Blob, CampaignCreated, CampaignDeleted,
    CampaignUpdated, ClientCreated, ClientDeleted, ClientUpdated,
};
pub use imported::{AssetBytesAdded, AssetImported, CampaignImported, ClientImported, KeyImported, Origin};

use crate::store::{self, Times, assets::NewRow};

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
                let event = Self::from_text(&stored.kind, stored.data.as_str());
                event.with_context(|| format!("reading {} at position {}", stored.kind, stored.position))
            }

            /// As [`Event::from_stored`], of its kind and the text of its data.
            pub(crate) fn from_text(kind: &str, data: &str) -> serde_json::Result<Option<Self>> {
                let event = match kind {
                    $(stringify!($kind) => Self::$kind(serde_json::from_str(data)?),)*
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
    ClientImported(event): "client" event.client.client_id, "A client was brought over.";
    CampaignImported(event): "campaign" event.campaign.campaign_id, "A campaign was brought over.";
    AssetImported(event): "asset" event.asset_id, "An asset was brought over; what bytes it has were durable before.";
    AssetBytesAdded(event): "asset" event.asset_id, "The bytes of an asset that was brought over were found.";
    KeyImported(event): "key" event.key_id, "A key was brought over; it opens nothing.";
}

impl Event {
    /// Where it was brought over from, if it begins what was brought over.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::ClientImported(event) => Some(&event.origin),
            Self::CampaignImported(event) => Some(&event.origin),
            Self::AssetImported(event) => Some(&event.origin),
            Self::KeyImported(event) => Some(&event.origin),
            _ => None,
        }
    }

    /// The client that something that is brought over belongs to.
    pub(crate) fn owner_client(&self) -> Option<&String> {
        match self {
            Self::CampaignImported(event) => Some(&event.campaign.client_id),
            Self::AssetImported(event) => event.client_id.as_ref(),
            _ => None,
        }
    }

    /// The campaign that something that is brought over belongs to.
    pub(crate) fn owner_campaign(&self) -> Option<&String> {
        match self {
            Self::AssetImported(event) => event.campaign_id.as_ref(),
            _ => None,
        }
    }

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
                self.rows_while(event.campaign_id.as_deref(), event.client_id.as_deref(), at)
            }
            // One that came without a client is its campaign's, whosever that is.
            Self::AssetImported(event) if event.client_id.is_some() => {
                self.rows_while(event.campaign_id.as_deref(), event.client_id.as_deref(), at)
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

    /// As long as the campaign, if there is one, is this client's.
    fn rows_while(&self, campaign: Option<&str>, client: Option<&str>, at: Timestamp) -> Vec<Statement> {
        let premise = campaign.map(|id| store::campaigns::is_still_of(id, client));
        premise.into_iter().chain(self.rows_again(at)).collect()
    }

    /// The same for what is in the log already, and has happened whatever it rested on.
    fn rows_again(&self, at: Timestamp) -> Vec<Statement> {
        match self {
            Self::ClientCreated(event) => vec![store::clients::insert(event, &self.stream(), Times::new(at))],
            Self::ClientUpdated(event) => vec![store::clients::update(&event.now, at)],
            Self::ClientDeleted(event) => vec![store::delete("client", &event.client_id)],
            Self::CampaignCreated(event) => {
                vec![store::campaigns::insert(event, &self.stream(), Times::new(at))]
            }
            Self::CampaignUpdated(event) => store::campaigns::update(&event.now, at),
            Self::CampaignDeleted(event) => vec![store::delete("campaign", &event.campaign_id)],
            Self::AssetStored(event) => {
                vec![store::assets::insert(NewRow::stored(event, at), &self.stream())]
            }
            Self::AssetDeleted(event) => vec![store::delete("asset", &event.asset_id)],
            Self::ApiKeyCreated(event) => vec![store::keys::insert(event, &self.stream(), at)],
            Self::ApiKeyRevoked(event) => vec![store::keys::revoke(&event.key_id, at)],
            Self::ClientImported(_)
            | Self::CampaignImported(_)
            | Self::AssetImported(_)
            | Self::AssetBytesAdded(_)
            | Self::KeyImported(_) => self.rows_imported(at),
        }
    }

    /// Rows of what was brought over; they have the times of the older database.
    fn rows_imported(&self, at: Timestamp) -> Vec<Statement> {
        let stream = self.stream();
        let (row, origin, kind) = match self {
            Self::ClientImported(event) => {
                let times = Times { created_at: event.created_at, updated_at: event.updated_at };
                (store::clients::insert(&event.client, &stream, times), &event.origin, "client")
            }
            Self::CampaignImported(event) => {
                let times = Times { created_at: event.created_at, updated_at: event.updated_at };
                (store::campaigns::insert(&event.campaign, &stream, times), &event.origin, "campaign")
            }
            Self::AssetImported(event) => {
                (store::assets::insert(NewRow::imported(event), &stream), &event.origin, "asset")
            }
            Self::KeyImported(event) => {
                (store::keys::insert_imported(event, &stream, at), &event.origin, "key")
            }
            Self::AssetBytesAdded(event) => {
                return vec![store::assets::add_bytes(event), store::imported::set_digest(&event.origin)];
            }
            _ => return Vec::new(),
        };
        vec![row, store::imported::insert(origin, kind, self.entity(), &stream)]
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
