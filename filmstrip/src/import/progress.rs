//! How far a run is: a bar at a terminal, a line every few seconds elsewhere.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

/// Between two lines, where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);
/// What a row without its bytes counts for, in bytes, when the time left is estimated.
const ROW: u64 = 8 * 1024;

/// How far a run is; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bar: ProgressBar,
    started: Instant,
    speaks: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stage: &'static str,
    stage_rows: u64,
    rows: Done,
    bytes: Done,
    spoke: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    done: u64,
    of: u64,
}

impl Progress {
    /// Begins now, and shows itself on standard error.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{spinner} [{bar:30}] {percent:>3} % {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        Self::with(bar, true)
    }

    /// Shows nothing.
    #[cfg(test)]
    pub(super) fn silent() -> Self {
        Self::with(ProgressBar::hidden(), false)
    }

    fn with(bar: ProgressBar, speaks: bool) -> Self {
        Self(Arc::new(Shared { bar, started: Instant::now(), speaks, state: Mutex::default() }))
    }

    /// So much there is to do.
    pub(super) fn expect(&self, rows: u64, bytes: u64) {
        self.change(|state| (state.rows.of, state.bytes.of) = (rows, bytes));
    }

    /// What is read now, and how many rows of it.
    pub(super) fn begin(&self, stage: &'static str, rows: u64) {
        self.change(|state| (state.stage, state.stage_rows) = (stage, rows));
    }

    /// So many more rows are done.
    pub(super) fn rows(&self, more: u64) {
        self.change(|state| state.rows.done += more);
    }

    /// So many more bytes were read.
    pub(super) fn bytes(&self, more: u64) {
        self.change(|state| state.bytes.done += more);
    }

    /// Bytes that were read, and since when.
    pub(super) fn so_far(&self) -> (u64, Duration) {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.bytes.done, self.0.started.elapsed())
    }

    /// Nothing more is shown.
    pub(super) fn finish(&self) {
        self.0.bar.finish_and_clear();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let passed = self.0.started.elapsed();
        if !self.0.bar.is_hidden() {
            self.0.bar.set_length(state.weight().of);
            self.0.bar.set_position(state.weight().done);
            self.0.bar.set_message(state.line(passed));
        } else if self.0.speaks && passed.saturating_sub(state.spoke) >= EVERY {
            state.spoke = passed;
            speak(&state.line(passed));
        }
    }
}

#[allow(clippy::print_stderr, reason = "the progress of a command, for a person or a build log")]
fn speak(line: &str) {
    eprintln!("{line}");
}

impl State {
    fn weight(&self) -> Done {
        let weigh = |rows: u64, bytes: u64| rows.saturating_mul(ROW).saturating_add(bytes);
        Done { done: weigh(self.rows.done, self.bytes.done), of: weigh(self.rows.of, self.bytes.of) }
    }

    fn line(&self, passed: Duration) -> String {
        let Self { stage, stage_rows, rows, bytes, .. } = self;
        let mut line = format!("{stage_rows} {stage}, {} of {} rows", rows.done, rows.of);
        if bytes.of > 0 {
            line.push_str(&format!(
                ", {} of {}",
                HumanBytes(bytes.done),
                HumanBytes(bytes.of.max(bytes.done))
            ));
        }
        #[allow(clippy::cast_precision_loss, reason = "an estimate for a person")]
        let (read, done, of) = (bytes.done as f64, self.weight().done as f64, self.weight().of as f64);
        let seconds = passed.as_secs_f64();
        if seconds > 0.5 && done > 0.0 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
            let rate = (read / seconds) as u64;
            let left = (seconds * (of - done) / done).max(0.0);
            let left = Duration::try_from_secs_f64(left).unwrap_or_default();
            line.push_str(&format!(", {}/s, {} left", HumanBytes(rate), HumanDuration(left)));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_kind_rows_bytes_rate_and_time_left() {
        let state = State {
            stage: "assets",
            stage_rows: 4,
            rows: Done { done: 5, of: 10 },
            bytes: Done { done: 50 << 20, of: 100 << 20 },
            spoke: Duration::ZERO,
        };
        let line = state.line(Duration::from_secs(10));
        assert_eq!(line, "4 assets, 5 of 10 rows, 50.00 MiB of 100.00 MiB, 5.00 MiB/s, 10 seconds left");
    }

    #[test]
    fn before_anything_is_known_nothing_is_estimated() {
        assert_eq!(State::default().line(Duration::from_secs(9)), "0 , 0 of 0 rows");
    }
}
