//! The gateway over real sockets, in front of scripted services.

mod fakes;
mod world;

mod assets;
mod audio;
mod auth;
mod campaigns;
mod clients;
mod conventions;
mod documents;
mod events;
mod health;
mod idempotency;
mod jobs;
mod lifecycle;
mod listings;
mod ranges;
mod redirects;
mod scenes;
mod uploads;
mod videos;
mod webhooks;
