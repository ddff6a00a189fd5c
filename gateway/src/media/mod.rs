//! Bytes out of the object store: streamed, with entity tags, conditions and single ranges; or a redirect to where
//! the store itself gives them.

mod condition;
mod picture;
mod range;

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    extract::FromRequestParts,
    response::{IntoResponse as _, Response},
};
use blobs::BlobError;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use protos::common::v1::BlobRef;

use crate::{
    app::App,
    problem::{Kind, Problem},
};
pub(crate) use picture::{PictureWish, picture};
use range::Wanted;

/// The bytes under this URL may be others tomorrow: keep them, but ask each time.
pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// The bytes under this URL stay.
pub(crate) const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// The bytes under this URL are these for ever. Only the caller's own cache keeps them: the links to them end.
pub(crate) const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// Each answer names a link of its own, which ends soon.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");
/// How long a link of the object store works: long enough to begin with, and to go on after a seek.
const LINK_LIFETIME: Duration = Duration::from_secs(600);

const UNKNOWN_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Something to serve.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) blob: BlobRef,
    /// `inline` or `attachment`, with a name; none = left open.
    pub(crate) disposition: Option<String>,
    pub(crate) cache: HeaderValue,
    /// What is said when the bytes are not there.
    pub(crate) missing: &'static str,
    /// Where these very bytes stay when the URL gives others one day.
    pub(crate) version: Option<String>,
}

impl Media {
    /// A blob that is shown in place under a name.
    pub(crate) fn inline(blob: BlobRef, name: &str) -> Self {
        Self::named(blob, "inline", name)
    }

    /// A blob that is saved under a name.
    pub(crate) fn attachment(blob: BlobRef, name: &str) -> Self {
        Self::named(blob, "attachment", name)
    }

    fn named(blob: BlobRef, how: &str, name: &str) -> Self {
        let disposition = Some(format!("{how}; filename=\"{name}\""));
        Self { blob, disposition, cache: REVALIDATE, missing: "Media unavailable", version: None }
    }

    /// A picture that is shown in place.
    pub(crate) fn picture(blob: BlobRef, cache: HeaderValue) -> Self {
        Self { blob, disposition: None, cache, missing: "Media unavailable", version: None }
    }

    /// Says where these bytes stay: under their hash.
    pub(crate) fn versioned(mut self, app: &App) -> Self {
        self.version = Some(app.signed_link(&format!("/api/v3/media/{}", self.blob.sha256)));
        self
    }
}

/// What a GET or HEAD for media says besides its path.
#[derive(Debug)]
pub(crate) struct MediaRequest {
    is_get: bool,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for MediaRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { is_get: parts.method == Method::GET, headers: parts.headers.clone() })
    }
}

impl MediaRequest {
    /// What the caller says about it.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The answer: `media`, or a part of it, or where it is, or that the caller has it.
    pub(crate) async fn answer(&self, app: &App, media: Media) -> Result<Response, Problem> {
        if app.settings.redirect_media
            && self.is_get
            && let Some(link) = self.link(app, &media).await?
        {
            return Ok(link);
        }
        serve(app, &self.headers, media).await
    }

    /// A redirect to the store, when it has links, and when it is bytes that the caller will get.
    async fn link(&self, app: &App, media: &Media) -> Result<Option<Response>, Problem> {
        let BlobRef { sha256, size, content_type } = &media.blob;
        let tag = tag(&media.blob);
        let no_bytes = condition::has_it(&self.headers, &tag)
            || matches!(asked(&self.headers, &tag, *size), Wanted::Nothing);
        if no_bytes {
            return Ok(None);
        }
        let disposition = media.disposition.as_deref();
        let link = app.blobs.presigned_as(sha256, content_type, disposition, LINK_LIFETIME).await;
        let Some(link) = link.map_err(|error| gone(error, media.missing))? else { return Ok(None) };
        let mut headers = HeaderMap::new();
        put(&mut headers, header::LOCATION, link.as_str());
        headers.insert(header::CACHE_CONTROL, NOT_KEPT);
        Ok(Some((StatusCode::TEMPORARY_REDIRECT, headers).into_response()))
    }
}

fn tag(blob: &BlobRef) -> String {
    format!("\"{}\"", blob.sha256)
}

async fn serve(app: &App, request: &HeaderMap, media: Media) -> Result<Response, Problem> {
    let tag = tag(&media.blob);
    let mut headers = HeaderMap::new();
    put(&mut headers, header::ETAG, &tag);
    headers.insert(header::CACHE_CONTROL, media.cache.clone());
    if let Some(version) = &media.version {
        put(&mut headers, header::CONTENT_LOCATION, version);
    }
    if condition::has_it(request, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, UNKNOWN_TYPE);
    if !media.blob.content_type.is_empty() {
        put(&mut headers, header::CONTENT_TYPE, &media.blob.content_type);
    }
    if let Some(disposition) = &media.disposition {
        put(&mut headers, header::CONTENT_DISPOSITION, disposition);
    }
    let size = media.blob.size;
    let (status, part) = match asked(request, &tag, size) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Wanted::Nothing => return Err(not_satisfiable(size)),
    };
    if let Some(part) = &part {
        let value = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        put(&mut headers, header::CONTENT_RANGE, &value);
    }
    let reader = app.blobs.open(&media.blob.sha256, part).await;
    let reader = reader.map_err(|error| gone(error, media.missing))?;
    headers.insert(header::CONTENT_LENGTH, reader.remaining().into());
    Ok((status, headers, Body::from_stream(reader.mapped())).into_response())
}

fn asked(request: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let mut ranges = request.get_all(header::RANGE).iter();
    match (ranges.next().and_then(|value| value.to_str().ok()), ranges.next()) {
        (Some(given), None) if condition::range_holds(request, tag) => range::wanted(given, size),
        _ => Wanted::Whole,
    }
}

fn not_satisfiable(size: u64) -> Problem {
    let problem = Problem::framework(Kind::RangeNotSatisfiable)
        .detail(format!("The range starts past the end: there are {size} bytes."));
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(value) => problem.header(header::CONTENT_RANGE, value),
        Err(_) => problem,
    }
}

fn gone(error: BlobError, missing: &str) -> Problem {
    tracing::error!(
        error = format!("{:#}", anyhow::Error::new(error)),
        "bytes that are recorded cannot be read"
    );
    Problem::flat(Kind::BlobUnavailable, missing)
        .detail("The bytes are recorded but cannot be read from the object store; whoever runs it must look.")
}

/// Sets a header unless its text cannot be one.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
