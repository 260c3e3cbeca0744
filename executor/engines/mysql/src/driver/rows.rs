//! The catalog as rows of texts.

use std::collections::BTreeMap;

/// One row.
pub(super) type Row = Vec<Option<String>>;

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) tables: Vec<Row>,
    pub(super) columns: Vec<Row>,
    pub(super) indexes: Vec<Row>,
    pub(super) foreign_keys: Vec<Row>,
    pub(super) checks: Vec<Row>,
    pub(super) views: Vec<Row>,
    pub(super) triggers: Vec<Row>,
    /// Kind and name of a routine or event, with the statement that makes it.
    pub(super) code: Vec<(String, String, String)>,
    /// How tables are cut into partitions, by name.
    pub(super) partitions: BTreeMap<String, String>,
    /// Tables with a period of their own columns, each with its columns and keys as the statement that makes it has them.
    pub(super) periods: BTreeMap<String, String>,
    /// Numbers of sequences.
    pub(super) sequences: BTreeMap<String, Row>,
    /// The user that the server takes this session for.
    pub(super) user: String,
}

/// A value that may be missing.
pub(super) fn at(row: &Row, n: usize) -> Option<&str> {
    row.get(n).and_then(Option::as_deref)
}

/// A value that is there; empty if it is not.
pub(super) fn text(row: &Row, n: usize) -> &str {
    at(row, n).unwrap_or_default()
}
