//! The secret that the provider signs its webhooks with, as it was last told, and the one before it. The provider may
//! replace it at any time, and tells nobody.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::Inner;
use crate::{
    error::{OrderError, ProviderError},
    plan::later,
    webhook::{self, Verdict},
};

/// How often, at most, the secret is asked for because a signature fits none that is known: anybody can send such
/// a webhook. One that comes sooner is to be sent again, because it may be signed with a newer secret.
const AGAIN: Duration = Duration::from_secs(10);
/// How long the former secret counts after a new one was told: what was signed with it is not believed for longer.
const FORMER: Duration = Duration::from_secs(5 * 60);

/// What is known.
#[derive(Default)]
pub(super) struct Secrets {
    current: Option<SecretString>,
    /// The one before, and until when it counts.
    former: Option<(SecretString, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl Secrets {
    fn judge(&self, now: Timestamp, headers: &HashMap<String, String>, body: &[u8]) -> Verdict {
        let former = self.former.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        webhook::judged(self.current.iter().chain(former), headers, body)
    }

    fn may_be_asked_for(&self, now: Timestamp) -> bool {
        self.asked_at.is_none_or(|asked_at| now >= later(asked_at, AGAIN))
    }

    fn learn(&mut self, secret: SecretString, now: Timestamp) {
        let former = self.current.replace(secret.clone());
        if let Some(former) = former.filter(|former| former.expose_secret() != secret.expose_secret()) {
            tracing::info!("the provider signs its webhooks with a new secret");
            self.former = Some((former, later(now, FORMER)));
        }
    }
}

impl Inner {
    /// The prediction that a webhook is about, if the provider signed it.
    ///
    /// # Errors
    /// The secret that it may be signed with cannot be had now: it has to be sent again.
    pub(super) async fn verified(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<Option<String>, OrderError> {
        // Held while the provider is asked, so that it is asked once for all that come meanwhile.
        let mut secrets = self.webhook_secrets.lock().await;
        let now = self.clock.now();
        match secrets.judge(now, headers, body) {
            Verdict::Signed(about) => return Ok(Some(about)),
            Verdict::Worthless => return Ok(None),
            Verdict::OtherSecret => {}
        }
        if !secrets.may_be_asked_for(now) {
            let why = "the provider was asked for its secret a moment ago".to_owned();
            return Err(OrderError::NoSecret(ProviderError::NotMade(why)));
        }
        secrets.asked_at = Some(now);
        let secret = self.provider.webhook_secret().await.map_err(OrderError::NoSecret)?;
        secrets.learn(secret, now);
        Ok(match secrets.judge(now, headers, body) {
            Verdict::Signed(about) => Some(about),
            Verdict::OtherSecret | Verdict::Worthless => None,
        })
    }
}
