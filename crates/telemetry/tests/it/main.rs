//! What is told, and how.

mod page;
mod subject;
mod trace;
