//! Where a PostgreSQL log lies: `postgres://role:password@host:port/database?schema=job&grant_to=job_app`, with
//! `sslmode=` and `sslrootcert=` as [`super::tls`] says.

use std::str::FromStr as _;

use tokio_postgres::{Config, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::Tls;
use crate::LogError;

/// A parsed address. Printing it shows no password.
#[derive(Clone)]
pub(crate) struct Address {
    config: Config,
    schema: Option<String>,
    grant_to: Option<String>,
    tls: Tls,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Address {
    /// Reads a URL. `schema` names the schema (default: the service's name), `grant_to` the role that the
    /// service runs under when the URL's own role is the owner that migrates.
    pub(crate) fn parse(url: &str) -> Result<Self, LogError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut schema, mut grant_to, mut rest) = (None, None, Vec::new());
        let (mut mode, mut roots) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("schema", value)) => schema = Some(identifier("schema", value)?),
                Some(("grant_to", value)) => grant_to = Some(identifier("grant_to", value)?),
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value.replace("%2F", "/")),
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config = Config::from_str(&url).map_err(|error| refused(&error))?;
        let tls = Tls::of(mode, roots).map_err(|reason| refused(&reason))?;
        config.ssl_mode(if tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
        Ok(Self { config, schema, grant_to, tls })
    }

    /// The same address with the service's own schema when the URL named none.
    pub(crate) fn for_service(mut self, service: &str) -> Self {
        self.schema.get_or_insert_with(|| service.to_owned());
        self
    }

    pub(super) fn schema(&self) -> &str {
        self.schema.as_deref().unwrap_or("public")
    }

    pub(super) fn grant_to(&self) -> Option<&str> {
        self.grant_to.as_deref()
    }

    /// What makes connections, with or without TLS.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, LogError> {
        self.tls.connector().map_err(|reason| refused(&reason))
    }

    /// The connection settings, every name resolved in the schema.
    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        config.options(format!("-c search_path={}", self.schema()));
        config.application_name(format!("filmstrip {}", self.schema()));
        config.connect_timeout(std::time::Duration::from_secs(5));
        config.keepalives_idle(std::time::Duration::from_secs(30));
        // A server that vanished without a word: what was sent and is not acknowledged fails after this.
        config.tcp_user_timeout(std::time::Duration::from_secs(30));
        config
    }

    /// The channel on which commits are announced.
    pub(super) fn channel(&self) -> String {
        format!("eventlog_{}", self.schema())
    }

    /// The advisory lock that gives positions their order: one per schema (FNV-1a of its name).
    pub(super) fn lock(&self) -> i64 {
        let hash = self.schema().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        i64::from_be_bytes(hash.to_be_bytes())
    }
}

/// Names are put into SQL text, so only plain ones will do.
fn identifier(what: &str, value: &str) -> Result<String, LogError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = value.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if starts && value.len() <= 63 && value.bytes().all(plain) {
        return Ok(value.to_owned());
    }
    Err(refused(&format!("{what}={value:?} must be lower-case letters, digits and _")))
}

fn refused(reason: &impl std::fmt::Display) -> LogError {
    LogError::Address { url: "postgres://…".to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_schema_and_role() {
        let address =
            Address::parse("postgres://a:hush@db/film?schema=job&grant_to=job_app&sslmode=disable").unwrap();
        assert_eq!((address.schema(), address.grant_to()), ("job", Some("job_app")));
        assert!(!format!("{address:?}").contains("hush"));
    }

    #[test]
    fn a_mode_of_tls_that_does_not_check_the_server_is_not_taken_for_one_that_does() {
        for checked in ["require", "verify-ca", "verify-full"] {
            let address = Address::parse(&format!("postgres://a@db/film?sslmode={checked}")).unwrap();
            assert_eq!(address.tls, Tls::Verified { roots: None });
        }
        let address = Address::parse("postgres://a@db/film?sslmode=require&sslrootcert=/etc/ca.pem").unwrap();
        assert_eq!(address.tls, Tls::Verified { roots: Some("/etc/ca.pem".to_owned()) });
        for refused in ["sslmode=prefer", "sslmode=allow", "sslrootcert=/etc/ca.pem"] {
            let error = Address::parse(&format!("postgres://a:hush@db/film?{refused}")).unwrap_err();
            assert!(error.to_string().contains("verify-full"), "{error}");
        }
    }

    #[test]
    fn without_a_schema_the_services_name_is_taken() {
        assert_eq!(Address::parse("postgres://a@db/film").unwrap().for_service("asset").schema(), "asset");
    }

    #[test]
    fn a_schema_that_is_no_plain_name_is_refused_without_the_password() {
        let error = Address::parse("postgres://a:hush@db/film?schema=a;b").unwrap_err().to_string();
        assert!(error.contains("schema") && !error.contains("hush"), "{error}");
    }
}
