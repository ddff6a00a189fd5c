//! What a log says should be published, read in order and in bounded memory.

use std::collections::VecDeque;

use anyhow::Context as _;
use eventlog::Log;

use crate::{Message, Translate};

/// Events read at a time.
const BATCH: usize = 256;

/// Goes through the messages of a log, up to a position.
#[derive(Debug)]
pub(super) struct Logged {
    log: Log,
    source: String,
    translate: Translate,
    position: i64,
    until: i64,
    ahead: VecDeque<Message>,
}

impl Logged {
    /// All messages up to the position `until`.
    pub(super) fn new(log: &Log, source: &str, translate: Translate, until: i64) -> Self {
        Self {
            log: log.clone(),
            source: source.to_owned(),
            translate,
            position: 0,
            until,
            ahead: VecDeque::new(),
        }
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        while self.ahead.is_empty() && self.position < self.until {
            let events = self.log.read_all(self.position, BATCH).await.context("reading the log")?;
            let Some(last) = events.last() else { return Ok(None) };
            self.position = last.position;
            for event in events.iter().filter(|event| event.position <= self.until) {
                let message = Message::translate(&self.source, self.translate, event);
                self.ahead.extend(message.with_context(|| {
                    format!("event {} at position {} cannot be published", event.id, event.position)
                })?);
            }
        }
        Ok(self.ahead.pop_front())
    }
}
