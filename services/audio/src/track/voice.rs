//! Pure: the voice over a soundtrack. The music does not wait for it, and is joined once it is settled; without it
//! when it cannot be had.

use protos::common::v1::BlobRef;

use super::{Step, Track};
use crate::events::Spoken;
use crate::voice::script;

/// How the voice over a soundtrack stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackVoice {
    /// Its end; none while it is being made.
    pub end: Option<VoiceEnd>,
    /// Whether a call for it is out, which nothing stops.
    pub called: bool,
    /// USD micros paid for it.
    pub cost_micros: i64,
}

/// How the voice over a soundtrack ended.
#[derive(Clone, Debug, PartialEq)]
pub enum VoiceEnd {
    /// It is in the object store.
    Ready(BlobRef),
    /// It will not come.
    Failed(String),
}

/// Key of the voice over a soundtrack.
#[must_use]
pub fn voice_key(soundtrack: &str) -> String {
    format!("{soundtrack}/voice")
}

/// What is asked of the voice over a soundtrack.
fn voice_request(soundtrack: &str, spoken: &Spoken) -> script::Request {
    script::Request {
        key: voice_key(soundtrack),
        // Its key is made from the soundtrack's, whose digest covers the script.
        digest: soundtrack.to_owned(),
        script: spoken.script.clone(),
        voice: spoken.voice.clone(),
        model: script::model_id(""),
        stability: None,
        similarity_boost: None,
        speed: None,
    }
}

impl Track {
    /// The voice to ask for, when it was not asked for yet and can be.
    pub(super) fn unasked_voice(&self) -> Option<script::Request> {
        let wanted = self.wanted_voice()?;
        (self.voice.is_none() && wanted.check("").is_empty()).then_some(wanted)
    }

    fn wanted_voice(&self) -> Option<script::Request> {
        let spoken = self.request.as_ref()?.voice.as_ref()?;
        Some(voice_request(&self.key, spoken))
    }

    /// The music's step, once the voice is settled as far as that takes.
    pub(super) fn with_voice(&self, step: Step) -> Step {
        match step {
            Step::Join { .. } if self.is_voice_open() => Step::Wait,
            Step::Join { shortfall } => {
                let missing: Vec<String> = shortfall.into_iter().chain(self.voiceless()).collect();
                Step::Join { shortfall: (!missing.is_empty()).then(|| missing.join("; ")) }
            }
            // A voice without music is not wanted, and what it costs belongs to the soundtrack.
            Step::Fail { reason, retryable } => {
                self.hush(&reason).unwrap_or(Step::Fail { reason, retryable })
            }
            step => step,
        }
    }

    /// What comes before an end without the voice, while it is open: a call that is out may be charged.
    pub(super) fn hush(&self, reason: &str) -> Option<Step> {
        let voice = self.voice.as_ref().filter(|voice| voice.end.is_none())?;
        let hush = || Step::Hush { key: voice_key(&self.key), reason: reason.to_owned() };
        Some(if voice.called { Step::Wait } else { hush() })
    }

    fn is_voice_open(&self) -> bool {
        self.voice.as_ref().is_some_and(|voice| voice.end.is_none())
    }

    /// Why it has no voice, when it should have one.
    fn voiceless(&self) -> Option<String> {
        let reason = match self.voice.as_ref().and_then(|voice| voice.end.as_ref()) {
            Some(VoiceEnd::Ready(_)) => return None,
            Some(VoiceEnd::Failed(reason)) => reason.clone(),
            None => self.wrong_voice()?,
        };
        Some(format!("there is no voice over it: {reason}"))
    }

    /// What is wrong with the voice that is wanted: the music is made without it.
    fn wrong_voice(&self) -> Option<String> {
        let wrong = self.wanted_voice()?.check("");
        let named = |(field, why): &(&str, String)| format!("its {} {why}", field.replace("options.", ""));
        (!wrong.is_empty()).then(|| wrong.iter().map(named).collect::<Vec<_>>().join(", "))
    }

    /// The voice over it, once it is there.
    #[must_use]
    pub fn spoken(&self) -> Option<&BlobRef> {
        match self.voice.as_ref()?.end.as_ref()? {
            VoiceEnd::Ready(audio) => Some(audio),
            VoiceEnd::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{delivered, failed, segment, track};
    use super::super::{Segment, State};
    use super::*;
    use crate::model::MUSICGEN;

    fn with_voice(segments: Vec<Segment>, id: &str, voice: Option<TrackVoice>) -> Track {
        let mut track = track(20_000, segments);
        let spoken = Spoken { script: "Welcome.".into(), voice: id.into() };
        track.request.as_mut().unwrap().voice = Some(spoken);
        track.voice = voice;
        track
    }

    #[test]
    fn a_soundtrack_fails_once_its_voice_is_settled_so_that_all_it_cost_is_told() {
        let music = || vec![segment(None, failed())];
        let with = |called, end| with_voice(music(), "v", Some(TrackVoice { end, called, cost_micros: 800 }));
        let reason = || "the model broke".to_owned();
        let hush = Step::Hush { key: "job-43/soundtrack-1/voice".into(), reason: reason() };
        assert_eq!(with(false, None).step(&MUSICGEN), hush, "it is not bought any more");
        assert_eq!(with(true, None).step(&MUSICGEN), Step::Wait, "it may be charged");
        for end in [VoiceEnd::Ready(BlobRef::default()), VoiceEnd::Failed("lost".into())] {
            let settled = with(true, Some(end));
            assert_eq!(settled.step(&MUSICGEN), Step::Fail { reason: reason(), retryable: true });
            assert_eq!(settled.cost_micros(), 80_800);
        }
    }

    #[test]
    fn a_voice_that_cannot_be_asked_for_is_missed_and_the_music_made() {
        let step = |segments| with_voice(segments, "no such voice", None).step(&MUSICGEN);
        assert!(matches!(step(vec![]), Step::Order(_)));
        let joined = step(vec![segment(None, delivered(30_000))]);
        assert!(
            matches!(joined, Step::Join { shortfall: Some(ref why) } if why.contains("its voice must be one of")),
            "{joined:?}"
        );
    }

    #[test]
    fn everything_that_is_missing_is_told() {
        let voice =
            TrackVoice { end: Some(VoiceEnd::Failed("no credits".into())), called: true, cost_micros: 0 };
        let music = vec![segment(None, delivered(15_000)), segment(None, failed())];
        let missing = "the model broke; there is no voice over it: no credits".to_owned();
        let joined = with_voice(music, "v", Some(voice)).step(&MUSICGEN);
        assert_eq!(joined, Step::Join { shortfall: Some(missing) });
    }

    #[test]
    fn a_voice_is_asked_for_first_and_the_music_is_joined_once_it_is_settled() {
        let music = || vec![segment(None, delivered(30_000))];
        let with = |voice, state| Track { state, ..with_voice(music(), "v", voice) };
        let voice = |end, called| Some(TrackVoice { end, called, cost_micros: 800 });
        let step = |voice| with(voice, State::Open).step(&MUSICGEN);
        assert!(matches!(step(None), Step::Speak(ref wanted) if wanted.key == "job-43/soundtrack-1/voice"));
        assert_eq!(step(voice(None, true)), Step::Wait);
        let ready = voice(Some(VoiceEnd::Ready(BlobRef::default())), true);
        assert_eq!(step(ready.clone()), Step::Join { shortfall: None });
        assert_eq!(with(ready, State::Open).cost_micros(), 80_800);
        let failed = step(voice(Some(VoiceEnd::Failed("no credits".into())), true));
        assert!(matches!(failed, Step::Join { shortfall: Some(ref why) } if why.contains("no credits")));
        let canceling = || State::Canceling { reason: "not wanted".into() };
        assert!(matches!(with(voice(None, false), canceling()).step(&MUSICGEN), Step::Hush { .. }));
        assert_eq!(with(voice(None, true), canceling()).step(&MUSICGEN), Step::Wait, "it may be charged");
        let over = voice(Some(VoiceEnd::Failed("canceled".into())), false);
        assert_eq!(with(over, canceling()).step(&MUSICGEN), Step::EndCanceled);
    }
}
