//! What the engine tells of itself: the spans of its work, and how much of it there is.

use eventlog::Meta;
use kit::work::Work;
use telemetry::{
    Subject,
    metrics::key,
    trace::{Build, span},
};

use super::{Engine, driver::Driver};
use crate::{error::OrderError, load::Slots, order::Order, replicate::PROVIDER, store};

/// The span in which what was asked for is written, under the asker's; what follows an order is one trace, also when its
/// asker had none.
pub(super) fn asked(name: &'static str, key: &str, meta: &Meta) -> Build {
    let build = span(name).about(Subject::of_key(key));
    match &meta.traceparent {
        Some(asker) => build.under(Some(asker)),
        None => build,
    }
}

impl Driver {
    /// A step of the order, under the span that it was placed in.
    pub(super) fn span(&self, name: &'static str) -> Build {
        span(name).with(key::PROVIDER, PROVIDER)
    }

    /// The same of a step that is about one attempt.
    pub(super) fn attempt_span(&self, name: &'static str, order: &Order, attempt: &str) -> Build {
        let model = self.engine.buyer.model_key(order);
        self.span(name).with(key::MODEL, model).with("filmstrip.attempt", attempt.to_owned())
    }
}

impl Engine {
    /// How much work the orders are at this moment.
    ///
    /// # Errors
    /// The log failed.
    pub async fn work(&self) -> Result<Work, OrderError> {
        Ok(store::work(&self.0.log, self.0.clock.now()).await?)
    }

    /// How the account's slots are used at this moment.
    ///
    /// # Errors
    /// The log failed.
    pub async fn slots(&self) -> Result<Slots, OrderError> {
        let used = store::slots_used(&self.0.log).await?;
        Ok(Slots { used, limit: self.0.account.max_in_flight })
    }

    /// Tells the metrics how the slots for this work are used, such as `render`.
    ///
    /// # Errors
    /// The log failed.
    pub async fn tell_slots(&self, work: &'static str) -> Result<(), OrderError> {
        self.slots().await?.tell(PROVIDER, work);
        Ok(())
    }
}
