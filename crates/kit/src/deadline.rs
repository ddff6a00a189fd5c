//! How long the call that is being served may still take, so that calls made for it ask for no longer.
//!
//! The caller says it in `grpc-timeout` (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>);
//! [`crate::grpc::serve`] runs each call inside it, and [`crate::grpc::Channel`] passes on what is left.

use std::{future::Future, time::Duration};

use http::HeaderMap;
use tokio::time::Instant;

/// The header that carries what is left of a call's time.
pub const HEADER: &str = "grpc-timeout";
/// Most digits that the header may have.
const DIGITS: usize = 8;

tokio::task_local! {
    static CURRENT: Instant;
}

/// When the call that is being served must have been answered, if it was given a time.
#[must_use]
pub fn current() -> Option<Instant> {
    CURRENT.try_with(|at| *at).ok()
}

/// Runs `future` with a deadline, or an earlier one that it is in already.
///
/// Nothing is stopped at that moment: calls that are made inside end by then.
pub async fn within<F: Future>(at: Instant, future: F) -> F::Output {
    let at = current().map_or(at, |outer| outer.min(at));
    CURRENT.scope(at, future).await
}

/// The time that a call's headers give; none when they give none, or nonsense.
#[must_use]
pub fn timeout_in(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value.saturating_mul(3600)),
        "M" => Duration::from_secs(value.saturating_mul(60)),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

/// A time as the header says it: in the finest unit that has room for it, never nothing.
#[must_use]
pub fn timeout_text(left: Duration) -> String {
    let room = 10_u128.pow(8) - 1;
    let millis = left.as_micros().div_ceil(1000).max(1);
    if millis <= room { format!("{millis}m") } else { format!("{}S", u128::from(left.as_secs()).min(room)) }
}
