//! Where an object store is: a directory, or a bucket of S3 or of something that speaks like it.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// How to reach S3; what is empty is left to its default.
#[derive(Clone, Debug, Default)]
pub struct S3Options {
    /// `http://host:port` of a store that speaks S3; empty = S3 of Amazon, over TLS.
    pub endpoint: String,
    /// Empty = `us-east-1`.
    pub region: String,
    /// Empty, like the secret: the role of the machine or container, as the tools of Amazon find it.
    pub access_key_id: String,
    /// The secret of the key; never shown.
    pub secret_access_key: SecretString,
    /// Whether the bucket stands in the path and not in the host name; none = yes when an endpoint is given.
    pub path_style: Option<bool>,
}

/// Where an object store is; its text names no secret.
#[derive(Clone, Debug)]
pub struct BlobAddress(pub(crate) Place);

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Directory(PathBuf),
    Bucket(Bucket),
}

/// A bucket, the part of it that is ours, and how to reach it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Without slashes at its ends; empty = all of the bucket.
    pub(crate) prefix: String,
    pub(crate) options: S3Options,
}

/// Why a text is no address of an object store.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// It is neither a path nor a URL of a kind that is known.
    #[error(
        "{given:?} is no address of an object store: file:///directory or s3://bucket[/prefix] is needed"
    )]
    Unknown {
        /// What was given, shortened.
        given: String,
    },
    /// The name of the bucket cannot be one.
    #[error(
        "{bucket:?} is no name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens are needed"
    )]
    Bucket {
        /// What was given, shortened.
        bucket: String,
    },
    /// The endpoint is no HTTP URL.
    #[error("the S3 endpoint {given:?} is not of the form http://host:port or https://host")]
    Endpoint {
        /// What was given, shortened.
        given: String,
    },
    /// One half of the credentials is missing.
    #[error(
        "the S3 credentials are incomplete: give both the access key id and the secret access key, or neither"
    )]
    HalfCredentials,
}

impl BlobAddress {
    /// Reads `file:///directory`, a plain path, or `s3://bucket[/prefix]`.
    ///
    /// # Errors
    /// [`BadAddress`], which says what is wrong; `s3` is only looked at for a bucket.
    pub fn parse(text: &str, s3: S3Options) -> Result<Self, BadAddress> {
        let unknown = || BadAddress::Unknown { given: short(text) };
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text {
                "" => Err(unknown()),
                path => Ok(Self(Place::Directory(path.into()))),
            };
        };
        match scheme {
            "file" => {
                let path =
                    Url::parse(text).ok().and_then(|url| url.to_file_path().ok()).ok_or_else(unknown)?;
                Ok(Self(Place::Directory(path)))
            }
            "s3" => {
                let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                check_bucket(name)?;
                check_options(&s3)?;
                let prefix = prefix.trim_matches('/');
                if !prefix.chars().all(allowed_in_prefix)
                    || prefix.split('/').any(|part| part.starts_with('.'))
                {
                    return Err(unknown());
                }
                let bucket = Bucket { name: name.to_owned(), prefix: prefix.to_owned(), options: s3 };
                Ok(Self(Place::Bucket(bucket)))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for BlobAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Directory(path) => path.display().fmt(f),
            Place::Bucket(Bucket { name, prefix, .. }) if prefix.is_empty() => write!(f, "s3://{name}"),
            Place::Bucket(Bucket { name, prefix, .. }) => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

impl S3Options {
    pub(crate) fn has_key(&self) -> bool {
        !self.access_key_id.is_empty()
    }

    pub(crate) fn region(&self) -> &str {
        if self.region.is_empty() { "us-east-1" } else { &self.region }
    }

    pub(crate) fn path_style(&self) -> bool {
        self.path_style.unwrap_or(!self.endpoint.is_empty())
    }

    /// The endpoint as a URL, when there is one.
    pub(crate) fn endpoint_url(&self) -> Option<Url> {
        Url::parse(&self.endpoint).ok()
    }
}

fn check_options(s3: &S3Options) -> Result<(), BadAddress> {
    if s3.access_key_id.is_empty() != s3.secret_access_key.expose_secret().is_empty() {
        return Err(BadAddress::HalfCredentials);
    }
    let usable = s3.endpoint_url().is_some_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty()
    });
    if s3.endpoint.is_empty() || usable {
        Ok(())
    } else {
        // Not the text itself when it may hold a password.
        let given = if s3.endpoint.contains('@') { "…@…".to_owned() } else { short(&s3.endpoint) };
        Err(BadAddress::Endpoint { given })
    }
}

fn check_bucket(name: &str) -> Result<(), BadAddress> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let edges = !name.starts_with(['.', '-']) && !name.ends_with(['.', '-']);
    if (3..=63).contains(&name.len()) && name.bytes().all(allowed) && edges {
        Ok(())
    } else {
        Err(BadAddress::Bucket { bucket: short(name) })
    }
}

/// What needs no escaping anywhere.
fn allowed_in_prefix(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "/-_.".contains(letter)
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        BlobAddress::parse(text, S3Options::default())
            .map_or_else(|error| error.to_string(), |it| it.to_string())
    }

    #[test]
    fn directories_and_buckets_have_addresses() {
        for (text, shown) in [
            ("file:///var/lib/blobs", "/var/lib/blobs"),
            ("/var/lib/blobs", "/var/lib/blobs"),
            ("blobs", "blobs"),
            ("s3://media", "s3://media"),
            ("s3://media/", "s3://media"),
            ("s3://media/film/strip/", "s3://media/film/strip"),
        ] {
            assert_eq!(parsed(text), shown, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_needed() {
        for text in ["", "ftp://host/x", "file://host/x", "s3://media/../x", "s3://media/a b", "gs://media"] {
            assert!(parsed(text).contains("s3://bucket[/prefix] is needed"), "{text}: {}", parsed(text));
        }
        for text in ["s3://", "s3://Media", "s3://me", "s3://-media", "s3://me_dia/x"] {
            assert!(parsed(text).contains("no name of a bucket"), "{text}: {}", parsed(text));
        }
    }

    #[test]
    fn options_are_checked_and_the_secret_is_never_shown() {
        let with = |endpoint: &str, id: &str, secret: &str| S3Options {
            endpoint: endpoint.into(),
            access_key_id: id.into(),
            secret_access_key: secret.to_owned().into(),
            ..S3Options::default()
        };
        let half = BlobAddress::parse("s3://media", with("", "id", ""));
        assert!(matches!(half, Err(BadAddress::HalfCredentials)));
        for endpoint in ["localhost:9000", "ftp://host", "http://user:hunter2@host"] {
            let error = BlobAddress::parse("s3://media", with(endpoint, "", "")).expect_err("no endpoint");
            assert!(error.to_string().contains("http://host:port"), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let address =
            BlobAddress::parse("s3://media", with("http://127.0.0.1:9", "id", "hunter2")).expect("good");
        assert!(!format!("{address:?} {address}").contains("hunter2"));
    }

    #[test]
    fn an_endpoint_means_path_style_unless_said_otherwise() {
        let own = S3Options { endpoint: "http://127.0.0.1:9000".into(), ..S3Options::default() };
        assert!(own.path_style() && !S3Options::default().path_style());
        assert!(!S3Options { path_style: Some(false), ..own }.path_style());
    }
}
