//! Fetching, checking and keeping an output.

use std::time::Duration;

use tempfile::TempPath;

use super::driver::{Driver, Then};
use crate::{
    answers,
    buyer::Usable,
    error::ProviderError,
    fact::Fact,
    order::{Failure, FailureClass, Outcome},
    replicate::is_gone,
    store::{NotRecorded, Stored},
};

/// Deliveries that may fail on our side (disk, check) before the order does.
const MAX_DELIVERIES: u32 = 8;

/// What became of one try.
enum Fetched {
    Kept(Outcome),
    Again(String),
}

impl Driver {
    /// Fetches the output and settles the order.
    pub(super) async fn deliver(
        &mut self,
        stored: Stored,
        prediction_id: String,
        output_url: String,
    ) -> Result<Then, NotRecorded> {
        let turn = tokio::select! {
            () = self.session.stop.cancelled() => return Ok(Then::Leave),
            turn = self.engine.deliveries.acquire() => turn,
        };
        self.deliveries += 1;
        let outcome = match self.fetch(&stored, &prediction_id, &output_url).await? {
            Fetched::Kept(outcome) => outcome,
            Fetched::Again(why) if self.deliveries < MAX_DELIVERIES => {
                tracing::warn!(key = self.key, why, "an output could not be fetched and kept; trying again");
                let pause = answers::backoff(&self.engine.policy, self.deliveries as usize, rand::random());
                return Ok(Then::Wait(pause));
            }
            Fetched::Again(why) => Outcome::Failed(lost_output(why)),
        };
        drop(turn);
        self.record(&stored, Fact::OrderSettled { outcome }).await?;
        Ok(Then::GoOn)
    }

    async fn fetch(&self, stored: &Stored, prediction_id: &str, url: &str) -> Result<Fetched, NotRecorded> {
        let order = self.order(stored)?;
        let file = match self.scratch_file() {
            Ok(file) => file,
            Err(error) => return Ok(Fetched::Again(error.to_string())),
        };
        let mut broken = None;
        // A file that is no good may be a bad download rather than a bad output: it is fetched twice.
        for _ in 0..2 {
            if let Err(error) = self.download(prediction_id, url, &file).await {
                return Ok(match error {
                    ProviderError::Local(why) => Fetched::Again(why),
                    gone if is_gone(&gone) => Fetched::Kept(Outcome::Failed(lost_output("it is gone"))),
                    error => Fetched::Kept(Outcome::Failed(lost_output(error))),
                });
            }
            match self.engine.buyer.check(order, &file).await {
                Ok(Ok(usable)) => return Ok(self.keep(prediction_id, &file, usable).await),
                Ok(Err(rejected)) => broken = Some(rejected),
                Err(error) => return Ok(Fetched::Again(format!("{error:#}"))),
            }
        }
        let why = broken.map(|rejected| rejected.0).unwrap_or_default();
        Ok(Fetched::Kept(Outcome::Failed(Failure::new(
            FailureClass::Media,
            format!(
                "The provider delivered, and charged for, something that cannot be used: {why}. Ask for a new take."
            ),
        ))))
    }

    async fn keep(&self, prediction_id: &str, file: &TempPath, usable: Usable) -> Fetched {
        match self.engine.blobs.put_file(file, &usable.content_type).await {
            Ok(blob) => Fetched::Kept(Outcome::Delivered {
                blob,
                prediction_id: prediction_id.to_owned(),
                found: usable.found,
            }),
            Err(error) => Fetched::Again(format!("{:#}", anyhow::Error::from(error))),
        }
    }

    /// Downloads, again when it breaks off, from a new address when the old one is gone.
    async fn download(&self, prediction_id: &str, url: &str, file: &TempPath) -> Result<(), ProviderError> {
        let mut url = url.to_owned();
        let mut moved = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.engine.provider.download(&url, file).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if is_gone(&error) && !moved {
                moved = true;
                let now = self.engine.provider.get(prediction_id).await;
                let address = now.ok().and_then(|prediction| prediction.output_url().map(str::to_owned));
                url = address.unwrap_or(url);
                continue;
            }
            if !error.is_transient() || tries >= self.engine.policy.max_downloads {
                return Err(error);
            }
            let pause = match &error {
                ProviderError::Throttled(wait) => *wait,
                _ => answers::backoff(&self.engine.policy, tries as usize - 1, rand::random()),
            };
            tokio::select! {
                () = self.session.stop.cancelled() => return Err(ProviderError::Local("the process stops".to_owned())),
                () = self.engine.clock.sleep(pause.max(Duration::from_millis(10))) => {}
            }
        }
    }

    fn scratch_file(&self) -> std::io::Result<TempPath> {
        let dir = self.engine.blobs.scratch_dir();
        Ok(tempfile::Builder::new().prefix("output-").tempfile_in(dir)?.into_temp_path())
    }
}

/// The failure of an output that cannot be had although it was paid for.
fn lost_output(detail: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureClass::Output,
        format!(
            "The provider made it and charged for it, but it cannot be fetched: {detail}. Ask for a new take."
        ),
    )
}
