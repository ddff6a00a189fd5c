//! The public v3 REST API: translates HTTP to gRPC and streams bytes; it holds no rule and no database.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`settings`] | what the gateway can be told |
//! | [`backends`] | the services behind it |
//! | `app` | what every handler can reach |
//! | `server` | accepting, draining, and cutting connections |
//! | `edge` | what happens to every request and answer: slashes, ids, headers, negotiation, panics |
//! | `auth` | keys and signed links |
//! | `paging` | limits, offsets and cursors of lists |
//! | `params` | query, body and path as one set of fields, read with errors per field |
//! | `upload` | multipart bodies, files streamed into the object store |
//! | `problem` | one body for errors: problem details plus the contract's own members |
//! | `media` | bytes out: entity tags, conditions, single ranges |
//! | `feed` | a job's events: one reader of the job service, fanned out |
//! | `routes` | one file per resource: its shapes and handlers |
//! | [`openapi`] | the document generated from the handlers |

pub mod backends;
pub mod openapi;
pub mod settings;

mod app;
mod auth;
mod edge;
mod feed;
mod held;
mod media;
mod paging;
mod params;
mod problem;
mod routes;
mod server;
mod upload;

pub use backends::{Addresses, Backends};
pub use openapi::openapi_json;
pub use problem::error_codes;
pub use server::{GatewayDeps, Running, StartError, build};
pub use settings::{Origins, Settings};
