//! What the repository's own sources say: which tests there are.

use std::{collections::BTreeSet, path::Path, sync::OnceLock};

/// Whether there is a test function of this name anywhere in the repository.
pub(crate) fn has_test(name: &str) -> bool {
    tests().contains(name)
}

/// The names of all test functions of the repository.
pub(crate) fn tests() -> &'static BTreeSet<String> {
    static TESTS: OnceLock<BTreeSet<String>> = OnceLock::new();
    TESTS.get_or_init(|| {
        let mut found = BTreeSet::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for part in ["crates", "filmstrip", "gateway", "services", "tests", "xtask"] {
            collect(&root.join(part), &mut found);
        }
        found
    })
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            tests_of(&std::fs::read_to_string(&path).expect("a source file"), found);
        }
    }
}

/// Functions behind an attribute that makes a test of them.
fn tests_of(source: &str, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        let attribute = line.strip_prefix("#[");
        if let Some(attribute) = attribute {
            let name = attribute.split(['(', ']', ' ']).next().unwrap_or_default();
            is_test |= ["test", "tokio::test", "rstest", "case"].contains(&name);
            continue;
        }
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = line.strip_prefix("fn ") {
            if is_test {
                found.insert(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
            is_test = false;
        } else if !line.is_empty()
            && !line.starts_with("//")
            && !line.starts_with(')')
            && !line.ends_with(',')
        {
            // An attribute may span lines; anything else ends what it is about.
            is_test &= line.ends_with(']');
        }
    }
}

#[test]
fn a_test_is_found_and_a_plain_function_is_not() {
    assert!(has_test("a_test_is_found_and_a_plain_function_is_not"));
    assert!(!has_test("collect"));
    let mut found = BTreeSet::new();
    tests_of(
        "#[rstest]\n#[case(\n    1,\n)]\n#[tokio::test]\nasync fn one(x: u8) {}\nfn two() {}\n",
        &mut found,
    );
    tests_of("proptest! {\n    #[test]\n    fn three(a in 0..1) {\n", &mut found);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["one", "three"]);
}
