//! Which build this is.

use std::sync::OnceLock;

/// The version of the project.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, when the build was told: `FILMSTRIP_COMMIT`.
pub const COMMIT: Option<&str> = option_env!("FILMSTRIP_COMMIT");

/// Both, as `--version` prints them: `0.1.0`, or `0.1.0 (9fceb02)`.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| spelled(VERSION, known(COMMIT)))
}

/// A build that was told of an empty commit was told of none.
#[must_use]
pub fn known(commit: Option<&'static str>) -> Option<&'static str> {
    commit.map(str::trim).filter(|commit| !commit.is_empty())
}

fn spelled(version: &str, commit: Option<&str>) -> String {
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_its_commit_when_that_is_known() {
        assert_eq!(spelled("0.1.0", known(Some("9fceb02 "))), "0.1.0 (9fceb02)");
        assert_eq!(spelled("0.1.0", known(Some(" "))), "0.1.0");
        assert_eq!(spelled("0.1.0", known(None)), "0.1.0");
        assert!(text().starts_with(VERSION));
    }
}
