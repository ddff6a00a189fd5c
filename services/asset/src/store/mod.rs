//! The read tables.

pub(crate) mod assets;
pub(crate) mod campaigns;
pub(crate) mod clients;

use eventlog::{LogError, Migrations, Params, Row, SqlValue};
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
    sqlite: &[text!(sqlite "0001_client"), text!(sqlite "0002_campaign"), text!(sqlite "0003_asset")],
    postgres: &[text!(postgres "0001_client"), text!(postgres "0002_campaign"), text!(postgres "0003_asset")],
};

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Rows at most; 0: all.
    pub(crate) limit: u32,
    /// Rows passed over.
    pub(crate) offset: u32,
}

impl Page {
    /// ` LIMIT $n OFFSET $m`, with its parameters added.
    fn clause(self, params: &mut Params) -> String {
        let limit = if self.limit == 0 { i64::MAX } else { i64::from(self.limit) };
        params.push(SqlValue::Int(limit));
        params.push(SqlValue::Int(self.offset.into()));
        format!(" LIMIT ${} OFFSET ${}", params.len() - 1, params.len())
    }
}

/// Conditions that all must hold, with their parameters.
#[derive(Debug, Default)]
struct Filter {
    conditions: Vec<String>,
    params: Params,
}

impl Filter {
    fn equals(&mut self, column: &str, value: Option<String>) {
        if let Some(value) = value {
            self.params.push(SqlValue::Text(value));
            self.conditions.push(format!("{column} = ${}", self.params.len()));
        }
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

fn object(object: Option<&Map<String, Value>>) -> SqlValue {
    object.map(|object| Value::Object(object.clone())).into()
}

/// A time as the API tells it: RFC 3339 to the second.
fn time(row: &Row, column: &str) -> Result<String, LogError> {
    Ok(time_text(row.get(column)?))
}

/// As [`time`], for a time that is at hand.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.0}")
}
