//! Databases like those of Filmstrip's predecessors, with what is in them told beside them.
//!
//! For tests and benches. Nothing here reads a source by an importer's rules: a [`Truth`] is written down
//! while the rows are put in, so that it can bear witness against an importer. Pictures are real ones, made
//! of the demo's photos; videos and sounds are valid files, made without an encoder.
//!
//! | module | what it makes |
//! | --- | --- |
//! | [`scenes_db`] | the Python service's `scenes.db`, in all its layouts, and in two sizes |
//! | [`phoenix`] | the Phoenix service's database |
//! | [`damage`] | a bad one of a good one |
//! | [`truth`] | what is in it |

pub mod damage;
mod dice;
mod json;
mod movie;
mod numbered;
pub mod phoenix;
mod pictures;
mod rows;
pub mod scenes_db;
mod sound;
pub mod truth;

pub use truth::{
    AssetBytes, AssetTruth, BytesTruth, CampaignTruth, ClientTruth, Counts, Family, FrameTruth,
    IMPORTED_CLIENT, JobTruth, KeyTruth, LeftOut, LooseTruth, Orphans, Owners, SceneTruth, Truth, Why,
};
