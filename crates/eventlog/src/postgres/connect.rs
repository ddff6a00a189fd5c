//! Connections: one at a time for the writer and the listener, a pool for reads.

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use tokio_postgres::{Client, Connection, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Address, statements};
use crate::LogError;

/// Reads of one log that run at the same time.
const READERS: usize = 8;

/// A stream with TLS, or without when the address says so.
type Protected = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// What drives a connection.
pub(super) type Driver = Connection<Socket, Protected>;

/// A connection of its own; the second part must be driven.
pub(super) async fn dedicated(address: &Address) -> Result<(Client, Driver), LogError> {
    address
        .config()
        .connect(address.connector()?)
        .await
        .map_err(|error| LogError::database("connecting to PostgreSQL", statements::Spelled::of(&error)))
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
    // Fast: a returned connection is not asked whether it lives; a read that meets a dead one is repeated.
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(address.config(), address.connector()?, config);
    Pool::builder(manager)
        .max_size(READERS)
        .build()
        .map_err(|error| LogError::database("making a connection pool", error))
}

/// A connection from the pool.
async fn reader(pool: &Pool) -> Result<Object, LogError> {
    let doing = "connecting to PostgreSQL";
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => LogError::database(doing, statements::Spelled::of(&error)),
        error => LogError::database(doing, error),
    })
}

/// Reads on a connection from the pool. A connection may have died unnoticed, with its server for example: the
/// read then runs once more, on a new one.
pub(super) async fn read<T, F>(pool: &Pool, read: impl Fn(Object) -> F + Send) -> Result<T, LogError>
where
    T: Send,
    F: Future<Output = Result<T, LogError>> + Send,
{
    let answer = read(reader(pool).await?).await;
    match answer {
        Err(error) if statements::is_lost(&error) => {
            pool.retain(|_, _| false);
            read(reader(pool).await?).await
        }
        answer => answer,
    }
}
