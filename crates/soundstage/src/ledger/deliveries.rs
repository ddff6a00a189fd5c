//! Webhook deliveries, so that a restarted stage goes on delivering.

use rusqlite::{OptionalExtension, Row, params};

use super::{LedgerDb, Result};
use crate::faults::WebhookFault;
use crate::report::Delivery;

/// One delivery to make.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) id: String,
    pub(crate) prediction: String,
    pub(crate) event: String,
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) faults: Vec<WebhookFault>,
    pub(crate) attempts: u32,
}

impl LedgerDb {
    /// Stores a delivery; one that `waits` is made only after [`LedgerDb::take_waiting`].
    pub(crate) fn add_delivery(&self, out: &Outgoing, waits: bool) -> Result<()> {
        self.conn.lock().execute(
            "INSERT INTO delivery (id, prediction, event, url, body, faults, waits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                out.id,
                out.prediction,
                out.event,
                out.url,
                out.body,
                serde_json::to_string(&out.faults).unwrap_or_default(),
                waits
            ],
        )?;
        Ok(())
    }

    /// Notes one try.
    pub(crate) fn tried(&self, id: &str, status: Option<u16>, delivered: bool, over: bool) -> Result<()> {
        self.conn.lock().execute(
            "UPDATE delivery SET attempts = attempts + 1, last_status = ?2, delivered = ?3, over = ?4 WHERE id = ?1",
            params![id, status, delivered, over],
        )?;
        Ok(())
    }

    /// One waiting delivery of a prediction, which waits no longer.
    pub(crate) fn take_waiting(&self, prediction: &str) -> Result<Option<Outgoing>> {
        let conn = self.conn.lock();
        conn.query_row(
            "UPDATE delivery SET waits = 0
             WHERE seq = (SELECT min(seq) FROM delivery WHERE prediction = ?1 AND waits = 1) RETURNING *",
            [prediction],
            read,
        )
        .optional()
    }

    /// All that were neither delivered nor given up.
    pub(crate) fn undelivered(&self) -> Result<Vec<Outgoing>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare("SELECT * FROM delivery WHERE over = 0 AND waits = 0 ORDER BY seq")?;
        query.query_map([], read)?.collect()
    }

    /// All, for the control plane.
    pub(crate) fn deliveries(&self) -> Result<Vec<Delivery>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare(
            "SELECT id, prediction, event, attempts, last_status, delivered FROM delivery ORDER BY seq",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Delivery {
                id: row.get(0)?,
                prediction_id: row.get(1)?,
                event: row.get(2)?,
                attempts: row.get::<_, u32>(3)?.into(),
                last_status: row.get(4)?,
                delivered: row.get(5)?,
            })
        })?;
        rows.collect()
    }
}

fn read(row: &Row<'_>) -> Result<Outgoing> {
    let faults: String = row.get("faults")?;
    Ok(Outgoing {
        id: row.get("id")?,
        prediction: row.get("prediction")?,
        event: row.get("event")?,
        url: row.get("url")?,
        body: row.get("body")?,
        faults: serde_json::from_str(&faults).unwrap_or_default(),
        attempts: row.get("attempts")?,
    })
}
