//! gRPC between our processes: serving, and calling any number of replicas.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `address` | the ways to say where replicas are |
//! | `resolve` | names to addresses |
//! | `replicas` | the replicas of a channel, looked up again as they come and go |
//! | `replica` | one replica: its connection, and whether it is left aside |
//! | `balance` | which replica is next |
//! | `idempotency` | which calls may be sent twice |
//! | `call` | one call, ready to be sent again |
//! | `outcome` | what became of a call, and who is to blame |
//! | `retry` | how often, how soon and within which budget |
//! | `channel` | all of it behind the type that generated clients take |
//! | `told` | calls that nobody answered, in words for whoever asked |
//! | `health` | whether any replica of a service is well |
//! | `serve` | serving with health, reflection, trace context and deadlines |

mod address;
mod balance;
mod call;
mod channel;
mod health;
pub mod idempotency;
mod outcome;
mod replica;
mod replicas;
mod resolve;
mod retry;
mod seen;
mod serve;
mod told;

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpListener;

pub use address::BadAddress;
pub use channel::{Channel, Options};
pub use resolve::{Resolve, SystemResolver};
pub use serve::{LIVE, ServeError, serve};

/// Deadline of every unary call unless the caller sets a shorter one.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// How often an idle connection is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long the answer to that may take.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest message either side accepts, bytes: a page of a thousand rows with all their texts. Media never
/// travels in messages.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024;
/// What stands before each message on the wire: whether it is compressed, and its length.
const MESSAGE_HEADER: usize = 5;

/// A channel to the replicas at `addresses`: "http://host:port" or "host:port", several of them separated by
/// commas, or "dns://name:port" for all addresses of a name. Nothing is dialled yet.
///
/// # Errors
/// One of them is no address.
pub fn channel(addresses: &str) -> Result<Channel, BadAddress> {
    channel_with_deadline(addresses, CALL_DEADLINE)
}

/// Whether [`channel`] takes these addresses; nothing is looked up or dialled.
///
/// # Errors
/// One of them is no address.
pub fn check(addresses: &str) -> Result<(), BadAddress> {
    address::parse(addresses).map(drop)
}

/// A channel like [`channel`] whose calls may take up to `deadline`: for calls that wait for the outside world.
///
/// # Errors
/// One of them is no address.
pub fn channel_with_deadline(addresses: &str, deadline: Duration) -> Result<Channel, BadAddress> {
    Channel::new(addresses, Options { deadline, ..Options::default() })
}

/// Binds a loopback or other address; port 0 takes a free one.
///
/// # Errors
/// The address is in use or not ours.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}
