//! Accounts: of those, only that somebody had a key comes over.

use std::collections::HashSet;

use protos::asset::v1::{LegacyKey, legacy_thing};

use super::owners::{stored, times};
use crate::{
    model::{Row, RowKey},
    source::{
        SourceError,
        reader::Reader,
        rows::{Fault, derived_id},
    },
};

/// The column that holds the hash of an account's key.
const HASH: &str = "api_key_hash";

/// Those of the accounts that have a key.
pub(super) fn with_keys(reader: &Reader, mut accounts: Vec<RowKey>) -> Result<Vec<RowKey>, SourceError> {
    let without: HashSet<String> = reader
        .every("users")?
        .iter()
        .filter(|record| matches!(record.filled(HASH), Ok(None)))
        .map(|record| record.row().to_owned())
        .collect();
    accounts.retain(|account| !without.contains(&account.row));
    Ok(accounts)
}

/// Reads an account's key: a record with the name of whoever had it. Of its hash, of the password's and of the address
/// nothing is told, not even in the digest.
pub(super) fn key(reader: &Reader, key: &RowKey) -> Result<Row, Fault> {
    let mut record = reader.row(key)?;
    for secret in [HASH, "password_hash", "email"] {
        record.forget(secret);
    }
    let (created_at, _) = times(&record)?;
    let found = LegacyKey {
        id: derived_id(reader.source(), "users", record.row()),
        name: record.text("username")?.to_owned(),
        created_at,
        expires_at: None,
        opens: false,
    };
    Ok(stored(reader, &record, legacy_thing::Thing::Key(found)))
}
