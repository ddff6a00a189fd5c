//! Schema, migrations and privileges.
//!
//! The owner of a schema migrates and grants: the role that a service runs under may read and insert events,
//! never change or remove one. A role that may not create tables only checks that nothing is missing.

use tokio_postgres::Client;

use super::{Address, connect};
use crate::LogError;
use crate::migrations::{Migration, Migrations, pending};

const RECORDED: &str = "CREATE TABLE IF NOT EXISTS migration (
  name        TEXT NOT NULL PRIMARY KEY,
  checksum    TEXT NOT NULL,
  applied_at  TIMESTAMPTZ NOT NULL DEFAULT now()
)";

/// Applies what is missing, in one transaction under the schema's lock.
pub(super) async fn migrate(address: &Address, migrations: &Migrations) -> Result<(), LogError> {
    let wanted = migrations.for_postgres()?;
    let mut client = connect::driven(address).await?;
    if !may_create(&client, address).await? {
        return check(&client, wanted).await;
    }
    let failed = |error| LogError::database("migrating", error);
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&address.lock()]).await.map_err(failed)?;
    let schema = address.schema();
    transaction.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.map_err(failed)?;
    transaction.batch_execute(RECORDED).await.map_err(failed)?;
    let rows = transaction.query("SELECT name, checksum FROM migration", &[]).await.map_err(failed)?;
    let recorded: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for migration in pending(wanted, &recorded)? {
        transaction.batch_execute(migration.sql).await.map_err(|error| LogError::Migration {
            name: migration.name.clone(),
            reason: error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string),
        })?;
        let record = "INSERT INTO migration (name, checksum) VALUES ($1, $2)";
        transaction.execute(record, &[&migration.name, &migration.checksum]).await.map_err(failed)?;
    }
    if let Some(role) = address.grant_to() {
        transaction.batch_execute(&grants(schema, role)).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// What the role of a service may do: everything but change the past.
fn grants(schema: &str, role: &str) -> String {
    format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
         REVOKE UPDATE, DELETE, TRUNCATE ON event FROM {role};
         REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON migration FROM {role}"
    )
}

async fn may_create(client: &Client, address: &Address) -> Result<bool, LogError> {
    let sql = "SELECT CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) \
               THEN has_schema_privilege($1, 'CREATE') \
               ELSE has_database_privilege(current_database(), 'CREATE') END";
    let row = client.query_one(sql, &[&address.schema()]).await;
    row.map(|row| row.get(0)).map_err(|error| LogError::database("reading privileges", error))
}

async fn check(client: &Client, wanted: Vec<Migration>) -> Result<(), LogError> {
    let rows = client.query("SELECT name, checksum FROM migration", &[]).await;
    let rows = rows.map_err(|error| LogError::database("reading the applied migrations", error))?;
    let recorded: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    match pending(wanted, &recorded)?.first() {
        None => Ok(()),
        Some(missing) => Err(LogError::Migration {
            name: missing.name.clone(),
            reason:
                "is not applied and this role may not apply it; run `migrate` with the owner's role first"
                    .to_owned(),
        }),
    }
}
