//! Assets that are not like the others: other types, awkward formats, other places of bytes, orphans.

use anyhow::Result;

use super::{
    assets::{At, Content, NewAsset},
    maker::Maker,
    owners::{Campaigns, Clients},
};
use crate::{
    pictures::Format,
    sound,
    truth::{AssetBytes, AssetTruth, Owners},
};

/// A vector image: an image of which nothing is known but what the row says.
const SVG: &[u8] = br##"<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">
<rect width="120" height="40" fill="#036"/></svg>
"##;

/// A document of one empty page.
const PDF: &[u8] = b"%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
xref
0 4
0000000000 65535 f 
0000000009 00000 n 
0000000052 00000 n 
0000000101 00000 n 
trailer<</Size 4/Root 1 0 R>>
startxref
164
%%EOF
";

impl Maker<'_> {
    /// Odd ones of owners that are there.
    pub(super) fn odd_assets(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let campaign = Some(&campaigns.good[0]);
        let client = Some(&clients[0]);
        // What some phones call a JPEG, and formats that are no names of formats.
        let photo = self.picture(Format::Jpeg, 0);
        self.asset(NewAsset::image("IMG_0042.MPO", "mpo", At::Blob(photo)).of(client, campaign))?;
        let svg = Content { bytes: SVG.to_vec(), content_type: "image/svg+xml", pixels: None };
        self.asset(NewAsset::image("logo", "svg+xml", At::Blob(svg)).of(client, None).tagged(&["logo"]))?;
        let photo = self.picture(Format::Png, 0);
        self.asset(NewAsset::image("upload", "unknown", At::Row(photo)).of(client, campaign))?;
        // A wrong size in the row, and none.
        let photo = self.picture(Format::Webp, 0);
        let zero = NewAsset { pixels: Some((0, 0)), ..NewAsset::image("0 × 0", "webp", At::Blob(photo)) };
        self.asset(zero.of(None, campaign))?;
        // Other places of bytes.
        let url =
            NewAsset { pixels: Some((1600, 1067)), ..NewAsset::image("at a URL", "jpeg", At::SourceUrl) };
        self.asset(url.of(None, campaign).tagged(&["exterior", "pool", "hero"]))?;
        self.asset(NewAsset::image("at its url", "jpg", At::Url).of(client, campaign))?;
        self.asset(NewAsset::image("lost", "jpg", At::Nowhere).of(client, campaign))?;
        // Texts that need care.
        let photo = self.picture(Format::Jpeg, 0);
        let odd = NewAsset::image("Küche \"groß\" 厨房 🍳 / ..\\n", "jpeg", At::Blob(photo));
        self.asset(odd.of(None, Some(&campaigns.good[2])).tagged(&[
            "日当たり",
            "größe",
            "a \"b\"",
            "a, b",
            "🏡",
        ]))?;
        self.twins(campaigns)?;
        self.other_types(clients, campaigns)
    }

    /// Two assets with the same bytes in two blobs.
    fn twins(&mut self, campaigns: &Campaigns) -> Result<()> {
        let photo = self.picture(Format::Jpeg, 0);
        for name in ["twin 1", "twin 2"] {
            let same = Content { bytes: photo.bytes.clone(), ..photo };
            self.asset(NewAsset::image(name, "jpeg", At::Blob(same)).of(None, Some(&campaigns.good[3])))?;
        }
        Ok(())
    }

    fn other_types(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let campaign = Some(&campaigns.good[1]);
        let pdf = Content { bytes: PDF.to_vec(), content_type: "application/pdf", pixels: None };
        let document =
            NewAsset { asset_type: "document", ..NewAsset::image("Exposé.pdf", "pdf", At::Row(pdf)) };
        self.asset(document.of(Some(&clients[1]), None))?;
        let movie = Content { bytes: self.video(6), content_type: "video/mp4", pixels: None };
        let video = NewAsset::image("Rundgang", "mp4", At::Blob(movie)).of(None, campaign);
        self.asset(NewAsset { asset_type: "video", duration: Some(6), thumbnail: true, ..video })?;
        let number = self.next();
        let mp3 = Content { bytes: sound::mp3(3, number), content_type: "audio/mpeg", pixels: None };
        let song = NewAsset::image("Theme", "mp3", At::Blob(mp3)).of(Some(&clients[0]), campaign);
        self.asset(NewAsset { asset_type: "audio", duration: Some(3), ..song })?;
        let wav = Content { bytes: sound::wav(2, number), content_type: "audio/wav", pixels: None };
        let voice = NewAsset::image("Voice", "wav", At::Row(wav)).of(Some(&clients[0]), None);
        self.asset(NewAsset { asset_type: "audio", ..voice })?;
        Ok(())
    }

    /// Assets whose client or campaign is gone, in all ways, and blobs nobody refers to.
    pub(super) fn orphans(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let gone = self.dice.uuid();
        let name = "default-client".to_owned();
        let [first, second, ..] = &campaigns.orphans[..] else { return Ok(()) };
        let owners = [
            ("neither", None, None),
            ("client that is gone", Some(&gone), None),
            ("client that is no id", Some(&name), None),
            ("campaign that is gone", None, Some(&gone)),
            ("both gone", Some(&gone), Some(&gone)),
            ("campaign without a client 1", None, Some(first)),
            ("campaign without a client 2", None, Some(second)),
            ("campaign without a client, client gone", Some(&gone), Some(first)),
            // No orphans: one of the two is there.
            ("campaign that is gone, good client", Some(&clients[1]), Some(&gone)),
            ("campaign without a client, good client", Some(&clients[1]), Some(first)),
            ("client that is gone, good campaign", Some(&gone), Some(&campaigns.good[0])),
        ];
        for (n, (name, client, campaign)) in owners.into_iter().enumerate() {
            let (format, spelled) = [(Format::Jpeg, "jpeg"), (Format::Png, "png")][n % 2];
            let photo = self.picture(format, 0);
            let at = if n == 4 { At::Row(photo) } else { At::Blob(photo) };
            let new = NewAsset { thumbnail: n % 3 == 0, ..NewAsset::image(name, spelled, at) };
            self.asset(new.of(client, campaign))?;
        }
        self.asset(NewAsset::image("neither, lost", "jpg", At::Nowhere))?;
        for format in [Format::Jpeg, Format::Webp] {
            let photo = self.picture(format, 0);
            self.unused_blob(&photo)?;
        }
        Ok(())
    }

    fn unused_blob(&mut self, content: &Content) -> Result<()> {
        let created = self.clock.tick(30);
        let told = self.blob(content)?;
        let (_, owners_kept) = self.belongs(None, None);
        self.truth.assets.push(AssetTruth {
            id: told.row.clone(),
            table: "asset_blobs",
            row_client_id: None,
            row_campaign_id: None,
            owners: None::<Owners>,
            owners_kept,
            asset_type: "image",
            name: None,
            description: None,
            tags: Vec::new(),
            metadata: None,
            format: None,
            source_url: None,
            width: content.pixels.map(|(width, _)| width),
            height: content.pixels.map(|(_, height)| height),
            duration: None,
            bytes: AssetBytes::Here(told),
            thumbnail: None,
            created_at: created.rfc3339(),
            updated_at: None,
        });
        Ok(())
    }

    /// Assets as they were before there were bytes in the database.
    pub(super) fn old_assets(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        for (n, campaign) in campaigns.good.iter().chain(&campaigns.orphans).enumerate() {
            for at in [At::Nowhere, At::Url] {
                let client = (n % 2 == 0).then_some(&clients[0]);
                let photo = NewAsset { pixels: Some((800, 600)), ..NewAsset::image("Kitchen 1", "jpg", at) };
                self.asset(photo.of(client, Some(campaign)).tagged(&["Kitchen 1"]))?;
            }
        }
        self.asset(NewAsset::image("neither", "png", At::Nowhere))?;
        Ok(())
    }
}
