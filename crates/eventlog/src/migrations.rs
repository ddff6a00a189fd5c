//! What a service's database is made of: numbered texts that are applied once and never changed.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`contract`] | those that take something away, and which builds can do without it |
//! | [`narrowing`] | what in a text would break a build that is one version older |
//! | `text` | a text as words |

pub mod contract;
pub mod narrowing;
mod text;

use sha2::{Digest, Sha256};

use crate::LogError;
use contract::Version;

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
    /// The oldest version that works on what it leaves; none when it takes nothing away.
    pub(crate) contract_since: Option<Version>,
}

impl Migration {
    fn new(owner: &str, name: &str, sql: &'static str) -> Result<Self, LogError> {
        let name = format!("{owner}/{name}");
        let contract_since = contract::since(sql)
            .map_err(|error| LogError::Migration { name: name.clone(), reason: error.to_string() })?;
        Ok(Self { name, sql, checksum: hex::encode(Sha256::digest(sql.as_bytes())), contract_since })
    }

    /// What is recorded of [`Migration::contract_since`].
    pub(crate) fn recorded_since(&self) -> Option<String> {
        self.contract_since.map(|version| version.to_string())
    }
}

/// What a database has recorded of a migration that was applied to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) checksum: String,
    /// See [`Migration::contract_since`].
    pub(crate) contract_since: Option<String>,
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
    texts.iter().map(|(name, sql)| Migration::new(owner, name, sql)).collect()
}

/// What to do with each migration, given what the database has recorded. Recorded ones that this build does not know
/// are left alone, because an older build may meet a newer database: unless they took away what it needs.
pub(crate) fn pending(wanted: Vec<Migration>, recorded: &[Recorded]) -> Result<Vec<Migration>, LogError> {
    for record in recorded.iter().filter(|record| wanted.iter().all(|known| known.name != record.name)) {
        can_do_without(record)?;
    }
    let mut pending = Vec::new();
    for migration in wanted {
        match recorded.iter().find(|record| record.name == migration.name) {
            None => pending.push(migration),
            Some(record) if record.checksum == migration.checksum => {}
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

/// Refuses a database from which something was taken away that this build needs.
fn can_do_without(record: &Recorded) -> Result<(), LogError> {
    let Some(since) = &record.contract_since else { return Ok(()) };
    let refused = |own: &str| LogError::Migration {
        name: record.name.clone(),
        reason: format!(
            "took away what this build ({own}) needs: run version {since} or newer; an older one runs only on a copy \
             of the database from before that migration"
        ),
    };
    let own = Version::own().map_err(|error| refused(&error.to_string()))?;
    match since.parse::<Version>() {
        Ok(since) if since <= own => Ok(()),
        _ => Err(refused(&own.to_string())),
    }
}

/// Refuses when one is missing; `remedy` says what to do about it.
pub(crate) fn complete(wanted: Vec<Migration>, recorded: &[Recorded], remedy: &str) -> Result<(), LogError> {
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

    fn migration(name: &str, sql: &'static str) -> Migration {
        Migration::new("asset", name, sql).unwrap()
    }

    fn recorded(migration: &Migration) -> Recorded {
        Recorded {
            name: migration.name.clone(),
            checksum: migration.checksum.clone(),
            contract_since: migration.recorded_since(),
        }
    }

    #[test]
    fn only_what_is_not_recorded_is_pending() {
        let wanted = vec![migration("0001_a", "a"), migration("0002_b", "b")];
        let of_a_newer_build = recorded(&migration("0009_c", "c"));
        let recorded = [recorded(&wanted[0]), of_a_newer_build];
        assert_eq!(pending(wanted.clone(), &recorded).unwrap(), wanted[1..]);
    }

    #[test]
    fn a_changed_text_is_refused() {
        let applied = recorded(&migration("0001_a", "other"));
        let error = pending(vec![migration("0001_a", "a")], &[applied]).unwrap_err();
        assert!(error.to_string().contains("changed after it was applied"), "{error}");
    }

    #[test]
    fn what_a_newer_build_took_away_is_missed_only_by_those_that_are_older_than_it_says() {
        let own = Version::own().unwrap();
        let known = migration("0001_a", "a");
        let with = |since: &str| {
            let contracted = Recorded {
                name: "asset/0002_b".into(),
                checksum: "x".into(),
                contract_since: Some(since.into()),
            };
            pending(vec![known.clone()], &[recorded(&known), contracted])
        };
        assert_eq!(with("0.0.1").unwrap(), []);
        assert_eq!(with(&own.to_string()).unwrap(), []);
        for newer in ["999.0.0", "a version of another kind"] {
            let error = with(newer).unwrap_err().to_string();
            assert!(error.starts_with("migration asset/0002_b: took away"), "{error}");
            assert!(error.contains(newer) && error.contains(&own.to_string()), "{error}");
        }
    }

    #[test]
    fn a_build_that_knows_the_migration_itself_can_do_without_what_it_took_away() {
        let known = migration("0001_a", "-- contract: since 999.0.0\nDROP TABLE b");
        assert_eq!(pending(vec![known.clone()], &[recorded(&known)]).unwrap(), []);
    }

    #[test]
    fn a_text_whose_first_lines_name_no_version_is_refused() {
        let error = numbered("asset", &[("0001_a", "-- contract: since soon\n")]).unwrap_err().to_string();
        assert!(error.contains("asset/0001_a") && error.contains("soon"), "{error}");
    }
}
