//! Filmstrip in one process, and the commands around it.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`standalone`] | all services, the gateway and, without keys, the stand-in providers in one process |
//! | [`demo`] | photographs to finished video through the public API |
//! | [`import`] | what the predecessors' databases hold, brought over |
//! | [`strip`] | a job's events as a readable timeline |
//! | [`client`], [`sse`] | the public API as a program uses it |

pub mod client;
pub mod demo;
pub mod import;
pub mod sse;
pub mod standalone;
pub mod strip;
