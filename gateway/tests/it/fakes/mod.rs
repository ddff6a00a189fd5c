//! Services that answer what a test told them to, and remember what they were asked.

mod asset;
mod job;
mod testing;
mod workers;

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use kit::ServiceError;
use tonic::{Request, Response, Status};

pub(crate) use asset::FakeAsset;
pub(crate) use job::{FakeJob, Feed};
pub(crate) use testing::{FakeOverlay, FakePipeline, FakeVoice};
pub(crate) use workers::{FakeAudio, FakeRender, FakeStitch};

type Answer = Arc<dyn Fn() -> Result<Box<dyn Any>, Status> + Send + Sync>;

/// What a service will answer, by call; the last answer of a call stays.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<HashMap<&'static str, VecDeque<Answer>>>,
    asked: Mutex<Vec<(&'static str, Box<dyn Any + Send>)>>,
}

impl Script {
    /// The next answer of a call.
    pub(crate) fn on<T: Clone + Send + Sync + 'static>(&self, call: &'static str, answer: T) {
        self.push(call, Arc::new(move || Ok(Box::new(answer.clone()))));
    }

    /// The next answer of a call is a refusal.
    pub(crate) fn refuse(
        &self,
        call: &'static str,
        refusal: impl Fn() -> ServiceError + Send + Sync + 'static,
    ) {
        self.push(call, Arc::new(move || Err(refusal().into())));
    }

    /// The next answer of a call is a bare status, as the transport gives it.
    pub(crate) fn fail(&self, call: &'static str, status: impl Fn() -> Status + Send + Sync + 'static) {
        self.push(call, Arc::new(move || Err(status())));
    }

    /// Forgets the answers of a call.
    pub(crate) fn clear(&self, call: &'static str) {
        self.answers.lock().expect("a lock").remove(call);
    }

    fn push(&self, call: &'static str, answer: Answer) {
        self.answers.lock().expect("a lock").entry(call).or_default().push_back(answer);
    }

    /// All requests of a call so far.
    pub(crate) fn asked<Q: Clone + 'static>(&self, call: &str) -> Vec<Q> {
        let asked = self.asked.lock().expect("a lock");
        asked
            .iter()
            .filter(|(name, _)| *name == call)
            .filter_map(|(_, request)| request.downcast_ref::<Q>().cloned())
            .collect()
    }

    /// Whether a call was made at all.
    pub(crate) fn was_asked(&self, call: &str) -> bool {
        self.asked.lock().expect("a lock").iter().any(|(name, _)| *name == call)
    }

    /// The only request of a call.
    pub(crate) fn asked_once<Q: Clone + 'static>(&self, call: &str) -> Q {
        let mut all = self.asked::<Q>(call);
        assert_eq!(all.len(), 1, "{call} was called {} times", all.len());
        all.remove(0)
    }

    /// Remembers the request and answers.
    fn answer<Q, T>(&self, call: &'static str, request: Request<Q>) -> Result<Response<T>, Status>
    where
        Q: Send + 'static,
        T: 'static,
    {
        self.asked.lock().expect("a lock").push((call, Box::new(request.into_inner())));
        let answer = {
            let mut answers = self.answers.lock().expect("a lock");
            let queue = answers
                .get_mut(call)
                .ok_or_else(|| Status::unimplemented(format!("{call} is not scripted")))?;
            if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
        };
        let answer = answer.ok_or_else(|| Status::unimplemented(call))?()?;
        let answer =
            answer.downcast::<T>().map_err(|_| Status::internal(format!("{call} answers another type")))?;
        Ok(Response::new(*answer))
    }
}
