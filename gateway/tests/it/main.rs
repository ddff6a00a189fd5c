//! The gateway over real sockets, in front of scripted services.

mod fakes;
mod world;

mod assets;
mod audio;
mod auth;
mod browsers;
mod bulk;
mod campaigns;
mod changes;
mod clients;
mod conventions;
mod documents;
mod events;
mod health;
mod idempotency;
mod jobs;
mod keys;
mod lifecycle;
mod listings;
mod pages;
mod pictures;
mod quirks;
mod ranges;
mod redirects;
mod scenes;
mod uploads;
mod videos;
mod webhooks;
