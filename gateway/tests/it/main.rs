//! The gateway over real sockets, in front of scripted services.

mod fakes;
mod world;

mod assets;
mod audio;
mod auth;
mod briefs;
mod browsers;
mod bulk;
mod campaign_jobs;
mod campaigns;
mod changes;
mod clients;
mod conventions;
mod documents;
mod dry_runs;
mod events;
mod health;
mod idempotency;
mod job_list;
mod jobs;
mod keys;
mod lifecycle;
mod listings;
mod older;
mod pages;
mod pictures;
mod quirks;
mod ranges;
mod redirects;
mod scenes;
mod stats;
mod storyboard;
mod uploads;
mod videos;
mod webhooks;
