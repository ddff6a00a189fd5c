//! The camera: which part of which photo is seen at which moment. Pure.

/// A part of a photo, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How much closer the camera is at its closest.
const CLOSE: f64 = 1.3;
/// The dissolve, as parts of the whole time.
const DISSOLVE: (f64, f64) = (0.40, 0.66);

/// One way to travel: a direction, and whether the camera goes in or stays wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Move {
    drift: (f64, f64),
    zoom: f64,
}

/// The moves that a clip is chosen from.
const MOVES: [Move; 6] = [
    Move { drift: (0.55, 0.0), zoom: CLOSE },
    Move { drift: (-0.55, 0.0), zoom: CLOSE },
    Move { drift: (0.0, -0.5), zoom: CLOSE },
    Move { drift: (0.9, 0.15), zoom: 1.22 },
    Move { drift: (-0.9, 0.15), zoom: 1.22 },
    Move { drift: (0.25, -0.25), zoom: 1.34 },
];

impl Move {
    pub(super) fn numbered(number: u64) -> Self {
        let count = MOVES.len() as u64;
        MOVES[usize::try_from(number % count).unwrap_or(0)]
    }

    /// The first photo at `t` (0 to 1): the whole of it at first, then closer and along the drift.
    pub(super) fn leaving(&self, t: f64, photo: (f64, f64), aspect: f64) -> Window {
        self.frame(glide(t), 1.0, photo, aspect)
    }

    /// The last photo at `t`: from the other side of the drift to the whole of it at the end.
    pub(super) fn arriving(&self, t: f64, photo: (f64, f64), aspect: f64) -> Window {
        self.frame(1.0 - glide(t), -1.0, photo, aspect)
    }

    fn frame(&self, away: f64, side: f64, photo: (f64, f64), aspect: f64) -> Window {
        let zoom = 1.0 + (self.zoom - 1.0) * away;
        let wide = photo.0.min(photo.1 * aspect);
        let (width, height) = (wide / zoom, wide / aspect / zoom);
        let slack = (photo.0 - width, photo.1 - height);
        let at =
            |drift: f64, slack: f64| (slack / 2.0 * (1.0 + drift * away * side)).clamp(0.0, slack.max(0.0));
        Window { left: at(self.drift.0, slack.0), top: at(self.drift.1, slack.1), width, height }
    }
}

/// How much of the last photo is seen at `t`, 0 to 1.
pub(super) fn blend(t: f64) -> f64 {
    ease(((t - DISSOLVE.0) / (DISSOLVE.1 - DISSOLVE.0)).clamp(0.0, 1.0))
}

/// Never quite still, fastest in the middle.
fn glide(t: f64) -> f64 {
    0.55 * t.clamp(0.0, 1.0) + 0.45 * ease(t)
}

/// Starts and stops softly.
fn ease(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: f64 = 16.0 / 9.0;

    #[test]
    fn the_clip_opens_on_the_whole_first_and_ends_on_the_whole_last_photo() {
        for number in 0..6 {
            let path = Move::numbered(number);
            let whole = Window { left: 0.0, top: 0.0, width: 1600.0, height: 900.0 };
            assert_eq!(path.leaving(0.0, (1600.0, 900.0), WIDE), whole);
            assert_eq!(path.arriving(1.0, (1600.0, 900.0), WIDE), whole);
            assert_eq!((blend(0.0), blend(1.0)), (0.0, 1.0));
        }
    }

    #[test]
    fn the_camera_moves_and_never_leaves_the_photo() {
        for photo in [(1600.0, 900.0), (900.0, 1600.0), (1000.0, 1000.0)] {
            for aspect in [WIDE, 1.0 / WIDE] {
                for number in 0..6 {
                    let path = Move::numbered(number);
                    let mut before = path.leaving(0.0, photo, aspect);
                    for step in 1..=48 {
                        let t = f64::from(step) / 48.0;
                        for seen in [path.leaving(t, photo, aspect), path.arriving(t, photo, aspect)] {
                            assert!(seen.left >= 0.0 && seen.left + seen.width <= photo.0 + 1e-9);
                            assert!(seen.top >= 0.0 && seen.top + seen.height <= photo.1 + 1e-9);
                        }
                        let seen = path.leaving(t, photo, aspect);
                        assert_ne!(seen, before);
                        before = seen;
                    }
                }
            }
        }
    }
}
