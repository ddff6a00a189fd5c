//! Webhooks as they come: checked, stored as far as there is anything to store, and taken as a reason to ask.

use std::{collections::HashMap, time::Duration};

use eventlog::Meta;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Engine, Inner, RACES};
use crate::{error::OrderError, fact::Fact, plan::later, store, webhook};

/// How often, at most, the signing secret is asked for because a signature does not fit it: anybody can send
/// a webhook that does not.
const SECRET_AGAIN: Duration = Duration::from_secs(60);

/// The provider's signing secret as it was last told.
pub(super) struct Secret {
    secret: SecretString,
    asked_at: Timestamp,
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
        let Some(key) = store::order_of(&self.0.log, attempt).await? else { return Ok(false) };
        let Some(prediction_id) = self.0.verified(headers, body).await? else { return Ok(false) };
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
            let meta = Meta {
                correlation_id: stored.request.correlation_id.clone(),
                traceparent: stored.request.traceparent.clone(),
                ..Meta::default()
            };
            if self.write(&key, &stored, &[fact], &meta).await?.is_some() {
                self.0.poke(&key);
                return Ok(true);
            }
        }
        Err(OrderError::Busy { key })
    }
}

impl Inner {
    /// The prediction that a webhook is about, if the provider signed it.
    async fn verified(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<Option<String>, OrderError> {
        let mut cached = self.webhook_secret.lock().await;
        let now = self.clock.now();
        if let Some(known) = &*cached {
            let about = webhook::verified(&known.secret, headers, body);
            if about.is_some() || now < later(known.asked_at, SECRET_AGAIN) {
                return Ok(about);
            }
        }
        // There is none yet, or it may have been replaced.
        if let Some(known) = &mut *cached {
            known.asked_at = now;
        }
        let secret = self.provider.webhook_secret().await.map_err(OrderError::NoSecret)?;
        let replaced =
            cached.as_ref().is_some_and(|known| known.secret.expose_secret() != secret.expose_secret());
        if replaced {
            tracing::info!("the provider signs its webhooks with a new secret");
        }
        let about = webhook::verified(&secret, headers, body);
        *cached = Some(Secret { secret, asked_at: now });
        Ok(about)
    }
}
