//! Idempotency keys: a command that was carried out before gets the reply that it got then.

use eventlog::{CommandRecord, Log, Statement, command_reply, params};
use jiff::Timestamp;
use kit::{Code, ServiceError};
use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::error;

/// A write that somebody asked for, under the key that they gave it, if any.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    id: Option<String>,
    digest: String,
}

impl Command {
    /// `rpc` and `request` are all that the command asks for.
    pub(crate) fn new(rpc: &str, id: &str, request: &impl Message) -> Self {
        let mut digest = Sha256::new();
        digest.update(rpc);
        digest.update([0]);
        digest.update(request.encode_to_vec());
        let id = (!id.is_empty()).then(|| id.to_owned());
        Self { id, digest: hex::encode(digest.finalize()) }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The reply that it got before, if it was carried out.
    pub(crate) async fn earlier<R: Message + Default>(&self, log: &Log) -> Result<Option<R>, ServiceError> {
        let Some(id) = &self.id else { return Ok(None) };
        match command_reply(log, id).await.map_err(error::log)? {
            None => Ok(None),
            Some(record) if record.digest == self.digest => decode(&record.reply).map(Some),
            Some(_) => Err(reused()),
        }
    }

    /// Remembers a command that changed nothing: sent again later, it must not change what others did since.
    pub(crate) async fn remember(
        &self,
        log: &Log,
        reply: &impl Message,
        at: Timestamp,
    ) -> Result<(), ServiceError> {
        let Some(CommandRecord { id, digest, reply }) = self.record(reply) else { return Ok(()) };
        let sql = "INSERT INTO command (id, digest, reply, recorded_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (id) DO NOTHING";
        let statement = Statement::new(sql, params![id, digest, reply, at]);
        log.execute(vec![statement]).await.map(|_| ()).map_err(error::log)
    }

    /// What to remember of it.
    pub(crate) fn record(&self, reply: &impl Message) -> Option<CommandRecord> {
        let id = self.id.clone()?;
        Some(CommandRecord { id, digest: self.digest.clone(), reply: reply.encode_to_vec() })
    }
}

/// A reply as it was remembered.
pub(crate) fn decode<R: Message + Default>(reply: &[u8]) -> Result<R, ServiceError> {
    R::decode(reply).map_err(ServiceError::internal)
}

/// The key stands for another command.
pub(crate) fn reused() -> ServiceError {
    ServiceError::new(
        Code::Conflict,
        "idempotency_key_reused",
        "This Idempotency-Key was used for a different request; use a new key for a new request.",
    )
}
