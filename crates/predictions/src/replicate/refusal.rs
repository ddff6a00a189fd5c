//! Reading refusals: how long to wait, and the provider's words.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use crate::error::ProviderError;

/// How long a throttled account waits when the provider does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
/// The shortest wait, whatever the provider says: a wait of nothing would ask it again and again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How much of an answer's text is kept.
const MAX_DETAIL: usize = 500;

/// What an answer without success means.
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: jiff::Timestamp,
) -> ProviderError {
    let detail = detail(status, body);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return ProviderError::Throttled(wait(headers, body, now));
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return ProviderError::Ambiguous(format!("HTTP {}: {detail}", status.as_u16()));
    }
    ProviderError::Refused { status: status.as_u16(), detail }
}

/// The longer of what the header and the text ask for.
fn wait(headers: &HeaderMap, body: &str, now: jiff::Timestamp) -> Duration {
    let header = headers.get("retry-after").and_then(|value| value.to_str().ok());
    let header = header.and_then(|text| retry_after(text, now));
    match (header, resets_in(body)) {
        (None, None) => DEFAULT_WAIT,
        (header, text) => header.max(text).unwrap_or(DEFAULT_WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT),
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// `... resets in ~30s ...`, also `resets in 2m`.
fn resets_in(body: &str) -> Option<Duration> {
    let text = body.to_lowercase();
    let rest = text.split("resets in").nth(1)?.trim_start_matches([' ', '~', '≈']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    let unit = rest[digits.len()..].trim_start();
    let factor = if unit.starts_with('m') && !unit.starts_with("ms") { 60 } else { 1 };
    Some(Duration::from_secs(number.saturating_mul(factor)))
}

/// The provider's words: `detail`, else `title` or `error`, else the text.
fn detail(status: StatusCode, body: &str) -> String {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let member = ["detail", "title", "error"].iter().find_map(|name| match parsed.get(*name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    });
    let text = member.unwrap_or_else(|| body.trim().to_owned());
    if text.is_empty() {
        return status.canonical_reason().unwrap_or("no reason given").to_owned();
    }
    text.chars().take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn now() -> jiff::Timestamp {
        "2025-11-24T10:00:00Z".parse().unwrap()
    }

    #[rstest]
    #[case("Request was throttled. Your rate limit resets in ~30s.", Some(30))]
    #[case(r#"{"detail":"rate limit resets in 2m"}"#, Some(120))]
    #[case("Resets in ~ 7 seconds", Some(7))]
    #[case("slow down", None)]
    fn the_text_says_how_long(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(resets_in(text), seconds.map(Duration::from_secs));
    }

    #[rstest]
    #[case("12", Some(12))]
    #[case("Mon, 24 Nov 2025 10:00:40 GMT", Some(40))]
    #[case("Mon, 24 Nov 2025 09:00:40 GMT", Some(0))]
    #[case("soon", None)]
    fn the_header_says_how_long(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(retry_after(text, now()), seconds.map(Duration::from_secs));
    }

    #[test]
    fn the_longer_of_the_two_is_obeyed() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "5".parse().unwrap());
        let error = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, "resets in ~30s", now());
        assert_eq!(error, ProviderError::Throttled(Duration::from_secs(30)));
    }

    #[rstest]
    #[case(Some("0"), "")]
    #[case(Some("Mon, 24 Nov 2025 09:00:40 GMT"), "")]
    #[case(None, "Your rate limit resets in ~0s.")]
    #[case(Some("0"), "resets in 0 seconds")]
    fn a_wait_of_nothing_is_a_second_all_the_same(#[case] header: Option<&str>, #[case] body: &str) {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("retry-after", value.parse().unwrap());
        }
        let error = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, body, now());
        assert_eq!(error, ProviderError::Throttled(Duration::from_secs(1)));
    }

    #[test]
    fn a_5xx_leaves_the_outcome_open_and_a_4xx_does_not() {
        let none = HeaderMap::new();
        assert!(matches!(refusal(StatusCode::BAD_GATEWAY, &none, "", now()), ProviderError::Ambiguous(_)));
        let error = refusal(StatusCode::UNPROCESSABLE_ENTITY, &none, r#"{"detail":"input: bad"}"#, now());
        assert_eq!(error, ProviderError::Refused { status: 422, detail: "input: bad".into() });
    }
}
