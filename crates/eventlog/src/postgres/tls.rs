//! TLS to PostgreSQL: whom to trust.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a connection is protected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Tls {
    /// Not at all.
    #[default]
    Off,
    /// Encrypted; the server's certificate is checked, its name included.
    Verified {
        /// A file of PEM certificates to trust instead of the system's.
        roots: Option<String>,
    },
}

impl Tls {
    /// What `sslmode` and `sslrootcert` of a URL mean. Every mode that encrypts also checks the certificate: an
    /// unchecked one protects from nobody who could listen.
    pub(super) fn of(mode: Option<&str>, roots: Option<String>) -> Result<Self, String> {
        match mode {
            None if roots.is_some() => Err("sslrootcert needs sslmode=verify-full".to_owned()),
            None | Some("disable") => Ok(Self::Off),
            Some("require" | "verify-ca" | "verify-full") => Ok(Self::Verified { roots }),
            Some(other) => Err(format!("sslmode={other} is not known here: use disable or verify-full")),
        }
    }

    /// What makes connections.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, String> {
        let roots = match self {
            Self::Off => RootCertStore::empty(),
            Self::Verified { roots: Some(path) } => from_file(path)?,
            Self::Verified { roots: None } => from_system()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

fn from_file(path: &str) -> Result<RootCertStore, String> {
    let failed = |error: &dyn std::fmt::Display| format!("sslrootcert={path}: {error}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if roots.is_empty() { Err(failed(&"there is no certificate in it")) } else { Ok(roots) }
}

fn from_system() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("the system trusts no certificate; name a file with sslrootcert=".to_owned());
    }
    Ok(roots)
}
