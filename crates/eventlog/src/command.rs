//! Idempotency keys: a command's id, what it asked and the reply it got.

use crate::{Log, LogError, params};

/// A command that was carried out, kept with its reply in the append that it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    /// The `Idempotency-Key`; one service's ids share one space.
    pub id: String,
    /// Digest of everything the command asks for: the same id with another digest is refused.
    pub digest: String,
    /// The reply, encoded by the service; a repetition gets exactly these bytes.
    pub reply: Vec<u8>,
}

/// What is recorded under a command id. Ask before deciding: a repetition must not decide again.
///
/// # Errors
/// When the database fails.
pub async fn command_reply(log: &Log, id: &str) -> Result<Option<CommandRecord>, LogError> {
    let rows = log.query("SELECT id, digest, reply FROM command WHERE id = $1", params![id]).await?;
    rows.first()
        .map(|row| {
            Ok(CommandRecord { id: row.get("id")?, digest: row.get("digest")?, reply: row.get("reply")? })
        })
        .transpose()
}
