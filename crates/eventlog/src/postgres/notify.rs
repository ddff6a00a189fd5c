//! Hears of the commits of other processes. Only a wake-up: readers also poll.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::sync::watch;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

use super::{Address, connect};
use crate::LogError;

const AGAIN: Duration = Duration::from_secs(1);

/// Listens until canceled; a lost connection is made again.
pub(super) async fn listen(address: Address, announce: watch::Sender<i64>, cancel: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            ended = listen_once(&address, &announce) => ended,
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

async fn listen_once(address: &Address, announce: &watch::Sender<i64>) -> Result<(), LogError> {
    let failed = |error| LogError::database("listening for commits", error);
    let (client, mut connection) = connect::dedicated(address).await?;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let command = format!("LISTEN {}", address.channel());
    let listening = client.batch_execute(&command);
    tokio::pin!(listening);
    let mut subscribed = false;
    loop {
        tokio::select! {
            done = &mut listening, if !subscribed => {
                done.map_err(failed)?;
                subscribed = true;
            }
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

/// Wakes the readers; the value only grows.
pub(super) fn raise(announce: &watch::Sender<i64>, position: i64) {
    announce.send_if_modified(|last| {
        let grown = position > *last;
        *last = position.max(*last);
        grown
    });
}
