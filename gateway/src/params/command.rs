//! `Idempotency-Key`: the same write sent again is answered again, not done again.

use axum::extract::FromRequestParts;
use http::request::Parts;
use uuid::Uuid;

use crate::{
    auth::Caller,
    problem::{Family, Kind, Problem},
};

const HEADER: &str = "idempotency-key";
/// Longest key, bytes.
const LONGEST: usize = 200;

/// What the services know the write as: the caller's key within its route (and its client, for callers who are bound to
/// one), or, when there is none, an id of its own,
/// so that it can be sent to another replica when one dies over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for CommandId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let Some(key) = given.next() else { return Ok(Self(Uuid::now_v7().to_string())) };
        let usable = key.to_str().ok().filter(|key| {
            (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        });
        match (usable, given.next()) {
            // The same key on two routes names two writes, and so does that of two clients.
            (Some(key), None) => {
                let write = format!("{} {} {key}", parts.method, parts.uri.path());
                Ok(Self(match parts.extensions.get::<Caller>().and_then(Caller::client) {
                    Some(client) => format!("{client} {write}"),
                    None => write,
                }))
            }
            _ => Err(Problem::new(
                Family::of_path(parts.uri.path()),
                Kind::IdempotencyKeyInvalid,
                "Idempotency-Key is invalid",
            )
            .detail(format!(
                "Send one Idempotency-Key of 1 to {LONGEST} visible ASCII characters, such as a UUID."
            ))),
        }
    }
}
