//! Gets the inputs of predictions: from the web, from a `data:` URI or from the stage's own files.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use crate::stage::Shared;

/// The largest input, in bytes.
const MAX_BYTES: usize = 100 << 20;

/// Reads what `uri` names, or says why not, in words for the prediction's `error`.
pub(crate) async fn fetch(stage: &Shared, uri: &str) -> Result<Bytes, String> {
    let url = url::Url::parse(uri).map_err(|e| format!("Could not read the input URL: {e}"))?;
    if url.scheme() == "data" {
        return data(uri);
    }
    if let Some(bytes) = own_file(stage, &url).await? {
        return Ok(bytes);
    }
    let _turn = stage.fetching.acquire().await.map_err(|e| e.to_string())?;
    download(stage, &url).await.map_err(|why| format!("Could not download the input {}: {why}", shown(&url)))
}

async fn download(stage: &Shared, url: &url::Url) -> Result<Bytes, String> {
    let request = stage.outbound.get(url.clone()).timeout(Duration::from_secs(30));
    let answer = request.send().await.map_err(|e| cause(&e))?;
    if !answer.status().is_success() {
        return Err(format!("HTTP {}", answer.status()));
    }
    let mut body = answer.bytes_stream();
    let mut bytes = BytesMut::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.map_err(|e| cause(&e))?);
        if bytes.len() > MAX_BYTES {
            return Err(format!("it is larger than {} MB", MAX_BYTES >> 20));
        }
    }
    Ok(bytes.freeze())
}

/// The bytes of an uploaded file, when the URL is one of `/v1/files/<id>`.
async fn own_file(stage: &Shared, url: &url::Url) -> Result<Option<Bytes>, String> {
    let mut parts = url.path().split('/').skip(1);
    let id = match (parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some("files"), Some(id)) => id,
        _ => return Ok(None),
    };
    if stage.ledger.file(id).map_err(|e| e.to_string())?.is_none() {
        return Ok(None);
    }
    let bytes = tokio::fs::read(stage.media.upload(id)).await.map_err(|e| e.to_string())?;
    Ok(Some(bytes.into()))
}

fn data(uri: &str) -> Result<Bytes, String> {
    use base64::Engine;
    let broken = || "Could not read the data URI of the input".to_owned();
    let (head, body) = uri.split_once(',').ok_or_else(broken)?;
    if !head.ends_with(";base64") {
        return Err(broken());
    }
    base64::engine::general_purpose::STANDARD.decode(body).map(Bytes::from).map_err(|_| broken())
}

/// Without the query: signatures are nobody's business.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn cause(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "timed out" } else { "connection failed" }.to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
