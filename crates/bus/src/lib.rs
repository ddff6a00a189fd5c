//! How services hear of each other: published messages, delivered to durable subscriptions.
//!
//! A service never sees another one's stored events. The producer's log is its outbox: a relay reads it,
//! translates stored events into published messages (`proto/<service>/v1/events.proto`) and hands them over, in
//! order, at least once. How far a subscription has come is a checkpoint in the consumer's own database.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`message`] | [`Message`], and what a translation makes: [`Published`] |
//! | [`subjects`] | every source, subject and durable name, spelled once |
//! | [`event_bus`] | the [`EventBus`] trait that every transport implements |
//! | [`subscription`] | the loop around a handler: retries, checkpoints, health |
//! | `handling`, `lag` | what is told of handlers, relays and subscriptions: spans and metrics |
//! | [`in_process`] | the transport inside one process |
//! | [`nats`] | the transport over NATS JetStream |

pub mod event_bus;
mod handling;
pub mod in_process;
mod lag;
pub mod message;
pub mod nats;
pub mod subjects;
pub mod subscription;

pub use event_bus::{Bus, EventBus};
pub use in_process::InProcessBus;
pub use message::{Message, Published, Translate, TranslateError};
pub use nats::{DeadLetter, NatsBus, NatsError, Tuning};
pub use subscription::{Backoff, Health, Subscription};
