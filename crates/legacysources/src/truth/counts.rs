//! What of a truth is brought over and what is left out, and how much that is.

use super::{AssetTruth, CampaignTruth, IMPORTED_CLIENT, Orphans, Owners, Truth};

/// Why a row is left out whatever is done with orphans, or as an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// An account of a person.
    Account,
    /// Belongs to a feature that is gone.
    Retired,
    /// An orphan: its client is not in the source.
    NoClient,
    /// An orphan: neither a client nor a campaign of it is in the source.
    NoOwner,
    /// An orphan: a blob that nobody refers to.
    UnusedBlob,
}

/// A row that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its table.
    pub table: &'static str,
    /// Its primary key as text.
    pub row: String,
    /// Why.
    pub why: Why,
}

/// How much of each kind should be brought over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// With the one that keeps orphans, if it is needed.
    pub clients: usize,
    /// Campaigns.
    pub campaigns: usize,
    /// Assets, and blobs that are kept as assets.
    pub assets: usize,
    /// Assets among them whose bytes are not in the source.
    pub missing: usize,
    /// Keys.
    pub keys: usize,
    /// Jobs.
    pub jobs: usize,
    /// Scenes of all jobs.
    pub scenes: usize,
    /// Bytes of the assets, in the source; without pictures of them.
    pub asset_bytes: u64,
    /// Rows left out, without those of [`Truth::loose`].
    pub left_out: usize,
}

impl Truth {
    /// The campaigns to be brought over, each with the client that it is of.
    pub fn campaigns(&self, orphans: Orphans) -> impl Iterator<Item = (&CampaignTruth, &str)> {
        self.campaigns.iter().filter_map(move |campaign| match (campaign.orphan, orphans) {
            (false, _) => Some((campaign, campaign.row_client_id.as_str())),
            (true, Orphans::Keep) => Some((campaign, IMPORTED_CLIENT)),
            (true, Orphans::Skip) => None,
        })
    }

    /// The assets to be brought over, each with whose it is.
    pub fn assets(&self, orphans: Orphans) -> impl Iterator<Item = (&AssetTruth, &Owners)> {
        self.assets.iter().filter_map(move |asset| match orphans {
            Orphans::Skip => asset.owners.as_ref().map(|owners| (asset, owners)),
            Orphans::Keep => Some((asset, &asset.owners_kept)),
        })
    }

    /// The rows to be left out.
    #[must_use]
    pub fn left_out(&self, orphans: Orphans) -> Vec<LeftOut> {
        let mut all = self.left_out.clone();
        if orphans == Orphans::Skip {
            all.extend(self.orphans());
        }
        all
    }

    /// The rows that are left out or kept as is wished.
    pub fn orphans(&self) -> impl Iterator<Item = LeftOut> {
        let campaigns = self.campaigns.iter().filter(|campaign| campaign.orphan).map(|campaign| LeftOut {
            table: "campaigns",
            row: campaign.id.clone(),
            why: Why::NoClient,
        });
        let assets = self.assets.iter().filter(|asset| asset.owners.is_none()).map(|asset| LeftOut {
            table: asset.table,
            row: asset.id.clone(),
            why: if asset.table == "asset_blobs" { Why::UnusedBlob } else { Why::NoOwner },
        });
        campaigns.chain(assets)
    }

    /// How much of each kind should be brought over.
    #[must_use]
    pub fn counts(&self, orphans: Orphans) -> Counts {
        let keeper = usize::from(orphans == Orphans::Keep && self.orphans().next().is_some());
        let assets = || self.assets(orphans).map(|(asset, _)| asset.bytes.here());
        Counts {
            clients: self.clients.len() + keeper,
            campaigns: self.campaigns(orphans).count(),
            assets: assets().count(),
            missing: assets().filter(Option::is_none).count(),
            keys: self.keys.len(),
            jobs: self.jobs.len(),
            scenes: self.jobs.iter().map(|job| job.scenes.len()).sum(),
            asset_bytes: assets().flatten().map(|bytes| bytes.size).sum(),
            left_out: self.left_out(orphans).len(),
        }
    }
}
