//! Runs as others see them: how long they wait, how long they take, how they end.

use std::future::Future;
use std::time::Instant;

use parking_lot::Mutex;
use telemetry::KeyValue;
use telemetry::metrics::{Held, MEDIA_QUEUED, MEDIA_RUN_DURATION, MEDIA_RUNNING, MEDIA_WAIT_DURATION, key};
use telemetry::trace::{Span, current, span};

use crate::MediaError;
use crate::run::Tool;

/// How a run ends that is given up: nobody wants it any more.
const STOPPED: &str = "stopped";

/// Waits for a turn; the wait is counted.
pub(crate) async fn waiting<F: Future>(tool: Tool, turn: F) -> F::Output {
    let _queued = MEDIA_QUEUED.hold(of(tool));
    let began = Instant::now();
    let turn = turn.await;
    MEDIA_WAIT_DURATION.took(began.elapsed(), &of(tool));
    turn
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Ran {
    tool: Tool,
    began: Instant,
    outcome: Mutex<&'static str>,
    /// Only as part of somebody's work: a run of its own would be a trace of its own.
    span: Option<Span>,
    _running: Held,
}

impl Ran {
    pub(crate) fn begin(tool: Tool, doing: &'static str) -> Self {
        let begun = || {
            let span = span(format!("{} {doing}", tool.name())).with(key::PROGRAM, tool.name());
            span.with("process.executable.name", tool.name()).start()
        };
        Self {
            tool,
            began: Instant::now(),
            outcome: Mutex::new(STOPPED),
            span: current().map(|_| begun()),
            _running: MEDIA_RUNNING.hold(of(tool)),
        }
    }

    pub(crate) async fn run<F: Future>(&self, running: F) -> F::Output {
        match &self.span {
            Some(span) => span.run(running).await,
            None => running.await,
        }
    }

    pub(crate) fn ended<T>(&self, how: &Result<T, MediaError>) {
        *self.outcome.lock() = match how {
            Ok(_) => "ok",
            Err(MediaError::TimedOut { .. }) => "timeout",
            Err(_) => "failed",
        };
        if let (Some(span), Err(error)) = (&self.span, how) {
            span.fail(error.to_string());
        }
    }
}

impl Drop for Ran {
    fn drop(&mut self) {
        let outcome = *self.outcome.lock();
        let mut attributes = of(self.tool);
        attributes.push(KeyValue::new(key::OUTCOME, outcome));
        MEDIA_RUN_DURATION.took(self.began.elapsed(), &attributes);
        if let Some(span) = &self.span {
            span.set(key::OUTCOME, outcome);
        }
    }
}

fn of(tool: Tool) -> Vec<KeyValue> {
    vec![KeyValue::new(key::PROGRAM, tool.name())]
}
