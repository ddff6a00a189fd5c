//! Times as the predecessors write them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Reads a time: SQLite's `2025-11-22 10:30:00`, Python's `2025-11-22T10:30:00.123456` (both UTC without saying so), and
/// ISO 8601 with a zone, as the Phoenix service writes it. None for what is no time.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())?;
    // RFC 3339 has no years before 0 and after 9999.
    (0..=9999).contains(&TimeZone::UTC.to_datetime(time).year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2025-11-22 10:30:00", "2025-11-22T10:30:00Z")]
    #[case("2025-11-22T10:30:00.123456", "2025-11-22T10:30:00.123456Z")]
    #[case("2025-11-22T10:30:00", "2025-11-22T10:30:00Z")]
    #[case("2025-11-22T10:30:00Z", "2025-11-22T10:30:00Z")]
    #[case("2025-11-22 10:30:00.5Z", "2025-11-22T10:30:00.5Z")]
    #[case("2025-11-22T12:30:00+02:00", "2025-11-22T10:30:00Z")]
    #[case(" 2025-11-22 10:30 ", "2025-11-22T10:30:00Z")]
    #[case("2025-11-22", "2025-11-22T00:00:00Z")]
    fn every_form_of_a_time_becomes_rfc_3339_in_utc(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(read(text).unwrap().to_string(), wanted);
    }

    #[rstest]
    #[case("")]
    #[case("yesterday")]
    #[case("2025-13-01 00:00:00")]
    #[case("2025-02-30 00:00:00")]
    #[case("1763807400")]
    #[case("-000200-01-01 00:00:00")]
    fn what_is_no_time_is_none(#[case] text: &str) {
        assert_eq!(read(text), None);
    }

    proptest! {
        #[test]
        fn each_second_comes_back_from_each_spelling(second in 0_i64..253_402_300_799, micros in 0_i32..1_000_000) {
            let time = Timestamp::new(second, micros * 1_000).unwrap();
            let whole = Timestamp::new(second, 0).unwrap();
            prop_assert_eq!(read(&whole.strftime("%Y-%m-%d %H:%M:%S").to_string()), Some(whole));
            prop_assert_eq!(read(&time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()), Some(time));
            prop_assert_eq!(read(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_at_all_is_a_time_or_none(text in any::<String>()) {
            if let Some(time) = read(&text) {
                prop_assert_eq!(read(&time.to_string()), Some(time));
            }
        }
    }
}
