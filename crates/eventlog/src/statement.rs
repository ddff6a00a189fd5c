//! A statement on a read table or a coordination table, as a value.

use crate::Params;

/// SQL in the dialect that all backends share (`$1`, `ON CONFLICT`, `RETURNING`), with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text; `$1` is the first parameter.
    pub sql: String,
    /// The parameters.
    pub params: Params,
    /// How many rows it must change; `None` when any number will do.
    pub expect_rows: Option<u64>,
}

impl Statement {
    /// A statement that may change any number of rows.
    pub fn new(sql: impl Into<String>, params: Params) -> Self {
        Self { sql: sql.into(), params, expect_rows: None }
    }

    /// Says how many rows the statement must change; another number fails the whole write.
    #[must_use]
    pub fn affecting(mut self, rows: u64) -> Self {
        self.expect_rows = Some(rows);
        self
    }
}
