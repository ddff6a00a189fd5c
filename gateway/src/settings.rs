//! What the gateway can be told, as values; nothing here reads the environment.

use std::time::Duration;

use secrecy::SecretString;

/// Settings of the gateway.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Keys that open the API (`X-API-Key`). None: every request passes, which is only allowed on loopback.
    pub api_keys: Vec<SecretString>,
    /// Signs the links that work without a key; of several, separated by commas, the first signs and all are honoured.
    pub link_secret: SecretString,
    /// How long a link handed out to a browser works.
    pub link_lifetime: Duration,
    /// Largest uploaded file, bytes.
    pub max_upload_bytes: u64,
    /// How long an upload may go without another byte before it is given up.
    pub upload_patience: Duration,
    /// Answer GET for media with 307 to a link of the object store, when it is S3: the bytes then do not pass the
    /// gateway. The callers must be able to reach the store.
    pub redirect_media: bool,
    /// Web sites whose pages may use the API.
    pub cors_origins: Origins,
    /// Whether the routes under `/api/v3/testing` are there.
    pub testing_routes: bool,
    /// Messages that may wait for one reader of a job's events before it is cut.
    pub feed_queue: usize,
    /// How long a job or an asset may be given to others as it was read for one; see `held`. Zero: never.
    pub hold: Duration,
    /// How long requests under way may take to finish when the process is told to stop.
    pub drain: Duration,
    /// The commit that this was built from, if that is known.
    pub commit: Option<&'static str>,
}

/// Web sites, as browsers name them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// None but our own.
    None,
    /// All.
    Any,
    /// These, such as `https://app.example`.
    These(Vec<String>),
}

impl Origins {
    /// Those of a comma-separated list; `*` stands for all, and blanks are dropped.
    ///
    /// # Errors
    /// The item that is no origin: a scheme, a host and perhaps a port, and nothing after them.
    pub fn parse(list: &str) -> Result<Self, String> {
        let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        match items.as_slice() {
            [] => return Ok(Self::None),
            ["*"] => return Ok(Self::Any),
            _ => {}
        }
        let wrong = items.iter().find(|item| {
            let origin = url::Url::parse(item).map(|url| url.origin().ascii_serialization());
            origin.ok().as_deref() != Some(**item)
        });
        match wrong {
            Some(wrong) => Err((*wrong).to_owned()),
            None => Ok(Self::These(items.into_iter().map(str::to_owned).collect())),
        }
    }

    /// Whether a site is one of those that are named.
    pub(crate) fn names(&self, origin: &[u8]) -> bool {
        matches!(self, Self::These(these) if these.iter().any(|named| named.as_bytes() == origin))
    }
}

impl Settings {
    /// The defaults: no keys, links of an hour, uploads of 2 GB, no redirects, with the testing routes.
    #[must_use]
    pub fn new(link_secret: SecretString) -> Self {
        Self {
            api_keys: Vec::new(),
            link_secret,
            link_lifetime: Duration::from_secs(3600),
            max_upload_bytes: 2_000_000_000,
            upload_patience: Duration::from_secs(60),
            hold: Duration::from_millis(50),
            redirect_media: false,
            cors_origins: Origins::None,
            testing_routes: true,
            feed_queue: 256,
            drain: Duration::from_secs(10),
            commit: None,
        }
    }

    /// The keys of a comma-separated list, such as `API_AUTH_KEY` holds; blanks are dropped.
    #[must_use]
    pub fn parse_keys(list: &str) -> Vec<SecretString> {
        list.split(',').map(str::trim).filter(|key| !key.is_empty()).map(SecretString::from).collect()
    }
}
