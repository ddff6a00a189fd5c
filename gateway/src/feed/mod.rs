//! A job's events as they happen: one reader of the job service per process, fanned out to many readers.

mod hub;
mod reader;
mod tailer;

pub(crate) use hub::Hub;
pub(crate) use reader::{HEARTBEAT, Message, Reader};
pub(crate) use tailer::tail;
