//! Replicas that start while other things happen.

use std::process::ExitStatus;

use crate::{
    Service,
    process::{Launch, Process},
};

/// What came of a start that was not waited for.
#[derive(Debug)]
pub struct Arrival {
    /// Its kind.
    pub service: Service,
    /// Which of its kind.
    pub index: usize,
    pub(crate) started: anyhow::Result<Result<Process, ExitStatus>>,
}

/// How a replica fares that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// It listens.
    Listens,
    /// It ended before it listened.
    Ended(ExitStatus),
}

/// Starts it; ends when it listens or has ended.
pub(crate) async fn start(service: Service, index: usize, launch: Launch) -> Arrival {
    let word = format!("{service} listens on");
    let started = Process::try_start(&launch, &word).await;
    let started = started.map(|started| started.map(|(process, _)| process));
    Arrival { service, index, started }
}
