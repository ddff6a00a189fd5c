//! What the service does when it is asked: record the wish, tell how it stands, leave a tombstone.

use eventlog::Log;
use kit::Clock;
use protos::common::v1::BlobRef;

use crate::error::StitchError;
use crate::events::{Event, Of};
use crate::product::{Input, Kind, Product, Request, State, job_of};
use crate::store;

/// Longest key, in bytes.
const LONGEST_KEY: usize = 200;
/// Most clips in a cut.
const MOST_CLIPS: usize = 200;
/// How often a write is decided again when others were faster.
const TRIES: usize = 8;

/// Answers requests; what they ask for is carried out by the worker.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
}

impl Requests {
    /// Records that a product is wanted, once; the same key again tells how it stands.
    pub(crate) async fn request(&self, request: Request) -> Result<Product, StitchError> {
        check(&request)?;
        let (key, digest, kind) = (request.key.clone(), request.digest.clone(), request.input.kind());
        let event = Event::ProductRequested(request);
        for _ in 0..TRIES {
            match store::product(&self.log, &key).await? {
                None => {
                    store::append(&self.log, &event, None, self.clock.now()).await?;
                }
                Some(product) => {
                    // A tombstone that came before the request refuses whatever is asked.
                    let same = |(known, _): &(String, Input)| *known == digest && product.kind == kind;
                    if product.wanted.as_ref().is_none_or(same) {
                        return Ok(product);
                    }
                    return Err(StitchError::DigestMismatch(key));
                }
            }
        }
        Err(StitchError::Busy(key))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Product, StitchError> {
        store::product(&self.log, key).await?.ok_or_else(|| StitchError::Unknown(key.to_owned()))
    }

    /// Stops a product, or refuses it for later when it was never asked for. One that is over stays as it is.
    pub(crate) async fn cancel(&self, key: &str, reason: &str) -> Result<Product, StitchError> {
        if let Some(violation) = check_key(key) {
            return Err(StitchError::Invalid(vec![violation]));
        }
        let reason = if reason.trim().is_empty() { "canceled" } else { reason.trim() };
        for _ in 0..TRIES {
            let of = match store::product(&self.log, key).await? {
                None => Of { key: key.to_owned(), kind: Kind::of_key(key), job_id: job_of(key) },
                Some(Product { key, kind, job_id, state: State::Waiting { .. }, .. }) => {
                    Of { key, kind, job_id }
                }
                Some(over) => return Ok(over),
            };
            let event = Event::ProductCanceled { of, reason: reason.to_owned() };
            store::append(&self.log, &event, None, self.clock.now()).await?;
        }
        Err(StitchError::Busy(key.to_owned()))
    }
}

fn check(request: &Request) -> Result<(), StitchError> {
    let mut violations: Vec<_> = check_key(&request.key).into_iter().collect();
    if request.digest.trim().is_empty() {
        violations.push(("digest", "can't be blank".to_owned()));
    }
    match &request.input {
        Input::Clips(clips) | Input::ClipsUnder { clips, .. } if clips.is_empty() => {
            violations.push(("clips", "should have at least 1 item(s)".to_owned()));
        }
        Input::Clips(clips) | Input::ClipsUnder { clips, .. } if clips.len() > MOST_CLIPS => {
            violations.push(("clips", format!("should have at most {MOST_CLIPS} item(s)")));
        }
        Input::Clips(clips) | Input::ClipsUnder { clips, .. } => {
            violations.extend(clips.iter().filter_map(|clip| check_blob("clips", clip)))
        }
        Input::CutAndSoundtrack { cut, soundtrack, .. } => {
            violations.extend(check_blob("cut", cut));
            violations.extend(check_blob("soundtrack", soundtrack));
        }
        Input::VideoUnder { video, .. } => violations.extend(check_blob("video", video)),
    }
    if let Input::ClipsUnder { overlay, .. } | Input::VideoUnder { overlay, .. } = &request.input {
        violations.extend(overlay.check());
    }
    if violations.is_empty() { Ok(()) } else { Err(StitchError::Invalid(violations)) }
}

fn check_key(key: &str) -> Option<(&'static str, String)> {
    let message = if key.is_empty() {
        "can't be blank".to_owned()
    } else if key.len() > LONGEST_KEY || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
        format!("must be at most {LONGEST_KEY} bytes without blanks, such as job-43/cut-1")
    } else {
        return None;
    };
    Some(("key", message))
}

/// A reference must name its bytes: 64 lower-case hexadecimal digits.
pub(crate) fn check_blob(field: &'static str, blob: &BlobRef) -> Option<(&'static str, String)> {
    let named =
        blob.sha256.len() == 64 && blob.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (!named)
        .then(|| (field, "is invalid: a blob is named by its SHA-256 in lower-case hexadecimal".to_owned()))
}
