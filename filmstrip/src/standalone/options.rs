//! What a standalone is told: flags and environment, checked together.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use anyhow::bail;
use blobs::{BlobAddress, S3Options};
use secrecy::SecretString;
use url::Url;

/// Replicate's public address.
const REPLICATE: &str = "https://api.replicate.com";
/// xAI's public address.
const XAI: &str = "https://api.x.ai";

/// ElevenLabs' public address.
const ELEVENLABS: &str = "https://api.elevenlabs.io";

/// A provider: where it is and the key it wants.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Base URL without the version path.
    pub base_url: String,
    /// Its key.
    pub key: SecretString,
}

/// Who renders, composes and plans.
#[derive(Clone, Debug)]
pub enum Providers {
    /// The stand-in, started inside this process, its state kept under the data directory.
    Own,
    /// A stand-in that runs elsewhere (`filmstrip soundstage`).
    Soundstage(String),
    /// The real ones; without a planner key storyboards come from templates.
    Real {
        /// Renders and composes.
        replicate: Provider,
        /// Plans storyboards.
        xai: Option<Provider>,
        /// Speaks scripts.
        elevenlabs: Option<Provider>,
    },
}

/// What a standalone is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Databases, media and the stand-in's state.
    pub data_dir: PathBuf,
    /// Where the gateway listens.
    pub host: IpAddr,
    /// Port of the gateway; 0 takes a free one.
    pub port: u16,
    /// Small, quick clips from the stand-in.
    pub draft: bool,
    /// The stand-in delivers at once.
    pub instant: bool,
    /// How many times as fast as the wall our clock runs; 1 outside tests.
    pub time_scale: f64,
    /// Who renders, composes and plans.
    pub providers: Providers,
    /// Keys that open the API; none = open, on loopback only.
    pub api_keys: Vec<SecretString>,
    /// Web sites whose pages may use the API.
    pub cors_origins: gateway::Origins,
    /// Our address as the providers see it; without it frames are uploaded and polling does all.
    pub public_base_url: Option<Url>,
    /// A PostgreSQL database with a schema for each service, instead of SQLite files in the data directory.
    pub database_url: Option<SecretString>,
    /// An object store for media, instead of a directory in the data directory.
    pub blobs: Option<BlobAddress>,
    /// NATS servers that carry the events, instead of the bus inside this process.
    pub nats_url: Option<String>,
    /// Largest upload, bytes.
    pub max_upload: Option<u64>,
    /// Lets URL imports reach loopback, for tests.
    pub import_from_loopback: bool,
}

impl Options {
    /// What the environment says, the rest by default.
    ///
    /// # Errors
    /// A variable has a value that cannot be used; all of them are named.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// As [`Options::from_env`], from any source of variables.
    ///
    /// # Errors
    /// A variable has a value that cannot be used; all of them are named.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let given =
            |name: &str| lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut url = |name: &str| {
            let text = given(name)?;
            match Url::parse(&text) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url),
                _ => {
                    wrong.push(format!("{name}={text:?} is no http(s) URL"));
                    None
                }
            }
        };
        let replicate_url = url("REPLICATE_BASE_URL");
        let xai_url = url("XAI_BASE_URL");
        let elevenlabs_url = url("ELEVENLABS_BASE_URL");
        let public_base_url = url("PUBLIC_BASE_URL");
        let soundstage = url("SOUNDSTAGE_URL");
        let provider = |key: &str, url: Option<Url>, default: &str| {
            given(key).map(|key| Provider {
                base_url: url
                    .map_or_else(|| default.to_owned(), |url| url.as_str().trim_end_matches('/').to_owned()),
                key: key.into(),
            })
        };
        let xai = provider("XAI_API_KEY", xai_url, XAI);
        let elevenlabs = provider("ELEVENLABS_API_KEY", elevenlabs_url, ELEVENLABS);
        let providers = match (soundstage, provider("REPLICATE_API_KEY", replicate_url, REPLICATE)) {
            (Some(url), _) => Providers::Soundstage(url.as_str().trim_end_matches('/').to_owned()),
            (None, Some(replicate)) => Providers::Real { replicate, xai, elevenlabs },
            (None, None) => {
                if xai.is_some() {
                    wrong.push(
                        "XAI_API_KEY is set but REPLICATE_API_KEY is not: set both to use the real providers, or neither"
                            .to_owned(),
                    );
                }
                Providers::Own
            }
        };
        let api_keys = given("API_AUTH_KEY")
            .map(|keys| {
                keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(Into::into).collect()
            })
            .unwrap_or_default();
        let cors_origins = gateway::Origins::parse(given("CORS_ORIGINS").as_deref().unwrap_or_default());
        let cors_origins = cors_origins.unwrap_or_else(|bad| {
            wrong.push(format!(
                "CORS_ORIGINS holds {bad:?}, which is no origin; give origins such as https://app.example, separated \
                 by commas, or * alone"
            ));
            gateway::Origins::None
        });
        let database_url = given("DATABASE_URL");
        if database_url.as_ref().is_some_and(|url| !url.starts_with("postgres")) {
            // It may hold a password: it is not repeated.
            wrong.push("DATABASE_URL is no postgres:// URL; leave it out to use SQLite files".to_owned());
        }
        let blobs = given("BLOB_URL").and_then(|url| match blob_address(&url, &given) {
            Ok(address) => Some(address),
            Err(error) => {
                wrong.push(format!("BLOB_URL and what goes with it: {error}"));
                None
            }
        });
        if !wrong.is_empty() {
            bail!("the environment cannot be used:\n  {}", wrong.join("\n  "));
        }
        Ok(Self {
            data_dir: PathBuf::from("filmstrip-data"),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 4000,
            draft: false,
            instant: false,
            time_scale: 1.0,
            providers,
            api_keys,
            cors_origins,
            public_base_url,
            database_url: database_url.map(Into::into),
            blobs,
            nats_url: given("NATS_URL"),
            max_upload: None,
            import_from_loopback: false,
        })
    }

    /// Refuses what would leave the door open.
    ///
    /// # Errors
    /// The gateway would listen off loopback without a key, or the clock would run ahead of real providers.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.host.is_loopback() && self.api_keys.is_empty() {
            bail!(
                "refusing to listen on {} without API_AUTH_KEY: anyone who reaches this address could spend your money. \
                 Set API_AUTH_KEY to one or more keys (comma-separated), or listen on 127.0.0.1.",
                self.host
            );
        }
        if self.time_scale > 1.0 && matches!(self.providers, Providers::Real { .. }) {
            bail!(
                "refusing to run the clock faster than the wall with real providers: an answer that is late would \
                 be taken for lost, and bought again. --time-scale is for stand-in providers only."
            );
        }
        Ok(())
    }
}

fn blob_address(url: &str, given: &impl Fn(&str) -> Option<String>) -> anyhow::Result<BlobAddress> {
    let text = |name: &str| given(name).unwrap_or_default();
    let path_style = match given("S3_PATH_STYLE").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => bail!("S3_PATH_STYLE={other:?} is neither true nor false"),
    };
    let options = S3Options {
        endpoint: text("S3_ENDPOINT"),
        region: text("S3_REGION"),
        access_key_id: text("S3_ACCESS_KEY_ID"),
        secret_access_key: text("S3_SECRET_ACCESS_KEY").into(),
        path_style,
    };
    Ok(BlobAddress::parse(url, options)?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn options(variables: &[(&str, &str)]) -> anyhow::Result<Options> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        Options::from_lookup(|name| variables.get(name).map(|text| (*text).to_owned()))
    }

    #[test]
    fn without_keys_the_stand_in_is_used() {
        assert!(matches!(options(&[]).unwrap().providers, Providers::Own));
    }

    #[test]
    fn with_a_key_the_real_provider_is_used() {
        let Providers::Real { replicate, xai, .. } =
            options(&[("REPLICATE_API_KEY", "r8_x")]).unwrap().providers
        else {
            panic!("not the real providers");
        };
        assert_eq!((replicate.base_url.as_str(), xai.is_none()), (REPLICATE, true));
    }

    #[test]
    fn a_base_url_overrides_the_providers_own() {
        let set = [("REPLICATE_API_KEY", "k"), ("REPLICATE_BASE_URL", "http://127.0.0.1:9/")];
        let Providers::Real { replicate, .. } = options(&set).unwrap().providers else { panic!("not real") };
        assert_eq!(replicate.base_url, "http://127.0.0.1:9");
    }

    #[test]
    fn every_wrong_variable_is_named_at_once() {
        let set = [("PUBLIC_BASE_URL", "x"), ("XAI_API_KEY", "k"), ("BLOB_URL", "ftp://films")];
        let error = options(&set).unwrap_err().to_string();
        for wanted in ["PUBLIC_BASE_URL", "REPLICATE_API_KEY is not", "BLOB_URL"] {
            assert!(error.contains(wanted), "no {wanted} in {error}");
        }
    }

    #[test]
    fn half_of_the_credentials_of_an_object_store_is_refused() {
        let half = [("BLOB_URL", "s3://films"), ("S3_ACCESS_KEY_ID", "id")];
        assert!(options(&half).unwrap_err().to_string().contains("credentials"));
        let whole = [half[0], half[1], ("S3_SECRET_ACCESS_KEY", "hush-4")];
        let options = options(&whole).unwrap();
        assert!(options.blobs.is_some() && !format!("{options:?}").contains("hush"));
    }

    #[test]
    fn off_loopback_a_key_is_needed() {
        let mut open = options(&[]).unwrap();
        open.host = "0.0.0.0".parse().unwrap();
        assert!(open.check().unwrap_err().to_string().contains("API_AUTH_KEY"));
        open.api_keys = vec!["k".into()];
        open.check().unwrap();
    }

    #[test]
    fn a_key_is_not_shown_when_options_are_printed() {
        let options =
            options(&[("API_AUTH_KEY", "hush-1, hush-2"), ("REPLICATE_API_KEY", "hush-3")]).unwrap();
        assert_eq!(options.api_keys.len(), 2);
        assert!(!format!("{options:?}").contains("hush"));
    }
}
