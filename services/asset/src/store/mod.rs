//! The read tables.

pub(crate) mod assets;
pub(crate) mod campaigns;
pub(crate) mod clients;
pub(crate) mod imported;
pub(crate) mod keys;
pub(crate) mod pictures;

use eventlog::{Log, LogError, Migrations, Params, Row, SqlValue, Statement, params};
use jiff::Timestamp;
use serde_json::{Map, Value};

macro_rules! text {
    ($engine:ident $name:literal) => {
        (
            $name,
            include_str!(concat!("../../../../migrations/asset/", stringify!($engine), "/", $name, ".sql")),
        )
    };
}

/// The service's database.
pub const MIGRATIONS: Migrations = Migrations {
    service: "asset",
    sqlite: &[
        text!(sqlite "0001_client"),
        text!(sqlite "0002_campaign"),
        text!(sqlite "0003_asset"),
        text!(sqlite "0004_api_key"),
        text!(sqlite "0005_picture"),
        text!(sqlite "0006_imported"),
    ],
    postgres: &[
        text!(postgres "0001_client"),
        text!(postgres "0002_campaign"),
        text!(postgres "0003_asset"),
        text!(postgres "0004_api_key"),
        text!(postgres "0005_picture"),
        text!(postgres "0006_imported"),
    ],
};

/// When something was made and last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Times {
    /// Of what was made just now.
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { created_at: at, updated_at: at }
    }
}

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Rows at most; 0: all.
    pub(crate) limit: u32,
    /// Rows passed over.
    pub(crate) offset: u32,
    /// Only what comes after the row at this place.
    pub(crate) after: Option<i64>,
}

/// A page of a list, and what lies beyond it.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    pub(crate) items: Vec<T>,
    /// All that match, on every page.
    pub(crate) total: u64,
    /// The place of the last item, when more follow.
    pub(crate) next: Option<i64>,
}

/// Where rows are listed from, and how.
struct Source<T> {
    table: &'static str,
    columns: &'static str,
    /// Newest first instead of oldest first.
    newest_first: bool,
    read: fn(&Row) -> Result<T, LogError>,
}

/// The rows of a table that match, in the order of their creation. A row's place is the position of the event that
/// created it: it never changes, and no other row ever has it.
async fn list<T>(
    log: &Log,
    source: Source<T>,
    mut filter: Filter,
    page: Page,
) -> Result<Listing<T>, LogError> {
    let Source { table, columns, newest_first, read } = source;
    let count = format!("SELECT count(*) AS total FROM {table}{}", filter.clause());
    let total = log.query(&count, filter.params.clone()).await?;
    let (order, beyond) = if newest_first { ("DESC", "<") } else { ("ASC", ">") };
    if let Some(after) = page.after {
        filter.compares("position", beyond, SqlValue::Int(after));
    }
    let matching = filter.clause();
    // One row more than asked for tells whether any follow.
    let limit = if page.limit == 0 { i64::MAX } else { i64::from(page.limit) + 1 };
    filter.params.extend(params![limit, page.offset]);
    let (limit_at, offset_at) = (filter.params.len() - 1, filter.params.len());
    let sql = format!(
        "SELECT {columns}, position FROM {table}{matching} ORDER BY position {order} \
         LIMIT ${limit_at} OFFSET ${offset_at}"
    );
    let mut rows = log.query(&sql, filter.params).await?;
    let more = page.limit > 0 && rows.len() > page.limit as usize;
    if more {
        rows.truncate(page.limit as usize);
    }
    let last = rows.last().filter(|_| more);
    Ok(Listing {
        next: last.map(|row| row.get("position")).transpose()?,
        items: rows.iter().map(read).collect::<Result<_, _>>()?,
        total: total.first().map_or(Ok(0), |row| row.get("total"))?,
    })
}

/// Conditions that all must hold, with their parameters.
#[derive(Debug, Default)]
struct Filter {
    conditions: Vec<String>,
    params: Params,
}

impl Filter {
    fn equals(&mut self, column: &str, value: Option<String>) {
        match value {
            Some(value) if is_no_id(&value) => self.conditions.push("1 = 0".to_owned()),
            Some(value) => self.compares(column, "=", SqlValue::Text(value)),
            None => {}
        }
    }

    fn compares(&mut self, column: &str, how: &str, value: SqlValue) {
        self.params.push(value);
        self.conditions.push(format!("{column} {how} ${}", self.params.len()));
    }

    fn clause(&self) -> String {
        if self.conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.conditions.join(" AND "))
        }
    }
}

/// The position of the event that began a stream, for a statement in the append of that event.
const POSITION: &str = "(SELECT max(position) FROM event WHERE stream = ";

/// The row of something that is gone.
pub(crate) fn delete(table: &str, id: &str) -> Statement {
    Statement::new(format!("DELETE FROM {table} WHERE id = $1"), params![id]).affecting(1)
}

/// As [`delete`], as long as it is still this client's.
pub(crate) fn delete_of(table: &str, id: &str, client_id: Option<&str>) -> Statement {
    let sql = format!("DELETE FROM {table} WHERE id = $1 AND coalesce(client_id, '') = $2");
    Statement::new(sql, params![id, client_id.unwrap_or_default()]).affecting(1)
}

/// Whether it is no id of anything: PostgreSQL takes no text with a zero byte, not even to compare it.
pub(crate) fn is_no_id(id: &str) -> bool {
    id.contains('\0')
}

/// The version of a stream; 0 when it has no events.
pub(crate) async fn version(log: &Log, stream: &str) -> Result<i64, LogError> {
    if is_no_id(stream) {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(version), 0) AS version FROM event WHERE stream = $1";
    log.query(sql, params![stream]).await?.first().map_or(Ok(0), |row| row.get("version"))
}

fn object(object: Option<&Map<String, Value>>) -> SqlValue {
    object.map(|object| Value::Object(object.clone())).into()
}

/// An object as a row's message holds it.
pub(crate) fn stored_object(json: Option<&str>) -> Option<Map<String, Value>> {
    json.and_then(|json| serde_json::from_str(json).ok())
}

/// A time as the API tells it: RFC 3339 to the second.
fn time(row: &Row, column: &str) -> Result<String, LogError> {
    Ok(time_text(row.get(column)?))
}

/// As [`time`], for a time that is at hand.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.0}")
}
