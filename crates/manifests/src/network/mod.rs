//! The graph of connections that network policies let through, and the one that is declared.

pub mod declared;
pub mod graph;

use std::fmt;

/// A connection that may be opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who opens it: a workload's name, or a namespace outside.
    pub from: String,
    /// Who accepts it: a workload's name, a namespace outside or a range of addresses.
    pub to: String,
    /// At which port; `53/UDP` when it is not TCP, `any port` when the policy names none.
    pub port: String,
}

impl fmt::Display for Edge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} -> {} {}", self.from, self.to, self.port)
    }
}
