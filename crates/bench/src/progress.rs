//! What is being done, on the terminal's other channel: the tables stay clean.

use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Says nothing from now on.
pub(crate) fn silence() {
    QUIET.store(true, Ordering::Relaxed);
}

pub(crate) fn say(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        eprintln!("{text}");
    }
}

/// Says what is done now.
macro_rules! progress {
    ($($text:tt)*) => { $crate::progress::say(&format!($($text)*)) };
}
pub(crate) use progress;
