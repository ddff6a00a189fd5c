//! The input of one attempt: media prepared and made reachable, mark included.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::driver::{Driver, Then};
use crate::{
    answers,
    config::{MediaRoute, PublicUrls},
    error::ProviderError,
    fact::{Fact, Lost},
    mark::{self, Mark},
    order::{Failure, FailureClass, MediaInput, Order},
    plan::later,
    store::{NotRecorded, Stored},
};

/// Why there is no input. Nothing was called, nothing bought.
pub(super) enum NoInput {
    /// The media cannot be used.
    Rejected(String),
    /// The media could not be handed over.
    Provider(ProviderError),
}

impl From<ProviderError> for NoInput {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl Driver {
    /// Makes the input of an attempt, with the mark that is in it.
    pub(super) async fn input(&self, order: &Order, attempt: Uuid) -> Result<(Value, Mark), NoInput> {
        let mut input = match &order.input {
            Value::Object(members) => members.clone(),
            _ => Map::new(),
        };
        let mut mark = None;
        let mut made: Vec<(&str, String)> = Vec::new();
        for media in &order.media {
            let known =
                made.iter().find(|(sha256, _)| *sha256 == media.blob.sha256).map(|(_, url)| url.clone());
            let url = match known {
                Some(url) => url,
                None => self.reachable(order, media, attempt).await?,
            };
            made.push((&media.blob.sha256, url.clone()));
            let url = json!(url);
            mark.get_or_insert_with(|| Mark { field: media.field.clone(), value: url.clone() });
            input.insert(media.field.clone(), url);
        }
        if let Some(field) = &order.mark_seed {
            let seed = json!(mark::seed(attempt));
            input.insert(field.clone(), seed.clone());
            mark.get_or_insert(Mark { field: field.clone(), value: seed });
        }
        Ok((Value::Object(input), mark.unwrap_or_default()))
    }

    /// The URL at which the provider finds the media, for this attempt alone.
    async fn reachable(&self, order: &Order, media: &MediaInput, attempt: Uuid) -> Result<String, NoInput> {
        let prepared = self.engine.buyer.prepare(order, media).await;
        let blob = prepared
            .map_err(|error| ProviderError::Local(format!("{error:#}")))?
            .map_err(|rejected| NoInput::Rejected(rejected.0))?;
        if let Some(public) = &self.engine.public {
            return Ok(signed_url(public, &blob.sha256, attempt, self.engine.clock.now()));
        }
        let name = format!("{attempt}-{}{}", media.field, extension(&blob.content_type));
        Ok(self.engine.provider.upload(&blob, &name, &attempt.to_string()).await?)
    }

    /// Records that no attempt came of it.
    pub(super) async fn no_input(
        &mut self,
        stored: &Stored,
        attempt: Uuid,
        error: NoInput,
    ) -> Result<Then, NotRecorded> {
        let (attempt, moment, policy) = (attempt.to_string(), self.moment(), &self.engine.policy);
        let fact = match error {
            NoInput::Rejected(why) => {
                let failure = Failure::new(FailureClass::Input, format!("{why}. Nothing was charged."));
                Some(Fact::AttemptLost { attempt, why: Lost::Refused, failure, retry_at: None })
            }
            NoInput::Provider(error @ (ProviderError::Throttled(_) | ProviderError::Refused { .. })) => {
                if let ProviderError::Throttled(wait) = &error {
                    self.engine.throttled(*wait).await;
                }
                answers::created(&stored.state, &attempt, &Err(error), policy, moment)
            }
            NoInput::Provider(error) => {
                let reason = format!("its media could not be handed over: {error}");
                Some(answers::not_made(&stored.state, attempt, Lost::NotSent, reason, policy, moment))
            }
        };
        if let Some(fact) = fact {
            self.span("end attempt").around(self.record(stored, fact)).await?;
        }
        Ok(Then::GoOn)
    }
}

/// Of the gateway, for this attempt alone: that makes it the mark.
fn signed_url(public: &PublicUrls, sha256: &str, attempt: Uuid, now: Timestamp) -> String {
    let (base, expires) = (public.base.as_str().trim_end_matches('/'), later(now, public.lifetime));
    match public.route {
        MediaRoute::Media => {
            let path = format!("/api/v3/media/{sha256}");
            let query = public.signer.query(&path, expires);
            format!("{base}{path}?attempt={attempt}&{query}")
        }
        MediaRoute::Segments => {
            let token = public.signer.token(sha256, expires);
            format!("{base}/api/v3/audio/segments/{token}?attempt={attempt}")
        }
    }
}

/// Where the provider sends its webhooks for an attempt.
pub(super) fn webhook_url(public: &PublicUrls, attempt: Uuid) -> String {
    let base = public.base.as_str().trim_end_matches('/');
    format!("{base}/api/webhooks/replicate?service={}&attempt={attempt}", public.service)
}

/// Providers look at names, too.
fn extension(content_type: &str) -> &'static str {
    match content_type {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/webp" => ".webp",
        "image/gif" => ".gif",
        "audio/mpeg" => ".mp3",
        "audio/wav" | "audio/x-wav" => ".wav",
        "video/mp4" => ".mp4",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use kit::signing::UrlSigner;

    use super::*;

    #[test]
    fn links_lead_to_the_route_that_serves_them_and_are_made_for_one_attempt() {
        let signer = UrlSigner::new("a secret".to_owned().into());
        let base = "https://film.example.org/".parse().expect("a URL");
        let frames = PublicUrls::new(base, signer.clone(), "render");
        let (sha256, now, attempt) = ("ab".repeat(32), Timestamp::UNIX_EPOCH, Uuid::nil());
        let frame = signed_url(&frames, &sha256, attempt, now);
        let start = format!("https://film.example.org/api/v3/media/{sha256}?attempt={attempt}&expires=7200&");
        assert!(frame.starts_with(&start), "{frame}");
        let segment = signed_url(&frames.for_segments(), &sha256, attempt, now);
        let path =
            segment.strip_prefix("https://film.example.org/api/v3/audio/segments/").expect("a segment");
        let (token, query) = path.split_once('?').expect("a query");
        assert_eq!((signer.open_token(token, now), query), (Ok(&*sha256), &*format!("attempt={attempt}")));
    }
}
