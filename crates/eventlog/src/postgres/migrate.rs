//! Schema, migrations and privileges.
//!
//! The owner of a schema migrates and grants: the role that a service runs under may read and insert events,
//! never change or remove one. A role that may not create tables only checks that nothing is missing.

use tokio_postgres::Client;

use super::{Address, connect, statements::Spelled};
use crate::LogError;
use crate::migrations::{Migration, Migrations, Recorded, complete, pending};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
  name            TEXT NOT NULL PRIMARY KEY,
  checksum        TEXT NOT NULL,
  applied_at      TIMESTAMPTZ NOT NULL DEFAULT now(),
  contract_since  TEXT
)";

/// A column that earlier builds made the table without; altering it would lock it even when there is nothing to do.
const HAS_CONTRACTS: &str = "SELECT FROM pg_attribute \
  WHERE attrelid = 'migration'::regclass AND attname = 'contract_since' AND NOT attisdropped";
const ADD_CONTRACTS: &str = "ALTER TABLE migration ADD COLUMN contract_since TEXT";

/// What was applied, also where no build has added that column yet.
const RECORDED: &str =
    "SELECT name, checksum, to_jsonb(migration) ->> 'contract_since' AS contract_since FROM migration";

const REMEDY: &str = "run `migrate` with the owner's role first";

/// Applies what is missing, in one transaction under the schema's lock; what it applied. A role that may not
/// make tables is fine as long as nothing is missing.
pub(super) async fn migrate(address: &Address, migrations: &Migrations) -> Result<Vec<String>, LogError> {
    let wanted = migrations.for_postgres()?;
    let mut client = connect::driven(address).await?;
    if !may_create(&client, address).await? {
        return check_with(&client, address, wanted).await.map(|()| Vec::new());
    }
    let failed = |error| LogError::database("migrating", Spelled::of(&error));
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&address.lock()]).await.map_err(failed)?;
    let schema = address.schema();
    // `IF NOT EXISTS` would ask for the right to make schemas even when there is nothing to make.
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    if transaction.query_opt(exists, &[&schema]).await.map_err(failed)?.is_none() {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await.map_err(failed)?;
    }
    transaction.batch_execute(TABLE).await.map_err(failed)?;
    if transaction.query_opt(HAS_CONTRACTS, &[]).await.map_err(failed)?.is_none() {
        transaction.batch_execute(ADD_CONTRACTS).await.map_err(failed)?;
    }
    let recorded = rows(&transaction.query(RECORDED, &[]).await.map_err(failed)?);
    let mut applied = Vec::new();
    for migration in pending(wanted, &recorded)? {
        transaction.batch_execute(migration.sql).await.map_err(|error| LogError::Migration {
            name: migration.name.clone(),
            reason: error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string),
        })?;
        let record = "INSERT INTO migration (name, checksum, contract_since) VALUES ($1, $2, $3)";
        let since = migration.recorded_since();
        transaction.execute(record, &[&migration.name, &migration.checksum, &since]).await.map_err(failed)?;
        applied.push(migration.name);
    }
    if let Some(role) = address.grant_to() {
        transaction.batch_execute(&grants(schema, role)).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(applied)
}

fn rows(rows: &[tokio_postgres::Row]) -> Vec<Recorded> {
    let read = |row: &tokio_postgres::Row| Recorded {
        name: row.get(0),
        checksum: row.get(1),
        contract_since: row.get(2),
    };
    rows.iter().map(read).collect()
}

/// Refuses when a migration is missing; changes nothing.
pub(super) async fn check(address: &Address, migrations: &Migrations) -> Result<(), LogError> {
    let wanted = migrations.for_postgres()?;
    check_with(&connect::driven(address).await?, address, wanted).await
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
    row.map(|row| row.get(0)).map_err(|error| LogError::database("reading privileges", Spelled::of(&error)))
}

async fn check_with(client: &Client, address: &Address, wanted: Vec<Migration>) -> Result<(), LogError> {
    let failed = |error| LogError::database("reading the applied migrations", Spelled::of(&error));
    // Asked for first: a schema that is missing and one that is closed to this role need different remedies.
    let sql = "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relname = 'migration'";
    let found = client.query_opt(sql, &[&address.schema()]).await.map_err(failed)?;
    let recorded = match found.map(|row| row.get::<_, bool>(0)) {
        None => Vec::new(),
        Some(true) => rows(&client.query(RECORDED, &[]).await.map_err(failed)?),
        Some(false) => {
            return Err(LogError::database(
                "reading the applied migrations",
                format!(
                    "this role may not read the schema {}; run `migrate` with the owner's role and \
                     `grant_to=<this role>` in its URL",
                    address.schema()
                ),
            ));
        }
    };
    complete(wanted, &recorded, REMEDY)
}
