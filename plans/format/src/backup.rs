//! What is put into files before the first write.

use serde::{Deserialize, Serialize};

use crate::{
    name::{Name, Qualified},
    step::Statement,
    table::Column,
};

/// Rows of a table that a plan puts into a file before its first write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The table, by the name that it has before the first write.
    pub table: Qualified,
    /// The columns that are saved, in order, as they are before the first write; what the server computes is not.
    pub columns: Vec<Column>,
    /// The columns that tell the table's rows apart, which are among those that are saved; none if it has no key.
    pub key: Vec<Name>,
    /// Whether these are all columns of the table.
    pub whole: bool,
    /// The query: a row for each row, each value as a literal of the engine's SQL that means exactly that value.
    pub sql: Statement,
}
