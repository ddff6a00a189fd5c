//! The whole of Filmstrip as processes on one machine: six kinds of process, any number of replicas of each, on
//! a PostgreSQL, a NATS and an S3 server of their own, with stand-in providers.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`options`] | how many replicas, how patient, where |
//! | `programs` | where the built programs lie |
//! | `process` | one child process: started, listened to, signalled, waited for |
//! | `servers` | PostgreSQL with a role and a schema for each service, NATS, S3 |
//! | `environment` | what each process is told |
//! | `starting` | replicas that start while other things happen |
//! | [`stack`](Stack) | all of it together |
//! | [`table`] | where everything listens, for a person |
//!
//! Nothing outlives the process that started it: children are killed by the kernel when it ends, however it ends.

mod environment;
pub mod options;
mod process;
mod programs;
mod servers;
mod stack;
mod starting;
pub mod table;

pub use environment::BlobSettings;
pub use options::{Ending, Options, ProviderKeys, Server, Service};
pub use stack::Stack;
pub use starting::{Arrival, Arrived};
