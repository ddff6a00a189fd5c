//! Any length, any outputs: windows lie inside real files, seams meet, the track is long enough.

use audio::model::MUSICGEN;
use audio::plan::{self, Piece};
use proptest::prelude::*;

/// Buys segments until they are enough; the provider's files are off by `off(n)` milliseconds.
fn buy(wanted_ms: u64, off: impl Fn(usize) -> i64) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    while let Some(next) = plan::next_segment(&MUSICGEN, wanted_ms, &pieces) {
        assert_eq!(next.index as usize, pieces.len() + 1);
        let repeated = next.window.map_or(0, plan::Window::seconds);
        assert!(next.new_seconds >= 1 && repeated + next.new_seconds <= MUSICGEN.longest_seconds, "{next:?}");
        match (next.window, pieces.last()) {
            (None, None) => {}
            (Some(window), Some(last)) => {
                assert!(window.start < window.end && window.seconds() <= plan::WINDOW_SECONDS);
                assert!(u64::from(window.end) * 1000 <= last.length_ms, "{window:?} outside {last:?}");
            }
            other => panic!("a window without a file, or a file without a window: {other:?}"),
        }
        let ordered = i64::from(repeated + next.new_seconds) * 1000;
        let length_ms = u64::try_from(ordered + off(pieces.len())).unwrap();
        if !plan::is_usable(next.window, length_ms) {
            break;
        }
        pieces.push(Piece { length_ms, window: next.window });
        assert!(pieces.len() < 100, "it never ends");
    }
    pieces
}

/// Where each piece's file begins in the track, from the windows alone.
fn offsets(pieces: &[Piece]) -> Vec<u64> {
    let mut offsets = vec![0];
    for piece in &pieces[1..] {
        offsets.push(offsets.last().unwrap() + u64::from(piece.window.unwrap().start) * 1000);
    }
    offsets
}

fn check_seams(pieces: &[Piece]) {
    let parts = plan::parts(pieces);
    let offsets = offsets(pieces);
    for n in 1..pieces.len() {
        let before_ends = offsets[n - 1] + parts[n - 1].until_ms;
        let takes_over = offsets[n] + parts[n].from_ms;
        assert_eq!(before_ends, takes_over, "a gap or a repetition before segment {}", n + 1);
        assert!(parts[n].until_ms - parts[n].from_ms >= plan::CROSSFADE_MS, "no room for the crossfade");
        assert!(parts[n].skip_ms() + plan::CROSSFADE_MS == parts[n].from_ms);
    }
    let last = pieces.len() - 1;
    assert_eq!(plan::track_ms(pieces), offsets[last] + pieces[last].length_ms);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn exact_outputs_make_a_track_that_is_long_enough(wanted_ms in 1_u64..=600_000) {
        let pieces = buy(wanted_ms, |_| 0);
        check_seams(&pieces);
        let track = plan::track_ms(&pieces);
        prop_assert!(track >= wanted_ms && track < wanted_ms + 3_000, "{track}");
        prop_assert_eq!(pieces.len() as u32, plan::expected_segments(&MUSICGEN, wanted_ms, &[]));
        // Exact files end where their window does: the crossfade hears the same music twice.
        for (part, piece) in plan::parts(&pieces).iter().zip(&pieces).skip(1) {
            prop_assert_eq!(part.from_ms, u64::from(piece.window.unwrap().seconds()) * 1000);
        }
    }

    #[test]
    fn outputs_of_odd_lengths_lose_and_double_nothing(
        wanted_ms in 1_u64..=300_000,
        off in prop::collection::vec(-900_i64..=900, 40),
    ) {
        let pieces = buy(wanted_ms, |n| off[n % off.len()]);
        prop_assume!(!pieces.is_empty());
        check_seams(&pieces);
    }
}
