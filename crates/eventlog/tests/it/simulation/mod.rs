//! Simulations of what is built on the log, under a clock that they move.

mod leases;
