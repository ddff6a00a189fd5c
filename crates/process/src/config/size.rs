//! Sizes as texts: `500000`, `512Ki`, `100Mi`, `7Gi`.

/// The units and what they stand for, the largest last.
const UNITS: [(&str, u64); 4] = [("", 1), ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)];

/// Reads a whole number of bytes, or one with its unit: `Ki`, `Mi` or `Gi`, powers of 1024.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let (_, bytes) = UNITS.into_iter().find(|(name, _)| *name == unit.trim())?;
    number.checked_mul(bytes)
}

/// The shortest text that [`parse`] reads back to the same size.
#[must_use]
pub fn text(size: u64) -> String {
    let whole = UNITS.into_iter().rfind(|(_, bytes)| size >= *bytes && size.is_multiple_of(*bytes));
    let (unit, bytes) = whole.unwrap_or(UNITS[0]);
    format!("{}{unit}", size / bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_size_is_a_number_with_or_without_a_unit_of_1024() {
        for (given, size) in
            [("0", 0), ("500000", 500_000), ("512Ki", 512 << 10), ("100 Mi", 100 << 20), ("7Gi", 7 << 30)]
        {
            assert_eq!(parse(given), Some(size), "{given}");
        }
        for wrong in ["", "Gi", "7G", "7GB", "7gi", "1.5Gi", "-1", "99999999999Gi", "7 parsecs"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read_back(size: u64, shift in 0_u32..40) {
            let size = size >> shift << (shift / 2);
            prop_assert_eq!(parse(&text(size)), Some(size));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            let _ = parse(&text);
        }
    }
}
