//! Which job, scene and take the work at hand is for: on every span and every log line of it.

use std::future::Future;

use opentelemetry::{Context, KeyValue, context::FutureExt as _};

use crate::trace::current_span;

/// What work is for; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The job's number.
    pub job: Option<i64>,
    /// The number of the scene within the job, or the scene's id.
    pub scene: Option<String>,
    /// Which take, from 1.
    pub take: Option<u32>,
    /// The key of what is wanted from a worker, such as `job-43/scene-2/take-1`.
    pub key: Option<String>,
}

impl Subject {
    /// A job.
    #[must_use]
    pub fn job(job: i64) -> Self {
        Self { job: Some(job), ..Self::default() }
    }

    /// What a worker's key says: `job-43/scene-2/take-1` is take 1 of scene 2 of job 43. Parts that say something else, as in
    /// `job-43/cut-1`, are only in the key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let mut subject = Self { key: Some(key.to_owned()), ..Self::default() };
        for part in key.split('/') {
            match part.split_once('-') {
                Some(("job", number)) => subject.job = number.parse().ok(),
                Some(("scene", number)) => subject.scene = Some(number.to_owned()),
                Some(("take", number)) => subject.take = number.parse().ok(),
                _ => {}
            }
        }
        subject
    }

    /// What is being worked for here.
    #[must_use]
    pub fn current() -> Option<Self> {
        Context::map_current(|context| context.get::<Self>().cloned())
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Runs `future` as work for this: the current span is told, and so are the spans and log lines within.
    pub async fn around<F: Future>(self, future: F) -> F::Output {
        let inside = Context::map_current(|current| {
            current_span(current, &self);
            self.put_into(current)
        });
        // On the heap: a future within futures would be moved with each of them.
        Box::pin(future.with_context(inside)).await
    }

    pub(crate) fn of(context: &Context) -> Option<&Self> {
        context.get::<Self>()
    }

    pub(crate) fn put_into(self, context: &Context) -> Context {
        context.with_value(self)
    }

    /// Each fact under its name.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("job", self.job.map(|job| job.to_string())),
            ("scene", self.scene.clone()),
            ("take", self.take.map(|take| take.to_string())),
            ("key", self.key.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        let numbers = [("filmstrip.job.id", self.job), ("filmstrip.take", self.take.map(i64::from))];
        let texts = [("filmstrip.scene", self.scene.clone()), ("filmstrip.key", self.key.clone())];
        let numbers = numbers.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?)));
        numbers.chain(texts.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?))))
    }
}
