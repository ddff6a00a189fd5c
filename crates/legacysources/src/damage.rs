//! Making a bad source of a good one, and a good one of it again.
//!
//! Each function works on databases of both services (with the late tables) and says what it spoiled. Rows
//! are chosen so that an importer has to come across them: an image with bytes whose campaign and client are
//! there, in the middle of those there are.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use rusqlite::{Connection, OptionalExtension as _, types::Value};

/// What was spoiled.
#[derive(Debug)]
pub struct Damage {
    /// The table; empty when it is the file as a whole.
    pub table: &'static str,
    /// The primary key of the row; empty when it is the file as a whole.
    pub row: String,
    /// The column; empty when it is the file as a whole.
    pub column: &'static str,
    path: PathBuf,
    /// What was there.
    before: Option<Value>,
}

impl Damage {
    /// Puts back what was there.
    ///
    /// # Errors
    /// The file as a whole was spoiled, or cannot be written.
    pub fn mend(&self) -> Result<()> {
        let Some(before) = &self.before else {
            bail!("{} was spoiled as a whole and cannot be mended", self.path.display());
        };
        let sql = format!("UPDATE {} SET {} = ?1 WHERE id = ?2", self.table, self.column);
        Connection::open(&self.path)?.execute(&sql, (before, &self.row))?;
        Ok(())
    }

    fn whole(path: &Path) -> Self {
        Self { table: "", row: String::new(), column: "", path: path.to_owned(), before: None }
    }
}

/// Cuts off the last third of the file.
///
/// # Errors
/// The file cannot be written.
pub fn truncated(path: &Path) -> Result<Damage> {
    let file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    // Not at the end of a page.
    file.set_len(length * 2 / 3 - 100)?;
    Ok(Damage::whole(path))
}

/// Puts something else in the place of the database, or where there was nothing.
///
/// # Errors
/// The file cannot be written.
pub fn not_a_database(path: &Path) -> Result<Damage> {
    fs::write(path, "id,name,url\n1,Villa,https://example.com/\n".repeat(200))?;
    Ok(Damage::whole(path))
}

/// Makes a database of something else, in the place of the file, or where there was nothing.
///
/// # Errors
/// The file cannot be written.
pub fn wrong_schema(path: &Path) -> Result<Damage> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    Connection::open(path)?.execute_batch(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes (text) VALUES ('milk');
         CREATE TABLE assets (symbol TEXT PRIMARY KEY, price REAL);",
    )?;
    Ok(Damage::whole(path))
}

/// Takes a column away that every database of the service has: the name of a client.
///
/// # Errors
/// The file cannot be written.
pub fn column_gone(path: &Path) -> Result<Damage> {
    Connection::open(path)?.execute_batch("ALTER TABLE clients RENAME COLUMN name TO label")?;
    Ok(Damage { table: "clients", column: "name", ..Damage::whole(path) })
}

/// Puts bytes that are no UTF-8 into the name of an asset.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn invalid_utf8(path: &Path) -> Result<Damage> {
    let victim = Victim::find(path)?;
    spoil(
        path,
        "assets",
        victim.asset,
        "name",
        "CAST(?1 AS TEXT)",
        Value::Blob(b"K\xfcche \xff\xfe".to_vec()),
    )
}

/// Puts what is no JSON into the tags of an asset.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn invalid_json(path: &Path) -> Result<Damage> {
    let victim = Victim::find(path)?;
    spoil(path, "assets", victim.asset, "tags", "?1", Value::Text("[\"Kitchen\", ".to_owned()))
}

/// Puts a text in the place of an image's bytes, as a server does that answers with a page.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn not_an_image(path: &Path) -> Result<Damage> {
    let page = b"<!DOCTYPE html><html><title>403 Forbidden</title></html>".to_vec();
    Victim::find(path)?.spoil_bytes(path, page)
}

/// Makes an asset refer to a blob that is not there; `scenes.db` alone.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn dangling_blob(path: &Path) -> Result<Damage> {
    let victim = Victim::find(path)?;
    let nothing = "00000000-0000-4000-8000-00000000dead".to_owned();
    spoil(path, "assets", victim.asset, "blob_id", "?1", Value::Text(nothing))
}

/// Gives an asset another name, as somebody did after it was brought over.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn renamed(path: &Path) -> Result<Damage> {
    let victim = Victim::find(path)?;
    spoil(path, "assets", victim.asset, "name", "?1", Value::Text("Renamed later".to_owned()))
}

/// Gives an asset other bytes, which still are the same picture: some more after its end.
///
/// # Errors
/// There is no such row, or the file cannot be written.
pub fn other_bytes(path: &Path) -> Result<Damage> {
    let victim = Victim::find(path)?;
    let mut bytes = victim.read(path)?;
    bytes.extend_from_slice(b"changed ");
    victim.spoil_bytes(path, bytes)
}

/// Somebody who is writing to a database; ends with it.
pub struct Writer(#[expect(dead_code, reason = "it holds the lock")] Connection);

/// Begins to write to the database, and does not end: nobody else can read it in the meantime.
///
/// # Errors
/// The file cannot be written.
pub fn being_written(path: &Path) -> Result<Writer> {
    let conn = Connection::open(path)?;
    // In WAL mode a transaction alone would not keep readers out.
    conn.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE assets SET name = 'half done'",
    )?;
    Ok(Writer(conn))
}

/// An image that an importer has to come across.
struct Victim {
    asset: String,
    /// Where its bytes are.
    bytes: (&'static str, String, &'static str),
}

impl Victim {
    fn find(path: &Path) -> Result<Self> {
        let conn = Connection::open(path)?;
        let older = conn.table_exists(None, "asset_blobs")?;
        let (kind, blob, time) = if older {
            ("asset_type", "blob_id", "uploaded_at")
        } else {
            ("type", "blob_data", "inserted_at")
        };
        let from = format!(
            "FROM assets JOIN campaigns ON campaigns.id = assets.campaign_id
             JOIN clients ON clients.id = campaigns.client_id
             WHERE {kind} = 'image' AND {blob} IS NOT NULL AND tags IS NOT NULL AND assets.width > 0"
        );
        let from =
            if older { from } else { from.replace(" AND assets.width > 0", " AND assets.name IS NOT NULL") };
        let count: i64 = conn.query_row(&format!("SELECT COUNT(*) {from}"), [], |row| row.get(0))?;
        let one =
            format!("SELECT assets.id {from} ORDER BY assets.{time}, assets.id LIMIT 1 OFFSET {}", count / 2);
        let asset: Option<String> = conn.query_row(&one, [], |row| row.get(0)).optional()?;
        let asset = asset.with_context(|| format!("{} has no image to be spoiled", path.display()))?;
        let bytes = if older {
            let id =
                conn.query_row("SELECT blob_id FROM assets WHERE id = ?1", [&asset], |row| row.get(0))?;
            ("asset_blobs", id, "data")
        } else {
            ("assets", asset.clone(), "blob_data")
        };
        Ok(Self { asset, bytes })
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let (table, row, column) = &self.bytes;
        let sql = format!("SELECT {column} FROM {table} WHERE id = ?1");
        Ok(Connection::open(path)?.query_row(&sql, [row], |row| row.get(0))?)
    }

    fn spoil_bytes(self, path: &Path, bytes: Vec<u8>) -> Result<Damage> {
        let (table, row, column) = self.bytes;
        spoil(path, table, row, column, "?1", Value::Blob(bytes))
    }
}

/// Puts a value into a row; `place`: the SQL that makes it of `?1`.
fn spoil(
    path: &Path,
    table: &'static str,
    row: String,
    column: &'static str,
    place: &str,
    value: Value,
) -> Result<Damage> {
    let conn = Connection::open(path)?;
    let sql = format!("SELECT {column} FROM {table} WHERE id = ?1");
    let before = conn.query_row(&sql, [&row], |row| row.get(0))?;
    let sql = format!("UPDATE {table} SET {column} = {place} WHERE id = ?2");
    conn.execute(&sql, (value, &row))?;
    Ok(Damage { table, row, column, path: path.to_owned(), before: Some(before) })
}
