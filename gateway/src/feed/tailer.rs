//! The one reader of the job service's feed in this process.

use std::time::Duration;

use protos::job::v1::WatchRequest;
use tokio_util::sync::CancellationToken;

use super::Hub;
use crate::backends::Backends;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Only what happens from now on; readers ask for the past themselves.
const FROM_NOW: i64 = -1;

/// Reads the feed until `cancel`, again from the last item whenever the connection is lost.
pub(crate) async fn tail(hub: Hub, backends: Backends, cancel: CancellationToken) -> anyhow::Result<()> {
    let reading = async {
        let (mut after, mut pause, mut lost) = (FROM_NOW, FIRST_PAUSE, false);
        loop {
            if let Err(status) = read(&hub, &backends, &mut after, &mut pause, lost).await {
                tracing::debug!(%status, "the feed of jobs was lost; reading on");
            }
            lost = true;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    tokio::select! {
        () = cancel.cancelled() => Ok(()),
        () = reading => Ok(()),
    }
}

async fn read(
    hub: &Hub,
    backends: &Backends,
    after: &mut i64,
    pause: &mut Duration,
    lost: bool,
) -> Result<(), tonic::Status> {
    let anew = lost && *after == FROM_NOW;
    let mut feed = backends.job().watch(WatchRequest { after_position: *after }).await?.into_inner();
    *pause = FIRST_PAUSE;
    if anew {
        // Lost before anything had come: what happened until now is in no feed that we read.
        hub.began_anew();
    }
    while let Some(item) = feed.message().await? {
        *after = item.position;
        hub.publish(item);
    }
    Ok(())
}
