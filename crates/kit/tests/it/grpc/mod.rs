//! Served and called over loopback, with real servers that are killed for real.

mod balance;
mod deadline;
mod methods;
mod replica;
mod retry;
mod serve;
