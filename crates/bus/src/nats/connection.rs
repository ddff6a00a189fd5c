//! What the client says about its connection, kept for whoever asks why there is none.

use std::sync::Arc;

use async_nats::{ClientError, ConnectErrorKind, Event, ServerError};
use parking_lot::Mutex;

/// The last error since a connection was made; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct LastError(Arc<Mutex<Option<String>>>);

impl LastError {
    /// Takes notice of an event of the client.
    pub(super) fn observe(&self, event: &Event) {
        let error = match event {
            Event::Connected => None,
            Event::ServerError(ServerError::AuthorizationViolation) => {
                Some(said(&ConnectErrorKind::AuthorizationViolation.to_string()))
            }
            Event::ServerError(ServerError::Other(text)) | Event::ClientError(ClientError::Other(text)) => {
                Some(said(text))
            }
            Event::ServerError(error) => Some(error.to_string()),
            Event::ClientError(error) => Some(error.to_string()),
            _ => return,
        };
        *self.0.lock() = error;
    }

    pub(super) fn get(&self) -> Option<String> {
        self.0.lock().clone()
    }
}

/// The client names kinds of errors only, never an address or a credential; the servers' own words hold none either.
fn said(text: &str) -> String {
    let plain = if text == ConnectErrorKind::AuthorizationViolation.to_string() {
        "NATS refuses the user, password or token of the URL"
    } else if text == ConnectErrorKind::Io.to_string() {
        "no NATS server takes the connection"
    } else if text == ConnectErrorKind::Dns.to_string() {
        "the name of the NATS server is not known"
    } else {
        return text.to_owned();
    };
    format!("{plain} ({text})")
}
