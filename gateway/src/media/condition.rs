//! Conditional requests by entity tag (RFC 9110 §13). Ours are strong: the SHA-256 of the bytes, quoted.

use http::{HeaderMap, header};

/// Whether `If-None-Match` says that the caller has these bytes; compared weakly, as the RFC says for it.
pub(crate) fn has_it(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// Whether a `Range` still holds: there is no `If-Range`, or it names these very bytes.
pub(crate) fn range_holds(headers: &HeaderMap, tag: &str) -> bool {
    match headers.get(header::IF_RANGE) {
        // A date never holds: there is no Last-Modified to compare it with.
        Some(given) => given.to_str().is_ok_and(|given| given.trim() == tag),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header value"))])
    }

    #[test]
    fn the_tag_alone_in_a_list_weak_or_a_star_match() {
        for value in [r#""a""#, r#""x", "a""#, r#"W/"a""#, "*", r#" "x" , W/"a" "#] {
            assert!(has_it(&with(header::IF_NONE_MATCH, value), r#""a""#), "{value}");
        }
        for value in [r#""b""#, "a", r#""ab""#, ""] {
            assert!(!has_it(&with(header::IF_NONE_MATCH, value), r#""a""#), "{value}");
        }
        assert!(!has_it(&HeaderMap::new(), r#""a""#));
    }

    #[test]
    fn a_range_holds_only_for_the_same_bytes_compared_strongly() {
        assert!(range_holds(&HeaderMap::new(), r#""a""#));
        assert!(range_holds(&with(header::IF_RANGE, r#""a""#), r#""a""#));
        for value in [r#"W/"a""#, r#""b""#, "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert!(!range_holds(&with(header::IF_RANGE, value), r#""a""#), "{value}");
        }
    }
}
