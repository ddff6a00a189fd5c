//! Every stream and consumer, declared in one place and idempotently: what is missing is made, what exists stays as
//! it is. How many replicas a stream has, for example, is the operator's to change, and must survive a restart.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    stream::{Config, RetentionPolicy, StorageType, Stream},
};

use super::{NatsError, Tuning};

/// Two messages under one id within this time are one.
const DUPLICATES: Duration = Duration::from_mins(10);
/// The stream of what nobody could decode.
pub(super) const DEAD: &str = "FILMSTRIP_DEAD";

/// The name of a service's stream.
#[must_use]
pub fn stream_name(source: &str) -> String {
    format!("FILMSTRIP_{}", source.to_uppercase())
}

/// The subjects of a service's stream.
#[must_use]
pub fn subjects(source: &str) -> String {
    format!("filmstrip.{source}.v1.>")
}

/// Where a letter that `durable` could not read goes.
pub(super) fn dead_subject(durable: &str) -> String {
    format!("filmstrip.dead.{durable}")
}

/// The stream of a service, made when it is missing.
pub(super) async fn stream(jetstream: &Context, source: &str) -> Result<Stream, NatsError> {
    declare(
        jetstream,
        stream_name(source),
        subjects(source),
        "events of one service, in the order of its log",
    )
    .await
}

/// The stream of dead letters, made when it is missing.
pub(super) async fn dead_stream(jetstream: &Context) -> Result<Stream, NatsError> {
    declare(jetstream, DEAD.to_owned(), "filmstrip.dead.*".to_owned(), "messages that nobody could decode")
        .await
}

async fn declare(
    jetstream: &Context,
    name: String,
    subject: String,
    what: &str,
) -> Result<Stream, NatsError> {
    let config = Config {
        name: name.clone(),
        subjects: vec![subject],
        description: Some(what.to_owned()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        duplicate_window: DUPLICATES,
        ..Config::default()
    };
    let made = jetstream.get_or_create_stream(config).await;
    made.map_err(|error| NatsError::new(format!("declaring the stream {name}"), error))
}

/// What a stream with the configuration `old` is made again with: all of it, but for what belonged to the old
/// contents or comes from the server.
pub(super) fn anew(old: &Config) -> Config {
    let mut config = Config { first_sequence: None, sealed: false, ..old.clone() };
    config.metadata.retain(|name, _| !name.starts_with("_nats."));
    config
}

/// The durable consumer of a subscription, made when it is missing.
pub(super) async fn consumer(
    jetstream: &Context,
    source: &str,
    durable: &str,
    tuning: Tuning,
) -> Result<PullConsumer, NatsError> {
    let config = pull::Config {
        durable_name: Some(durable.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: tuning.ack_wait,
        deliver_policy: DeliverPolicy::All,
        max_ack_pending: tuning.unacknowledged.into(),
        ..pull::Config::default()
    };
    let stream = stream(jetstream, source).await?;
    let made = stream.get_or_create_consumer(durable, config).await;
    made.map_err(|error| NatsError::new(format!("declaring the consumer {durable}"), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_made_again_as_it_was_configured() {
        let by_hand = Config {
            name: stream_name("render"),
            subjects: vec![subjects("render")],
            num_replicas: 3,
            max_age: Duration::from_hours(24),
            metadata: [("team".to_owned(), "media".to_owned())].into(),
            ..Config::default()
        };
        let mut told = Config { first_sequence: Some(9), sealed: true, ..by_hand.clone() };
        told.metadata.insert("_nats.ver".to_owned(), "2.11.0".to_owned());
        assert_eq!(anew(&told), by_hand);
    }
}
