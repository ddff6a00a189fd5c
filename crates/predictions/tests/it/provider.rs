//! A provider in memory that does what a test tells it.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use blobs::ScratchFile;
use jiff::Timestamp;
use kit::Clock;
use parking_lot::Mutex;
use predictions::{
    Provider, ProviderError,
    provider::Create,
    replicate::wire::{Page, Prediction, Status},
};
use protos::common::v1::BlobRef;
use secrecy::SecretString;
use serde_json::json;
use telemetry::Subject;
use tokio::{sync::Notify, time::Instant};

/// What happens to one create call.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Accepted, answered.
    Taken,
    /// Accepted, and the answer is lost.
    Dropped,
    /// Accepted, and no answer ever.
    Silent,
    /// Never arrives, and no answer ever.
    Unheard,
    /// This error, nothing accepted.
    Error(ProviderError),
}

/// How a prediction goes on when it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Course {
    Succeeds,
    Fails(&'static str),
    /// Succeeds after so long.
    Lasts(Duration),
    /// Runs until it is canceled or let go.
    Runs,
}

/// Where a whole process is paused, as by SIGSTOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// While it prepares an attempt.
    Upload,
    /// When the provider has accepted its create call.
    Create,
}

/// Stops the thread that meets it until the sender is gone.
pub(crate) struct Frozen {
    pub(crate) at: Pause,
    pub(crate) until: std::sync::mpsc::Receiver<()>,
    pub(crate) reached: tokio::sync::oneshot::Sender<()>,
}

/// Everything the provider remembers.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) courses: VecDeque<Course>,
    pub(crate) predictions: Vec<(Prediction, Course)>,
    pub(crate) creates: Vec<Create>,
    pub(crate) canceled: Vec<String>,
    pub(crate) charged: Vec<String>,
    pub(crate) most_in_flight: usize,
    pub(crate) lists: usize,
    pub(crate) uploads: usize,
    pub(crate) downloads: usize,
    pub(crate) broken_downloads: usize,
    /// What the next downloads fail with.
    pub(crate) failing_downloads: VecDeque<ProviderError>,
    /// What the next questions for a prediction fail with.
    pub(crate) failing_gets: VecDeque<ProviderError>,
    /// Uploads and downloads that are begun never end.
    pub(crate) hangs: bool,
    pub(crate) frozen: Option<Frozen>,
    /// When each create call came.
    pub(crate) created_at: Vec<Timestamp>,
    /// The trace that each call came in.
    pub(crate) traces: Vec<Option<String>>,
    /// The span that each create call was made in, and what the work was for.
    pub(crate) created_in: Vec<(Option<String>, Option<Subject>)>,
    /// What webhooks are signed with, and how often it was asked for.
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) secrets_told: usize,
    started: HashMap<String, Instant>,
}

impl Memory {
    fn in_flight(&self) -> usize {
        let runs = |p: &&(Prediction, Course)| matches!(p.0.status, Status::Starting | Status::Processing);
        self.predictions.iter().filter(runs).count()
    }

    /// Ends what has lasted long enough.
    fn pass(&mut self) {
        let over = |(prediction, course): &(Prediction, Course)| match course {
            Course::Lasts(time) if self.started[&prediction.id].elapsed() >= *time => {
                Some(prediction.id.clone())
            }
            _ => None,
        };
        let over: Vec<String> = self.predictions.iter().filter_map(over).collect();
        over.iter().for_each(|id| self.end(id, Status::Succeeded));
    }

    fn trace(&mut self) {
        self.traces.push(telemetry::trace::traceparent());
    }

    /// Stops this thread, if it is to be stopped here.
    fn freeze(memory: &Mutex<Self>, at: Pause) {
        let frozen = memory.lock().frozen.take_if(|frozen| frozen.at == at);
        if let Some(frozen) = frozen {
            let _ = frozen.reached.send(());
            let _ = frozen.until.recv();
        }
    }

    fn accept(&mut self, create: &Create) -> Prediction {
        self.pass();
        let prediction = Prediction {
            id: format!("p{}", self.predictions.len()),
            status: Status::Processing,
            input: create.input.clone(),
            created_at: Some(Clock::system().now()),
            started_at: Some(Clock::system().now()),
            ..Prediction::default()
        };
        let course = self.courses.pop_front().unwrap_or(Course::Succeeds);
        self.predictions.push((prediction.clone(), course));
        self.started.insert(prediction.id.clone(), Instant::now());
        self.most_in_flight = self.most_in_flight.max(self.in_flight());
        prediction
    }

    fn end(&mut self, id: &str, status: Status) {
        let Some((prediction, _)) = self.predictions.iter_mut().find(|(p, _)| p.id == id) else { return };
        if !matches!(prediction.status, Status::Starting | Status::Processing) {
            return;
        }
        if matches!(status, Status::Succeeded | Status::Canceled) {
            self.charged.push(id.to_owned());
        }
        prediction.output = json!("https://replicate.delivery/clip.mp4");
        prediction.completed_at = Some(Clock::system().now());
        prediction.status = status;
    }
}

/// The provider; outlives engines.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) clock: Clock,
    pub(crate) memory: Mutex<Memory>,
    /// Changes whenever something was asked.
    pub(crate) asked: Notify,
}

pub(crate) const SECRET: &[u8] = b"a secret that webhooks are signed with";

#[async_trait]
impl Provider for Scripted {
    async fn create(&self, create: &Create) -> Result<Prediction, ProviderError> {
        let answer = {
            let mut memory = self.memory.lock();
            memory.trace();
            memory.created_in.push((telemetry::trace::traceparent(), Subject::current()));
            memory.creates.push(create.clone());
            memory.created_at.push(self.clock.now());
            let answer = memory.answers.pop_front().unwrap_or(Answer::Taken);
            match answer {
                Answer::Error(error) => Err(error),
                Answer::Unheard => Ok((Answer::Silent, Prediction::default())),
                answer => Ok((answer, memory.accept(create))),
            }
        };
        self.asked.notify_waiters();
        Memory::freeze(&self.memory, Pause::Create);
        match answer? {
            (Answer::Dropped, _) => Err(ProviderError::Ambiguous("reset".into())),
            (Answer::Silent, _) => std::future::pending().await,
            (_, prediction) => Ok(prediction),
        }
    }

    async fn get(&self, id: &str) -> Result<Prediction, ProviderError> {
        let mut memory = self.memory.lock();
        memory.trace();
        if let Some(error) = memory.failing_gets.pop_front() {
            return Err(error);
        }
        memory.pass();
        let course = memory.predictions.iter().find(|(p, _)| p.id == id).map(|(_, course)| course.clone());
        match course {
            Some(Course::Succeeds) => memory.end(id, Status::Succeeded),
            Some(Course::Fails(error)) => {
                memory.end(id, Status::Failed);
                if let Some((prediction, _)) = memory.predictions.iter_mut().find(|(p, _)| p.id == id) {
                    prediction.error = json!(error);
                }
            }
            Some(Course::Runs | Course::Lasts(_)) => {}
            None => return Err(ProviderError::Refused { status: 404, detail: "not found".into() }),
        }
        let found = memory.predictions.iter().find(|(p, _)| p.id == id).map(|(p, _)| p.clone());
        drop(memory);
        self.asked.notify_waiters();
        found.ok_or(ProviderError::Ambiguous("gone".into()))
    }

    async fn cancel(&self, id: &str) -> Result<(), ProviderError> {
        let mut memory = self.memory.lock();
        memory.trace();
        memory.canceled.push(id.to_owned());
        memory.end(id, Status::Canceled);
        Ok(())
    }

    async fn list(&self, _next: Option<&str>) -> Result<Page, ProviderError> {
        let mut memory = self.memory.lock();
        memory.lists += 1;
        Ok(Page { next: None, results: memory.predictions.iter().rev().map(|(p, _)| p.clone()).collect() })
    }

    async fn upload(&self, blob: &BlobRef, _name: &str, attempt: &str) -> Result<String, ProviderError> {
        let hangs = {
            let mut memory = self.memory.lock();
            memory.trace();
            memory.uploads += 1;
            memory.hangs
        };
        self.asked.notify_waiters();
        if hangs {
            std::future::pending::<()>().await;
        }
        Memory::freeze(&self.memory, Pause::Upload);
        Ok(format!("https://files/{attempt}/{}", blob.sha256))
    }

    async fn download(&self, _url: &str, to: &mut ScratchFile) -> Result<u64, ProviderError> {
        let (failing, broken, hangs) = {
            let mut memory = self.memory.lock();
            memory.trace();
            memory.downloads += 1;
            let failing = memory.failing_downloads.pop_front();
            let broken = failing.is_none() && memory.broken_downloads > 0;
            memory.broken_downloads -= usize::from(broken);
            (failing, broken, memory.hangs)
        };
        self.asked.notify_waiters();
        if hangs {
            std::future::pending::<()>().await;
        }
        if let Some(error) = failing {
            return Err(error);
        }
        std::fs::write(to.path(), if broken { "<html>" } else { "a clip" }).unwrap();
        Ok(6)
    }

    async fn webhook_secret(&self) -> Result<SecretString, ProviderError> {
        let mut memory = self.memory.lock();
        memory.secrets_told += 1;
        let secret = memory.secret.as_deref().unwrap_or(SECRET);
        Ok(format!("whsec_{}", BASE64_STANDARD.encode(secret)).into())
    }
}

/// Headers of a webhook with this body, signed by the provider.
pub(crate) fn signed(body: &[u8]) -> HashMap<String, String> {
    signed_with(SECRET, body)
}

/// The same with another secret.
pub(crate) fn signed_with(secret: &[u8], body: &[u8]) -> HashMap<String, String> {
    signed_at(Clock::system().now(), secret, body)
}

/// The same at another time.
pub(crate) fn signed_at(time: Timestamp, secret: &[u8], body: &[u8]) -> HashMap<String, String> {
    let webhook = standardwebhooks::Webhook::from_bytes(secret.to_vec()).unwrap();
    let time = time.as_second();
    HashMap::from([
        ("webhook-id".to_owned(), "msg_1".to_owned()),
        ("webhook-timestamp".to_owned(), time.to_string()),
        ("webhook-signature".to_owned(), webhook.sign("msg_1", time, body).unwrap()),
    ])
}
