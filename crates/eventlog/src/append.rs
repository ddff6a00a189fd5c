//! An append as a value: everything that one write changes.

use crate::{CommandRecord, NewEvent, Statement};

/// The version that a stream must have for an append to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The version of the stream's last event (1 after its first event).
    Version(i64),
}

impl Expected {
    /// Whether a stream whose last version is `actual` (0 when it has no event) satisfies the expectation.
    #[must_use]
    pub fn allows(self, actual: i64) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual == 0,
            Self::Version(version) => actual == version,
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::NoStream => f.write_str("no events"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}

/// One write: events at an expected version, the read-table statements that follow from them and, when a
/// command asked for it, the reply to remember. All of it is stored, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// The stream, for example `job-43`.
    pub stream: String,
    /// What the stream's version must be.
    pub expected: Expected,
    /// At least one event.
    pub events: Vec<NewEvent>,
    /// Changes to read tables, run in order after the events are stored.
    pub statements: Vec<Statement>,
    /// The command that asked for this write, with the reply that a repetition gets.
    pub command: Option<CommandRecord>,
}

impl Append {
    /// An append to `stream` at any version, still without events.
    pub fn to(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            expected: Expected::Any,
            events: Vec::new(),
            statements: Vec::new(),
            command: None,
        }
    }

    /// Sets the version that the stream must have.
    #[must_use]
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Adds several events.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = NewEvent>) -> Self {
        self.events.extend(events);
        self
    }

    /// Adds a read-table statement.
    #[must_use]
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statements.push(statement);
        self
    }

    /// Adds several read-table statements.
    #[must_use]
    pub fn statements(mut self, statements: impl IntoIterator<Item = Statement>) -> Self {
        self.statements.extend(statements);
        self
    }

    /// Records the command with its reply. `None` leaves the append without one.
    #[must_use]
    pub fn command(mut self, command: impl Into<Option<CommandRecord>>) -> Self {
        self.command = command.into();
        self
    }
}

/// Where an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Position of its last event in the whole log.
    pub last_position: i64,
    /// Version of its last event in the stream.
    pub last_version: i64,
}
