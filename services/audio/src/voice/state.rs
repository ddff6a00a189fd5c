//! Pure: where a voice stands, and what an answer of the provider leads to.

use jiff::{SignedDuration, Timestamp};
use protos::common::v1::BlobRef;

use super::events::Event;
use super::script::Request;

/// Most calls that the provider did not take on, per voice.
const MOST_CALLS: u32 = 6;
/// First pause before another call; doubles each time.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Longest pause.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(120);

/// A voice with where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// What was asked for.
    pub request: Request,
    /// Where it stands.
    pub state: State,
    /// The call that is out or was the last; 0 before the first.
    pub attempt: u32,
    /// The next call is not made before.
    pub due_at: Timestamp,
    /// USD micros.
    pub cost_micros: i64,
}

/// Where a voice stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// A call is to be made.
    Waiting,
    /// A call was made, and what became of it is not recorded.
    Speaking,
    /// The speech is in the object store.
    Ready {
        /// The speech.
        audio: BlobRef,
        /// Its length, milliseconds.
        duration_ms: u64,
    },
    /// It will not come.
    Failed {
        /// Why, and what to do.
        reason: String,
        /// Whether asking for a new one may help.
        retryable: bool,
    },
}

/// How a call ended.
#[derive(Debug)]
pub enum Answer {
    /// The speech came, and is in the object store.
    Spoken {
        /// The speech.
        audio: BlobRef,
        /// Its length, milliseconds.
        duration_ms: u64,
    },
    /// The provider did not take it on, and may do so later: nothing was charged.
    NotNow {
        /// Why.
        why: String,
        /// When to ask again, as far as the provider says.
        after: Option<SignedDuration>,
    },
    /// The provider refuses: nothing was charged.
    Refused(String),
    /// What came is no speech, or was lost; it is paid.
    Useless(String),
    /// Nobody knows whether it was spoken and charged.
    Unknown(String),
}

impl Answer {
    /// What the metrics call it, in the words of predictions.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Spoken { .. } => "succeeded",
            Self::NotNow { .. } => "not_sent",
            Self::Refused(_) => "refused",
            Self::Useless(_) => "output",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Voice {
    /// The event that an answer leads to.
    #[must_use]
    pub fn answered(&self, answer: Answer, now: Timestamp) -> Event {
        let key = self.request.key.clone();
        let failed = |reason: String, retryable, cost_micros| Event::VoiceFailed {
            key: key.clone(),
            reason,
            retryable,
            cost_micros,
        };
        let price = self.request.price_micros();
        match answer {
            Answer::Spoken { audio, duration_ms } => {
                Event::VoiceSpoken { key, audio, duration_ms, cost_micros: price }
            }
            Answer::NotNow { why, .. } if self.attempt >= MOST_CALLS => failed(
                format!(
                    "The voice provider did not take the script on: {why}. Nothing was charged; try again later."
                ),
                true,
                0,
            ),
            Answer::NotNow { why, after } => {
                let doublings = self.attempt.saturating_sub(1).min(10);
                let pause = (FIRST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE);
                let pause = after.map_or(pause, |after| after.max(SignedDuration::ZERO).min(LONGEST_PAUSE));
                Event::VoiceDelayed { key, attempt: self.attempt, reason: why, retry_at: now + pause }
            }
            Answer::Refused(why) => failed(
                format!("The voice provider refused the script: {why}. Nothing was charged."),
                false,
                0,
            ),
            Answer::Useless(why) => failed(
                format!("What the voice provider sent cannot be used: {why}. It was charged."),
                true,
                price,
            ),
            Answer::Unknown(why) => failed(unknown(&why), true, 0),
        }
    }

    /// The event where there is no provider.
    #[must_use]
    pub fn unspeakable(&self) -> Event {
        Event::VoiceFailed {
            key: self.request.key.clone(),
            reason: "No voice provider is configured; set ELEVENLABS_API_KEY. Nothing was charged."
                .to_owned(),
            retryable: true,
            cost_micros: 0,
        }
    }

    /// The event for a call whose process went away in the middle of it.
    #[must_use]
    pub fn orphaned(&self) -> Event {
        Event::VoiceFailed {
            key: self.request.key.clone(),
            reason: unknown("the process that asked for it stopped"),
            retryable: true,
            cost_micros: 0,
        }
    }
}

fn unknown(why: &str) -> String {
    format!(
        "It is not known whether the script was spoken and charged: {why}. Look at the provider's history; \
         to buy it again, ask with a new key."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(attempt: u32) -> Voice {
        let request = Request {
            key: "testing/voice-1".into(),
            digest: "d".into(),
            script: "Hello".into(),
            voice: "v".into(),
            model: "m".into(),
            stability: None,
            similarity_boost: None,
            speed: None,
        };
        Voice { request, state: State::Speaking, attempt, due_at: Timestamp::UNIX_EPOCH, cost_micros: 0 }
    }

    fn failure(event: Event) -> (String, bool, i64) {
        match event {
            Event::VoiceFailed { reason, retryable, cost_micros, .. } => (reason, retryable, cost_micros),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_not_taken_on_is_asked_for_again_a_few_times() {
        let not_now = || Answer::NotNow { why: "busy".into(), after: None };
        let pause = |attempt| match voice(attempt).answered(not_now(), Timestamp::UNIX_EPOCH) {
            Event::VoiceDelayed { retry_at, .. } => retry_at.as_second(),
            other => panic!("{other:?}"),
        };
        assert_eq!([pause(1), pause(2), pause(5)], [2, 4, 32]);
        let (reason, retryable, cost) = failure(voice(6).answered(not_now(), Timestamp::UNIX_EPOCH));
        assert!(reason.contains("Nothing was charged") && retryable && cost == 0, "{reason}");
    }

    #[test]
    fn what_is_not_known_is_never_bought_again_by_itself() {
        for event in [
            voice(1).answered(Answer::Unknown("timed out".into()), Timestamp::UNIX_EPOCH),
            voice(1).orphaned(),
        ] {
            let (reason, ..) = failure(event);
            assert!(reason.contains("not known whether") && reason.contains("new key"), "{reason}");
        }
    }

    #[test]
    fn useless_speech_is_paid_all_the_same() {
        let (reason, _, cost) =
            failure(voice(1).answered(Answer::Useless("text".into()), Timestamp::UNIX_EPOCH));
        assert!(reason.contains("It was charged") && cost == 500, "{reason}");
    }
}
