//! Which fields a partial update is about, and which of them really change.

use protos::asset::v1 as pb;

/// The fields that a caller sent.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    sent: &'a [String],
    changed: Vec<String>,
}

impl<'a> Changes<'a> {
    pub(crate) fn of(sent: &'a [String]) -> Self {
        Self { sent, changed: Vec::new() }
    }

    /// Whether the caller sent the field.
    pub(crate) fn sent(&self, field: &str) -> bool {
        self.sent.iter().any(|sent| sent == field)
    }

    /// Gives a field its new value, read by `read`, if it was sent.
    pub(crate) fn set<T: PartialEq>(&mut self, field: &str, value: &mut T, read: impl FnOnce() -> T) {
        if !self.sent(field) {
            return;
        }
        let new = read();
        if new != *value {
            *value = new;
            self.changed.push(field.to_owned());
        }
    }

    /// Names of the fields that have other values now.
    pub(crate) fn changed(self) -> Vec<String> {
        self.changed
    }
}

/// The reply to every deletion.
pub(crate) const DELETED: pb::Deleted = pb::Deleted {};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sent_and_is_new_changes() {
        let sent = ["name".to_owned(), "goal".to_owned(), "brief".to_owned()];
        let mut changes = Changes::of(&sent);
        let (mut name, mut goal, mut status) = ("Spring".to_owned(), Some("bookings"), Some("draft"));
        changes.set("name", &mut name, || "Spring".to_owned());
        changes.set("goal", &mut goal, || None);
        changes.set("status", &mut status, || None);
        assert_eq!((name.as_str(), goal, status), ("Spring", None, Some("draft")));
        assert_eq!(changes.changed(), ["goal"]);
    }
}
