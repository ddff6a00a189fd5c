//! The relay of one service: reads its log, publishes what it translates to.

use std::{convert::Infallible, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use async_nats::jetstream::Context;
use eventlog::{Lease, Log, StoredEvent, Tail, checkpoint, lease};
use futures::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Tuning,
    publish::publish,
    target::{OnNats, Target},
};
use crate::{
    Message, Translate,
    lag::{self, Place},
};

const AGAIN: Duration = Duration::from_millis(500);

/// Opens the stream of a service.
pub type Open = Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<Arc<dyn Target>>> + Send + Sync>;

/// Publishes one service's log, as long as it holds the lease.
pub struct Relay {
    open: Open,
    source: String,
    replica: String,
    log: Log,
    translate: Translate,
    tuning: Tuning,
    /// The position up to which everything is published.
    reached: Place,
    /// The position that a successor would recall.
    remembered: Place,
}

impl Relay {
    pub(super) fn on_nats(
        jetstream: Context,
        source: &str,
        replica: &str,
        log: Log,
        translate: Translate,
        tuning: Tuning,
    ) -> Self {
        let name = source.to_owned();
        let open = move || {
            let (jetstream, name) = (jetstream.clone(), name.clone());
            let opening = async move {
                let target = OnNats::open(jetstream, &name).await?;
                Ok(Arc::new(target) as Arc<dyn Target>)
            };
            opening.boxed()
        };
        Self::new(Box::new(open), source, replica, log, translate, tuning)
    }

    /// The relay of `source` in the process `replica`, to the stream that `open` opens.
    #[must_use]
    pub fn new(
        open: Open,
        source: &str,
        replica: &str,
        log: Log,
        translate: Translate,
        tuning: Tuning,
    ) -> Self {
        // A restarted process is another relay: what the dead one sent may still arrive.
        let replica = format!("{replica}/{}", uuid::Uuid::new_v4());
        let (reached, remembered) = (Place::unknown(), Place::unknown());
        Self { open, source: source.to_owned(), replica, log, translate, tuning, reached, remembered }
    }

    /// Relays whenever it holds the lease, until canceled.
    pub async fn run(self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            if let Err(error) = self.once(&cancel).await {
                tracing::warn!(source = self.source, "the relay starts again: {error:#}");
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn once(&self, cancel: &CancellationToken) -> anyhow::Result<()> {
        let name = self.name();
        let claimed = lease::claim(&self.log, &name, &self.replica, self.tuning.relay_lease);
        let claimed = claimed.await.context("claiming the relay");
        let Ok(Some(lease)) = claimed else {
            // How far behind it is says whoever has the lease.
            lag::tell_relay(&self.source, 0);
            return claimed.map(drop);
        };
        // Others may have relayed since it last did.
        self.reached.forget();
        // Whatever it waits for, a relay that is to end does not keep its successor waiting: what it has sent
        // and not heard of is fenced like that of a relay that died.
        let relayed = tokio::select! {
            biased;
            relayed = self.relay(&lease, cancel) => relayed,
            never = self.tell_lag() => match never {},
            () = cancel.cancelled() => Ok(()),
        };
        self.remember(&lease).await;
        // Given back so that another replica need not wait for it to run out.
        if let Err(error) = lease::release(&self.log, &lease).await {
            tracing::debug!(%error, "giving the relay back");
        }
        if relayed.is_ok() {
            lag::tell_relay(&self.source, 0);
        }
        // Else it tries again in a moment, unless another one is faster: what it told last is still so.
        relayed
    }

    /// Of its lease, and of the checkpoint.
    fn name(&self) -> String {
        format!("relay/{}", self.source)
    }

    async fn relay(&self, lease: &Lease, cancel: &CancellationToken) -> anyhow::Result<()> {
        self.recall().await;
        let stream = (self.open)().await?;
        let (mut sequence, position) = last(stream.as_ref()).await?;
        self.reached.set(position);
        let mut tail = Tail::new(self.log.clone(), position);
        let mut renewed = Instant::now();
        loop {
            let read = tokio::select! {
                biased;
                read = tail.next_batch(cancel) => Some(read.context("reading the log")?),
                () = tokio::time::sleep(self.tuning.relay_renew) => None,
            };
            match read {
                Some(None) => return Ok(()),
                Some(Some(events)) => {
                    let (messages, stuck) = self.translate(&events);
                    sequence = publish(stream.as_ref(), &messages, sequence).await?;
                    stuck?;
                    self.reached.set(tail.position());
                }
                None => {
                    let (now, _) = last(stream.as_ref()).await?;
                    if now != sequence || is_empty(stream.as_ref(), position, sequence).await? {
                        bail!("the stream is not as it was left");
                    }
                }
            }
            if renewed.elapsed() > self.tuning.relay_renew {
                let renewing = lease::renew(&self.log, lease, self.tuning.relay_lease);
                if !renewing.await.context("renewing the relay")? {
                    return Ok(());
                }
                renewed = Instant::now();
                self.remember(lease).await;
            }
        }
    }

    async fn tell_lag(&self) -> Infallible {
        loop {
            if let Ok(head) = self.log.head().await
                && let Some(behind) = self.reached.behind(head)
            {
                lag::tell_relay(&self.source, behind);
            }
            tokio::time::sleep(lag::EVERY).await;
        }
    }

    /// How far the relay before this one came. Only to tell how far behind it is while the stream cannot be asked: where to
    /// go on says the stream itself.
    async fn recall(&self) {
        match checkpoint::load(&self.log, &self.name()).await {
            Ok(position) => {
                self.reached.set(position);
                self.remembered.set(position);
            }
            Err(error) => tracing::debug!(%error, "asking how far the relay came"),
        }
    }

    /// For [`Relay::recall`] by the next one; not by one that has lost the lease.
    async fn remember(&self, lease: &Lease) {
        let Some(position) = self.reached.get() else { return };
        if self.remembered.get() == Some(position) {
            return;
        }
        let saving = vec![lease.guard(), checkpoint::statement(&self.name(), position)];
        match self.log.execute(saving).await {
            Ok(_) => self.remembered.set(position),
            Err(error) => tracing::debug!(%error, "remembering how far the relay came"),
        }
    }

    /// The messages for events, up to one that cannot be translated: what is before it need not wait for it.
    fn translate(&self, events: &[StoredEvent]) -> (Vec<Message>, anyhow::Result<()>) {
        let mut messages = Vec::with_capacity(events.len());
        for event in events {
            match Message::translate(&self.source, self.translate, event) {
                Ok(message) => messages.extend(message),
                Err(error) => {
                    let StoredEvent { id, position, .. } = event;
                    let stuck = anyhow::Error::new(error)
                        .context(format!("event {id} at position {position} cannot be published"));
                    return (messages, Err(stuck));
                }
            }
        }
        (messages, Ok(()))
    }
}

/// Last sequence of the stream, and the position in the log that its last message of ours came from.
pub(super) async fn last(stream: &dyn Target) -> anyhow::Result<(u64, i64)> {
    let state = stream.state().await?;
    if state.messages == 0 {
        return Ok((state.last_sequence, 0));
    }
    // What somebody else put into the stream names no position, what was removed by hand is not there: the last
    // of ours that is counts.
    let mut sequence = state.last_sequence;
    while sequence >= state.first_sequence && sequence > 0 {
        if let Some(position) = stream.position(sequence).await? {
            return Ok((state.last_sequence, position));
        }
        sequence -= 1;
    }
    Ok((state.last_sequence, 0))
}

/// Whether the stream was emptied although something had been published.
async fn is_empty(stream: &dyn Target, position: i64, sequence: u64) -> anyhow::Result<bool> {
    let state = stream.state().await?;
    Ok(state.messages == 0 && sequence > 0 && (position > 0 || state.last_sequence > 0))
}
