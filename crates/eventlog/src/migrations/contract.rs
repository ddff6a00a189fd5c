//! Migrations that take something away: which builds can still work on what they leave.
//!
//! A migration only adds, so that a build of the version before works on its tables too: both run during a rollout, and
//! a rollout may be taken back. One that takes something away, a release after nothing names it any more, says so in
//! its first lines:
//!
//! ```sql
//! -- contract: since 0.3.0
//! ALTER TABLE job DROP COLUMN playable;
//! ```
//!
//! Builds since that version need what is gone no longer. It is recorded with the migration, so that an older one
//! refuses the database with a word instead of failing in the middle of its work.

use std::{fmt, str::FromStr};

const MARK: &str = "-- contract:";

/// A version of this project: three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

/// A text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version such as 0.3.0")]
pub struct NoVersion(String);

impl Version {
    /// That of this build.
    ///
    /// # Errors
    /// The build names none, which cargo does not allow.
    pub fn own() -> Result<Self, NoVersion> {
        env!("CARGO_PKG_VERSION").parse()
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    /// Reads `0.3.0`; what follows a `-` or `+` does not count.
    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let parsed: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        match parsed.as_deref() {
            Ok([major, minor, patch]) => Ok(Self { major: *major, minor: *minor, patch: *patch }),
            _ => Err(NoVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The version that the first lines of a migration name; none when it takes nothing away.
///
/// # Errors
/// There is the mark and no version behind it.
pub fn since(sql: &str) -> Result<Option<Version>, NoVersion> {
    let mut head = sql.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
    let Some(said) = head.find_map(|line| line.strip_prefix(MARK)) else { return Ok(None) };
    let said = said.trim();
    let version = said.strip_prefix("since").ok_or_else(|| NoVersion(said.to_owned()))?;
    version.trim().parse().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("0.9.9") < version("0.10.0") && version("0.10.0") < version("1.0.0"));
        assert_eq!(version("1.2.3-rc.1+build"), version("1.2.3"));
        for wrong in ["", "1.2", "1.2.3.4", "1.2.x", "v1.2.3"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
        Version::own().unwrap();
    }

    #[test]
    fn only_the_first_lines_say_that_something_is_taken_away() {
        let head = "\n-- Nobody reads it.\n-- contract: since 0.3.0\nALTER TABLE a DROP COLUMN b;";
        assert_eq!(since(head), Ok(Some(version("0.3.0"))));
        assert_eq!(since("ALTER TABLE a DROP COLUMN b;\n-- contract: since 0.3.0"), Ok(None));
        assert_eq!(since("-- A table.\nCREATE TABLE a (id TEXT);"), Ok(None));
        for wrong in ["-- contract: since soon", "-- contract: 0.3.0", "-- contract:"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
