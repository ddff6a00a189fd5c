//! Speech: a script is spoken by a text-to-speech provider, kept, and paid once.
//!
//! The provider answers a call with the speech itself and lists nothing that could be found by a mark of ours. So a
//! call whose answer is not known, because the connection broke, the provider failed or we did, is never made again:
//! the voice fails saying so, and only a person buys again, under a new key. What did come is paid: it is kept in memory
//! until it is stored and recorded, and a process that is to stop ends its call first.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`script`] | pure: what may be asked for, what it costs |
//! | [`state`] | pure: where a voice stands, what is to be done next |
//! | [`events`], [`store`] | stored events; SQL of the read table |
//! | [`elevenlabs`] | the HTTP client |
//! | [`driver`], `patience` | doing the next step of every unfinished voice; trying again with what is paid |
//! | [`grpc`] | `VoiceService` |

pub mod driver;
pub mod elevenlabs;
pub mod events;
pub mod grpc;
mod patience;
pub mod script;
pub mod state;
pub mod store;

use secrecy::SecretString;
use url::Url;

/// Where speech is bought.
#[derive(Clone, Debug)]
pub struct ElevenLabsConfig {
    /// Such as `https://api.elevenlabs.io`; a trailing `/v1` is allowed.
    pub base_url: Url,
    /// Sent as `xi-api-key`; never logged.
    pub api_key: SecretString,
    /// How long a call may take, the speech included.
    pub timeout: std::time::Duration,
}

impl ElevenLabsConfig {
    /// The provider at this address with this key.
    #[must_use]
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self { base_url, api_key, timeout: std::time::Duration::from_secs(120) }
    }
}
