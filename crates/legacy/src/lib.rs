//! The databases of Filmstrip's predecessors: reading them, and what their rows mean here.
//!
//! Nothing here writes anything, neither to the source nor to Filmstrip. A source lists the keys of its rows in the
//! order in which they are to be brought over, and reads one row at a time: a thing with the places where its bytes are,
//! or why it is left out, or what is wrong with it.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`model`] | what is read: things, places of bytes, rows left out and rows that are broken |
//! | [`source`] | opening a database read-only, recognising its kind, rows by name, bytes in pieces |
//! | `outline` | whose things are: owners that exist, and orphans |
//! | `scenes_db` | the Python service's `scenes.db` |
//! | `phoenix` | the Phoenix service's database |
//! | `unfinished`, `urls` | what both readers say of work that was not over, and of addresses |

pub mod model;
mod outline;
mod phoenix;
mod scenes_db;
pub mod source;
mod unfinished;
mod urls;

pub use model::{
    Broken, Bytes, Found, IMPORTED_CLIENT, Kind, Place, Row, RowKey, Skipped, Slot, Stage, Thing,
};
pub use source::{Orphans, Source, SourceError};
