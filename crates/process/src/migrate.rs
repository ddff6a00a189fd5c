//! Applying migrations.

use anyhow::Context as _;
use eventlog::Migrations;
use secrecy::{ExposeSecret as _, SecretString};

use crate::run::say;

/// Applies what is missing and says what that was.
pub(crate) async fn run(url: &SecretString, migrations: &Migrations) -> anyhow::Result<()> {
    let applied = eventlog::migrate(url.expose_secret(), migrations).await;
    let applied = applied.context("migrating the database (database_url)")?;
    for name in &applied {
        say(&format!("applied {name}"))?;
    }
    match applied.len() {
        0 => say("nothing to apply: the database has every migration"),
        1 => say("1 migration applied"),
        count => say(&format!("{count} migrations applied")),
    }
}
