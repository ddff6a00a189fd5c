//! Bytes that the source has only a URL of.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kit::{Code, ServiceError};
use legacy::Slot;
use protos::common::v1::BlobRef;
use url::Url;

use super::{
    batch::{Content, Parcel},
    fill,
    target::{Target, in_words},
};

/// URLs that are fetched at one time.
const FETCHES: usize = 4;

/// A URL: the parcel's place in the batch, the place in the parcel.
pub(super) type Wanted = (usize, usize, String);

/// What a URL came to: the parcel's place in the batch, the place in the parcel, the bytes or why they are missing.
pub(super) type Fetched = (usize, usize, Result<BlobRef, String>);

/// Fetches all of them; an error when the object store, or the service, cannot do its part.
pub(super) async fn fetch(target: &dyn Target, wanted: Vec<Wanted>) -> Result<Vec<Fetched>, ServiceError> {
    let fetches = wanted.into_iter().map(|(parcel, place, url)| async move {
        let got = match target.fetch(&url).await {
            Ok(blob) => Ok(blob),
            Err(error) if is_of_the_url(&error) => Err(not_given(&url, &error)),
            Err(error) => return Err(error),
        };
        Ok((parcel, place, got))
    });
    stream::iter(fetches).buffer_unordered(FETCHES).try_collect().await
}

/// Whether a URL cannot be fetched, or may not be, as long as it is what it is. Everything else is nothing that the source
/// could do anything about: the same run goes on when that is put right.
fn is_of_the_url(error: &ServiceError) -> bool {
    matches!(error.code, Code::Invalid | Code::Validation)
}

fn not_given(url: &str, error: &ServiceError) -> String {
    let why = in_words(error);
    let cause = error.facts.get("reason").map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{} did not give them: {why}{cause}", without_secrets(url))
}

/// A URL as it may be shown: user, password and query may be somebody's secrets.
fn without_secrets(url: &str) -> String {
    match Url::parse(url.trim()) {
        Ok(mut url) if url.has_host() => {
            // Both are possible where there is a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        _ => "its address".to_owned(),
    }
}

impl Parcel {
    /// Leaves the bytes of an asset out that were fetched; false when it has none.
    pub(super) fn give_back(&mut self, reason: &str) -> bool {
        let mut places = self.found.bytes.iter().zip(&mut self.contents);
        let fetched = places
            .find(|(bytes, content)| bytes.slot == Slot::Asset && matches!(content, Content::Fetched(Ok(_))));
        let Some((_, content)) = fetched else { return false };
        *content = Content::Fetched(Err(format!("its address gave other bytes: {reason}")));
        fill::without_bytes(&mut self.found.thing);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("https://old.example/a/b.jpg", "https://old.example/a/b.jpg"),
            (" https://ann:pass@old.example:8443/a.jpg?key=1&b#top ", "https://old.example:8443/a.jpg"),
            ("http://token@old.example/@ann/a.jpg?sig=x@y", "http://old.example/@ann/a.jpg"),
            ("http://ann:pa/ss@old.example/a.jpg", "its address"),
            ("ann:pass@old.example/a.jpg", "its address"),
            ("data:image/png;base64,AAAA", "its address"),
            ("a.jpg?key=1", "its address"),
            ("", "its address"),
        ] {
            assert_eq!(without_secrets(url), shown, "{url}");
        }
    }

    #[test]
    fn what_is_told_of_a_url_says_why_it_gave_nothing() {
        let error = ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL");
        let told = not_given("https://a:b@old.example/1?c", &error.fact("reason", "HTTP 404"));
        assert_eq!(told, "https://old.example/1 did not give them: Failed to download from URL: HTTP 404");
    }

    #[test]
    fn only_refusals_are_of_the_url() {
        let refused = ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL");
        assert!(is_of_the_url(&refused) && is_of_the_url(&ServiceError::validation([("source_url", "no")])));
        let full = ServiceError::new(Code::Exhausted, "no_space", "There is no room left");
        let late = ServiceError::new(Code::Deadline, "deadline", "It took too long");
        let failed = ServiceError::internal(anyhow::anyhow!("the store is away"));
        for error in [full, late, failed, ServiceError::unavailable("away")] {
            assert!(!is_of_the_url(&error), "{error:?}");
        }
    }
}
