//! What the service does when it is asked: record the wish, tell how it stands, leave a tombstone.

use eventlog::Log;
use kit::Clock;

use crate::error::AudioError;
use crate::events::{Event, Request};
use crate::settings::Settings;
use crate::store;
use crate::track::{State, Track};
use crate::write;

/// Longest key, in bytes.
const LONGEST_KEY: usize = 200;
/// Longest prompt of a person, in characters.
const LONGEST_PROMPT: usize = 2000;
/// Longest fade at the end, milliseconds.
const LONGEST_FADE_MS: u64 = 60_000;
/// How often a write is decided again when others were faster.
const TRIES: usize = 8;

/// Answers requests; what they ask for is carried out by the driver.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
}

impl Service {
    /// Records that a soundtrack is wanted, once; the same key again tells how it stands.
    ///
    /// # Errors
    /// The request is not valid, its key stands for something else, or the database failed.
    pub async fn request(&self, request: Request) -> Result<Track, AudioError> {
        self.check(&request)?;
        let key = request.key.clone();
        let digest = request.digest.clone();
        let event = Event::SoundtrackRequested(request);
        for _ in 0..TRIES {
            match store::track(&self.log, &key).await? {
                // A tombstone was left before anything was asked for: whatever is asked is refused by it.
                Some(track) if track.digest.is_empty() || track.digest == digest => return Ok(track),
                Some(_) => return Err(AudioError::DigestMismatch(key)),
                None => {
                    write::append(&self.log, &key, std::slice::from_ref(&event), self.clock.now()).await?;
                }
            }
        }
        Err(AudioError::Busy(key))
    }

    /// How a soundtrack stands.
    ///
    /// # Errors
    /// It was never asked for, or the database failed.
    pub async fn get(&self, key: &str) -> Result<Track, AudioError> {
        store::track(&self.log, key).await?.ok_or_else(|| AudioError::Unknown(key.to_owned()))
    }

    /// Stops a soundtrack, or refuses it for later when it was never asked for. One that is over stays as it is.
    ///
    /// # Errors
    /// The key is not valid, or the database failed.
    pub async fn cancel(&self, key: &str, reason: &str) -> Result<Track, AudioError> {
        check_key(key).map_or(Ok(()), |violation| Err(AudioError::Invalid(vec![violation])))?;
        let reason = if reason.trim().is_empty() { "canceled" } else { reason.trim() };
        for _ in 0..TRIES {
            let now = self.clock.now();
            match store::track(&self.log, key).await? {
                None => {
                    let job_id = job_of(key);
                    let stop =
                        Event::SoundtrackCancelRequested { key: key.into(), job_id, reason: reason.into() };
                    let stopped = Event::SoundtrackCanceled { key: key.into(), job_id, cost_micros: 0 };
                    write::append(&self.log, key, &[stop, stopped], now).await?;
                }
                Some(track) if track.state == State::Open => {
                    let job_id = track.job_id;
                    let stop =
                        Event::SoundtrackCancelRequested { key: key.into(), job_id, reason: reason.into() };
                    write::append(&self.log, key, &[stop], now).await?;
                }
                Some(track) => return Ok(track),
            }
        }
        Err(AudioError::Busy(key.to_owned()))
    }

    /// A voice that cannot be had is no reason: the music is made without it, and says so.
    fn check(&self, request: &Request) -> Result<(), AudioError> {
        let mut violations: Vec<(&'static str, String)> = check_key(&request.key).into_iter().collect();
        if request.digest.is_empty() {
            violations.push(("digest", "can't be blank".to_owned()));
        }
        let longest = self.settings.longest_ms;
        if request.duration_ms == 0 || request.duration_ms > longest {
            violations.push(("duration_ms", format!("must be from 1 to {longest}")));
        }
        if request.prompt.as_ref().is_some_and(|prompt| prompt.chars().count() > LONGEST_PROMPT) {
            violations.push(("prompt", format!("should be at most {LONGEST_PROMPT} character(s)")));
        }
        if request.fade_ms.is_some_and(|fade_ms| fade_ms > LONGEST_FADE_MS) {
            violations.push(("fade_ms", format!("must be at most {LONGEST_FADE_MS}")));
        }
        if violations.is_empty() { Ok(()) } else { Err(AudioError::Invalid(violations)) }
    }
}

pub(crate) fn check_key(key: &str) -> Option<(&'static str, String)> {
    let message = if key.is_empty() {
        "can't be blank".to_owned()
    } else if key.len() > LONGEST_KEY || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
        format!("must be at most {LONGEST_KEY} bytes without blanks, such as job-43/soundtrack-1")
    } else {
        return None;
    };
    Some(("key", message))
}

/// The job that a key such as `job-43/soundtrack-1` names; 0 when it names none.
fn job_of(key: &str) -> i32 {
    let number = key.strip_prefix("job-").and_then(|rest| rest.split('/').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_job() {
        assert_eq!([job_of("job-43/soundtrack-1"), job_of("x"), job_of("job-x/1")], [43, 0, 0]);
    }

    #[test]
    fn a_key_without_blanks_is_valid() {
        assert_eq!(check_key("job-43/soundtrack-1"), None);
        for bad in ["", "a b", "a\n", &"x".repeat(201)] {
            assert!(check_key(bad).is_some(), "{bad:?}");
        }
    }
}
