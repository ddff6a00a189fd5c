//! The append-only event log, its read tables, checkpoints, leases and migrations.
//!
//! One database holds one service's log and everything that service reads. A write is one [`Append`]: a value
//! that names the stream, the expected version, the events and the read-table statements that belong to them.
//! Many appends share one commit; a conflict fails only its own.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`mod@append`], [`event`], [`data`], [`statement`], [`value`], [`row`] | the values that go in and come out |
//! | [`log`] | the [`EventLog`] trait; [`open_log`], [`open_checked`], [`check_address`] and [`fn@migrate`] |
//! | [`checkpoint`], [`lease`], [`tail`], [`upcast`], [`command`] | what is built on the trait, the same for every backend |
//! | [`migrations`] | what a service's database is made of |
//! | `away` | [`is_away`]: whether a failure only says that the database is away |
//! | `sqlite`, `postgres` | the backends |
//! | `variant` | an event's data as the variant of an enum |
//! | `watched`, `told` | appends as they are told, and as boundaries of drills |
//! | [`conformance`], [`testing`] | the suite every backend passes; scratch and simulated logs for tests |

pub mod append;
mod away;
pub mod checkpoint;
pub mod command;
pub mod conformance;
pub mod data;
pub mod error;
pub mod event;
pub mod lease;
pub mod log;
pub mod migrations;
mod postgres;
pub mod row;
mod sqlite;
pub mod statement;
pub mod tail;
pub mod testing;
mod told;
pub mod upcast;
pub mod value;
mod variant;
mod watched;

pub use append::{Append, Appended, Expected};
pub use away::is_away;
pub use command::{CommandRecord, command_reply};
pub use data::Data;
pub use error::{AppendError, LogError};
pub use event::{Meta, NewEvent, StoredEvent};
pub use lease::Lease;
pub use log::{EventLog, Log, LogStats, check_address, migrate, open_checked, open_log};
pub use migrations::{COMMON_POSTGRES, COMMON_SQLITE, Migrations};
pub use row::{FromValue, Row};
pub use statement::Statement;
pub use tail::Tail;
pub use upcast::Upcasters;
pub use value::{Params, SqlValue};
