//! Bringing over what the predecessors hold: the real command on realistic databases, and what the services answer
//! afterwards beside what is known to be in them.

mod again;
mod bad_input;
mod clashes;
mod dry_run;
mod everything;
mod fetched;
mod full_disk;
mod kills;
mod place;
mod report;
mod running;
mod sources;
mod tampered;
mod told;
