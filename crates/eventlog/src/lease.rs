//! Leases: work is claimed for a time, by the database's clock, under a fencing number.
//!
//! The number grows with every claim. A write done under a lease carries [`Lease::guard`]; once somebody else
//! has claimed the name, that write is refused, however late the old owner wakes up.

use std::{collections::BTreeMap, time::Duration};

use crate::{Log, LogError, Statement, params};

/// A claimed lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub owner: String,
    /// Larger than that of every earlier claim.
    pub fence: i64,
}

impl Lease {
    /// A statement that fails the write it is part of unless this lease is still the latest claim. Whether its
    /// time is up does not matter: until somebody else claims it, nobody else can have written.
    #[must_use]
    pub fn guard(&self) -> Statement {
        Statement::new(
            "UPDATE lease SET fence = fence WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > 0",
            params![&self.name, &self.owner, self.fence],
        )
        .affecting(1)
    }
}

/// Claims `name` for `ttl` unless another owner holds it. The same owner may claim again, after a restart for
/// example: it gets a new number, and what it had before is stale. `None`: somebody else holds it.
///
/// # Errors
/// When the database fails.
pub async fn claim(log: &Log, name: &str, owner: &str, ttl: Duration) -> Result<Option<Lease>, LogError> {
    let now = log.clock_sql();
    let sql = format!(
        "INSERT INTO lease (name, owner, fence, expires_at) VALUES ($1, $2, 1, {now} + $3) \
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = lease.fence + 1, \
         expires_at = excluded.expires_at \
         WHERE lease.expires_at <= {now} OR lease.owner = excluded.owner RETURNING fence"
    );
    let claim = Statement::new(sql, params![name, owner, millis(ttl)]);
    boundary::cross(format_args!("lease.claim.before/{}", leased(name)));
    let rows = log.execute_returning(claim).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    boundary::cross(format_args!("lease.claim.after/{}", leased(name)));
    Ok(Some(Lease { name: name.to_owned(), owner: owner.to_owned(), fence: row.get("fence")? }))
}

/// A claim of `name` for `ttl` as part of an append, by one who knows the number of the last claim (0: nobody ever
/// claimed it): the lease that it makes, and the statement that fails the append unless it is to be had. Saves the
/// write that [`claim`] is; one who guessed the number wrong claims that way.
#[must_use]
pub fn claiming(log: &Log, name: &str, owner: &str, ttl: Duration, last_fence: i64) -> (Lease, Statement) {
    let now = log.clock_sql();
    let sql = format!(
        "INSERT INTO lease (name, owner, fence, expires_at) VALUES ($1, $2, $3, {now} + $4) \
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, \
         expires_at = excluded.expires_at \
         WHERE lease.fence = excluded.fence - 1 AND (lease.expires_at <= {now} OR lease.owner = excluded.owner)"
    );
    let fence = last_fence + 1;
    let statement = Statement::new(sql, params![name, owner, fence, millis(ttl)]).affecting(1);
    (Lease { name: name.to_owned(), owner: owner.to_owned(), fence }, statement)
}

/// Prolongs the lease to `ttl` from now. `false`: it is lost, stop working under it. A lease whose time is up
/// can still be renewed as long as nobody else has claimed it.
///
/// # Errors
/// When the database fails.
pub async fn renew(log: &Log, lease: &Lease, ttl: Duration) -> Result<bool, LogError> {
    let sql = format!(
        "UPDATE lease SET expires_at = {} + $4 \
         WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > 0",
        log.clock_sql()
    );
    let params = params![&lease.name, &lease.owner, lease.fence, millis(ttl)];
    changed(log, "renew", lease, Statement::new(sql, params)).await
}

/// Gives the lease back at once. `false`: it was lost before.
///
/// # Errors
/// When the database fails.
pub async fn release(log: &Log, lease: &Lease) -> Result<bool, LogError> {
    let sql = "UPDATE lease SET expires_at = 0 \
               WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > 0";
    let params = params![&lease.name, &lease.owner, lease.fence];
    changed(log, "release", lease, Statement::new(sql, params)).await
}

/// How many leases are held at this moment, by whomever, of each kind: of `runner/job-43` the kind is `runner`. A kind of
/// which none is held is left out.
///
/// # Errors
/// When the database fails.
pub async fn held(log: &Log) -> Result<Vec<(String, u64)>, LogError> {
    // The clock is read once, not for each row. The kind is cut off here: the two databases have no word for it in common.
    let sql = format!("SELECT name FROM lease WHERE expires_at > (SELECT {})", log.clock_sql());
    let mut kinds = BTreeMap::new();
    for row in log.query(&sql, params![]).await? {
        *kinds.entry(leased(&row.get::<String>("name")?).to_owned()).or_default() += 1;
    }
    Ok(kinds.into_iter().collect())
}

async fn changed(log: &Log, doing: &str, lease: &Lease, statement: Statement) -> Result<bool, LogError> {
    boundary::cross(format_args!("lease.{doing}.before/{}", leased(&lease.name)));
    let ours = log.execute(vec![statement]).await?.first() == Some(&1);
    if ours {
        boundary::cross(format_args!("lease.{doing}.after/{}", leased(&lease.name)));
    }
    Ok(ours)
}

/// The kind of thing that is leased: `runner` of `runner/job-43`.
fn leased(name: &str) -> &str {
    name.split_once('/').map_or(name, |(kind, _)| kind)
}

fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2)
}
