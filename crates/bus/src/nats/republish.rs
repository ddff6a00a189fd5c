//! Makes a stream again from its log.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::{
    Context, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind},
    stream::Config,
};
use eventlog::Log;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{NatsBus, logged::Logged, reconcile::existing, relay, target::OnNats, topology};
use crate::Translate;

const LOOK: Duration = Duration::from_millis(100);
/// How long nothing may be published before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Republished {
    /// The service.
    pub source: String,
    /// The name of its stream.
    pub stream: String,
    /// Messages that the old stream held.
    pub removed: u64,
    /// Messages that the log says are published, all in the new stream now.
    pub published: u64,
}

impl std::fmt::Display for Republished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stream, removed, published, .. } = self;
        write!(
            f,
            "{stream}: removed with {removed} messages, made again with {published} from the log, under the same \
             ids. Subscriptions get everything again and drop what they know."
        )
    }
}

/// Removes the stream of `source` with its consumers, makes it again with the same configuration and publishes
/// everything from `log`, in order and under the same ids; returns once everything that the log held at the beginning is
/// published. (Only emptying the stream would not do: it remembers the ids for its window for duplicates.) Works beside
/// running services: their active relay does the publishing, or this call when there is none; subscriptions make their
/// consumers again.
///
/// # Errors
/// NATS or the log fails, or nothing is published for a minute. The stream may then be incomplete; running relays
/// complete it, and so does another call.
pub async fn republish(
    bus: &NatsBus,
    source: &str,
    log: &Log,
    translate: Translate,
) -> anyhow::Result<Republished> {
    // Everything must be translatable before anything is removed.
    let (published, until) = published(log, source, translate).await?;
    let mut removed = 0;
    if let Some(stream) = existing(&bus.jetstream, source).await? {
        let info = stream.get_info().await.context("asking for the stream")?;
        removed = info.state.messages;
        bus.jetstream.delete_stream(topology::stream_name(source)).await.context("removing the stream")?;
        recreate(&bus.jetstream, &topology::anew(&info.config)).await?;
    }
    let cancel = CancellationToken::new();
    let relay = bus.relay(source, log.clone(), translate);
    let relaying = bus.running.spawn(relay.run(cancel.clone()));
    let arrived = arrive(bus, source, until).await;
    cancel.cancel();
    relaying.await.context("the relay")?;
    arrived?;
    Ok(Republished { source: source.to_owned(), stream: topology::stream_name(source), removed, published })
}

/// Makes a stream that was removed again as it was configured, also where a running service has just made one with
/// the defaults.
async fn recreate(jetstream: &Context, config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let Err(error) = make(jetstream, config).await else { return Ok(()) };
        if started.elapsed() > PATIENCE {
            let was = serde_json::to_string(config).unwrap_or_default();
            return Err(error)
                .with_context(|| format!("making the stream again; it was configured as {was}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn make(jetstream: &Context, config: &Config) -> anyhow::Result<()> {
    match jetstream.create_stream(config).await {
        Err(error) if is_there(&error) => drop(jetstream.update_stream(config).await?),
        made => drop(made?),
    }
    anyhow::ensure!(
        is_new(jetstream, &config.name).await?,
        "NATS has kept a remainder of the removed stream"
    );
    Ok(())
}

/// Whether the stream is one that was just made; what is left of the old one is removed.
///
/// A server (2.15) that is asked to make a stream in the moment in which it removes it keeps a remainder: empty, behind
/// the last sequence that it had, and deaf to what is published to it.
async fn is_new(jetstream: &Context, name: &str) -> anyhow::Result<bool> {
    let stream = jetstream.get_stream(name).await?;
    let state = &stream.cached_info().state;
    if state.messages > 0 || state.last_sequence == 0 {
        return Ok(true);
    }
    tracing::warn!(stream = name, "removing what NATS has kept of the removed stream");
    jetstream.delete_stream(name).await?;
    Ok(false)
}

fn is_there(error: &CreateStreamError) -> bool {
    matches!(error.kind(), CreateStreamErrorKind::JetStream(refusal)
        if refusal.error_code() == ErrorCode::STREAM_NAME_EXIST)
}

/// How many messages the log has, and the position of the last one.
async fn published(log: &Log, source: &str, translate: Translate) -> anyhow::Result<(u64, i64)> {
    let head = log.head().await.context("reading the log")?;
    let mut logged = Logged::new(log, source, translate, head);
    let (mut count, mut last) = (0, 0);
    while let Some(message) = logged.next().await? {
        count += 1;
        last = message.position;
    }
    Ok((count, last))
}

/// Waits until the stream's last message comes from the position `until` or a later one.
async fn arrive(bus: &NatsBus, source: &str, until: i64) -> anyhow::Result<()> {
    let mut reached = 0;
    let mut progress = Instant::now();
    loop {
        let position = match OnNats::open(bus.jetstream.clone(), source).await {
            Ok(stream) => relay::last(&stream).await.map(|(_, position)| position),
            Err(error) => Err(error),
        };
        match position {
            Ok(position) if position >= until => return Ok(()),
            Ok(position) if position > reached => (reached, progress) = (position, Instant::now()),
            Err(error) if progress.elapsed() > PATIENCE => {
                return Err(error).context("asking for the stream");
            }
            _ => anyhow::ensure!(
                progress.elapsed() <= PATIENCE,
                "nothing is published any more; the stream has come to position {reached} of {until}"
            ),
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use testservers::NatsServer;

    use super::*;

    /// Emptied, a stream looks like what the server keeps of one.
    #[tokio::test]
    async fn a_remainder_of_the_removed_stream_is_not_taken_for_the_new_one() {
        let server = NatsServer::start().await.unwrap();
        let jetstream = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
        let remainder = topology::stream(&jetstream, "render").await.unwrap();
        let config = remainder.get_info().await.unwrap().config;
        jetstream.publish("filmstrip.render.v1.e.noted", "old".into()).await.unwrap().await.unwrap();
        remainder.purge().await.unwrap();
        for max_messages in [config.max_messages, 5_000] {
            recreate(&jetstream, &Config { max_messages, ..config.clone() }).await.unwrap();
            let info = jetstream.get_stream(&config.name).await.unwrap().get_info().await.unwrap();
            assert_eq!((info.state.last_sequence, info.config.max_messages), (0, max_messages));
        }
    }
}
