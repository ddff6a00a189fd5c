//! Looking after published events.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use bus::{NatsBus, Translate, nats};
use eventlog::Log;

use crate::{cli::EventsCommand, open::Patience, run::say};

/// How long database or NATS may be away before a command gives up.
pub(crate) const PATIENCE: Patience = Patience::fixed(Duration::from_secs(5));

/// What a service publishes.
pub(crate) struct Publisher<'a> {
    pub(crate) source: &'static str,
    pub(crate) translate: Translate,
    pub(crate) bus: &'a NatsBus,
}

impl Publisher<'_> {
    /// Carries out a command; `log` is opened by those that need it. Exit code 1 when log and stream differ.
    pub(crate) async fn run(
        &self,
        command: &EventsCommand,
        log: impl Future<Output = anyhow::Result<Log>>,
    ) -> anyhow::Result<ExitCode> {
        match command {
            EventsCommand::Reconcile => {
                let report = nats::reconcile(self.bus, self.source, &log.await?, self.translate).await;
                let report = report.context("comparing the stream with the log")?;
                say(report.to_string().trim_end())?;
                return Ok(if report.equal { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            EventsCommand::Republish => {
                let done = nats::republish(self.bus, self.source, &log.await?, self.translate).await;
                say(&done.context("making the stream again")?.to_string())?;
            }
            EventsCommand::DeadLetters => self.dead_letters().await?,
            EventsCommand::Replay { sequence } => {
                self.bus.replay_dead(*sequence).await?;
                say(&format!("dead letter {sequence} was handed to its subscription again"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn dead_letters(&self) -> anyhow::Result<()> {
        let letters = self.bus.dead_letters().await?;
        for letter in &letters {
            let bus::DeadLetter { sequence, durable, subject, reason, body } = letter;
            say(&format!("{sequence}  {durable}  {subject}\n    {reason}\n    {body}"))?;
        }
        match letters.len() {
            0 => say("no dead letters"),
            1 => say("1 dead letter; `events replay SEQ` hands it to its subscription again"),
            count => {
                say(&format!("{count} dead letters; `events replay SEQ` hands one to its subscription again"))
            }
        }
    }
}
