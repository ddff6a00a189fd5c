//! Bytes to and from the provider: its files API, and outputs streamed to disk.

use std::time::Duration;

use blobs::ScratchFile;
use futures::StreamExt as _;
use protos::common::v1::BlobRef;
use reqwest::{Body, multipart};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use url::Url;

use super::{Client, host, sending, wire::UploadedFile};
use crate::{call::Call, error::ProviderError};

/// How long a file may take to be handed over.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);

impl Client {
    /// `POST /v1/files`; the body is streamed from the object store.
    pub(super) async fn upload_file(
        &self,
        call: &Call,
        blob: &BlobRef,
        name: &str,
        attempt: &str,
    ) -> Result<String, ProviderError> {
        let local = |error: &dyn std::fmt::Display| ProviderError::Local(error.to_string());
        let reader = self.blobs.open(&blob.sha256, None).await.map_err(|error| local(&error))?;
        let size = reader.size();
        let content = multipart::Part::stream_with_length(Body::wrap_stream(reader), size)
            .file_name(name.to_owned())
            .mime_str(&blob.content_type)
            .map_err(|error| local(&error))?;
        let form = multipart::Form::new()
            .part("content", content)
            .text("filename", name.to_owned())
            .text("type", blob.content_type.clone())
            .text("metadata", json!({ "attempt": attempt }).to_string());
        let request = self.http.post(self.url("files")?).multipart(form).timeout(UPLOAD_TIMEOUT);
        let file: UploadedFile = self.answer(call, request).await?;
        Ok(file.urls.get)
    }

    /// Streams an output into a file, once there is room for it. Without our key: the address came from outside.
    pub(super) async fn download_file(
        &self,
        call: &Call,
        url: &str,
        to: &mut ScratchFile,
    ) -> Result<u64, ProviderError> {
        let url = self.output_address(url)?;
        let response = self.accepted(call, self.http.get(url).timeout(self.download_timeout)).await?;
        let limit = self.max_output_bytes;
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(ProviderError::TooLarge { limit });
        }
        let announced = response.content_length();
        let full = |error: blobs::NoRoom| ProviderError::Local(error.to_string());
        // What does not say how long it is may be as long as anything.
        to.make_room(announced.unwrap_or_else(|| to.at_most(limit))).await.map_err(full)?;
        let local = |error: std::io::Error| ProviderError::Local(error.to_string());
        let mut file = tokio::fs::File::create(to.path()).await.map_err(local)?;
        let mut stream = response.bytes_stream();
        let mut size = 0_u64;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(sending)?;
            size += chunk.len() as u64;
            if size > limit {
                return Err(ProviderError::TooLarge { limit });
            }
            to.make_room(size).await.map_err(full)?;
            file.write_all(&chunk).await.map_err(local)?;
        }
        file.flush().await.map_err(local)?;
        to.fit(size);
        match announced {
            Some(length) if length != size => {
                Err(ProviderError::Ambiguous(format!("the output broke off after {size} of {length} bytes")))
            }
            _ if size == 0 => Err(ProviderError::Ambiguous("the output is empty".to_owned())),
            _ => Ok(size),
        }
    }

    /// Outputs come from the provider's own hosts only, and not in the clear unless the provider itself is.
    fn output_address(&self, url: &str) -> Result<Url, ProviderError> {
        let foreign = |host: &str| ProviderError::ForeignHost { host: host.to_owned() };
        let url = Url::parse(url).map_err(|_| foreign("no address"))?;
        if url.origin() == self.api.origin() {
            return Ok(url);
        }
        let host = host(&url);
        let ours = |allowed: &String| {
            host == allowed || host.strip_suffix(allowed.as_str()).is_some_and(|sub| sub.ends_with('.'))
        };
        if url.scheme() == "https" && self.output_hosts.iter().any(ours) {
            Ok(url)
        } else {
            Err(foreign(host))
        }
    }
}
