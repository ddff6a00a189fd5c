//! Tells other processes of commits and hears of theirs. Only a wake-up: readers also poll.
//!
//! It has a connection of its own. A notification that belongs to a transaction takes a lock which all transactions of
//! the database that notify queue for, and holds it while the commit is written to the disk.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use super::{Address, connect};
use crate::LogError;

const AGAIN: Duration = Duration::from_secs(1);

/// Between two notifications: under load the last of several commits is announced for all of them.
const PAUSE: Duration = Duration::from_millis(2);

/// Listens until canceled, and announces what `committed` holds; a lost connection is made again.
pub(super) async fn listen(
    address: Address,
    announce: watch::Sender<i64>,
    mut committed: watch::Receiver<i64>,
    cancel: CancellationToken,
) {
    loop {
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            ended = listen_once(&address, &announce, &mut committed) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "not listening for commits; polling meanwhile");
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn listen_once(
    address: &Address,
    announce: &watch::Sender<i64>,
    committed: &mut watch::Receiver<i64>,
) -> Result<(), LogError> {
    let failed = |error| LogError::database("listening for commits", error);
    let (client, mut connection) = connect::dedicated(address).await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let telling = tell(&client, address, committed);
    tokio::pin!(telling);
    loop {
        tokio::select! {
            ended = &mut telling => return ended.map_err(failed),
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    raise(announce, notification.payload().parse().unwrap_or(0));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(failed(error)),
                None => return Ok(()),
            }
        }
    }
}

/// Subscribes, then announces every commit, or the last of those that come close together.
async fn tell(
    client: &Client,
    address: &Address,
    committed: &mut watch::Receiver<i64>,
) -> Result<(), tokio_postgres::Error> {
    let channel = address.channel();
    // A notification that is lost with the server is only a wake-up: it need not be on the disk, as one that has a
    // transaction of its own otherwise would.
    client.batch_execute(&format!("SET synchronous_commit = off; LISTEN {channel}")).await?;
    let notify = client.prepare("SELECT pg_notify($1, $2)").await?;
    // The writer is gone when the sender is.
    while committed.changed().await.is_ok() {
        let position = committed.borrow_and_update().to_string();
        if let Err(error) = client.execute(&notify, &[&channel, &position]).await {
            committed.mark_changed();
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
    std::future::pending().await
}

/// Wakes the readers; the value only grows.
pub(super) fn raise(announce: &watch::Sender<i64>, position: i64) {
    announce.send_if_modified(|last| {
        let grown = position > *last;
        *last = position.max(*last);
        grown
    });
}
