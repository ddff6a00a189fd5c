//! What can go wrong with S3, and what is worth trying again.

use std::io;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use object_store::Error;

/// Why S3 did not do what it was asked for. The texts name the bucket, never a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "bucket {bucket:?} refused the request ({code}): check s3.access_key_id and s3.secret_access_key, the clock of this machine, and that the key may list the bucket, get and put its objects and abort multipart uploads"
    )]
    Denied { bucket: String, code: String },
    #[error("there is no bucket {bucket:?}: check blob_url and s3.endpoint, or make the bucket")]
    NoBucket { bucket: String },
    #[error("bucket {bucket:?} is in another region: check s3.region")]
    Region { bucket: String },
    #[error("there is no such object")]
    NotThere,
    #[error("the range lies past the end")]
    PastTheEnd,
    #[error("bucket {bucket:?} does not answer as it should: check s3.endpoint and the store behind it")]
    Passing {
        bucket: String,
        #[source]
        source: Box<Error>,
    },
    #[error("the multipart upload to bucket {bucket:?} was lost on the way")]
    UploadLost { bucket: String },
    #[error("bucket {bucket:?} has {found:?} bytes under the key after an upload of {size}")]
    OtherSize { bucket: String, found: Option<u64>, size: u64 },
    #[error("the bytes to upload cannot be read")]
    Spool(#[source] io::Error),
}

impl Fault {
    /// Reads an error of the client.
    pub(crate) fn of(bucket: &str, error: Error) -> Self {
        let bucket = bucket.to_owned();
        let text = error.to_string();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match error {
            _ if says(&["NoSuchBucket"]) => Self::NoBucket { bucket },
            _ if says(&["AuthorizationHeaderMalformed", "configured region", "PermanentRedirect"]) => {
                Self::Region { bucket }
            }
            Error::NotFound { .. } => Self::NotThere,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                Self::Denied { bucket, code: code(&text) }
            }
            _ if says(&["status code: 416"]) => Self::PastTheEnd,
            error => Self::Passing { bucket, source: Box::new(error) },
        }
    }

    /// Whether it may go better the next time.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::UploadLost { .. } | Self::OtherSize { .. })
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        let kind = match &fault {
            Fault::Denied { .. } => io::ErrorKind::PermissionDenied,
            Fault::Passing { .. } => io::ErrorKind::ConnectionAborted,
            Fault::Spool(error) => error.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, fault)
    }
}

/// The S3 error code in an answer, such as `SignatureDoesNotMatch`; answers to HEAD have none.
fn code(text: &str) -> String {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or("403", |(code, _)| code).chars().take(60).collect()
}

/// How often and how patiently something is tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Six more times within about 20 seconds: bytes that we alone hold.
    Write,
    /// Five more times within about 5 seconds: somebody waits for the answer.
    Read,
}

/// Does something until it succeeds, fails for good, or patience ends. Waits grow, and differ by chance.
pub(crate) async fn retrying<T, F: Future<Output = Result<T, Fault>>>(
    patience: Patience,
    what: &'static str,
    attempt: impl FnMut() -> F,
) -> Result<T, Fault> {
    let waits = match patience {
        Patience::Write => waits(250, 5_000, 6),
        Patience::Read => waits(100, 2_000, 5),
    };
    attempt
        .retry(waits)
        .when(Fault::passes)
        .notify(|fault, wait| {
            tracing::warn!(what, wait_ms = wait.as_millis(), error = %Chain(fault), "S3 failed; trying again");
        })
        .await
}

fn waits(first_ms: u64, most_ms: u64, times: usize) -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(first_ms))
        .with_max_delay(Duration::from_millis(most_ms))
        .with_factor(2.0)
        .with_max_times(times)
        .with_jitter()
}

/// An error with all its causes on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut cause = Some(self.0);
        while let Some(error) = cause {
            write!(f, "{error}")?;
            cause = error.source();
            if cause.is_some() {
                f.write_str(": ")?;
            }
        }
        Ok(())
    }
}
