//! The rules of a job, one test per rule.

mod canceling;
mod creating;
mod cutting;
mod editing;
mod golden;
mod harness;
mod importing;
mod keys;
mod models;
mod overriding;
mod pipeline;
mod progress;
mod properties;
mod proposals;
mod quirks;
mod regenerating;
mod removing;
mod rendering;
mod soundtrack_wishes;
mod soundtracks;
mod templates;
mod timeline;
mod views;
mod watching;
mod wishes;
