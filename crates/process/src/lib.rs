//! What every binary has in common: configuration, commands, start, drain and stop.
//!
//! A binary implements [`Service`] (one with a database and the bus) or [`Edge`] (one without), and its `main`
//! is [`service::<S>()`](service()) or [`edge::<E>()`](edge()).
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`config`] | defaults, file, environment; everything that is wrong told at once |
//! | [`settings`] | the settings that every process has |
//! | [`program`] | what a binary implements |
//! | `cli`, `run` | the commands |
//! | `open` | opening what a process needs, waiting for what is not there yet |
//! | `serve` | start, readiness, drain, stop |
//! | `healthcheck`, `migrate`, `events` | the commands of the same names |
//! | [`instance`] | a name for this replica |
//! | [`version`] | which build this is |
//! | [`watch`](mod@watch) | what all replicas share, told as metrics |
//! | [`testing`] | a binary's configuration, for its tests |

mod cli;
pub mod config;
mod dependencies;
mod events;
mod healthcheck;
pub mod instance;
mod migrate;
mod open;
pub mod program;
mod run;
mod serve;
pub mod settings;
pub mod testing;
pub mod version;
pub mod watch;

pub use config::Reader;
pub use program::{Edge, EdgeDeps, Service};
pub use run::{edge, service};
pub use settings::Common;
