//! The table of what was brought over: where each thing comes from.

use eventlog::{Log, LogError, Params, Row, SqlValue, Statement, params};

use super::POSITION;
use crate::events::Origin;

/// Most values that one statement is given for a list.
const MOST_VALUES: usize = 256;

pub(crate) fn insert(origin: &Origin, kind: &str, id: &str, stream: &str) -> Statement {
    let sql = format!(
        "INSERT INTO imported (source, origin_table, origin_row, digest, kind, id, position) \
         VALUES ($1, $2, $3, $4, $5, $6, {POSITION}$7))"
    );
    let Origin { source, table, row, digest } = origin;
    Statement::new(sql, params![source, table, row, digest, kind, id, stream]).affecting(1)
}

/// What the row holds by now.
pub(crate) fn set_digest(origin: &Origin) -> Statement {
    let sql = "UPDATE imported SET digest = $4 WHERE source = $1 AND origin_table = $2 AND origin_row = $3";
    let Origin { source, table, row, digest } = origin;
    Statement::new(sql, params![source, table, row, digest]).affecting(1)
}

/// Rows of a query whose last column is one of many values, such as `SELECT … WHERE source = $1 AND id`: few statements,
/// and few different ones, so that they stay prepared. None of the values has a zero byte.
pub(crate) async fn among(
    log: &Log,
    query: &str,
    fixed: &Params,
    values: &[String],
) -> Result<Vec<Row>, LogError> {
    let mut rows = Vec::new();
    for values in values.chunks(MOST_VALUES) {
        let Some(last) = values.last() else { continue };
        let places = values.len().next_power_of_two();
        let numbers: Vec<String> = (1..=places).map(|nth| format!("${}", fixed.len() + nth)).collect();
        let mut params = fixed.clone();
        params.extend(values.iter().map(SqlValue::from));
        // The last one again and again: it is found once.
        params.resize(fixed.len() + places, SqlValue::from(last));
        rows.extend(log.query(&format!("{query} IN ({})", numbers.join(", ")), params).await?);
    }
    Ok(rows)
}
