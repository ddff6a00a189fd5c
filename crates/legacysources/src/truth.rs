//! What is in a source, told by who put it there.
//!
//! The rules that the expectations follow, where the facts alone do not decide:
//! - An owner that is not there is left off. An asset whose owners are all gone, a campaign whose client is
//!   gone and a blob nobody refers to are orphans: left out, or kept under [`IMPORTED_CLIENT`]. A campaign
//!   that is left out does not count as an owner; one that is kept does.
//! - Bytes are the blob's, else the row's own, else at a URL, else nowhere.
//! - What the bytes of an image say about its size wins over what the row says.
//! - A job that was not over is `failed` here. So is a scene that was being rendered; one that was not begun
//!   is `pending`.

mod counts;
mod jobs;

pub use counts::{Counts, LeftOut, Why};
pub use jobs::{Family, FrameTruth, JobTruth, SceneTruth};

/// The client that orphans are kept under, as text. Told here a second time so that a change of it is
/// noticed.
pub const IMPORTED_CLIENT: &str = "5f8a4c1e-7b0d-5e6f-9c3a-2d416f1b8e70";

/// What is done with rows that have no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// They are left out.
    Skip,
    /// They are kept under [`IMPORTED_CLIENT`].
    Keep,
}

/// All that an importer should find in a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Clients, without the one that keeps orphans.
    pub clients: Vec<ClientTruth>,
    /// Campaigns, orphans among them.
    pub campaigns: Vec<CampaignTruth>,
    /// Assets, orphans among them; blobs nobody refers to are told as assets of the table `asset_blobs`.
    pub assets: Vec<AssetTruth>,
    /// Keys of the API.
    pub keys: Vec<KeyTruth>,
    /// Jobs.
    pub jobs: Vec<JobTruth>,
    /// Pictures and sounds that were made by a model and are in tables of their own (`generated_images`,
    /// `generated_audio`). Each is brought over as an asset or left out with a reason; the facts do not say
    /// which.
    pub loose: Vec<LooseTruth>,
    /// Rows that are left out whatever is done with orphans.
    pub left_out: Vec<LeftOut>,
}

/// A client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientTruth {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// As in the row; may be empty.
    pub description: Option<String>,
    /// As in the row.
    pub homepage: Option<String>,
    /// As in the row: JSON text in `scenes.db`, free text in Phoenix.
    pub brand_guidelines: Option<String>,
    /// A JSON object.
    pub metadata: Option<serde_json::Value>,
    /// RFC 3339 with Z.
    pub created_at: String,
    /// RFC 3339 with Z; none when the row has none.
    pub updated_at: Option<String>,
}

/// A campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignTruth {
    /// UUID.
    pub id: String,
    /// As in the row, there or not.
    pub row_client_id: String,
    /// Whether that client is not in the source.
    pub orphan: bool,
    /// Its name.
    pub name: String,
    /// As in the row.
    pub goal: Option<String>,
    /// As in the row.
    pub status: Option<String>,
    /// As in the row.
    pub product_url: Option<String>,
    /// As in the row: JSON text in `scenes.db`, free text in Phoenix.
    pub brief: Option<String>,
    /// A JSON object.
    pub metadata: Option<serde_json::Value>,
    /// RFC 3339 with Z.
    pub created_at: String,
    /// RFC 3339 with Z; none when the row has none.
    pub updated_at: Option<String>,
}

/// Whose an asset is here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// A client's id.
    pub client: Option<String>,
    /// A campaign's id.
    pub campaign: Option<String>,
}

/// An asset, or a blob nobody refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetTruth {
    /// UUID.
    pub id: String,
    /// `assets`, or `asset_blobs` for a blob nobody refers to.
    pub table: &'static str,
    /// As in the row, there or not.
    pub row_client_id: Option<String>,
    /// As in the row, there or not.
    pub row_campaign_id: Option<String>,
    /// Whose it is when orphans are left out; none: it is left out.
    pub owners: Option<Owners>,
    /// Whose it is when orphans are kept.
    pub owners_kept: Owners,
    /// `image`, `video`, `audio` or `document`.
    pub asset_type: &'static str,
    /// None when the row has none (Phoenix, blobs).
    pub name: Option<String>,
    /// Phoenix alone.
    pub description: Option<String>,
    /// In their order.
    pub tags: Vec<String>,
    /// A JSON object; Phoenix alone.
    pub metadata: Option<serde_json::Value>,
    /// As in the row; `scenes.db` alone.
    pub format: Option<String>,
    /// As in the row.
    pub source_url: Option<String>,
    /// Pixels: those of the bytes when it is an image that has them, else the row's (0 counts as none).
    pub width: Option<u32>,
    /// As `width`.
    pub height: Option<u32>,
    /// Seconds, as in the row.
    pub duration: Option<u32>,
    /// Its bytes.
    pub bytes: AssetBytes,
    /// Its picture, when the source has one.
    pub thumbnail: Option<BytesTruth>,
    /// RFC 3339 with Z.
    pub created_at: String,
    /// RFC 3339 with Z; Phoenix alone.
    pub updated_at: Option<String>,
}

/// Where the bytes of an asset are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssetBytes {
    /// In the source.
    Here(BytesTruth),
    /// To be fetched.
    AtUrl(String),
    /// They are gone.
    Nowhere,
}

impl AssetBytes {
    /// Those in the source.
    #[must_use]
    pub fn here(&self) -> Option<&BytesTruth> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::AtUrl(_) | Self::Nowhere => None,
        }
    }
}

/// Bytes in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesTruth {
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// How many.
    pub size: u64,
    /// What they are, such as `image/png`; empty when they are nothing known.
    pub content_type: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The primary key of the row.
    pub row: String,
}

/// A key of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyTruth {
    /// Its primary key as text.
    pub row: String,
    /// Its name.
    pub name: String,
    /// RFC 3339 with Z.
    pub created_at: String,
    /// RFC 3339 with Z (microseconds are kept in the source); none: never.
    pub expires_at: Option<String>,
}

/// A picture or a sound made by a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseTruth {
    /// `generated_images` or `generated_audio`.
    pub table: &'static str,
    /// Its primary key as text.
    pub row: String,
    /// What was asked for.
    pub prompt: String,
    /// As in the row, there or not.
    pub row_client_id: Option<String>,
    /// As in the row, there or not.
    pub row_campaign_id: Option<String>,
    /// Its bytes, when they are in the source.
    pub bytes: Option<BytesTruth>,
    /// RFC 3339 with Z.
    pub created_at: String,
}
