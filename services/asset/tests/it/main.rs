//! Tests of the asset service, over its real gRPC interface.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod assets;
mod broken;
mod campaigns;
mod clients;
mod deletes;
mod endless;
mod events;
mod files;
mod full;
mod hostile;
mod idempotency;
mod import;
mod keys;
mod legacy;
mod meanwhile;
mod paging;
mod pictures;
mod process;
mod quirks;
mod redirects;
mod replicas;
mod updates;
mod world;
