//! Pure: what a soundtrack is, and what is to be done about it next.

mod voice;

use protos::common::v1::BlobRef;

use crate::events::{OnFailure, Request};
use crate::model::MusicModel;
use crate::plan::{self, Piece, SegmentPlan, Window};
use crate::voice::script;

pub use voice::{TrackVoice, VoiceEnd, voice_key};

/// A soundtrack with its segments.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Such as `job-43/soundtrack-1`.
    pub key: String,
    /// Digest of what was asked for; empty for a tombstone.
    pub digest: String,
    /// The job; 0 when a tombstone's key does not say.
    pub job_id: i32,
    /// What was asked for; none for a tombstone.
    pub request: Option<Request>,
    /// Where it stands.
    pub state: State,
    /// Its segments in order; only the last one may be unsettled.
    pub segments: Vec<Segment>,
    /// The voice over it, once it was asked for.
    pub voice: Option<TrackVoice>,
}

/// Where a soundtrack stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It is to be made.
    Open,
    /// It is to be stopped.
    Canceling {
        /// Why.
        reason: String,
    },
    /// It is in the object store.
    Ready {
        /// The music.
        audio: BlobRef,
        /// Its length, milliseconds.
        duration_ms: u64,
        /// What is missing of it, when anything is.
        shortfall: Option<String>,
    },
    /// It will not come.
    Failed {
        /// What was wrong and what to do.
        reason: String,
        /// Whether asking for a new one may help.
        retryable: bool,
    },
    /// It was stopped.
    Canceled {
        /// Why.
        reason: String,
    },
}

/// A segment that was ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Key of its order.
    pub key: String,
    /// What it repeats of the one before.
    pub window: Option<Window>,
    /// Whether the provider has taken it on.
    pub taken: bool,
    /// How it stands.
    pub end: Option<SegmentEnd>,
    /// USD micros paid for it.
    pub cost_micros: i64,
}

/// How a segment's order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentEnd {
    /// The file is in the object store.
    Delivered {
        /// The file.
        audio: BlobRef,
        /// Its real length, milliseconds.
        length_ms: u64,
    },
    /// It will not come.
    Failed {
        /// Why.
        reason: String,
        /// Whether a new order may help.
        retryable: bool,
    },
    /// It was stopped.
    Canceled,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing until something happens.
    Wait,
    /// Order this segment.
    Order(SegmentPlan),
    /// Join what was delivered.
    Join {
        /// What is missing of it, when anything is.
        shortfall: Option<String>,
    },
    /// Ask for the voice over it.
    Speak(script::Request),
    /// Take the wish for a voice back that no call was made for.
    Hush {
        /// Key of the voice.
        key: String,
        /// Why.
        reason: String,
    },
    /// Give up.
    Fail {
        /// What was wrong and what to do.
        reason: String,
        /// Whether asking for a new one may help.
        retryable: bool,
    },
    /// Stop this order.
    Stop {
        /// The order.
        key: String,
        /// Why.
        reason: String,
    },
    /// Everything is stopped: say so.
    EndCanceled,
}

impl Track {
    /// What is to be done next.
    #[must_use]
    pub fn step(&self, model: &MusicModel) -> Step {
        match (&self.state, &self.request) {
            (State::Open, Some(request)) => match self.unasked_voice() {
                Some(voice) => Step::Speak(voice),
                None => self.with_voice(self.step_open(model, request.duration_ms, request.on_failure)),
            },
            (State::Canceling { reason }, _) => match self.unsettled() {
                Some(segment) => Step::Stop { key: segment.key.clone(), reason: reason.clone() },
                None => self.hush(reason).unwrap_or(Step::EndCanceled),
            },
            _ => Step::Wait,
        }
    }

    fn step_open(&self, model: &MusicModel, wanted_ms: u64, on_failure: OnFailure) -> Step {
        let short = |reason: String, retryable| {
            let is_enough = match on_failure {
                OnFailure::Repeat => plan::is_worth_repeating(wanted_ms, &self.pieces()),
                OnFailure::Silence => !self.pieces().is_empty(),
                OnFailure::Halt => false,
            };
            if is_enough { Step::Join { shortfall: Some(reason) } } else { Step::Fail { reason, retryable } }
        };
        match self.segments.last().map(|segment| segment.end.as_ref()) {
            Some(None) => Step::Wait,
            Some(Some(SegmentEnd::Failed { reason, retryable })) => short(reason.clone(), *retryable),
            Some(Some(SegmentEnd::Canceled)) => {
                short("a segment's prediction was canceled; ask for a new soundtrack".to_owned(), true)
            }
            Some(Some(SegmentEnd::Delivered { .. })) | None => {
                match plan::next_segment(model, wanted_ms, &self.pieces()) {
                    None => Step::Join { shortfall: None },
                    Some(next) if next.index <= plan::most_segments(model, wanted_ms) => Step::Order(next),
                    Some(_) => short(self.too_little(wanted_ms), true),
                }
            }
        }
    }

    fn too_little(&self, wanted_ms: u64) -> String {
        format!(
            "the music model's outputs are shorter than ordered: {} segments make {} of {} ms; \
             ask for a new soundtrack",
            self.segments.len(),
            plan::track_ms(&self.pieces()),
            wanted_ms
        )
    }

    fn unsettled(&self) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.end.is_none())
    }

    /// The delivered segments as the arithmetic sees them.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        self.delivered().map(|(window, _, length_ms)| Piece { length_ms, window }).collect()
    }

    /// The delivered segments: window, file, length.
    pub fn delivered(&self) -> impl Iterator<Item = (Option<Window>, &BlobRef, u64)> {
        self.segments.iter().filter_map(|segment| match &segment.end {
            Some(SegmentEnd::Delivered { audio, length_ms }) => Some((segment.window, audio, *length_ms)),
            _ => None,
        })
    }

    /// USD micros paid for all segments so far.
    #[must_use]
    pub fn cost_micros(&self) -> i64 {
        let voice = self.voice.as_ref().map_or(0, |voice| voice.cost_micros);
        self.segments.iter().map(|segment| segment.cost_micros).sum::<i64>() + voice
    }

    /// How many segments it has or will have.
    #[must_use]
    pub fn expected_segments(&self, model: &MusicModel) -> u32 {
        match (&self.state, &self.request) {
            (State::Open, Some(request)) => {
                plan::expected_segments(model, request.duration_ms, &self.pieces())
            }
            _ => u32::try_from(self.segments.len()).unwrap_or(u32::MAX),
        }
    }

    /// The word for where it stands, as others see it.
    #[must_use]
    pub fn word(&self, model: &MusicModel) -> &'static str {
        match &self.state {
            State::Open => match self.step(model) {
                Step::Join { .. } => "joining",
                _ if self.segments.iter().any(|segment| segment.taken) => "generating",
                _ => "waiting",
            },
            // Not over yet: what is running may still cost something.
            State::Canceling { .. } => "generating",
            State::Canceled { .. } => "canceled",
            State::Ready { .. } => "ready",
            State::Failed { .. } => "failed",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::MUSICGEN;

    pub(crate) fn track(wanted_ms: u64, segments: Vec<Segment>) -> Track {
        let request = Request {
            key: "job-43/soundtrack-1".into(),
            digest: "d".into(),
            job_id: 43,
            campaign_id: "c".into(),
            duration_ms: wanted_ms,
            scenes: Vec::new(),
            prompt: None,
            on_failure: OnFailure::Repeat,
            fade_ms: None,
            voice: None,
        };
        Track {
            key: request.key.clone(),
            digest: "d".into(),
            job_id: 43,
            request: Some(request),
            state: State::Open,
            segments,
            voice: None,
        }
    }

    pub(crate) fn segment(window: Option<(u32, u32)>, end: Option<SegmentEnd>) -> Segment {
        let window = window.map(|(start, end)| Window { start, end });
        Segment { key: "order".into(), window, taken: true, end, cost_micros: 80_000 }
    }

    pub(crate) fn delivered(length_ms: u64) -> Option<SegmentEnd> {
        Some(SegmentEnd::Delivered { audio: BlobRef::default(), length_ms })
    }

    pub(crate) fn failed() -> Option<SegmentEnd> {
        Some(SegmentEnd::Failed { reason: "the model broke".into(), retryable: true })
    }

    #[test]
    fn one_segment_after_the_other_is_ordered_and_then_they_are_joined() {
        let step = |segments| track(40_000, segments).step(&MUSICGEN);
        assert!(matches!(step(vec![]), Step::Order(SegmentPlan { index: 1, .. })));
        assert_eq!(step(vec![segment(None, None)]), Step::Wait);
        let first = segment(None, delivered(30_000));
        assert!(matches!(step(vec![first.clone()]), Step::Order(SegmentPlan { index: 2, .. })));
        let second = segment(Some((25, 30)), delivered(16_000));
        assert_eq!(step(vec![first, second]), Step::Join { shortfall: None });
    }

    #[test]
    fn a_failure_before_half_of_the_music_is_the_soundtracks() {
        let step =
            track(80_000, vec![segment(None, delivered(30_000)), segment(None, failed())]).step(&MUSICGEN);
        assert_eq!(step, Step::Fail { reason: "the model broke".into(), retryable: true });
    }

    #[test]
    fn a_failure_after_half_of_the_music_delivers_what_there_is() {
        let step =
            track(60_000, vec![segment(None, delivered(30_000)), segment(None, failed())]).step(&MUSICGEN);
        assert_eq!(step, Step::Join { shortfall: Some("the model broke".into()) });
    }

    #[test]
    fn who_asked_for_it_says_what_a_failure_leads_to() {
        let step = |on_failure, segments| {
            let mut track = track(80_000, segments);
            track.request.as_mut().unwrap().on_failure = on_failure;
            track.step(&MUSICGEN)
        };
        let little = || vec![segment(None, delivered(30_000)), segment(None, failed())];
        let shortfall = Some("the model broke".to_owned());
        assert_eq!(step(OnFailure::Silence, little()), Step::Join { shortfall });
        let much = vec![segment(None, delivered(30_000)), segment(Some((25, 30)), delivered(30_000))];
        let much = [much, vec![segment(None, failed())]].concat();
        let fails = Step::Fail { reason: "the model broke".into(), retryable: true };
        assert_eq!(step(OnFailure::Halt, much), fails);
        assert_eq!(
            step(OnFailure::Silence, vec![segment(None, failed())]),
            fails,
            "silence alone is no music"
        );
    }

    #[test]
    fn outputs_that_stay_too_short_are_bought_only_so_often() {
        let short =
            |index| segment((index > 0).then_some((0, 1)), delivered(if index > 0 { 2_500 } else { 1_500 }));
        let mut bought = 0;
        let end = loop {
            match track(20_000, (0..bought).map(short).collect()).step(&MUSICGEN) {
                Step::Order(_) => bought += 1,
                other => break other,
            }
        };
        assert_eq!(bought, 3);
        assert!(
            matches!(end, Step::Fail { ref reason, .. } if reason.contains("shorter than ordered")),
            "{end:?}"
        );
    }

    #[test]
    fn a_canceled_soundtrack_ends_when_nothing_of_it_goes_on() {
        let mut track = track(40_000, vec![segment(None, None)]);
        track.state = State::Canceling { reason: "the job was canceled".into() };
        assert_eq!(
            track.step(&MUSICGEN),
            Step::Stop { key: "order".into(), reason: "the job was canceled".into() }
        );
        track.segments[0].end = Some(SegmentEnd::Canceled);
        assert_eq!(track.step(&MUSICGEN), Step::EndCanceled);
        assert_eq!(track.word(&MUSICGEN), "generating");
    }
}
