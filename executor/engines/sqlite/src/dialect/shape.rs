//! The one form of a table: what SQLite implies is written out, what says nothing is left out.

use std::collections::BTreeMap;

use mig_plan::{
    Name, Table,
    table::{Column, Constraint, Key, Rule},
};

use super::{ddl::ParsedTable, types};

/// Whether a table is STRICT.
pub(crate) fn is_strict(table: &Table) -> bool {
    table.options.get("strict").is_some_and(|v| v == "true")
}

/// Whether a table has no rowid.
pub(crate) fn is_without_rowid(table: &Table) -> bool {
    table.options.get("without_rowid").is_some_and(|v| v == "true")
}

/// The primary key with its settings.
pub(crate) fn primary_key(table: &Table) -> Option<(&Name, &Constraint, &Key)> {
    table.constraints.iter().find_map(|(name, constraint)| match &constraint.rule {
        Rule::PrimaryKey(key) => Some((name, constraint, key)),
        _ => None,
    })
}

/// The column that is another name of the rowid: an INTEGER that alone is the primary key.
///
/// `INTEGER PRIMARY KEY DESC` at the column is not one, by an old mistake that SQLite keeps.
pub(crate) fn rowid_alias(table: &Table) -> Option<&Column> {
    if is_without_rowid(table) {
        return None;
    }
    let (_, constraint, key) = primary_key(table)?;
    let [only] = &key.columns[..] else { return None };
    let column = table.column(only)?;
    let descending = constraint.options.contains_key(&format!("order.{}", only.as_str()));
    (column.data_type.eq_ignore_ascii_case("INTEGER") && !descending).then_some(column)
}

/// Whether a table gives out each id only once.
pub(crate) fn is_autoincrement(table: &Table) -> bool {
    primary_key(table).is_some_and(|(_, c, _)| c.options.get("autoincrement").is_some_and(|v| v == "true"))
}

/// The word by which SQL reaches the rowid of a table: the first that no column is called by.
pub(crate) fn rowid_word(table: &Table) -> Option<&'static str> {
    if is_without_rowid(table) {
        return None;
    }
    let taken = |word: &&&str| !table.columns.iter().any(|c| c.name.as_str().eq_ignore_ascii_case(word));
    ["rowid", "_rowid_", "oid"].iter().find(taken).copied()
}

/// Whether NULL is refused in a column though nothing at the column says so.
fn implied_not_null(table: &Table, column: &Name) -> bool {
    if rowid_alias(table).is_some_and(|alias| alias.name == *column) {
        return true;
    }
    let in_key = primary_key(table).is_some_and(|(_, _, key)| key.columns.contains(column));
    in_key && (is_without_rowid(table) || is_strict(table))
}

/// Whether NOT NULL must be written at a column.
pub(crate) fn says_not_null(table: &Table, column: &Column) -> bool {
    column.not_null && !implied_not_null(table, &column.name)
}

/// Puts a table into its one form.
pub(crate) fn settle(table: &mut Table) {
    table.options.retain(|_, value| value != "false");
    for column in &mut table.columns {
        column.data_type = types::canonical(&column.data_type);
        column.collation = column.collation.take().map(|c| c.to_ascii_uppercase()).filter(|c| c != "BINARY");
        column.comment = None;
    }
    let implied: Vec<_> =
        table.columns.iter().map(|c| c.name.clone()).filter(|name| implied_not_null(table, name)).collect();
    for name in implied {
        if let Some(column) = table.column_mut(&name) {
            column.not_null = true;
        }
    }
    for constraint in table.constraints.values_mut() {
        constraint.comment = None;
        constraint.options.retain(|_, value| value != "false");
    }
}

/// The order of a rowid alias that was declared at the table says nothing.
pub(crate) fn unordered_alias(key: &Key, table: &ParsedTable, options: &mut BTreeMap<String, String>) {
    if let [only] = &key.columns[..]
        && !table.without_rowid
        && table.columns.iter().any(|c| c.name == *only && c.data_type.eq_ignore_ascii_case("INTEGER"))
    {
        options.remove(&format!("order.{}", only.as_str()));
    }
}

/// A collation of a part of a key or index, if it is not the column's own.
pub(crate) fn own_collation(said: Option<&str>, column: Option<&Column>) -> Option<String> {
    let said = said?.to_ascii_uppercase();
    let of_column = column.and_then(|c| c.collation.as_deref()).unwrap_or("BINARY");
    (column.is_none() || said != of_column.to_ascii_uppercase()).then_some(said)
}
