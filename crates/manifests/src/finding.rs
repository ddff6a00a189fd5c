//! What a rule has to say against a file.

use std::fmt;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What it is about, such as `Deployment/asset`.
    pub subject: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Finding {
    /// `rule` does not hold for `subject`, because of `what`.
    pub fn new(rule: &'static str, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self { rule, subject: subject.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} [{}]", self.subject, self.what, self.rule)
    }
}
