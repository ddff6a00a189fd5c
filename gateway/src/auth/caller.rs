//! Who sends a request, and what they may do.

use std::{convert::Infallible, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;

/// Whoever sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `read`, `write`, `admin`; none stands for all of them.
    scopes: Option<Arc<[String]>>,
    /// The only client whose things are reached; none stands for everything.
    client_id: Option<Arc<str>>,
}

impl Caller {
    /// One who may do everything: with a configured key, or where no keys are needed.
    pub(crate) const ANYONE: Self = Self { scopes: None, client_id: None };

    /// One with a key that is for something.
    pub(crate) fn with(scopes: &[String], client_id: Option<&str>) -> Self {
        Self { scopes: Some(scopes.into()), client_id: client_id.map(Arc::from) }
    }

    /// Whether the key is for this.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.as_deref().is_none_or(|scopes| scopes.iter().any(|had| had == scope))
    }

    /// The only client whose things they reach.
    pub(crate) fn client(&self) -> Option<&str> {
        self.client_id.as_deref()
    }
}

/// Routes for everyone have callers too.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self::ANYONE))
    }
}
