//! The tables of `scenes.db`, as a new installation makes them, as an old one did, and as an old one was
//! upgraded.

use std::fmt::Write as _;

use super::{
    Layout,
    tables::{INDEXES, TABLES, Table},
};

/// Indexes that are met in upgraded files.
const UPGRADED_INDEXES: &str = "
    CREATE INDEX idx_videos_campaign_id ON generated_videos(campaign_id);
    CREATE INDEX idx_videos_status ON generated_videos(status);
    CREATE INDEX idx_videos_updated ON generated_videos(updated_at);
    CREATE INDEX idx_videos_approved ON generated_videos(approved);";

/// Empty tables that are met in upgraded files.
const UPGRADED_TABLES: &str = "
    CREATE TABLE client_assets (id TEXT PRIMARY KEY, client_id TEXT, type TEXT, url TEXT, name TEXT,
        uploaded_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE campaign_assets (id TEXT PRIMARY KEY, campaign_id TEXT, type TEXT, url TEXT, name TEXT,
        uploaded_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);";

/// What makes the tables, indexes and triggers.
pub(super) fn sql(layout: Layout) -> String {
    let mut sql = String::new();
    for table in TABLES.iter().filter(|table| !table.late || layout != Layout::Old) {
        create(table, layout, &mut sql);
    }
    for (name, table, columns) in INDEXES {
        let column = columns.split(' ').next().unwrap_or(columns);
        if has(layout, table, column) {
            // Writing to a text cannot fail.
            let _ = writeln!(sql, "CREATE INDEX {name} ON {table}({columns});");
        }
    }
    for table in ["clients", "campaigns"] {
        touch(&format!("update_{table}_timestamp"), table, &mut sql);
    }
    match layout {
        Layout::Fresh => touch("update_generated_videos_timestamp", "generated_videos", &mut sql),
        Layout::Upgraded => {
            touch("update_generated_videos_timestamp", "generated_videos", &mut sql);
            touch("update_videos_timestamp", "generated_videos", &mut sql);
            sql.push_str(UPGRADED_TABLES);
            sql.push_str(UPGRADED_INDEXES);
        }
        Layout::Old => {}
    }
    sql
}

/// Whether a table has a column.
pub(super) fn has(layout: Layout, table: &str, column: &str) -> bool {
    TABLES
        .iter()
        .filter(|found| found.name == table && (!found.late || layout != Layout::Old))
        .any(|found| columns(found).any(|(name, late, _)| name == column && (!late || layout != Layout::Old)))
}

/// Name of each column, whether it came late, and all of its text.
fn columns(table: &Table) -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    table.columns.lines().map(|line| {
        let line = line.trim();
        let text = line.trim_start_matches('+');
        (text.split(' ').next().unwrap_or(text), line.starts_with('+'), text)
    })
}

fn create(table: &Table, layout: Layout, sql: &mut String) {
    let now = |late: bool| layout == Layout::Fresh || !late;
    let parts = columns(table).filter(|(_, late, _)| now(*late)).map(|(_, _, text)| text);
    let parts = parts.chain(table.constraints.iter().copied()).collect::<Vec<_>>().join(",\n    ");
    // Writing to a text cannot fail.
    let _ = writeln!(sql, "CREATE TABLE {} (\n    {parts}\n);", table.name);
    if layout == Layout::Upgraded {
        for (_, _, text) in columns(table).filter(|(_, late, _)| *late) {
            // SQLite refuses such a default for a column that is added.
            let text = text.trim_end_matches(" DEFAULT CURRENT_TIMESTAMP");
            let _ = writeln!(sql, "ALTER TABLE {} ADD COLUMN {text};", table.name);
        }
    }
}

/// A trigger that moves `updated_at`.
fn touch(name: &str, table: &str, sql: &mut String) {
    let _ = writeln!(
        sql,
        "CREATE TRIGGER {name} AFTER UPDATE ON {table} FOR EACH ROW BEGIN
            UPDATE {table} SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
        END;"
    );
}
