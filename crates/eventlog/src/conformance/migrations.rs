//! Rules of migrations.

use super::Backend;
use crate::{LogError, Migrations, Statement, migrate, open_checked, params};

const FIRST: (&str, &str) = ("0001_a", "CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY)");
const SECOND: (&str, &str) = ("0002_b", "CREATE TABLE b (id TEXT NOT NULL PRIMARY KEY)");

fn migrations(texts: &'static [(&'static str, &'static str)]) -> Migrations {
    Migrations { service: "conformance", sqlite: texts, postgres: texts }
}

/// New ones are added to a database that has the old ones, and an older build still opens it.
pub async fn a_migration_is_applied_once(backend: &dyn Backend) {
    let log = backend.open(&migrations(&[FIRST])).await.unwrap();
    log.execute(vec![Statement::new("INSERT INTO a (id) VALUES ('kept')", params![])]).await.unwrap();
    drop(log);
    let log = backend.open(&migrations(&[FIRST, SECOND])).await.unwrap();
    assert_eq!(log.query("SELECT id FROM a", params![]).await.unwrap().len(), 1);
    assert_eq!(log.query("SELECT id FROM b", params![]).await.unwrap().len(), 0);
    drop(log);
    backend.open(&migrations(&[FIRST])).await.unwrap();
}

/// It says which one.
pub async fn a_changed_migration_is_refused(backend: &dyn Backend) {
    drop(backend.open(&migrations(&[FIRST])).await.unwrap());
    let changed = [("0001_a", "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY)")];
    let changed = migrations(Box::leak(Box::new(changed)));
    let error = backend.open(&changed).await.unwrap_err();
    assert!(matches!(&error, LogError::Migration { name, .. } if name == "conformance/0001_a"), "{error}");
}

/// The database is as it was, and opens again.
pub async fn a_failing_migration_leaves_nothing(backend: &dyn Backend) {
    drop(backend.open(&migrations(&[FIRST])).await.unwrap());
    let broken = backend.open(&migrations(&[FIRST, SECOND, ("0003_c", "CREATE nonsense")])).await;
    assert!(matches!(broken.unwrap_err(), LogError::Migration { name, .. } if name == "conformance/0003_c"));
    let log = backend.open(&migrations(&[FIRST])).await.unwrap();
    log.query("SELECT id FROM b", params![]).await.unwrap_err();
}

/// Nothing the second time.
pub async fn migrate_names_what_it_applied(backend: &dyn Backend) {
    let applied = migrate(&backend.url(), &migrations(&[FIRST])).await.unwrap();
    assert_eq!(applied.first().unwrap(), "common/0001_event");
    assert_eq!(applied.last().unwrap(), "conformance/0001_a");
    assert_eq!(migrate(&backend.url(), &migrations(&[FIRST])).await.unwrap(), [""; 0]);
    assert_eq!(migrate(&backend.url(), &migrations(&[FIRST, SECOND])).await.unwrap(), ["conformance/0002_b"]);
}

/// Opening it so never changes a table; what is missing is named.
pub async fn a_checked_log_lacks_no_migration(backend: &dyn Backend) {
    let url = backend.url();
    let refusal = async |texts| open_checked(&url, &migrations(texts)).await.unwrap_err().to_string();
    for _ in 0..2 {
        let error = refusal(&[FIRST]).await;
        assert!(error.contains("common/0001_event") && error.contains("run `migrate`"), "{error}");
    }
    migrate(&url, &migrations(&[FIRST])).await.unwrap();
    let error = refusal(&[FIRST, SECOND]).await;
    assert!(error.contains("conformance/0002_b") && error.contains("run `migrate`"), "{error}");
    migrate(&url, &migrations(&[FIRST, SECOND])).await.unwrap();
    let log = open_checked(&url, &migrations(&[FIRST, SECOND])).await.unwrap();
    log.append(super::one("a")).await.unwrap();
    assert_eq!(log.query("SELECT id FROM b", params![]).await.unwrap().len(), 0);
}

/// An older build opens what only grew, and what took away only what it can do without; else it is told.
pub async fn a_contracted_log_is_refused_by_those_that_need_what_is_gone(backend: &dyn Backend) {
    const CAN_DO: (&str, &str) =
        ("0002_b", "-- contract: since 0.0.1\nCREATE TABLE b (id TEXT NOT NULL PRIMARY KEY)");
    const CANNOT: (&str, &str) = ("0003_a", "-- Nobody reads it.\n-- contract: since 999.0.0\nDROP TABLE a");
    let url = backend.url();
    migrate(&url, &migrations(&[FIRST, CAN_DO])).await.unwrap();
    drop(open_checked(&url, &migrations(&[FIRST])).await.unwrap());
    migrate(&url, &migrations(&[FIRST, CAN_DO, CANNOT])).await.unwrap();
    for error in [
        open_checked(&url, &migrations(&[FIRST])).await.unwrap_err(),
        migrate(&url, &migrations(&[FIRST, CAN_DO])).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, LogError::Migration { name, .. } if name == "conformance/0003_a"),
            "{error}"
        );
        assert!(error.to_string().contains("run version 999.0.0 or newer"), "{error}");
    }
    open_checked(&url, &migrations(&[FIRST, CAN_DO, CANNOT])).await.unwrap();
}
