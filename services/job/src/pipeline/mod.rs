//! The settings that new jobs are made under, kept as events of one stream, and what is asked of the pipeline beside jobs.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `mod` | the settings: load, fold, decide, append |
//! | `grpc` | `PipelineService` |
//! | `preview` | the storyboard that a job would get |
//! | `script` | what a voice would say |

pub mod grpc;
pub mod preview;
pub mod script;

use std::sync::Arc;

use eventlog::{Append, AppendError, CommandRecord, Expected, Log, Meta, NewEvent, StoredEvent};
use job_domain::models;
use job_domain::pipeline::{
    Pipeline, PipelineCommand, PipelineEvent, PipelineRefusal, SCHEMA_VERSION, STREAM,
};
use kit::{Clock, Code, ServiceError};
use parking_lot::Mutex;
use prost::Message as _;
use protos::job::v1 as pb;
use serde_json::Value;
use uuid::Uuid;

use crate::{error::database, settings::Settings, store};

const KIND: &str = "PipelineConfigured";
/// How often a change is decided again because somebody else was faster.
const DECISIONS: usize = 16;

/// The settings, in the log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PipelineSettings {
    log: Log,
    clock: Clock,
    /// As of the last look: only what is newer is loaded.
    kept: Arc<Mutex<(i64, Pipeline)>>,
    /// Model of jobs for which neither the request nor the settings name one.
    model: Arc<str>,
    /// The language model of this process, if it has one.
    language_model: Option<Arc<str>>,
}

impl PipelineSettings {
    /// The settings in `log`.
    #[must_use]
    pub fn new(log: Log, clock: Clock) -> Self {
        let model = models::DEFAULT_MODEL.into();
        Self { log, clock, kept: Arc::default(), model, language_model: None }
    }

    /// The same, shown over what is in force in a process with these settings.
    #[must_use]
    pub fn of_process(self, settings: &Settings) -> Self {
        let name = settings.default_model.as_str();
        let model = models::find(name).map_or(name, |model| model.key).into();
        let language_model = settings.planner.as_ref().map(|xai| xai.model.as_str().into());
        Self { model, language_model, ..self }
    }

    /// The settings as of their last event.
    ///
    /// # Errors
    /// The database failed, or an event cannot be read.
    pub async fn current(&self) -> Result<Pipeline, ServiceError> {
        Ok(self.load().await?.1)
    }

    async fn load(&self) -> Result<(i64, Pipeline), ServiceError> {
        let (mut version, mut pipeline) = self.kept.lock().clone();
        for stored in self.log.load(STREAM, version).await.map_err(database)? {
            pipeline.evolve(&read(&stored).map_err(ServiceError::internal)?);
            version = stored.version;
        }
        let mut kept = self.kept.lock();
        if kept.0 < version {
            *kept = (version, pipeline.clone());
        }
        Ok((version, pipeline))
    }

    /// Changes the settings; the same command again gets the same reply.
    ///
    /// # Errors
    /// The change is refused, or the database failed.
    pub async fn configure(
        &self,
        command: &PipelineCommand,
        command_id: &str,
        digest: &str,
    ) -> Result<pb::Pipeline, ServiceError> {
        if let Some(before) = self.repeated(command_id, digest).await? {
            return Ok(before);
        }
        for _ in 0..DECISIONS {
            let (version, mut pipeline) = self.load().await?;
            let event = pipeline.decide(command.clone()).map_err(refused)?;
            event.iter().for_each(|event| pipeline.evolve(event));
            let reply = self.message(&pipeline);
            let record = (!command_id.is_empty()).then(|| CommandRecord {
                id: command_id.to_owned(),
                digest: digest.to_owned(),
                reply: reply.encode_to_vec(),
            });
            let Some(event) = event else {
                store::remember(&self.log, record, self.clock.now()).await.map_err(database)?;
                return Ok(reply);
            };
            let event = self.stored(&event, command_id).map_err(ServiceError::internal)?;
            let expected = if version == 0 { Expected::NoStream } else { Expected::Version(version) };
            let append = Append::to(STREAM).expecting(expected).event(event).command(record);
            match self.log.append(append).await {
                Ok(_) => return Ok(reply),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Repeated(reply)) => return decoded(&reply),
                Err(AppendError::Reused) => return Err(reused()),
                Err(error) => return Err(ServiceError::internal(error)),
            }
        }
        Err(ServiceError::unavailable("The settings are being changed by others; try again."))
    }

    async fn repeated(&self, command_id: &str, digest: &str) -> Result<Option<pb::Pipeline>, ServiceError> {
        if command_id.is_empty() {
            return Ok(None);
        }
        match eventlog::command_reply(&self.log, command_id).await.map_err(database)? {
            None => Ok(None),
            Some(record) if record.digest == digest => decoded(&record.reply).map(Some),
            Some(_) => Err(reused()),
        }
    }

    /// Settings as they are sent.
    fn message(&self, pipeline: &Pipeline) -> pb::Pipeline {
        let config = pipeline.config_with(&self.model, self.language_model.as_deref());
        pb::Pipeline {
            config_json: Value::Object(config).to_string(),
            enabled_steps: pipeline.enabled_steps(),
        }
    }

    fn stored(&self, event: &PipelineEvent, command_id: &str) -> Result<NewEvent, serde_json::Error> {
        let mut data = serde_json::to_value(event)?;
        if let Some(object) = data.as_object_mut() {
            object.shift_remove("kind");
        }
        let meta = Meta {
            correlation_id: STREAM.to_owned(),
            causation_id: (!command_id.is_empty()).then(|| command_id.to_owned()),
            traceparent: kit::trace::traceparent(),
            actor: "api".to_owned(),
        };
        let at = self.clock.now();
        Ok(NewEvent::new(Uuid::now_v7(), KIND, data, at).schema_version(SCHEMA_VERSION).meta(meta))
    }
}

fn read(stored: &StoredEvent) -> Result<PipelineEvent, serde_json::Error> {
    let mut data: Value = serde_json::from_str(stored.data.as_str())?;
    data["kind"] = stored.kind.clone().into();
    serde_json::from_value(data)
}

fn decoded(reply: &[u8]) -> Result<pb::Pipeline, ServiceError> {
    pb::Pipeline::decode(reply).map_err(ServiceError::internal)
}

fn reused() -> ServiceError {
    let text = "The Idempotency-Key was used for another request; use a new one.";
    ServiceError::new(Code::Conflict, "idempotency_key_reused", text)
}

fn refused(refusal: PipelineRefusal) -> ServiceError {
    let text = refusal.to_string();
    match refusal {
        PipelineRefusal::NoStep(_) => ServiceError::new(Code::Invalid, "step_not_found", text),
        PipelineRefusal::Invalid(wrong) => {
            ServiceError::validation(wrong.into_iter().map(|wrong| (wrong.field, wrong.message)))
        }
    }
}
