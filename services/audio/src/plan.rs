//! Pure: which segments make a soundtrack, and where each lies in it.
//!
//! A music model makes at most 30 s at once. Longer music is made by *continuation*: the model hears a slice of
//! the segment before (the *window*) and returns that window again, followed by new seconds. So each later
//! segment begins with music that is there already:
//!
//! ```text
//! segment 1  |-------------------------|
//! window                          [s  e]
//! segment 2                       |====|--------------------|
//! window                                               [s  e]
//! segment 3                                            |====|---------|
//! the track  |-------------------------|--------------------|---------|
//! ```
//!
//! Each segment is laid where its window came from, and takes over where the segment before ends: what it repeats
//! is skipped, so that every moment of the track comes from exactly one segment. At the seam both are faded into
//! each other while they still carry the same music. Windows lie on whole seconds inside the real length of the
//! file, as probed.

use serde::{Deserialize, Serialize};

use crate::model::MusicModel;

/// Longest window in seconds: enough for the model to keep key and tempo, little enough to leave 25 new seconds.
pub const WINDOW_SECONDS: u32 = 5;
/// A little more than wanted is ordered while it costs nothing: the price is per segment.
const SPARE_SECONDS: u32 = 1;
/// Segments beyond those that the arithmetic needs, before outputs that are too short count as a failure.
const SPARE_SEGMENTS: u32 = 2;

/// A slice of the segment before, in whole seconds of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

impl Window {
    /// Seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    fn millis(self) -> u64 {
        u64::from(self.seconds()) * 1000
    }
}

/// How long both segments sound at a seam, milliseconds. Shorter than any window, so it is the same music twice.
pub const CROSSFADE_MS: u64 = 250;
/// The least new music in an output that can be used, milliseconds: what is left of it behind a window that did
/// not reach the end of its file (by less than a second) still holds a crossfade.
const LEAST_NEW_MS: u64 = 1500;

/// A segment to order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentPlan {
    /// Counted from 1.
    pub index: u32,
    /// What it continues; none for the first.
    pub window: Option<Window>,
    /// Seconds of new music.
    pub new_seconds: u32,
    /// Where in the track its window ends and its new music begins, milliseconds.
    pub from_ms: u64,
}

/// A segment that was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Real length of its file, milliseconds.
    pub length_ms: u64,
    /// What it repeats at its head; none for the first.
    pub window: Option<Window>,
}

/// What the track takes of a piece, in milliseconds of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it takes over from the piece before.
    pub from_ms: u64,
    /// The file's end, where the next piece takes over.
    pub until_ms: u64,
}

impl Part {
    /// How much of the file's start is left out when the parts are joined with [`CROSSFADE_MS`]: the crossfade
    /// happens before the seam.
    #[must_use]
    pub fn skip_ms(self) -> u64 {
        self.from_ms.saturating_sub(CROSSFADE_MS)
    }
}

/// What the track takes of each piece, in order.
#[must_use]
pub fn parts(pieces: &[Piece]) -> Vec<Part> {
    let before = [None].into_iter().chain(pieces.iter().map(Some));
    pieces
        .iter()
        .zip(before)
        .map(|(piece, before)| {
            let from_ms = match (before, piece.window) {
                (Some(before), Some(window)) => {
                    before.length_ms.saturating_sub(u64::from(window.start) * 1000)
                }
                _ => 0,
            };
            Part { from_ms, until_ms: piece.length_ms }
        })
        .collect()
}

/// How long the track is that these pieces make, milliseconds.
#[must_use]
pub fn track_ms(pieces: &[Piece]) -> u64 {
    parts(pieces).iter().map(|part| part.until_ms.saturating_sub(part.from_ms)).sum()
}

/// The next segment to order for a track of at least `wanted_ms`; none when the pieces are enough.
#[must_use]
pub fn next_segment(model: &MusicModel, wanted_ms: u64, pieces: &[Piece]) -> Option<SegmentPlan> {
    let index = u32::try_from(pieces.len()).unwrap_or(u32::MAX).saturating_add(1);
    let Some(last) = pieces.last() else {
        let new_seconds = to_order(wanted_ms, model.longest_seconds);
        return Some(SegmentPlan { index, window: None, new_seconds, from_ms: 0 });
    };
    let track = track_ms(pieces);
    if track >= wanted_ms {
        return None;
    }
    let end = u32::try_from(last.length_ms / 1000).unwrap_or(u32::MAX);
    let window = Window { start: end.saturating_sub(WINDOW_SECONDS), end };
    // The window ends on a whole second, less than one before the file does.
    let from_ms = track.saturating_sub(last.length_ms % 1000);
    let longest = model.longest_seconds.saturating_sub(window.seconds());
    let new_seconds = to_order(wanted_ms.saturating_sub(from_ms), longest);
    Some(SegmentPlan { index, window: Some(window), new_seconds, from_ms })
}

/// Whole seconds that hold `missing_ms` and a little more, at most `longest`.
fn to_order(missing_ms: u64, longest: u32) -> u32 {
    let whole = u32::try_from(missing_ms.div_ceil(1000)).unwrap_or(u32::MAX);
    whole.saturating_add(SPARE_SECONDS).min(longest)
}

/// How many segments the track will have, if all that are still to come are as long as ordered.
#[must_use]
pub fn expected_segments(model: &MusicModel, wanted_ms: u64, pieces: &[Piece]) -> u32 {
    let mut pieces = pieces.to_vec();
    while let Some(next) = next_segment(model, wanted_ms, &pieces) {
        let window = next.window.map_or(0, Window::seconds);
        pieces.push(Piece { length_ms: u64::from(window + next.new_seconds) * 1000, window: next.window });
    }
    u32::try_from(pieces.len()).unwrap_or(u32::MAX)
}

/// The most segments that are bought for one track, however short the outputs are.
#[must_use]
pub fn most_segments(model: &MusicModel, wanted_ms: u64) -> u32 {
    expected_segments(model, wanted_ms, &[]).saturating_add(SPARE_SEGMENTS)
}

/// Whether music that fell short is worth delivering: the mix repeats it, and at least half of the video hears
/// nothing twice.
#[must_use]
pub fn is_worth_repeating(wanted_ms: u64, pieces: &[Piece]) -> bool {
    !pieces.is_empty() && track_ms(pieces).saturating_mul(2) >= wanted_ms
}

/// Whether an output of this length can be used for its plan: it must bring new music.
#[must_use]
pub fn is_usable(window: Option<Window>, length_ms: u64) -> bool {
    length_ms >= window.map_or(0, Window::millis) + LEAST_NEW_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MUSICGEN;

    fn first(length_ms: u64) -> Piece {
        Piece { length_ms, window: None }
    }

    #[test]
    fn a_short_track_is_one_segment_with_a_second_to_spare() {
        let plan = next_segment(&MUSICGEN, 12_300, &[]).unwrap();
        assert_eq!(plan, SegmentPlan { index: 1, window: None, new_seconds: 14, from_ms: 0 });
        assert_eq!(next_segment(&MUSICGEN, 12_300, &[first(14_000)]), None);
    }

    #[test]
    fn a_long_track_continues_the_last_five_seconds() {
        let plan = next_segment(&MUSICGEN, 48_000, &[first(30_000)]).unwrap();
        assert_eq!(plan.window, Some(Window { start: 25, end: 30 }));
        assert_eq!((plan.index, plan.new_seconds, plan.from_ms), (2, 19, 30_000));
    }

    #[test]
    fn the_window_lies_within_the_real_file_and_the_seam_at_its_end() {
        let pieces = [first(29_640)];
        let plan = next_segment(&MUSICGEN, 48_000, &pieces).unwrap();
        assert_eq!(plan.window, Some(Window { start: 24, end: 29 }));
        assert_eq!(plan.from_ms, 29_000);
        let pieces = [pieces[0], Piece { length_ms: 25_000, window: plan.window }];
        assert_eq!(
            parts(&pieces),
            [Part { from_ms: 0, until_ms: 29_640 }, Part { from_ms: 5_640, until_ms: 25_000 }]
        );
        assert_eq!(track_ms(&pieces), 49_000);
    }

    #[test]
    fn a_segment_shorter_than_the_window_is_continued_whole() {
        let plan = next_segment(&MUSICGEN, 40_000, &[first(3_200)]).unwrap();
        assert_eq!(plan.window, Some(Window { start: 0, end: 3 }));
        assert_eq!(plan.new_seconds, 27);
    }

    #[test]
    fn the_number_of_segments_is_known_before_the_first_is_bought() {
        let expected = |wanted| expected_segments(&MUSICGEN, wanted, &[]);
        assert_eq!([expected(1), expected(30_000), expected(30_001)], [1, 1, 2]);
        assert_eq!([expected(55_000), expected(55_001), expected(80_001)], [2, 3, 4]);
    }

    #[test]
    fn half_of_the_music_is_worth_repeating_and_less_is_not() {
        assert!(is_worth_repeating(60_000, &[first(30_000)]));
        assert!(!is_worth_repeating(60_002, &[first(30_000)]));
        assert!(!is_worth_repeating(0, &[]));
    }

    #[test]
    fn an_output_without_new_music_cannot_be_used() {
        let window = Some(Window { start: 25, end: 30 });
        assert!(is_usable(window, 6_500) && !is_usable(window, 6_499));
        assert!(is_usable(None, 1_500) && !is_usable(None, 1_499));
    }
}
