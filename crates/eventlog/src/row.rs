//! Rows that a query returns.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::{LogError, SqlValue};

/// One row; columns are read by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<SqlValue>,
}

impl Row {
    /// A row of `values` under `columns`, in the same order.
    #[must_use]
    pub fn new(columns: Arc<[String]>, values: Vec<SqlValue>) -> Self {
        Self { columns, values }
    }

    /// The column's value as a `T`.
    ///
    /// # Errors
    /// When there is no such column, or it does not hold a `T`.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, LogError> {
        let index = self.columns.iter().position(|name| name == column);
        let value = index
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| LogError::column(column, format!("not among {:?}", self.columns)))?;
        T::from_value(value).map_err(|reason| LogError::column(column, reason))
    }
}

/// A Rust type that a column can be read as.
pub trait FromValue: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What the column holds instead.
    fn from_value(value: &SqlValue) -> Result<Self, String>;
}

fn wrong<T>(wanted: &str, value: &SqlValue) -> Result<T, String> {
    let found = match value {
        SqlValue::Null => "NULL",
        SqlValue::Int(_) => "an integer",
        SqlValue::Real(_) => "a number",
        SqlValue::Text(_) => "text",
        SqlValue::Blob(_) => "bytes",
        SqlValue::Bool(_) => "a boolean",
    };
    Err(format!("expected {wanted}, found {found}"))
}

fn text<'a>(wanted: &str, value: &'a SqlValue) -> Result<&'a str, String> {
    match value {
        SqlValue::Text(text) => Ok(text),
        other => wrong(wanted, other),
    }
}

impl FromValue for i64 {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        match value {
            SqlValue::Int(int) => Ok(*int),
            SqlValue::Bool(bool) => Ok((*bool).into()),
            other => wrong("an integer", other),
        }
    }
}

macro_rules! narrow {
    ($($int:ty),+) => {$(
        impl FromValue for $int {
            fn from_value(value: &SqlValue) -> Result<Self, String> {
                let wide = i64::from_value(value)?;
                Self::try_from(wide).map_err(|_| format!("{wide} is out of range"))
            }
        }
    )+};
}

narrow!(i32, u32, u64, usize);

impl FromValue for f64 {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        match value {
            SqlValue::Real(real) => Ok(*real),
            // A whole number in a column without a fixed type comes back as an integer.
            #[allow(clippy::cast_precision_loss, reason = "such columns hold seconds and amounts")]
            SqlValue::Int(int) => Ok(*int as Self),
            other => wrong("a number", other),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        match value {
            SqlValue::Bool(bool) => Ok(*bool),
            SqlValue::Int(0) => Ok(false),
            SqlValue::Int(1) => Ok(true),
            other => wrong("a boolean", other),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        text("text", value).map(str::to_owned)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        match value {
            SqlValue::Blob(bytes) => Ok(bytes.clone()),
            other => wrong("bytes", other),
        }
    }
}

impl FromValue for Uuid {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        text("an id", value)?.parse().map_err(|error| format!("not an id: {error}"))
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        text("a time", value)?.parse().map_err(|error| format!("not a time: {error}"))
    }
}

impl FromValue for Value {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        serde_json::from_str(text("JSON", value)?).map_err(|error| format!("not JSON: {error}"))
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &SqlValue) -> Result<Self, String> {
        match value {
            SqlValue::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}
