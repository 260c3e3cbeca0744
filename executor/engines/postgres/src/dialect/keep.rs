//! What a plan removes and keeps: names and keys of the copies in mig's own schema.

use mig_plan::{Kind, Name, Qualified, Schema, Statement, Table};

use super::{
    inherit,
    names::{TRASH, generated, literal, qualified, quote_text},
    render,
};

/// The place where a change keeps what it removes.
pub(crate) fn place(change: &Kind) -> Qualified {
    let address = change.address();
    let tail = address.path().iter().skip(1).map(Name::as_str).collect::<Vec<_>>().join("_");
    Qualified::new(Name::new(TRASH).ok(), generated("kept_", change, &tail))
}

/// The tables in which a change may keep rows.
pub(crate) fn places(change: &Kind) -> Vec<Qualified> {
    match change {
        // A note, no rows.
        Kind::Filling(_) => Vec::new(),
        Kind::Leave(leave) => vec![render::leave::place(&leave.kept)],
        Kind::Settle(settle) => vec![render::leave::place(&settle.kept), render::settle::unmapped(&settle.kept)],
        other => vec![place(other)],
    }
}

/// The query for the columns of a kept table. What is of a type that is kept with it reads as text: the type goes too.
pub(crate) fn columns_of(table: &Qualified) -> Statement {
    let (table, trash) = (literal(&qualified(table)), literal(TRASH));
    Statement::new(format!(
        "SELECT a.attname,
  CASE WHEN n.nspname = {trash} THEN 'text' ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END,
  a.attnotnull::int
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE c.oid = pg_catalog.to_regclass({table}) AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum"
    ))
}

/// The statement that makes mig's schema for kept things.
pub(crate) fn schema() -> String {
    format!("CREATE SCHEMA IF NOT EXISTS {}", quote_text(TRASH))
}

/// The columns that tell rows apart and are never NULL: the primary key, else a unique key.
pub(crate) fn key_of(table: &Table) -> Option<Vec<Name>> {
    if let Some((_, key)) = table.primary_key() {
        return Some(key.columns.clone());
    }
    let required = |name: &Name| table.column(name).is_some_and(|c| c.not_null);
    let keys = table.constraints.values().filter(|c| c.deferral.is_none()).filter_map(|c| c.key());
    keys.map(|key| &key.columns).find(|columns| columns.iter().all(required)).cloned()
}

/// The key of a table that is left without a column; without one, all its other columns.
fn key_without(table: &Table, column: &Name) -> Vec<Name> {
    let key = key_of(table).filter(|key| !key.contains(column));
    key.unwrap_or_else(|| table.columns.iter().map(|c| c.name.clone()).filter(|name| name != column).collect())
}

/// What tells the kept values of a column apart.
pub(crate) struct Kept {
    /// The columns that stand beside a value.
    pub(crate) key: Vec<Name>,
    /// Whether they are a key; else rows may be alike in them.
    pub(crate) keyed: bool,
    /// Whether the table of each row is said too: a key holds for one table, not for those that inherit from it.
    pub(crate) heirs: bool,
}

/// How the values of a column are kept.
pub(crate) fn kept(of: &Qualified, table: &Table, column: &Name, schema: &Schema) -> Kept {
    let heirs = inherit::children(schema, of).any(|(_, heir)| !inherit::is_partition(heir));
    if heirs {
        let key = table.columns.iter().map(|c| c.name.clone()).filter(|name| name != column).collect();
        return Kept { key, keyed: false, heirs };
    }
    let key = key_without(table, column);
    Kept { keyed: key_of(table).is_some_and(|own| own == key), key, heirs }
}

/// The column of a kept copy that says of which table a row was.
pub(crate) const OF: &str = "_mig_of";

/// A condition that two rows have the same key.
pub(crate) fn same_key(key: &[Name], left: &str, right: &str, table: &Table) -> String {
    let part = |name: &Name| {
        let column = quote_text(name.as_str());
        let required = table.column(name).is_some_and(|c| c.not_null);
        if required {
            format!("{left}.{column} = {right}.{column}")
        } else {
            format!("{left}.{column}::text IS NOT DISTINCT FROM {right}.{column}::text")
        }
    };
    if key.is_empty() { "true".to_owned() } else { key.iter().map(part).collect::<Vec<_>>().join(" AND ") }
}

/// A condition that two rows are alike in some columns, as they read.
pub(crate) fn alike(columns: &[Name], left: &str, right: &str) -> String {
    let part = |name: &Name| {
        let column = quote_text(name.as_str());
        format!("{left}.{column}::text IS NOT DISTINCT FROM {right}.{column}::text")
    };
    if columns.is_empty() { "true".to_owned() } else { columns.iter().map(part).collect::<Vec<_>>().join(" AND ") }
}

/// Whether a type belongs to a user or an extension: a kept copy of it would stand in the way of its change.
pub(crate) fn is_user_type(data_type: &str) -> bool {
    data_type.contains('.')
}

/// That a value is no NULL, as a required column means it: a row is no NULL because its fields are, but `IS NOT NULL` says so
/// (manual, 9.2 Comparison Functions and Operators).
pub(crate) fn is_given(value: &str, data_type: &str) -> String {
    let is = if is_user_type(data_type) { "IS DISTINCT FROM NULL" } else { "IS NOT NULL" };
    format!("{value} {is}")
}

/// That a value is NULL, as a required column means it.
pub(crate) fn is_missing(value: &str, data_type: &str) -> String {
    let is = if is_user_type(data_type) { "IS NOT DISTINCT FROM NULL" } else { "IS NULL" };
    format!("{value} {is}")
}

/// A value as it is kept.
pub(crate) fn kept_value(value: &str, data_type: &str) -> String {
    if is_user_type(data_type) { format!("{value}::text") } else { value.to_owned() }
}

/// A kept value as it was.
pub(crate) fn restored(value: &str, data_type: &str) -> String {
    if is_user_type(data_type) { format!("{value}::{data_type}") } else { value.to_owned() }
}
