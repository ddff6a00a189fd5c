//! What a service's database is made of: numbered texts that are applied once and never changed.

use sha2::{Digest, Sha256};

use crate::LogError;

/// The tables of every log: events, commands, checkpoints, leases. Applied before a service's own.
pub const COMMON_SQLITE: &[(&str, &str)] = &[
    ("0001_event", include_str!("../migrations/sqlite/0001_event.sql")),
    ("0002_command", include_str!("../migrations/sqlite/0002_command.sql")),
    ("0003_checkpoint", include_str!("../migrations/sqlite/0003_checkpoint.sql")),
    ("0004_lease", include_str!("../migrations/sqlite/0004_lease.sql")),
];

/// The same tables for PostgreSQL.
pub const COMMON_POSTGRES: &[(&str, &str)] = &[
    ("0001_event", include_str!("../migrations/postgres/0001_event.sql")),
    ("0002_command", include_str!("../migrations/postgres/0002_command.sql")),
    ("0003_checkpoint", include_str!("../migrations/postgres/0003_checkpoint.sql")),
    ("0004_lease", include_str!("../migrations/postgres/0004_lease.sql")),
];

/// A service's own migrations: `(name, SQL)` in ascending order of names such as `0001_client`.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The service; part of the recorded name.
    pub service: &'static str,
    /// The texts for SQLite.
    pub sqlite: &'static [(&'static str, &'static str)],
    /// The texts for PostgreSQL, under the same names.
    pub postgres: &'static [(&'static str, &'static str)],
}

/// A migration under the name that the database records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) name: String,
    pub(crate) sql: &'static str,
    pub(crate) checksum: String,
}

impl Migration {
    fn new(owner: &str, name: &str, sql: &'static str) -> Self {
        Self { name: format!("{owner}/{name}"), sql, checksum: hex::encode(Sha256::digest(sql.as_bytes())) }
    }
}

impl Migrations {
    /// All the texts for SQLite, the common ones first.
    pub(crate) fn for_sqlite(&self) -> Result<Vec<Migration>, LogError> {
        let common = numbered("common", COMMON_SQLITE)?;
        let own = numbered(self.service, self.sqlite)?;
        Ok(common.into_iter().chain(own).collect())
    }

    /// All the texts for PostgreSQL, the common ones first.
    pub(crate) fn for_postgres(&self) -> Result<Vec<Migration>, LogError> {
        let common = numbered("common", COMMON_POSTGRES)?;
        let own = numbered(self.service, self.postgres)?;
        Ok(common.into_iter().chain(own).collect())
    }
}

fn numbered(owner: &str, texts: &'static [(&str, &str)]) -> Result<Vec<Migration>, LogError> {
    if let Some(pair) = texts.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return Err(LogError::Migration {
            name: format!("{owner}/{}", pair[1].0),
            reason: format!("stands behind {}: names must ascend", pair[0].0),
        });
    }
    Ok(texts.iter().map(|(name, sql)| Migration::new(owner, name, sql)).collect())
}

/// What to do with each migration, given the `(name, checksum)` pairs that the database has recorded.
/// Recorded names that this build does not know are left alone: an older build may meet a newer database.
pub(crate) fn pending(
    wanted: Vec<Migration>,
    recorded: &[(String, String)],
) -> Result<Vec<Migration>, LogError> {
    let mut pending = Vec::new();
    for migration in wanted {
        match recorded.iter().find(|(name, _)| *name == migration.name) {
            None => pending.push(migration),
            Some((_, checksum)) if *checksum == migration.checksum => {}
            Some(_) => {
                return Err(LogError::Migration {
                    name: migration.name,
                    reason: "its text changed after it was applied; restore it and add a new migration"
                        .into(),
                });
            }
        }
    }
    Ok(pending)
}

/// Refuses when one is missing; `remedy` says what to do about it.
pub(crate) fn complete(
    wanted: Vec<Migration>,
    recorded: &[(String, String)],
    remedy: &str,
) -> Result<(), LogError> {
    match pending(wanted, recorded)?.into_iter().next() {
        None => Ok(()),
        Some(missing) => Err(LogError::Migration {
            name: missing.name,
            reason: format!("is not applied to this database; {remedy}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_ascend_are_refused() {
        let migrations =
            Migrations { service: "asset", sqlite: &[("0002_b", ""), ("0001_a", "")], postgres: &[] };
        let error = migrations.for_sqlite().unwrap_err().to_string();
        assert_eq!(error, "migration asset/0001_a: stands behind 0002_b: names must ascend");
    }

    #[test]
    fn only_what_is_not_recorded_is_pending() {
        let wanted = vec![Migration::new("asset", "0001_a", "a"), Migration::new("asset", "0002_b", "b")];
        let recorded =
            vec![(wanted[0].name.clone(), wanted[0].checksum.clone()), ("asset/0009".into(), "x".into())];
        assert_eq!(pending(wanted.clone(), &recorded).unwrap(), wanted[1..]);
    }

    #[test]
    fn a_changed_text_is_refused() {
        let wanted = vec![Migration::new("asset", "0001_a", "a")];
        let error = pending(wanted, &[("asset/0001_a".into(), "other".into())]).unwrap_err();
        assert!(error.to_string().contains("changed after it was applied"), "{error}");
    }
}
