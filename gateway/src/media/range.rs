//! The `Range` header (RFC 9110 §14): one range of bytes, clamped to what there is.

use std::ops::Range;

/// What a request asks for of something that has a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, several, or one that cannot be read.
    Whole,
    /// These bytes, half open and not empty.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

/// Reads a `Range` header for something of `size` bytes.
pub(crate) fn wanted(header: &str, size: u64) -> Wanted {
    let Some((unit, spec)) = header.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Number::Of(first), Number::Of(last)) if first <= last => part(first, last.saturating_add(1), size),
        (Number::Of(first), Number::None) => part(first, size, size),
        (Number::None, Number::Of(last)) => {
            part(size.saturating_sub(last), if last == 0 { 0 } else { size }, size)
        }
        _ => Wanted::Whole,
    }
}

fn part(start: u64, end: u64, size: u64) -> Wanted {
    let end = end.min(size);
    if start < end { Wanted::Part(start..end) } else { Wanted::Nothing }
}

enum Number {
    None,
    Of(u64),
    Bad,
}

/// Digits only; a number beyond all sizes is as good as the largest.
fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        Number::None
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Number::Of(text.parse().unwrap_or(u64::MAX))
    } else {
        Number::Bad
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_range_is_clamped_to_what_there_is() {
        for (header, wanted_part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=8-99", 8..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("Bytes= 2 - 5 ", 2..6),
            ("bytes=0-99999999999999999999999", 0..10),
        ] {
            assert_eq!(wanted(header, 10), Wanted::Part(wanted_part), "{header}");
        }
    }

    #[test]
    fn a_start_past_the_end_is_not_there() {
        for header in ["bytes=10-", "bytes=10-12", "bytes=99999999999999999999-", "bytes=-0"] {
            assert_eq!(wanted(header, 10), Wanted::Nothing, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(wanted("bytes=-5", 0), Wanted::Nothing);
    }

    #[test]
    fn what_is_no_single_range_means_all() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "items=0-1",
            "bytes=0-1,4-5",
            "bytes=1-2-3",
        ] {
            assert_eq!(wanted(header, 10), Wanted::Whole, "{header}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_header_gives_bytes_that_are_there(header in "(bytes=)?[0-9a-z,= -]{0,24}", size in 0_u64..1000) {
            if let Wanted::Part(part) = wanted(&header, size) {
                prop_assert!(part.start < part.end);
                prop_assert!(part.end <= size);
            }
        }

        #[test]
        fn first_and_last_are_both_included(first in 0_u64..100, length in 1_u64..100, size in 1_u64..150) {
            let last = first + length - 1;
            let expected = if first < size { Wanted::Part(first..(last + 1).min(size)) } else { Wanted::Nothing };
            prop_assert_eq!(wanted(&format!("bytes={first}-{last}"), size), expected);
        }

        #[test]
        fn a_suffix_ends_at_the_end(length in 1_u64..200, size in 1_u64..150) {
            prop_assert_eq!(wanted(&format!("bytes=-{length}"), size), Wanted::Part(size - length.min(size)..size));
        }
    }
}
