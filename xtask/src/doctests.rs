//! Whether the sources hold any documentation test: asking rustdoc about every crate costs half a minute,
//! reading the sources costs nothing.

use std::fs;
use std::io;
use std::path::Path;

/// Looks through all Rust files below `folder`, except in build output and hidden folders.
pub(crate) fn any_under(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if name != "target" && !name.starts_with('.') && any_under(&path)? {
                return Ok(true);
            }
        } else if name.ends_with(".rs") && has_doctest(&fs::read_to_string(&path)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a doc comment opens a code block that rustdoc would run.
fn has_doctest(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines() {
        let line = line.trim_start();
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(info) = text.trim_start().strip_prefix("```") else { continue };
        if !inside && is_run(info.trim()) {
            return true;
        }
        inside = !inside;
    }
    false
}

/// rustdoc runs blocks without a language and those whose every word is one of its own.
fn is_run(info: &str) -> bool {
    let own = ["rust", "no_run", "should_panic", "compile_fail", "edition2024"];
    info.split(',').map(str::trim).all(|word| word.is_empty() || own.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_without_a_language_is_a_test() {
        assert!(has_doctest("/// Adds.\n/// ```\n/// assert_eq!(1 + 1, 2);\n/// ```\nfn add() {}"));
        assert!(has_doctest("//! ```no_run\n//! go();\n//! ```"));
    }

    #[test]
    fn text_is_not_a_test_and_its_closing_fence_opens_nothing() {
        assert!(!has_doctest("//! ```text\n//! a -> b\n//! ```\nfn plain() {}"));
        assert!(!has_doctest("/// ```sql\n/// SELECT 1\n/// ```"));
        assert!(!has_doctest("// ```\n// not documentation\n// ```"));
    }
}
