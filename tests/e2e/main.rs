//! Promises to users, end to end: the real command as its own process, real media, and the stand-in
//! providers as another process whose ledger says what was bought.

#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod bad_input;
mod cancel;
mod commands;
mod faults;
mod idempotency;
mod imports;
mod keys;
mod kill;
mod leaks;
mod load;
mod main_job;
mod memory;
mod migrations;
mod operations;
mod overrides;
mod paging;
mod partial;
mod pictures;
mod processes;
mod refusals;
mod rehearsals;
mod scaled;
mod schemas;
mod webhooks;
mod world;
