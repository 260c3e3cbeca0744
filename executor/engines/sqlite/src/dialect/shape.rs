//! The one form of a table: what SQLite implies is written out, what says nothing is left out.

use std::{collections::BTreeMap, sync::Arc};

use mig_plan::{
    Body, Name, Qualified, Schema, Table,
    schema::{IndexPart, IndexedBy},
    table::{Column, Constraint, ForeignKey, Key, Rule},
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

/// The column setting that says that NOT NULL is written where it changes nothing: at the alias of the rowid. The catalog shows it.
pub(crate) const NOT_NULL: &str = "not_null";

/// Whether NOT NULL must be written at a column.
pub(crate) fn says_not_null(table: &Table, column: &Column) -> bool {
    column.not_null && (!implied_not_null(table, &column.name) || column.options.contains_key(NOT_NULL))
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
    let alias = rowid_alias(table).map(|column| column.name.clone());
    for column in table.columns.iter_mut().filter(|c| Some(&c.name) != alias.as_ref()) {
        column.options.remove(NOT_NULL);
    }
    for constraint in table.constraints.values_mut() {
        constraint.comment = None;
        constraint.options.retain(|_, value| value != "false");
    }
}

/// Takes over the spelling of types, and that of foreign keys that mean the primary key of their parent by naming its columns or none.
pub(crate) fn respell(declared: &mut Schema, live: &Schema) {
    let goal = declared.clone();
    for (at, there) in live.tables() {
        let Some(table) = declared.table_mut(&at) else { continue };
        for column in &mut table.columns {
            if let Some(there) = there.column(&column.name)
                && types::tight(&there.data_type) == types::tight(&column.data_type)
            {
                column.data_type.clone_from(&there.data_type);
            }
        }
        for (name, constraint) in &mut table.constraints {
            let (Rule::ForeignKey(fk), Some(Rule::ForeignKey(there))) =
                (&mut constraint.rule, there.constraints.get(name).map(|c| &c.rule))
            else {
                continue;
            };
            if referenced(fk, &goal) == referenced(there, live) {
                fk.referenced.clone_from(&there.referenced);
            }
        }
    }
    for (at, object) in &mut declared.objects {
        let (Body::Index(index), Some(Body::Index(there))) =
            (&mut Arc::make_mut(object).body, live.objects.get(at).map(|o| &o.body))
        else {
            continue;
        };
        for (part, other) in index.parts.iter_mut().zip(&there.parts) {
            // Where the column sorts otherwise than before, what the index says of it would mean something else.
            let as_before = of_column(part, &index.table, &goal) == of_column(other, &there.table, live);
            if as_before && collation(part, &index.table, &goal) == collation(other, &there.table, live) {
                part.collation.clone_from(&other.collation);
            }
        }
    }
}

/// The collation by which a part of an index sorts: its own, else its column's.
fn collation(part: &IndexPart, table: &Qualified, schema: &Schema) -> String {
    let said = part.collation.clone().or_else(|| of_column(part, table, schema));
    said.unwrap_or_else(|| "BINARY".to_owned())
}

/// The collation of the column that a part of an index is.
fn of_column(part: &IndexPart, table: &Qualified, schema: &Schema) -> Option<String> {
    match &part.what {
        IndexedBy::Column(name) => schema.table(table)?.column(name)?.collation.clone(),
        IndexedBy::Expression(_) => None,
    }
}

/// The columns of the parent that a foreign key means: those that it names, else the primary key; none if the parent is not there.
pub(crate) fn referenced(fk: &ForeignKey, schema: &Schema) -> Vec<Name> {
    if !fk.referenced.is_empty() {
        return fk.referenced.clone();
    }
    let key = schema.table(&fk.references).and_then(Table::primary_key);
    key.map(|(_, key)| key.columns.clone()).unwrap_or_default()
}

/// Whether SQLite can look after all foreign keys of a table: their parents are there, and what they refer to is unique.
pub(crate) fn is_sound(table: &Qualified, schema: &Schema) -> bool {
    let unique = |parent: &Qualified, columns: &[Name]| {
        let same = |key: &[Name]| key.len() == columns.len() && columns.iter().all(|c| key.contains(c));
        let by_key = schema.table(parent).is_some_and(|t| {
            t.constraints.values().any(|c| matches!(c.rule, Rule::PrimaryKey(_) | Rule::Unique(_)) && same(c.columns()))
        });
        by_key
            || schema.indexes_of(parent).any(|(_, index)| {
                let column = |p: &IndexPart| match &p.what {
                    IndexedBy::Column(name) => Some(name.clone()),
                    IndexedBy::Expression(_) => None,
                };
                let named: Vec<_> = index.parts.iter().filter_map(column).collect();
                index.unique && index.predicate.is_none() && named.len() == index.parts.len() && same(&named)
            })
    };
    let keys = schema.table(table).into_iter().flat_map(|t| t.constraints.values()).filter_map(|c| c.foreign_key());
    keys.into_iter().all(|fk| {
        let columns = referenced(fk, schema);
        columns.len() == fk.columns.len() && unique(&fk.references, &columns)
    })
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
