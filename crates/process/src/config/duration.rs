//! Durations as texts: `500ms`, `30s`, `2m`, `1h`.

use std::time::Duration;

/// Reads a whole number with its unit: `ms`, `s`, `m` or `h`.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// The shortest text that [`parse`] reads back to the same duration, as long as it is whole milliseconds.
#[must_use]
pub fn text(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if !millis.is_multiple_of(1000) => format!("{millis}ms"),
        _ if !millis.is_multiple_of(60_000) => format!("{}s", millis / 1000),
        _ if !millis.is_multiple_of(3_600_000) => format!("{}m", millis / 60_000),
        _ => format!("{}h", millis / 3_600_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        for wrong in ["", "30", "s", "1.5s", "-1s", "30 parsecs", "99999999999999999999s"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("2m"), Some(Duration::from_secs(120)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read_back(millis in 0_u64..10_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&text(duration)), Some(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            let _ = parse(&text);
        }
    }
}
