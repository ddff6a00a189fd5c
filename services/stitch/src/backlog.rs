//! How much is left to make, told to whoever watches.

use eventlog::{Log, params};
use jiff::Timestamp;
use kit::{
    Clock,
    work::{Work, every_second},
};
use tokio_util::sync::CancellationToken;

use crate::error::StitchError;
use crate::product::Kind;
use crate::store::LEASES;

/// What is left to make of each kind, by whichever replica; what waits for its next attempt is not due yet.
///
/// # Errors
/// The database failed.
pub async fn backlog(log: &Log, now: Timestamp) -> Result<Vec<(Kind, Work)>, StitchError> {
    let held = format!("lease.name IS NOT NULL AND lease.expires_at > {}", log.clock_sql());
    let sql = format!(
        "SELECT kind, count(*) FILTER (WHERE {held}) AS active, \
         count(*) FILTER (WHERE NOT ({held}) AND due_at <= $1) AS due, \
         min(due_at) FILTER (WHERE NOT ({held}) AND due_at <= $1) AS oldest \
         FROM product LEFT JOIN lease ON lease.name = $2 || product.key WHERE state = 'waiting' GROUP BY kind"
    );
    let mut backlogs = Kind::ALL.map(|kind| (kind, Work::default())).to_vec();
    for row in &log.query(&sql, params![now, LEASES]).await? {
        let kind = Kind::parse(&row.get::<String>("kind")?);
        let count = |column| row.get::<i64>(column).map(|count| u64::try_from(count).unwrap_or_default());
        let work = Work::since(count("due")?, count("active")?, row.get("oldest")?, now);
        if let Some(place) = backlogs.iter_mut().find(|(known, _)| Some(*known) == kind) {
            place.1 = work;
        }
    }
    Ok(backlogs)
}

/// Tells it every second, until `cancel`.
pub(crate) async fn tell(log: Log, clock: Clock, cancel: CancellationToken) -> anyhow::Result<()> {
    let look = async || {
        backlog(&log, clock.now()).await?.into_iter().for_each(|(kind, work)| work.tell(kind.as_str()));
        Ok::<_, StitchError>(())
    };
    every_second(&cancel, look).await;
    Ok(())
}
