//! Assets.

use anyhow::Result;
use serde_json::{Value, json};

use super::maker::Maker;
use crate::{
    pictures::Format,
    rows::told,
    sound,
    truth::{AssetBytes, AssetTruth, Owners},
};

/// Bytes, what they are, and their size in pixels if they have one.
type Content = (Vec<u8>, &'static str, Option<(u32, u32)>);

/// An asset to be put in.
#[derive(Default)]
struct NewAsset<'a> {
    client: Option<&'a String>,
    campaign: Option<&'a String>,
    asset_type: &'static str,
    bytes: Option<Content>,
    source_url: Option<String>,
    name: Option<&'a str>,
    description: Option<&'a str>,
    tags: Option<Vec<&'a str>>,
    metadata: Option<Value>,
    /// What the row says.
    pixels: Option<(u32, u32)>,
}

impl Maker<'_> {
    /// Assets of all types, with bytes, with a URL, and with both.
    pub(super) fn assets(&mut self, clients: &[String; 3], campaigns: &[String; 4]) -> Result<()> {
        for n in 0..16 {
            self.photo(n, clients, &campaigns[n % 8 / 3])?;
        }
        let url = |name: &str| Some(format!("https://photos.example.com/{name}?sig=a%2Fb"));
        let campaign = Some(&campaigns[0]);
        let elsewhere =
            NewAsset { campaign, asset_type: "image", source_url: url("1.jpg"), ..NewAsset::default() };
        self.asset(NewAsset { pixels: Some((1600, 1067)), ..elsewhere })?;
        let movie = Some((self.video(6), "video/mp4", None));
        let video = NewAsset { campaign, asset_type: "video", bytes: movie, ..NewAsset::default() };
        self.asset(NewAsset { name: Some("Rundgang"), description: Some("Einmal durch das Haus"), ..video })?;
        let number = self.next();
        let mp3 = Some((sound::mp3(3, number), "audio/mpeg", None));
        let client = Some(&clients[0]);
        let song = NewAsset { client, campaign, asset_type: "audio", bytes: mp3, ..NewAsset::default() };
        self.asset(NewAsset { tags: Some(vec!["music"]), ..song })?;
        let wav = Some((sound::wav(1, number), "audio/wav", None));
        self.asset(NewAsset { client, asset_type: "audio", bytes: wav, ..NewAsset::default() })?;
        // Not fetched yet.
        let video = NewAsset { client, asset_type: "video", source_url: url("2.mp4"), ..NewAsset::default() };
        self.asset(video)
    }

    /// A photo. The first ones came from the older service: without a name of their own, and with their tags
    /// in their metadata as well.
    fn photo(&mut self, n: usize, clients: &[String; 3], campaign: &String) -> Result<()> {
        let format = [Format::Jpeg, Format::Png, Format::Jpeg, Format::Webp][n % 4];
        let number = self.next();
        let picture = self.pictures.picture(format, number, 0);
        let pixels = Some((picture.width, picture.height));
        let tag = format!("Küche {}", n / 2 + 1);
        let older = n < 6;
        let metadata = match n {
            0..6 => Some(json!({
                "original_name": &tag, "content_type": format.content_type(),
                "tags": json!([&tag]).to_string(),
            })),
            6 => None,
            7 => Some(json!({})),
            _ => Some(json!({"size": picture.bytes.len(), "deep": {"größe": [1, null]}})),
        };
        let owner = self.truth.campaigns.iter().find(|row| row.id == *campaign);
        let client = owner.map(|owner| owner.row_client_id.clone());
        self.asset(NewAsset {
            client: if n == 15 { Some(&clients[2]) } else { client.as_ref().filter(|_| n.is_multiple_of(2)) },
            campaign: (n != 15).then_some(campaign),
            asset_type: "image",
            bytes: Some((picture.bytes, format.content_type(), pixels)),
            source_url: n.is_multiple_of(3).then(|| format!("https://photos.example.com/p{n}.jpg")),
            name: (!older).then_some(tag.as_str()),
            description: (n == 8).then_some("Mit Blick auf den See 🌊"),
            tags: match n {
                7 => None,
                9 => Some(Vec::new()),
                10 => Some(vec!["exterior", "pool", "größe, \"groß\""]),
                _ => Some(vec![&tag]),
            },
            metadata,
            pixels: pixels.filter(|_| n == 10),
        })
    }

    fn asset(&mut self, new: NewAsset<'_>) -> Result<()> {
        let id = self.dice.uuid();
        let pause = i64::from(self.dice.below(3) != 0);
        let created = self.clock.tick(pause);
        let changed = created.plus(pause * 60);
        let tags = new.tags.as_ref().map(|tags| json!(tags).to_string());
        self.put(
            "assets",
            created,
            changed,
            &[
                ("id", &id),
                ("type", &new.asset_type),
                ("blob_data", &new.bytes.as_ref().map(|(bytes, ..)| bytes)),
                ("source_url", &new.source_url),
                ("campaign_id", &new.campaign),
                ("client_id", &new.client),
                ("name", &new.name),
                ("description", &new.description),
                ("tags", &tags),
                ("metadata", &new.metadata.as_ref().map(ToString::to_string)),
                ("width", &new.pixels.map(|(width, _)| width)),
                ("height", &new.pixels.map(|(_, height)| height)),
            ],
        )?;
        let owners = Owners { client: new.client.cloned(), campaign: new.campaign.cloned() };
        let pixels = new.bytes.as_ref().and_then(|(.., pixels)| *pixels).or(new.pixels);
        self.truth.assets.push(AssetTruth {
            table: "assets",
            row_client_id: owners.client.clone(),
            row_campaign_id: owners.campaign.clone(),
            owners: Some(owners.clone()),
            owners_kept: owners,
            asset_type: new.asset_type,
            name: new.name.map(str::to_owned),
            description: new.description.map(str::to_owned),
            tags: new.tags.unwrap_or_default().into_iter().map(str::to_owned).collect(),
            metadata: new.metadata,
            format: None,
            width: pixels.map(|(width, _)| width),
            height: pixels.map(|(_, height)| height),
            duration: None,
            bytes: match (new.bytes, &new.source_url) {
                (Some((bytes, content_type, _)), _) => {
                    AssetBytes::Here(told(&bytes, content_type, ("assets", "blob_data"), &id))
                }
                (None, Some(url)) => AssetBytes::AtUrl(url.clone()),
                (None, None) => AssetBytes::Nowhere,
            },
            source_url: new.source_url,
            thumbnail: None,
            created_at: created.rfc3339(),
            updated_at: Some(changed.rfc3339()),
            id,
        });
        Ok(())
    }
}
