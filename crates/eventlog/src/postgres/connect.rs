//! Connections: one at a time for the writer and the listener, a pool for reads.

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::{Client, Connection, NoTls, Socket, tls::NoTlsStream};

use super::Address;
use crate::LogError;

/// Reads of one log that run at the same time.
const READERS: usize = 8;

/// A connection of its own; the second part must be driven.
pub(super) async fn dedicated(
    address: &Address,
) -> Result<(Client, Connection<Socket, NoTlsStream>), LogError> {
    address
        .config()
        .connect(NoTls)
        .await
        .map_err(|error| LogError::database("connecting to PostgreSQL", error))
}

/// A connection of its own that is driven in the background.
pub(super) async fn driven(address: &Address) -> Result<Client, LogError> {
    let (client, connection) = dedicated(address).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%error, "a connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

/// The pool for reads; nothing is connected yet.
pub(super) fn pool(address: &Address) -> Result<Pool, LogError> {
    // Fast: a returned connection is not asked whether it lives; a dead one fails its next read.
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(address.config(), NoTls, config);
    Pool::builder(manager)
        .max_size(READERS)
        .build()
        .map_err(|error| LogError::database("making a connection pool", error))
}

/// A connection from the pool.
pub(super) async fn reader(pool: &Pool) -> Result<Object, LogError> {
    pool.get().await.map_err(|error| LogError::database("connecting to PostgreSQL", error))
}
