//! The peers on PostgreSQL: the same rows into a table of the same shape through the same driver.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures::{TryStreamExt as _, future::try_join_all};
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

use super::sample::{COLUMNS, Plain};

/// Where the peers write.
pub(super) struct Peers {
    url: String,
}

impl Peers {
    pub(super) async fn new(url: &str) -> anyhow::Result<Self> {
        let peers = Self { url: url.to_owned() };
        let client = peers.connect().await?;
        let table = "CREATE TABLE IF NOT EXISTS plain (LIKE bench.event INCLUDING ALL)";
        client.batch_execute(table).await.context("making the peers' table")?;
        Ok(peers)
    }

    async fn connect(&self) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.context("connecting")?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// One row a transaction, a connection for each writer; rows per second.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) async fn plain(&self, writers: usize, each: Duration) -> anyhow::Result<f64> {
        let clients = try_join_all((0..writers).map(|_| self.connect())).await?;
        let started = Instant::now();
        let until = started + each;
        let tasks = clients.into_iter().map(|client| tokio::spawn(one_by_one(client, until)));
        let rows = try_join_all(tasks).await?.into_iter().sum::<anyhow::Result<u64>>()?;
        Ok(rows as f64 / started.elapsed().as_secs_f64())
    }

    /// All rows of the log in batches, read into borrowed texts: the least that a reader can do with this driver; rows
    /// per second.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) async fn read(&self, batch: i64) -> anyhow::Result<f64> {
        let client = self.connect().await?;
        let sql = format!(
            "SELECT position, {COLUMNS} FROM bench.event WHERE position > $1 ORDER BY position LIMIT $2"
        );
        let select = client.prepare(&sql).await?;
        let (started, mut last, mut read) = (Instant::now(), 0_i64, 0);
        loop {
            let before = read;
            let rows = client.query_raw(&select, [&last, &batch]).await?;
            let mut rows = std::pin::pin!(rows);
            while let Some(row) = rows.try_next().await? {
                let borrowed = black_box(Borrowed::of(&row)?);
                last = borrowed.position;
                read += 1;
            }
            if read == before {
                break;
            }
        }
        Ok(read as f64 / started.elapsed().as_secs_f64())
    }

    /// As many rows as there would be writers in one INSERT, one after the other; rows per second.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) async fn many(&self, rows: usize, each: Duration) -> anyhow::Result<f64> {
        let client = self.connect().await?;
        let values: Vec<String> = (0..rows).map(|row| values(row * 11)).collect();
        let insert =
            client.prepare(&format!("INSERT INTO plain ({COLUMNS}) VALUES {}", values.join(", "))).await?;
        let started = Instant::now();
        let (stream, mut version) = (format!("job-{}", Uuid::now_v7()), 0);
        while started.elapsed() < each {
            let plain: Vec<Plain> =
                (1..).take(rows).map(|next| Plain::new(&stream, version + next)).collect();
            let parameters: Vec<_> = plain.iter().flat_map(parameters).collect();
            client.execute(&insert, &parameters).await?;
            version += i64::try_from(rows)?;
        }
        Ok(version as f64 / started.elapsed().as_secs_f64())
    }
}

/// A row as it lies in the driver's buffer: nothing is copied or parsed.
#[allow(dead_code, reason = "what is read of a row")]
struct Borrowed<'a> {
    position: i64,
    id: &'a str,
    stream: &'a str,
    version: i64,
    kind: &'a str,
    schema_version: i32,
    data: &'a str,
    correlation: &'a str,
    causation: Option<&'a str>,
    traceparent: Option<&'a str>,
    actor: &'a str,
    recorded_at: &'a str,
}

impl<'a> Borrowed<'a> {
    fn of(row: &'a Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            position: row.try_get(0)?,
            id: row.try_get(1)?,
            stream: row.try_get(2)?,
            version: row.try_get(3)?,
            kind: row.try_get(4)?,
            schema_version: row.try_get(5)?,
            data: row.try_get(6)?,
            correlation: row.try_get(7)?,
            causation: row.try_get(8)?,
            traceparent: row.try_get(9)?,
            actor: row.try_get(10)?,
            recorded_at: row.try_get(11)?,
        })
    }
}

async fn one_by_one(client: Client, until: Instant) -> anyhow::Result<u64> {
    let insert = client.prepare(&format!("INSERT INTO plain ({COLUMNS}) VALUES {}", values(0))).await?;
    let (stream, mut version) = (format!("job-{}", Uuid::now_v7()), 0);
    while Instant::now() < until {
        version += 1;
        client.execute(&insert, &parameters(&Plain::new(&stream, version))).await?;
    }
    Ok(version.unsigned_abs())
}

fn values(first: usize) -> String {
    let places: Vec<String> = (first + 1..=first + 11).map(|place| format!("${place}")).collect();
    format!("({})", places.join(", "))
}

fn parameters(plain: &Plain) -> [&(dyn tokio_postgres::types::ToSql + Sync); 11] {
    [
        &plain.id,
        &plain.stream,
        &plain.version,
        &plain.kind,
        &1_i32,
        &plain.data,
        &plain.correlation,
        &plain.causation,
        &plain.traceparent,
        &plain.actor,
        &plain.recorded_at,
    ]
}
