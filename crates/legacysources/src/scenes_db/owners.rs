//! People, keys, clients and campaigns.

use anyhow::Result;
use serde_json::{Value, json};

use super::maker::Maker;
use crate::{
    json,
    truth::{CampaignTruth, ClientTruth, KeyTruth, Why},
};

/// Ids of clients that are there.
pub(super) type Clients = [String; 2];

/// Ids of campaigns.
pub(super) struct Campaigns {
    /// Two of each client.
    pub(super) good: [String; 4],
    /// Those whose clients are gone.
    pub(super) orphans: Vec<String>,
}

/// Name, goal, status, brief and metadata of a campaign.
type Outline<'a> = (&'a str, &'a str, &'static str, Option<Value>, Option<Value>);

impl Maker<'_> {
    /// Two people and three keys: one that is valid for ever, one that ran out and was revoked, and one whose
    /// hash is of a kind that nothing understands.
    pub(super) fn accounts(&mut self) -> Result<()> {
        for (id, name) in [(1, "admin"), (2, "agentur-süd")] {
            let created = self.clock.tick(60).sqlite();
            let hash = format!("$2b$12${}", self.dice.letters(53));
            self.put(
                "users",
                &[
                    ("id", &id),
                    ("username", &name),
                    ("email", &format!("{id}@example.com")),
                    ("hashed_password", &hash),
                    ("is_admin", &(id == 1)),
                    ("created_at", &created),
                ],
            )?;
            self.leave_out("users", id, Why::Account);
        }
        for (id, name) in [(1, "production frontend"), (2, "Übergang"), (3, "old script")] {
            let created = self.clock.tick(60);
            let expires = created.plus(30 * 86_400).with_micros(123_456);
            let hash = if id == 3 { self.dice.hex(64) } else { format!("$2b$12${}", self.dice.letters(53)) };
            self.put(
                "api_keys",
                &[
                    ("id", &id),
                    ("key_hash", &hash),
                    ("name", &name),
                    ("user_id", &1),
                    ("is_active", &(id != 2)),
                    ("created_at", &created.sqlite()),
                    ("expires_at", &(id == 2).then(|| expires.python())),
                ],
            )?;
            self.truth.keys.push(KeyTruth {
                row: id.to_string(),
                name: name.to_owned(),
                created_at: created.rfc3339(),
                expires_at: (id == 2).then(|| expires.rfc3339()),
            });
        }
        Ok(())
    }

    /// Two clients, four campaigns of theirs and five of clients that are gone.
    pub(super) fn owners(&mut self) -> Result<(Clients, Campaigns)> {
        let clients = self.two_clients()?;
        let mut good = Vec::new();
        let plain =
            || Some(json!({"objective": "Bookings", "targetAudience": "Families", "keyMessages": ["Sea"]}));
        let free = || Some(json!({"mood": "ruhig & hell", "rooms": 5, "extra": {"deep": [1, 2, null]}}));
        let outlines: [Outline<'_>; 9] = [
            ("Villa Azure", "Show the villa", "active", plain(), Some(json!({"season": "2025/26"}))),
            ("Stadtwohnung Köln", "Vermietung – schnell", "draft", None, None),
            ("別荘 🏡", "", "archived", free(), None),
            ("Harbour loft", "Sell", "active", Some(json!({})), Some(json!({}))),
            ("Left over 1", "Gone", "active", None, None),
            ("Left over 2", "Gone", "draft", plain(), None),
            ("Left over 3", "Gone", "archived", free(), None),
            ("Left over 4", "Gone", "active", None, None),
            ("Left over 5", "Gone", "draft", None, None),
        ];
        let gone = [self.dice.uuid(), self.dice.uuid()];
        for (n, outline) in outlines.into_iter().enumerate() {
            let client = if n < 4 { &clients[n / 2] } else { &gone[n % 2] };
            good.push(self.campaign(client, n >= 4, outline)?);
        }
        let orphans = good.split_off(4);
        let good = good.try_into().unwrap_or_default();
        Ok((clients, Campaigns { good, orphans }))
    }

    /// A client with the newer guidelines and everything else, and one with the older ones and an empty
    /// description.
    pub(super) fn two_clients(&mut self) -> Result<Clients> {
        let newer = json!({
            "colors": ["#003366", "#ffffff"], "fonts": null, "tone": "warm", "restrictions": null,
            "examples": [],
        });
        let older = json!({
            "colors": ["navy"], "fonts": ["Inter"], "styleKeywords": ["calm", "größer"], "documentUrls": null,
        });
        let first = ClientTruth {
            id: self.dice.uuid(),
            name: "Azure Stays".to_owned(),
            description: Some("Holiday homes by the sea, \"quiet\" ones.".to_owned()),
            homepage: Some("https://azure.example.com/".to_owned()),
            brand_guidelines: Some(json::python(&newer)),
            metadata: Some(json!({"crm_id": 4711, "tags": ["vip", "möbliert"]})),
            created_at: String::new(),
            updated_at: None,
        };
        let second = ClientTruth {
            id: self.dice.uuid(),
            name: "Çınar Emlak & Söhne 不动产".to_owned(),
            description: Some(String::new()),
            homepage: None,
            brand_guidelines: Some(json::python(&older)),
            metadata: None,
            ..first.clone()
        };
        Ok([self.client(first, true)?, self.client(second, false)?])
    }

    fn client(&mut self, mut client: ClientTruth, updated: bool) -> Result<String> {
        let created = self.clock.tick(600);
        let changed = updated.then(|| created.plus(4000));
        client.created_at = created.rfc3339();
        client.updated_at = changed.map(|changed| changed.rfc3339());
        if !self.new_enough() {
            client.homepage = None;
            client.metadata = None;
        }
        self.put(
            "clients",
            &[
                ("id", &client.id),
                ("user_id", &1),
                ("name", &client.name),
                ("description", &client.description),
                ("homepage", &client.homepage),
                ("brand_guidelines", &client.brand_guidelines),
                ("metadata", &client.metadata.as_ref().map(json::python)),
                ("created_at", &created.sqlite()),
                ("updated_at", &changed.map(|changed| changed.sqlite())),
            ],
        )?;
        let id = client.id.clone();
        self.truth.clients.push(client);
        Ok(id)
    }

    /// Puts a campaign in; every third one has no time of its last change.
    pub(super) fn campaign(&mut self, client: &str, orphan: bool, outline: Outline<'_>) -> Result<String> {
        let (name, goal, status, brief, metadata) = outline;
        let id = self.dice.uuid();
        let created = self.clock.tick(300);
        let changed = (self.truth.campaigns.len() % 3 != 2).then(|| created.plus(86_400));
        let url = (status == "active" && self.new_enough()).then_some("https://book.example.com/?a=1&b=2");
        let brief = brief.as_ref().map(json::python);
        let metadata = metadata.filter(|_| self.new_enough());
        self.put(
            "campaigns",
            &[
                ("id", &id),
                ("client_id", &client),
                ("user_id", &2),
                ("name", &name),
                ("goal", &goal),
                ("status", &status),
                ("product_url", &url),
                ("brief", &brief),
                ("metadata", &metadata.as_ref().map(json::python)),
                ("created_at", &created.sqlite()),
                ("updated_at", &changed.map(|changed| changed.sqlite())),
            ],
        )?;
        self.truth.campaigns.push(CampaignTruth {
            id: id.clone(),
            row_client_id: client.to_owned(),
            orphan,
            name: name.to_owned(),
            goal: Some(goal.to_owned()),
            status: Some(status.to_owned()),
            product_url: url.map(str::to_owned),
            brief,
            metadata,
            created_at: created.rfc3339(),
            updated_at: changed.map(|changed| changed.rfc3339()),
        });
        Ok(id)
    }
}
