//! Bringing over what older databases hold.

mod bytes;
mod concurrent;
mod listing;
mod looks;
mod outcomes;
mod replay;

use protos::asset::v1 as pb;
use protos::asset::v1::legacy_thing::Thing;
use protos::common::v1::{BlobRef, ImportOutcome, ImportResult, Origin};
use sha2::{Digest as _, Sha256};

use crate::world::{World, ok};

pub(crate) const CREATED: &str = "2023-05-06T07:08:09.123456Z";
pub(crate) const UPDATED: &str = "2024-06-07T08:09:10Z";
const CLIENT: &str = "6f1e8a52-0000-4b39-9f0d-0d2a4c1f9e11";
const CAMPAIGN: &str = "6f1e8a52-0000-4b39-9f0d-0d2a4c1f9e22";
const ASSET: &str = "6f1e8a52-0000-4b39-9f0d-0d2a4c1f9e33";
const KEY: &str = "key-7";

/// A row of a table with this content.
fn origin(table: &str, row: &str, content: &str) -> Option<Origin> {
    let digest = hex::encode(Sha256::digest(content));
    Some(Origin { source: "scenes.db".into(), table: table.into(), row: row.into(), digest })
}

fn thing(table: &str, row: &str, thing: Thing) -> pb::LegacyThing {
    let content = format!("{thing:?}");
    pb::LegacyThing { origin: origin(table, row, &content), thing: Some(thing) }
}

fn a_client(id: &str) -> pb::Client {
    pb::Client {
        id: id.into(),
        name: "Nordwind Stays Ø".into(),
        description: Some(String::new()),
        homepage: Some("https://northwind.example".into()),
        brand_guidelines: Some(r#"{"tone":"calm","colors":null}"#.into()),
        metadata_json: Some(r#"{"b":1,"a":[null,2.5]}"#.into()),
        created_at: CREATED.into(),
        updated_at: UPDATED.into(),
    }
}

fn a_campaign(id: &str, client_id: &str) -> pb::Campaign {
    pb::Campaign {
        id: id.into(),
        client_id: client_id.into(),
        name: "n".repeat(300),
        goal: Some("bookings".into()),
        status: Some("active".into()),
        product_url: None,
        brief: Some("{}".into()),
        metadata_json: None,
        created_at: CREATED.into(),
        updated_at: UPDATED.into(),
    }
}

fn an_asset(id: &str, blob: Option<BlobRef>) -> pb::Asset {
    pb::Asset {
        id: id.into(),
        r#type: "image".into(),
        client_id: Some(CLIENT.into()),
        campaign_id: Some(CAMPAIGN.into()),
        name: Some("Lobby 1".into()),
        description: Some("bright".into()),
        tags: vec!["lobby".into(), "dåy".into()],
        metadata_json: Some(r#"{"room":"lobby"}"#.into()),
        source_url: Some("https://img.example/lobby.jpg".into()),
        blob,
        format: "JPG".into(),
        created_at: CREATED.into(),
        updated_at: UPDATED.into(),
        ..pb::Asset::default()
    }
}

fn client(id: &str) -> pb::LegacyThing {
    thing("clients", id, Thing::Client(a_client(id)))
}

fn campaign(id: &str) -> pb::LegacyThing {
    thing("campaigns", id, Thing::Campaign(a_campaign(id, CLIENT)))
}

fn asset(asset: pb::Asset) -> pb::LegacyThing {
    thing("assets", &asset.id.clone(), Thing::Asset(asset))
}

fn key() -> pb::LegacyThing {
    let key = pb::LegacyKey {
        id: KEY.into(),
        name: "site".into(),
        created_at: CREATED.into(),
        expires_at: Some("2099-01-01T00:00:00Z".into()),
        opens: false,
    };
    thing("api_keys", "7", Thing::Key(key))
}

/// A client, its campaign, an asset of it with these bytes and a key.
fn everything(blob: Option<BlobRef>) -> Vec<pb::LegacyThing> {
    vec![client(CLIENT), campaign(CAMPAIGN), asset(an_asset(ASSET, blob)), key()]
}

/// The same from a row that has another content by now.
fn changed(mut given: pb::LegacyThing) -> pb::LegacyThing {
    if let Some(origin) = &mut given.origin {
        origin.digest = "ab".repeat(32);
    }
    given
}

impl World {
    async fn import(&self, things: impl Into<Vec<pb::LegacyThing>>) -> Vec<ImportResult> {
        let request = pb::ImportRequest { things: things.into() };
        ok(self.legacy.clone().import(request).await).results
    }

    /// What became of each, without reasons.
    async fn outcomes(&self, things: impl Into<Vec<pb::LegacyThing>>) -> Vec<ImportOutcome> {
        self.import(things).await.iter().map(ImportResult::outcome).collect()
    }

    async fn one(&self, thing: pb::LegacyThing) -> (ImportOutcome, String) {
        let [result] = self.import([thing]).await.try_into().unwrap();
        (result.outcome(), result.reason)
    }

    async fn found(&self, id: &str) -> pb::Asset {
        ok(self.client.clone().get_asset(pb::GetAssetRequest { id: id.into() }).await)
    }

    async fn listed(&self) -> Vec<pb::ImportedThing> {
        let request = pb::ListImportedRequest { source: "scenes.db".into(), ..Default::default() };
        ok(self.legacy.clone().list_imported(request).await).things
    }
}
