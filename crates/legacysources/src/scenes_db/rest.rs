//! What is in tables of its own: pictures and sounds by models, and features that are gone.

use anyhow::Result;

use super::{
    maker::Maker,
    owners::{Campaigns, Clients},
};
use crate::{
    pictures::Format,
    rows::told,
    sound,
    truth::{LooseTruth, Why},
};

/// A picture or a sound by a model: its bytes, what they are, and whose it is.
struct Loose<'a> {
    table: &'static str,
    row: i64,
    bytes: Option<(Vec<u8>, &'static str)>,
    model: &'static str,
    client: Option<&'a String>,
    campaign: Option<&'a String>,
}

impl Maker<'_> {
    /// Pictures and sounds by models: with bytes, and the sound of scenes, whose bytes were thrown away.
    pub(super) fn loose(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let (client, campaign) = (Some(&clients[0]), Some(&campaigns.good[0]));
        let number = self.next();
        let png = self.picture(Format::Png, 0);
        let (images, sounds) = ("generated_images", "generated_audio");
        let all = [
            (images, 1, Some((png.bytes, "image/png")), "black-forest-labs/flux-schnell", client, campaign),
            (images, 2, None, "black-forest-labs/flux-schnell", None, None),
            (sounds, 1, None, "meta/musicgen", None, None),
            (sounds, 2, Some((sound::mp3(4, number), "audio/mpeg")), "meta/musicgen", client, campaign),
            (sounds, 3, Some((sound::wav(1, number), "audio/wav")), "riffusion/riffusion", None, None),
        ];
        for (table, row, bytes, model, client, campaign) in all {
            self.loose_row(Loose { table, row, bytes, model, client, campaign })?;
        }
        Ok(())
    }

    fn loose_row(&mut self, new: Loose<'_>) -> Result<()> {
        let created = self.clock.tick(60);
        let sound = new.table == "generated_audio";
        let (url, column) = if sound { ("audio_url", "audio_data") } else { ("image_url", "image_data") };
        let kind = if sound { "audio" } else { "images" };
        let address = new.bytes.as_ref().map_or(String::new(), |_| format!("/api/{kind}/{}/data", new.row));
        let prompt = format!("Sanfte Klänge {}", new.row);
        let parameters = if sound { r#"{"scenes": 4, "default_duration": 4.0}"# } else { r#"{"seed": 7}"# };
        self.put(
            new.table,
            &[
                ("id", &new.row),
                ("prompt", &prompt),
                (url, &address),
                ("model_id", &new.model),
                ("parameters", &parameters),
                ("status", &if new.bytes.is_some() || sound { "completed" } else { "timeout" }),
                ("created_at", &created.sqlite()),
                (column, &new.bytes.as_ref().map(|(bytes, _)| bytes)),
                ("client_id", &new.client),
                ("campaign_id", &new.campaign),
            ],
        )?;
        self.truth.loose.push(LooseTruth {
            table: new.table,
            row: new.row.to_string(),
            prompt,
            row_client_id: new.client.cloned(),
            row_campaign_id: new.campaign.cloned(),
            bytes: new
                .bytes
                .map(|(bytes, content_type)| told(&bytes, content_type, (new.table, column), new.row)),
            created_at: created.rfc3339(),
        });
        Ok(())
    }

    /// Rows of features that are gone.
    pub(super) fn retired(&mut self) -> Result<()> {
        let brief = self.dice.uuid();
        let created = self.clock.tick(60).sqlite();
        self.put(
            "creative_briefs",
            &[
                ("id", &brief),
                ("user_id", &1),
                ("prompt_text", &"Ein Haus am See"),
                ("creative_direction", &r#"{"style": "calm"}"#),
                ("scenes", &"[]"),
                ("confidence_score", &0.7),
                ("created_at", &created),
                ("updated_at", &created),
            ],
        )?;
        self.leave_out("creative_briefs", brief.clone(), Why::Retired);
        let scene: crate::rows::Values<'_> = &[
            ("id", &1),
            ("prompt", &"two cubes"),
            ("scene_data", &r#"{"objects": []}"#),
            ("model", &"gpt-4o-mini"),
            ("created_at", &created),
            ("brief_id", &brief),
        ];
        self.put("generated_scenes", scene)?;
        self.leave_out("generated_scenes", 1, Why::Retired);
        self.put(
            "genesis_videos",
            &[
                ("id", &1),
                ("scene_data", &"{}"),
                ("video_path", &"/data/genesis/1.mp4"),
                ("quality", &"draft"),
                ("duration", &5.0),
                ("fps", &60),
                ("created_at", &created),
            ],
        )?;
        self.leave_out("genesis_videos", 1, Why::Retired);
        if self.new_enough() {
            let done = self.clock.tick(1).with_micros(250_000).python();
            self.put(
                "luigi_task_state",
                &[
                    ("task_id", &"151_AssetCollectionTask"),
                    ("job_id", &151),
                    ("task_name", &"AssetCollectionTask"),
                    ("status", &"completed"),
                    ("output_data", &"{}"),
                    ("created_at", &created),
                    ("completed_at", &done),
                ],
            )?;
            self.leave_out("luigi_task_state", "151_AssetCollectionTask", Why::Retired);
        }
        Ok(())
    }
}
