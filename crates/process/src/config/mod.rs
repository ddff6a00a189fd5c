//! Configuration: the embedded defaults, a file over them, the environment over both, and everything that is
//! wrong told at once.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`defaults`] | the commented TOML that names every key, its default and its meaning |
//! | [`load`] | the layers |
//! | [`reader`] | typed access that collects what is wrong |
//! | [`problem`] | what is wrong, in words |
//! | [`dump`] | what is in force, as TOML |
//! | [`tables`] | the settings of a process as a table for its documentation |
//! | [`duration`], [`size`], [`value`] | texts such as `30s` and `7Gi`; values without a type yet |

pub mod defaults;
pub mod dump;
pub mod duration;
pub mod load;
pub mod problem;
pub mod reader;
pub mod size;
pub mod tables;
pub mod value;

pub use load::{Config, Layers};
pub use problem::{Problem, Source};
pub use reader::Reader;
