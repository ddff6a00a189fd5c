//! The ledger's tables.

use rusqlite::Connection;

/// Settings of the connection, then the tables if they are not there.
pub(super) fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    conn.execute_batch(TABLES)
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS request (route TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS high_water (kind TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
-- Times are microseconds since the Unix epoch.
CREATE TABLE IF NOT EXISTS prediction (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  model TEXT NOT NULL,
  version TEXT NOT NULL,
  input TEXT NOT NULL,
  prompt TEXT NOT NULL,
  price_usd REAL NOT NULL,
  webhook TEXT,
  webhook_events TEXT NOT NULL,
  fate TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  output TEXT,
  accepted_at INTEGER NOT NULL,
  visible_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  released INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  answer_dropped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS prediction_open ON prediction (kind) WHERE completed_at IS NULL;
CREATE TABLE IF NOT EXISTS file (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  prediction TEXT NOT NULL,
  event TEXT NOT NULL,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  faults TEXT NOT NULL,
  waits INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_status INTEGER,
  delivered INTEGER NOT NULL DEFAULT 0,
  over INTEGER NOT NULL DEFAULT 0
) STRICT;
";
