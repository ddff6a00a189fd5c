//! Rules for fields that callers fill, with the contract's texts.

use kit::ServiceError;
use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation as _;

/// The longest name, in graphemes.
const NAME_LENGTH: usize = 255;

pub(crate) const BLANK: &str = "can't be blank";
pub(crate) const INVALID: &str = "is invalid";
pub(crate) const ABSENT: &str = "does not exist";
const TOO_LONG: &str = "should be at most 255 character(s)";

/// Collects what is wrong with a request, so that all of it is told at once.
#[derive(Debug, Default)]
pub(crate) struct Check {
    violations: Vec<(String, String)>,
}

/// Most bytes of one text or object: a page of rows has to fit into one message.
const MOST: usize = 16 * 1024;
const TOO_LARGE: &str = "should be at most 16384 byte(s)";

impl Check {
    pub(crate) fn refuse(&mut self, field: &str, message: &str) {
        self.violations.push((field.to_owned(), message.to_owned()));
    }

    /// A text; blank is as good as absent. A zero byte is in no text that a database can hold.
    pub(crate) fn text(&mut self, field: &str, value: Option<String>) -> Option<String> {
        let value = value.filter(|value| !value.trim().is_empty())?;
        if value.contains('\0') {
            self.refuse(field, INVALID);
            return None;
        }
        self.fits(field, &value).then_some(value)
    }

    fn fits(&mut self, field: &str, value: &str) -> bool {
        let fits = value.len() <= MOST;
        if !fits {
            self.refuse(field, TOO_LARGE);
        }
        fits
    }

    /// A text that must be there; an empty one stands in for it once it is refused.
    pub(crate) fn required(&mut self, field: &str, value: Option<String>) -> String {
        let refused = self.violations.len();
        let value = self.text(field, value);
        if value.is_none() && self.violations.len() == refused {
            self.refuse(field, BLANK);
        }
        value.unwrap_or_default()
    }

    /// A text that may be absent, but not blank: what would widen something must be left out on purpose.
    pub(crate) fn filled(&mut self, field: &str, value: Option<String>) -> Option<String> {
        let value = self.required(field, Some(value?));
        Some(value).filter(|value| !value.is_empty())
    }

    /// A name: one to 255 characters as a person counts them.
    pub(crate) fn name(&mut self, value: Option<String>) -> String {
        let name = self.required("name", value);
        self.length("name", &name);
        name
    }

    /// As [`Check::name`], but it may be absent.
    pub(crate) fn optional_name(&mut self, value: Option<String>) -> Option<String> {
        let name = self.text("name", value)?;
        self.length("name", &name);
        Some(name)
    }

    fn length(&mut self, field: &str, value: &str) {
        if value.graphemes(true).nth(NAME_LENGTH).is_some() {
            self.refuse(field, TOO_LONG);
        }
    }

    /// A JSON object.
    pub(crate) fn object(&mut self, field: &str, json: Option<&str>) -> Option<Map<String, Value>> {
        let json = json?;
        if !self.fits(field, json) {
            return None;
        }
        match serde_json::from_str(json) {
            Ok(Value::Object(object)) => Some(object),
            Ok(Value::Null) => None,
            _ => {
                self.refuse(field, INVALID);
                None
            }
        }
    }

    /// All that was refused, if anything was.
    pub(crate) fn finish(self) -> Result<(), ServiceError> {
        if self.violations.is_empty() { Ok(()) } else { Err(ServiceError::validation(self.violations)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn refused(check: impl FnOnce(&mut Check)) -> Vec<(String, String)> {
        let mut all = Check::default();
        check(&mut all);
        all.finish().map_or_else(|error| error.violations, |()| Vec::new())
    }

    #[rstest]
    #[case::absent(None, Some(BLANK))]
    #[case::empty(Some(""), Some(BLANK))]
    #[case::blank(Some(" \t\n"), Some(BLANK))]
    #[case::zero_byte(Some("a\0b"), Some(INVALID))]
    #[case::fine(Some(" \"O'Neil\" 100 %\n"), None)]
    fn a_name_must_be_there(#[case] name: Option<&str>, #[case] message: Option<&str>) {
        let refused = refused(|check| drop(check.name(name.map(str::to_owned))));
        assert_eq!(refused.first().map(|(_, message)| message.as_str()), message);
        assert_eq!(refused.len(), usize::from(message.is_some()));
    }

    #[test]
    fn a_text_or_object_has_a_largest_size() {
        let long = "x".repeat(MOST + 1);
        let refused = refused(|check| {
            drop(check.text("brief", Some(long.clone())));
            drop(check.object("metadata", Some(&format!("{{\"a\":\"{long}\"}}"))));
        });
        let messages: Vec<_> =
            refused.iter().map(|(field, message)| (field.as_str(), message.as_str())).collect();
        assert_eq!(messages, [("brief", TOO_LARGE), ("metadata", TOO_LARGE)]);
    }

    #[rstest]
    #[case::letters("a")]
    #[case::families("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}")]
    #[case::accents("e\u{301}")]
    fn a_name_is_counted_as_a_person_counts(#[case] character: &str) {
        assert!(refused(|check| drop(check.name(Some(character.repeat(255))))).is_empty());
        let refused = refused(|check| drop(check.name(Some(character.repeat(256)))));
        assert_eq!(refused, [("name".to_owned(), TOO_LONG.to_owned())]);
    }

    #[rstest]
    #[case::object(r#"{"tier":"gold"}"#, true)]
    #[case::null("null", true)]
    #[case::list("[]", false)]
    #[case::text("\"a\"", false)]
    #[case::broken("{", false)]
    fn metadata_is_an_object(#[case] json: &str, #[case] fine: bool) {
        assert_eq!(refused(|check| drop(check.object("metadata", Some(json)))).is_empty(), fine);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let refused = refused(|check| {
            check.name(None);
            check.required("client_id", Some(" ".into()));
            check.object("metadata", Some("7"));
        });
        assert_eq!(
            refused.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
            ["name", "client_id", "metadata"]
        );
    }
}
