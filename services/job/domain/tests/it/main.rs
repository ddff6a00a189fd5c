//! The rules of a job, one test per rule.

mod canceling;
mod creating;
mod cutting;
mod editing;
mod golden;
mod harness;
mod keys;
mod models;
mod overriding;
mod progress;
mod properties;
mod proposals;
mod quirks;
mod regenerating;
mod removing;
mod rendering;
mod soundtracks;
mod templates;
mod timeline;
mod views;
mod wishes;
