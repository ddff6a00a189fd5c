//! Paid predictions at Replicate: bought once, followed to their end.
//!
//! A service that wants something made places an [`Order`] with its [`Engine`]. The engine stores every step in
//! the service's own log and tables, so that a crash at any moment is continued by the same code that runs on
//! any other day, and so that nothing is ever bought twice because an answer was lost.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`config`] | where the provider is, how long to wait for it, the account's limits |
//! | [`order`] | what is wanted, and how it ended |
//! | [`fact`] | the stored events: what happened to an order |
//! | [`state`] | the fold of those facts |
//! | [`plan`] | pure: what has to be done next, given the state and the time |
//! | [`answers`] | pure: which fact an answer of the provider amounts to |
//! | [`classify`] | pure: which failures are worth a fresh attempt, and which are refusals |
//! | [`fair`] | pure: whose turn it is when a slot is free |
//! | [`tally`] | pure: what a fact adds to the metrics |
//! | [`load`] | how much of an account is in use |
//! | [`mark`] | the input of one attempt, with the mark that finds it again |
//! | [`provider`], [`replicate`] | the provider as the engine sees it; the HTTP client |
//! | [`call`] | a call to a provider as traces and metrics have it |
//! | [`webhook`] | checking that a webhook is the provider's |
//! | [`session`] | work that one process of several does at a time |
//! | [`engine`] | carries the plan out: leases, slots, calls, downloads |

pub mod answers;
pub mod buyer;
pub mod call;
pub mod classify;
pub mod config;
pub mod engine;
pub mod error;
pub mod fact;
pub mod fair;
pub mod load;
pub mod mark;
pub mod order;
pub mod plan;
pub mod provider;
pub mod replicate;
pub mod session;
pub mod state;
mod store;
pub mod tally;
pub mod webhook;

pub use buyer::{Also, Buyer, Rejected, Usable};
pub use config::{Account, MediaRoute, Policy, PublicUrls, ReplicateConfig};
pub use engine::Engine;
pub use error::{OrderError, ProviderError};
pub use fact::Fact;
pub use order::{Failure, FailureClass, MediaInput, Order, Outcome};
pub use provider::Provider;
pub use state::{OrderState, OrderView};

/// The tables of orders and attempts, to be one of the owning service's migrations
/// (`("0001_prediction", predictions::SQLITE_MIGRATION)`).
pub const SQLITE_MIGRATION: &str = include_str!("../migrations/sqlite/prediction.sql");
/// The same tables for PostgreSQL.
pub const POSTGRES_MIGRATION: &str = include_str!("../migrations/postgres/prediction.sql");
/// What replicas tell each other, to be a later migration of the owning service
/// (`("0004_coordination", predictions::SQLITE_COORDINATION)`).
pub const SQLITE_COORDINATION: &str = include_str!("../migrations/sqlite/coordination.sql");
/// The same tables for PostgreSQL.
pub const POSTGRES_COORDINATION: &str = include_str!("../migrations/postgres/coordination.sql");
