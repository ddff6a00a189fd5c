//! Panics of the product: a server that answers, having panicked, is as wrong as one that does not.

use std::{panic, sync::Once};

use parking_lot::Mutex;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes down from now on where the product panics. A test that fails panics too: that is not counted.
pub(super) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if panic.location().is_none_or(|place| !is_of_a_test(place.file())) {
                SEEN.lock().push(panic.to_string());
            }
            usual(panic);
        }));
    });
}

/// Fails if the product has panicked since.
#[track_caller]
pub(super) fn none_seen() {
    let seen = SEEN.lock().clone();
    assert!(seen.is_empty(), "{seen:#?}");
}

fn is_of_a_test(file: &str) -> bool {
    file.contains("tests/it/")
}

#[test]
fn the_panic_of_a_test_is_not_one_of_the_product() {
    assert!(is_of_a_test(file!()));
    assert!(!is_of_a_test("gateway/src/upload.rs") && !is_of_a_test("/rustc/library/core/src/str/mod.rs"));
}
