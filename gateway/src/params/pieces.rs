//! Small readings of text.

/// `campaign_id` as `campaignId`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

/// The integer that a text starts with: 12 of "12abc".
pub(crate) fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse::<i64>().ok().map(|value| sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_field_are_the_same() {
        assert_eq!(camel_case("campaign_id"), "campaignId");
        assert_eq!(camel_case("name"), "name");
        assert_eq!(camel_case("brand_guidelines"), "brandGuidelines");
    }

    #[test]
    fn a_number_is_read_from_the_start_of_a_text() {
        assert_eq!(leading_integer("12abc"), Some(12));
        assert_eq!(leading_integer("-3"), Some(-3));
        assert_eq!(leading_integer("abc"), None);
        assert_eq!(leading_integer(""), None);
        assert_eq!(leading_integer("99999999999999999999"), None);
    }
}
