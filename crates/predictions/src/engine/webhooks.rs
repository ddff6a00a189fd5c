//! Webhooks as they come: checked, stored as far as there is anything to store, and taken as a reason to ask.

use std::collections::HashMap;

use eventlog::Meta;
use telemetry::{
    KeyValue, Subject,
    metrics::{PROVIDER_WEBHOOKS, key},
    trace::{self, span},
};

use super::{Engine, RACES};
use crate::{error::OrderError, fact::Fact, replicate::PROVIDER, store};

/// The attempt is none of ours, or the prediction is not the attempt's.
const UNKNOWN: &str = "unknown";
/// The provider did not sign it, or not now.
const REFUSED: &str = "refused";
/// It is the provider's, and about an attempt of ours.
const TAKEN: &str = "taken";

/// Counts a webhook that came to this; whether it was taken.
fn told(outcome: &'static str) -> bool {
    let attributes = [KeyValue::new(key::PROVIDER, PROVIDER), KeyValue::new(key::OUTCOME, outcome)];
    PROVIDER_WEBHOOKS.add(1, &attributes);
    outcome == TAKEN
}

impl Engine {
    /// Takes in a webhook as it came. `true`: it is the provider's, for an attempt of ours, and stored as far as
    /// there is anything to store. `false`: unsigned, forged or unknown; nothing happened.
    ///
    /// # Errors
    /// It could not be checked or stored: the provider has to send it again.
    pub async fn webhook(
        &self,
        attempt: &str,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<bool, OrderError> {
        let Some(key) = store::order_of(&self.0.log, attempt).await? else { return Ok(told(UNKNOWN)) };
        let Some(prediction_id) = self.0.verified(headers, body).await? else { return Ok(told(REFUSED)) };
        // It belongs to the order's trace, whoever brought it: the order is what it is news of.
        let placed = store::load(&self.0.log, &key).await?.request.traceparent;
        let span = span("webhook").consumer().under(placed.as_deref()).link(trace::traceparent().as_deref());
        let span = span.about(Subject::of_key(&key)).with(key::PROVIDER, PROVIDER);
        let taken = span.around(self.take_in(key, attempt, prediction_id)).await?;
        Ok(told(if taken { TAKEN } else { UNKNOWN }))
    }

    /// Stores what a webhook of the provider's says, and has its order looked at. `false`: it is about a prediction that
    /// is not this attempt's.
    async fn take_in(&self, key: String, attempt: &str, prediction_id: String) -> Result<bool, OrderError> {
        for _ in 0..RACES {
            let stored = store::load(&self.0.log, &key).await?;
            let Some(known) = stored.state.attempt(attempt) else { return Ok(false) };
            if let Some(id) = &known.prediction_id {
                let ours = *id == prediction_id;
                if ours && known.over.is_none() && !self.0.poke_driver(&key) {
                    // Another process works on it.
                    store::nudge(&self.0.log, &key).await?;
                }
                return Ok(ours);
            }
            if known.over.is_some() || known.hints.contains(&prediction_id) {
                return Ok(true);
            }
            let fact =
                Fact::ProviderHinted { attempt: attempt.to_owned(), prediction_id: prediction_id.clone() };
            // It belongs to the order's story, wherever the webhook comes from.
            let meta = Meta { correlation_id: stored.request.correlation_id.clone(), ..Meta::default() };
            if self.write(&key, &stored, &[fact], &meta).await?.is_some() {
                self.0.poke(&key);
                return Ok(true);
            }
        }
        Err(OrderError::Busy { key })
    }
}
