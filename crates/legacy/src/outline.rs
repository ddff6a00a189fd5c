//! Whose things are: the clients and campaigns that a source has, and what becomes of orphans.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use protos::{
    asset::v1::{Client, LegacyThing, legacy_thing},
    common::v1::Origin,
};
use sha2::{Digest as _, Sha256};

use crate::{
    model::{Found, IMPORTED_CLIENT, Row, RowKey, Stage, Thing},
    source::{
        Orphans, SourceError,
        reader::Reader,
        rows::{Record, uuid},
    },
};

/// The table that the client that keeps orphans is said to be in.
pub(crate) const KEEPER_TABLE: &str = "(orphans)";

/// The clients and campaigns of a source. In both kinds they are in the tables `clients` and `campaigns`.
#[derive(Debug)]
pub(crate) struct Outline {
    orphans: Orphans,
    clients: HashSet<String>,
    campaigns: HashMap<String, Campaign>,
}

#[derive(Debug)]
struct Campaign {
    name: String,
    /// As the row says it.
    client: Option<String>,
}

/// Whose something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The client's id.
    pub(crate) client: String,
    /// The campaign's id.
    pub(crate) campaign: Option<String>,
    /// How that differs from what the row says, and why; for a person.
    pub(crate) note: Option<String>,
}

/// Whose a job is. Unlike other things it may be nobody's: what was paid for is kept whatever became of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobOwner {
    /// The client's id.
    pub(crate) client: Option<String>,
    /// The campaign's id, as the job names it: also one that is not in the source or is left out.
    pub(crate) campaign: Option<String>,
    /// As [`Owner::note`].
    pub(crate) note: Option<String>,
}

impl Outline {
    /// Reads which clients and campaigns there are. Rows whose ids cannot be read are told when they are read themselves.
    pub(crate) fn read(reader: &Reader, orphans: Orphans) -> Result<Self, SourceError> {
        let id = |row: &Record, column| row.optional_text(column).ok().flatten().and_then(uuid);
        let clients = reader.every("clients")?.iter().filter_map(|row| id(row, "id")).collect();
        let mut campaigns = HashMap::new();
        for row in reader.every("campaigns")? {
            if let Some(key) = id(&row, "id") {
                let name = row.filled("name").ok().flatten().unwrap_or_default().to_owned();
                let client = row.filled("client_id").ok().flatten().map(str::to_owned);
                campaigns.insert(key, Campaign { name, client });
            }
        }
        Ok(Self { orphans, clients, campaigns })
    }

    /// What is done with orphans.
    pub(crate) fn orphans(&self) -> Orphans {
        self.orphans
    }

    /// Whether there is such a campaign.
    pub(crate) fn has_campaign(&self, id: &str) -> bool {
        self.campaigns.contains_key(id)
    }

    /// The name of a campaign; empty when there is no such campaign.
    pub(crate) fn campaign_name(&self, id: &str) -> &str {
        self.campaigns.get(id).map_or("", |campaign| &campaign.name)
    }

    /// Whose a campaign is, by the client that its row names.
    ///
    /// # Errors
    /// It is an orphan that is to be left out: why.
    pub(crate) fn owner_of_campaign(&self, client: Option<&str>) -> Result<Owner, String> {
        match self.client(client) {
            Ok(client) => Ok(Owner { client, campaign: None, note: None }),
            Err(why) => self.keep(None, why),
        }
    }

    /// Whose something is, by the client and the campaign that its row names. A campaign that exists decides: it belongs
    /// to one client, so whatever else the row says of the client is wrong. A client alone is enough of an owner.
    ///
    /// # Errors
    /// It is an orphan that is to be left out: why.
    pub(crate) fn owner(&self, client: Option<&str>, campaign: Option<&str>) -> Result<Owner, String> {
        let (client, campaign) = (said(client), said(campaign));
        let own = self.client(client);
        let Some(text) = campaign else {
            return match own {
                Ok(client) => Ok(Owner { client, campaign: None, note: None }),
                Err(why) => self.keep(None, why),
            };
        };
        let found = uuid(text).and_then(|id| self.campaigns.get(&id).map(|campaign| (id, campaign)));
        let Some((id, of)) = found else {
            let gone = format!("its campaign {text} is not in the source");
            return match own {
                Ok(client) => Ok(Owner { client, campaign: None, note: Some(gone) }),
                Err(_) if client.is_none() => self.keep(None, gone),
                Err(why) => self.keep(None, format!("{gone}, and {why}")),
            };
        };
        match (self.client(of.client.as_deref()), own) {
            (Ok(right), own) => {
                let note = client.filter(|_| own.as_ref() != Ok(&right)).map(|client| {
                    format!("the row names the client {client}, but its campaign belongs to {right}")
                });
                Ok(Owner { client: right, campaign: Some(id), note })
            }
            // The campaign itself is an orphan.
            (Err(why), own) => match (self.orphans, own) {
                (Orphans::Skip, Ok(client)) => {
                    let note = format!("its campaign {id} is left out: {why}");
                    Ok(Owner { client, campaign: None, note: Some(note) })
                }
                (_, _) => self.keep(Some(id), format!("of its campaign, {why}")),
            },
        }
    }

    /// Whose a job is, as [`Outline::owner`]; it keeps the campaign that it names, whatever became of that.
    pub(crate) fn owner_of_job(&self, client: Option<&str>, campaign: Option<&str>) -> JobOwner {
        let keeper = IMPORTED_CLIENT.to_string();
        let named = said(campaign).and_then(uuid);
        match self.owner(client, campaign) {
            // Kept with its campaign, or somebody's.
            Ok(Owner { client, campaign, note }) if campaign.is_some() || client != keeper => {
                JobOwner { client: Some(client), campaign: campaign.or(named), note }
            }
            Ok(Owner { note, .. }) => JobOwner { client: None, campaign: named, note },
            Err(why) => JobOwner { client: None, campaign: named, note: Some(why) },
        }
    }

    /// The id of a client that exists.
    fn client(&self, text: Option<&str>) -> Result<String, String> {
        let Some(text) = said(text) else { return Err("it has no client".to_owned()) };
        let id = uuid(text).ok_or_else(|| format!("its client {text:?} is no client's id"))?;
        if self.clients.contains(&id) {
            Ok(id)
        } else {
            Err(format!("its client {text} is not in the source"))
        }
    }

    fn keep(&self, campaign: Option<String>, why: String) -> Result<Owner, String> {
        match self.orphans {
            Orphans::Skip => Err(why),
            Orphans::Keep => Ok(Owner { client: IMPORTED_CLIENT.to_string(), campaign, note: Some(why) }),
        }
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The key of the client that keeps orphans.
pub(crate) fn keeper_key() -> RowKey {
    RowKey { stage: Stage::Clients, table: KEEPER_TABLE, row: IMPORTED_CLIENT.to_string(), rowid: 0 }
}

/// The client that keeps orphans. `source`: the source's name. `created_at`: since when. That does not count into its
/// digest, so that it stays the same when an older orphan turns up.
pub(crate) fn keeper(source: &str, created_at: &str) -> Row {
    let id = IMPORTED_CLIENT.to_string();
    let client = Client {
        id: id.clone(),
        name: "Imported".to_owned(),
        description: Some(
            "Keeps what was brought over from older databases and had no client there.".to_owned(),
        ),
        created_at: created_at.to_owned(),
        updated_at: created_at.to_owned(),
        ..Client::default()
    };
    let digest = hex::encode(Sha256::digest(format!("{KEEPER_TABLE} {id}")));
    let origin = Origin { source: source.to_owned(), table: KEEPER_TABLE.to_owned(), row: id, digest };
    let thing = LegacyThing { origin: Some(origin), thing: Some(legacy_thing::Thing::Client(client)) };
    Row::Found(Box::new(Found { thing: Thing::Stored(thing), bytes: Vec::new(), missing: None }))
}

/// The client of something, and when it was created.
pub(crate) fn owner_and_time(thing: &Thing) -> Option<(&str, &str)> {
    match thing {
        Thing::Job(job) => Some((job.client_id.as_deref()?, &job.created_at)),
        Thing::Stored(thing) => match thing.thing.as_ref()? {
            legacy_thing::Thing::Campaign(campaign) => Some((&campaign.client_id, &campaign.created_at)),
            legacy_thing::Thing::Asset(asset) => Some((asset.client_id.as_deref()?, &asset.created_at)),
            legacy_thing::Thing::Client(_) | legacy_thing::Thing::Key(_) => None,
        },
    }
}

/// Whether one time (RFC 3339) is before another.
pub(crate) fn earlier(one: &str, other: &str) -> bool {
    one.parse::<Timestamp>().ok() < other.parse::<Timestamp>().ok()
}
