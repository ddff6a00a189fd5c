//! Assets: putting one in, and those of the rooms of a property.

use anyhow::Result;
use serde_json::Value;

use super::{maker::Maker, owners::Campaigns};
use crate::{
    json,
    pictures::{Format, Picture},
    rows::told,
    truth::{AssetBytes, AssetTruth, BytesTruth},
};

/// Bytes, what they are, and their size in pixels if they have one that can be read.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: &'static str,
    pub(super) pixels: Option<(u32, u32)>,
}

impl From<Picture> for Content {
    fn from(picture: Picture) -> Self {
        let pixels = Some((picture.width, picture.height));
        Self { content_type: picture.format.content_type(), bytes: picture.bytes, pixels }
    }
}

/// Where the bytes of an asset go.
pub(super) enum At {
    /// Into a blob that has no other asset; it was downloaded from somewhere.
    Blob(Content),
    /// Into the row; it was uploaded.
    Row(Content),
    /// They are at its `source_url`.
    SourceUrl,
    /// Its `url` leads to them.
    Url,
    /// They were on a disk that is gone.
    Nowhere,
}

/// An asset to be put in.
pub(super) struct NewAsset {
    pub(super) client: Option<String>,
    pub(super) campaign: Option<String>,
    pub(super) asset_type: &'static str,
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    pub(super) format: &'static str,
    pub(super) at: At,
    /// What the row says.
    pub(super) pixels: Option<(u32, u32)>,
    /// What the row says, in seconds.
    pub(super) duration: Option<u32>,
    /// Whether it has a picture.
    pub(super) thumbnail: bool,
}

impl NewAsset {
    /// An image without anything but its bytes.
    pub(super) fn image(name: &str, format: &'static str, at: At) -> Self {
        Self {
            client: None,
            campaign: None,
            asset_type: "image",
            name: name.to_owned(),
            tags: Vec::new(),
            format,
            at,
            pixels: None,
            duration: None,
            thumbnail: false,
        }
    }

    /// With a client and a campaign.
    pub(super) fn of(self, client: Option<&String>, campaign: Option<&String>) -> Self {
        Self { client: client.cloned(), campaign: campaign.cloned(), ..self }
    }

    /// With tags.
    pub(super) fn tagged(self, tags: &[&str]) -> Self {
        Self { tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..self }
    }
}

/// What a row says of its bytes.
#[derive(Default)]
struct Stored {
    bytes: Option<AssetBytes>,
    url: String,
    source_url: Option<String>,
    size: Option<u64>,
    blob: Option<String>,
    inline: Option<Vec<u8>>,
    pixels: Option<(u32, u32)>,
}

/// Rooms of a property, as the tags of its photos begin.
const ROOMS: [&str; 7] =
    ["Bedroom 1", "Bedroom 2", "Kitchen", "Ensuite Bathroom 1", "Living Room", "Showcase", "Außenbereich"];

impl Maker<'_> {
    /// Puts an asset in, with its blobs; its id.
    pub(super) fn asset(&mut self, new: NewAsset) -> Result<String> {
        let id = self.dice.uuid();
        let pause = i64::from(self.dice.below(3) != 0) * 5;
        let created = self.clock.tick(pause);
        let stored = self.store(&id, new.at)?;
        let thumbnail = if new.thumbnail { Some(self.thumbnail()?) } else { None };
        let tags = (!new.tags.is_empty()).then(|| json::python(&Value::from(new.tags.clone())));
        self.put(
            "assets",
            &[
                ("id", &id),
                ("user_id", &(!pause.is_positive()).then_some(2)),
                ("client_id", &new.client),
                ("campaign_id", &new.campaign),
                ("name", &new.name),
                ("asset_type", &new.asset_type),
                ("url", &stored.url),
                ("size", &stored.size.and_then(|size| i64::try_from(size).ok())),
                ("uploaded_at", &created.sqlite()),
                ("format", &new.format),
                ("tags", &tags),
                ("width", &new.pixels.map(|(width, _)| width)),
                ("height", &new.pixels.map(|(_, height)| height)),
                ("duration", &new.duration),
                ("blob_data", &stored.inline),
                ("blob_id", &stored.blob),
                ("source_url", &stored.source_url),
                ("thumbnail_blob_id", &thumbnail.as_ref().map(|thumbnail| &thumbnail.row)),
            ],
        )?;
        let (owners, owners_kept) = self.belongs(new.client.as_deref(), new.campaign.as_deref());
        let pixels = stored.pixels.or(new.pixels.filter(|(width, height)| width * height != 0));
        self.truth.assets.push(AssetTruth {
            id: id.clone(),
            table: "assets",
            row_client_id: new.client,
            row_campaign_id: new.campaign,
            owners,
            owners_kept,
            asset_type: new.asset_type,
            name: Some(new.name),
            description: None,
            tags: new.tags,
            metadata: None,
            format: Some(new.format.to_owned()),
            source_url: stored.source_url,
            width: pixels.map(|(width, _)| width),
            height: pixels.map(|(_, height)| height),
            duration: new.duration,
            bytes: stored.bytes.unwrap_or(AssetBytes::Nowhere),
            thumbnail,
            created_at: created.rfc3339(),
            updated_at: None,
        });
        Ok(id)
    }

    fn store(&mut self, id: &str, at: At) -> Result<Stored> {
        let photo = format!("https://photos.example.com/{}.jpg?sig=a%2Fb", self.dice.letters(12));
        Ok(match at {
            At::Blob(content) => {
                let size = Some(content.bytes.len() as u64);
                let told = self.blob(&content)?;
                Stored {
                    url: format!("/api/v3/assets/{id}/data"),
                    source_url: Some(photo),
                    size,
                    blob: Some(told.row.clone()),
                    bytes: Some(AssetBytes::Here(told)),
                    pixels: content.pixels,
                    ..Stored::default()
                }
            }
            At::Row(content) => {
                let base = if self.dice.below(2) == 0 { "" } else { "https://videos.example.com" };
                Stored {
                    url: format!("{base}/api/v2/assets/{id}/data"),
                    size: Some(content.bytes.len() as u64),
                    bytes: Some(AssetBytes::Here(told(
                        &content.bytes,
                        content.content_type,
                        ("assets", "blob_data"),
                        id,
                    ))),
                    inline: Some(content.bytes),
                    pixels: content.pixels,
                    ..Stored::default()
                }
            }
            At::SourceUrl => Stored {
                url: format!("/api/v3/assets/{id}/data"),
                source_url: Some(photo.clone()),
                bytes: Some(AssetBytes::AtUrl(photo)),
                ..Stored::default()
            },
            At::Url => {
                Stored { url: photo.clone(), bytes: Some(AssetBytes::AtUrl(photo)), ..Stored::default() }
            }
            // Under an id that is not the row's.
            At::Nowhere => Stored {
                url: format!("https://videos.example.com/api/v2/assets/{}", self.dice.uuid()),
                ..Stored::default()
            },
        })
    }

    /// Puts a blob in.
    pub(super) fn blob(&mut self, content: &Content) -> Result<BytesTruth> {
        let id = self.dice.uuid();
        let created = self.clock.tick(0);
        self.put(
            "asset_blobs",
            &[
                ("id", &id),
                ("data", &content.bytes),
                ("content_type", &content.content_type),
                ("size_bytes", &i64::try_from(content.bytes.len()).unwrap_or(i64::MAX)),
                ("created_at", &created.sqlite()),
            ],
        )?;
        Ok(told(&content.bytes, content.content_type, ("asset_blobs", "data"), id))
    }

    fn thumbnail(&mut self) -> Result<BytesTruth> {
        let number = self.next();
        let picture = self.pictures.thumbnail(number);
        self.blob(&picture.into())
    }

    /// A picture that no other row has.
    pub(super) fn picture(&mut self, format: Format, size: usize) -> Content {
        let number = self.next();
        self.pictures.picture(format, number, size).into()
    }

    /// The photos of the four campaigns: 20, 14, 8 and 4 of them.
    pub(super) fn rooms(&mut self, campaigns: &Campaigns) -> Result<()> {
        for (campaign, count) in campaigns.good.iter().zip([20, 14, 8, 4]) {
            for n in 0..count {
                self.room(campaign, n)?;
            }
        }
        Ok(())
    }

    /// The photo of a number of a campaign: most were downloaded, every fifth was uploaded. A campaign and
    /// its client are both said, or the campaign alone.
    fn room(&mut self, campaign: &str, n: usize) -> Result<()> {
        let (format, spelled) = [
            (Format::Jpeg, "jpeg"),
            (Format::Png, "png"),
            (Format::Jpeg, "jpg"),
            (Format::Webp, "webp"),
            (Format::Jpeg, "JPG"),
        ][n % 5];
        let content = self.picture(format, 0);
        let uploaded = n % 5 == 4;
        let pixels = content.pixels.filter(|_| !uploaded);
        let at = if uploaded { At::Row(content) } else { At::Blob(content) };
        let tag = format!("{} {}", ROOMS[n % ROOMS.len()], n / ROOMS.len() + 1);
        let client = self.truth.campaigns.iter().find(|row| row.id == campaign);
        let client = client.filter(|_| !n.is_multiple_of(3)).map(|row| row.row_client_id.clone());
        let photo = NewAsset { pixels, thumbnail: !uploaded, ..NewAsset::image(&tag, spelled, at) };
        self.asset(photo.of(client.as_ref(), Some(&campaign.to_owned())).tagged(&[&tag]))?;
        Ok(())
    }
}
