//! Simulations: the real engine with its plan, tables, lease and pace, several processes of it on one database, in one
//! thread under a virtual clock. What happens to them comes from a seed: processes die, stop, are paused and wake,
//! calls and answers are late or lost, clocks are set. Whatever it was, nothing is bought twice, nothing bought is
//! forgotten, the account's limit holds, and once it is over everything ends.

mod checks;
mod fairness;
mod orphans;
mod process;
mod provider;
mod reins;
mod slots;
mod world;
