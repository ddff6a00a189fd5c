//! What is read of a source.

use std::fmt;

use protos::{asset::v1::LegacyThing, common::v1::Origin, job::v1::LegacyJob};
use uuid::Uuid;

/// The client that orphans are kept under: the same in every installation, so that every run finds it again.
pub const IMPORTED_CLIENT: Uuid = Uuid::from_u128(0x5f8a_4c1e_7b0d_5e6f_9c3a_2d41_6f1b_8e70);

/// Which predecessor a database is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Python service.
    ScenesDb,
    /// The Phoenix service.
    Phoenix,
}

impl Kind {
    /// The name of such a source, unless the person who imports gives it another.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ScenesDb => "scenes.db",
            Self::Phoenix => "phoenix",
        }
    }
}

/// What is brought over together; each after those before it, which it may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The client that keeps orphans, if there are any to be kept, and all clients.
    Clients,
    /// Campaigns.
    Campaigns,
    /// Images, videos, sounds and documents.
    Assets,
    /// Keys of the API, as disabled records.
    Keys,
    /// Jobs with their scenes, videos and sound.
    Jobs,
    /// Rows that are never brought over (accounts, blobs nobody refers to, tables of features that are gone): each is
    /// read as [`Row::Skipped`].
    Rest,
}

impl Stage {
    /// All of them in order.
    pub const ALL: [Self; 6] =
        [Self::Clients, Self::Campaigns, Self::Assets, Self::Keys, Self::Jobs, Self::Rest];

    /// What its things are called in reports.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Campaigns => "campaigns",
            Self::Assets => "assets",
            Self::Keys => "keys",
            Self::Jobs => "jobs",
            Self::Rest => "rest",
        }
    }
}

/// Where a row is in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// What it is brought over with.
    pub stage: Stage,
    /// Its table; `(orphans)` for the client that keeps them, which is in no table.
    pub table: &'static str,
    /// Its primary key as text.
    pub row: String,
    /// SQLite's own number of it; 0 when it is in no table.
    pub rowid: i64,
}

/// What became of reading a row.
#[derive(Clone, Debug)]
pub enum Row {
    /// To be brought over.
    Found(Box<Found>),
    /// Left out.
    Skipped(Skipped),
    /// It cannot be read as what it should be.
    Broken(Broken),
}

/// Something to be brought over, before its bytes are in the object store.
#[derive(Clone, Debug)]
pub struct Found {
    /// Everything but the bytes. Its origin's digest covers the columns of its rows and of those that belong to it;
    /// whoever stores the bytes mixes their digests in with [`Found::seal`].
    pub thing: Thing,
    /// Where its bytes are; a slot without an entry has none.
    pub bytes: Vec<Bytes>,
    /// Why its main bytes are missing, when they are.
    pub missing: Option<String>,
}

/// What something is.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is boxed with what it belongs to"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Thing {
    /// A client, a campaign, an asset or a key: for the asset service.
    Stored(LegacyThing),
    /// A job: for the job service.
    Job(Box<LegacyJob>),
}

impl Thing {
    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Stored(thing) => thing.origin.as_ref(),
            Self::Job(job) => job.origin.as_ref(),
        }
    }

    /// As [`Thing::origin`], to be changed.
    pub fn origin_mut(&mut self) -> Option<&mut Origin> {
        match self {
            Self::Stored(thing) => thing.origin.as_mut(),
            Self::Job(job) => job.origin.as_mut(),
        }
    }
}

impl Found {
    /// Makes the origin's digest cover the bytes too. `digests`: what each entry of `bytes` turned out to be, as SHA-256
    /// in hex; none for one that was not read. What is fetched from a URL does not count: it is not in the row.
    pub fn seal(&mut self, digests: &[Option<String>]) {
        use sha2::{Digest as _, Sha256};
        let Some(origin) = self.thing.origin_mut() else { return };
        let mut all = Sha256::new();
        all.update(&origin.digest);
        for (bytes, digest) in self.bytes.iter().zip(digests) {
            if !matches!(bytes.place, Place::Url(_)) {
                all.update(format!("\n{:?} {}", bytes.slot, digest.as_deref().unwrap_or("none")));
            }
        }
        origin.digest = hex::encode(all.finalize());
    }
}

/// Bytes of something, and what of it they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// What they are.
    pub slot: Slot,
    /// Where they are.
    pub place: Place,
}

/// What bytes are of the thing that they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// An asset itself.
    Asset,
    /// The picture of an asset.
    Thumbnail,
    /// The video of a job.
    Video,
    /// The still of a job's video.
    Poster,
    /// The soundtrack of a job.
    Audio,
    /// The clip of a scene, by the scene's place in the job's list.
    Clip(usize),
}

/// Where bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a column of the source.
    Column {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// SQLite's own number of the row.
        rowid: i64,
        /// How many there are.
        size: u64,
    },
    /// In a text of the source (Base64), decoded.
    Text(Vec<u8>),
    /// Not in the source: to be fetched from here, if that is wished.
    Url(String),
}

/// A row that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its table.
    pub table: &'static str,
    /// Its primary key.
    pub row: String,
    /// Why, such as `its client 6f… is not in the source`.
    pub reason: String,
    /// Whether it would be kept with the orphans, if they were kept.
    pub orphan: bool,
}

/// A row that cannot be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Broken {
    /// Its table.
    pub table: &'static str,
    /// Its primary key.
    pub row: String,
    /// The column that is at fault; empty when it is the row as a whole.
    pub column: &'static str,
    /// What is wrong with it and what it should be.
    pub reason: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, column, reason } = self;
        if column.is_empty() {
            write!(f, "table {table}, row {row}: {reason}")
        } else {
            write!(f, "table {table}, row {row}, column {column}: {reason}")
        }
    }
}
