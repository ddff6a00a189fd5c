//! SQL values in the types that every backend maps the same way.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// A parameter or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT; also ids, times and JSON.
    Text(String),
    /// BLOB, BYTEA.
    Blob(Vec<u8>),
    /// BOOLEAN; 0 or 1 in SQLite.
    Bool(bool),
}

/// Parameters of a statement: the first is `$1`.
pub type Params = Vec<SqlValue>;

/// Builds [`Params`](crate::Params) from anything that turns into a [`SqlValue`](crate::SqlValue).
///
/// ```
/// let params = eventlog::params!["job-43", 7_i64, None::<String>, true];
/// assert_eq!(params.len(), 4);
/// ```
#[macro_export]
macro_rules! params {
    () => { $crate::Params::new() };
    ($($value:expr),+ $(,)?) => { ::std::vec![$($crate::SqlValue::from($value)),+] };
}

/// A time as the tables hold it: RFC 3339 in UTC with six decimals, so that text order is time order.
#[must_use]
pub fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr),+ $(,)?) => {$(
        impl From<$from> for SqlValue {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )+};
}

from! {
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(value.into()),
    i16 => |value| Self::Int(value.into()),
    u8 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    f64 => |value| Self::Real(value),
    f32 => |value| Self::Real(value.into()),
    bool => |value| Self::Bool(value),
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    &String => |value| Self::Text(value.clone()),
    std::borrow::Cow<'_, str> => |value| Self::Text(value.into_owned()),
    Vec<u8> => |value| Self::Blob(value),
    &[u8] => |value| Self::Blob(value.to_vec()),
    Uuid => |value| Self::Text(value.to_string()),
    &Uuid => |value| Self::Text(value.to_string()),
    Timestamp => |value| Self::Text(time_text(value)),
    &Timestamp => |value| Self::Text(time_text(*value)),
    Value => |value| Self::Text(value.to_string()),
    &Value => |value| Self::Text(value.to_string()),
}

// SQL has no unsigned integers; sizes and positions stay far below the limit, and a value above it is kept as
// the largest one rather than turned negative.
impl From<u64> for SqlValue {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for SqlValue {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
