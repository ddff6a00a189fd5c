//! Clients and campaigns.

use anyhow::Result;
use serde_json::json;

use super::maker::Maker;
use crate::truth::{CampaignTruth, ClientTruth};

impl Maker<'_> {
    /// The ids of three clients and four campaigns: two of the first client, one of each other.
    pub(super) fn owners(&mut self) -> Result<([String; 3], [String; 4])> {
        let mut clients = Vec::new();
        for n in 0..3 {
            clients.push(self.client(n)?);
        }
        let mut campaigns = Vec::new();
        for n in 0..4_usize {
            campaigns.push(self.campaign(n, &clients[n.saturating_sub(1)])?);
        }
        Ok((clients.try_into().unwrap_or_default(), campaigns.try_into().unwrap_or_default()))
    }

    fn client(&mut self, n: usize) -> Result<String> {
        let created = self.clock.tick(60);
        let changed = created.plus(if n == 0 { 0 } else { 7200 });
        let guidelines =
            [Some("Warm, ruhig; keine Menschen.\nBlau."), None, Some("{\"colors\": [\"navy\"]}")][n];
        let client = ClientTruth {
            id: self.dice.uuid(),
            name: ["Nordlicht Ferien", "Azure \"Stays\"", "小さな家"][n].to_owned(),
            description: (n == 0).then(|| "Häuser am Meer".to_owned()),
            homepage: (n == 0).then(|| "https://nordlicht.example.com".to_owned()),
            brand_guidelines: guidelines.map(str::to_owned),
            metadata: [Some(json!({"crm": {"id": 7}, "größe": 1.5})), None, Some(json!({}))][n].clone(),
            created_at: created.rfc3339(),
            updated_at: Some(changed.rfc3339()),
        };
        self.put(
            "clients",
            created,
            changed,
            &[
                ("id", &client.id),
                ("name", &client.name),
                ("description", &client.description),
                ("homepage", &client.homepage),
                ("brand_guidelines", &client.brand_guidelines),
                ("metadata", &client.metadata.as_ref().map(ToString::to_string)),
            ],
        )?;
        let id = client.id.clone();
        self.truth.clients.push(client);
        Ok(id)
    }

    fn campaign(&mut self, n: usize, client: &str) -> Result<String> {
        let created = self.clock.tick(60);
        let changed = created.plus(60);
        let text = |all: [Option<&str>; 4]| all[n].map(str::to_owned);
        let campaign = CampaignTruth {
            id: self.dice.uuid(),
            row_client_id: client.to_owned(),
            orphan: false,
            name: ["Haus am See", "Loft", "Sommer ☀", "Empty"][n].to_owned(),
            goal: text([Some("Buchungen"), None, Some(""), None]),
            status: text([Some("active"), None, Some("on hold, as agreed"), Some("draft")]),
            product_url: text([Some("https://book.example.com/see"), None, None, None]),
            brief: text([Some("Zeig das Haus."), None, Some("No brief provided"), Some("{\"mood\": 1}")]),
            metadata: (n == 0).then(|| json!({"season": ["2025", "2026"]})),
            created_at: created.rfc3339(),
            updated_at: Some(changed.rfc3339()),
        };
        self.put(
            "campaigns",
            created,
            changed,
            &[
                ("id", &campaign.id),
                ("client_id", &campaign.row_client_id),
                ("name", &campaign.name),
                ("goal", &campaign.goal),
                ("status", &campaign.status),
                ("product_url", &campaign.product_url),
                ("brief", &campaign.brief),
                ("metadata", &campaign.metadata.as_ref().map(ToString::to_string)),
            ],
        )?;
        let id = campaign.id.clone();
        self.truth.campaigns.push(campaign);
        Ok(id)
    }
}
