//! Simulations: the real engine with its plan, tables, lease and pace, several processes of it on one database, in one
//! thread under a virtual clock. What happens to them comes from a seed: processes die, stop, are paused and wake,
//! calls and answers are late or lost, clocks are set. Whatever it was, nothing is bought twice, nothing bought is
//! forgotten, the account's limit holds, and once it is over everything ends.
//!
//! Slots under a storm and searches for lost answers run the whole engine with two thousand seeds each. Whose turn it is
//! is a pure rule: that alone runs with two thousand seeds, and the engine obeying it with some hundreds. So do the two
//! stories that take long: everybody crashing with all slots in use, and nobody there until the provider forgets.

mod checks;
mod fairness;
mod orphans;
mod process;
mod provider;
mod reins;
mod slots;
mod world;
