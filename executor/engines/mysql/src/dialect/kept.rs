//! What a plan removes and keeps: tables of mig's own in the same database.

use mig_plan::{
    Column, Kind, Name, Qualified, Schema, Statement, Table,
    schema::{Index, IndexedBy},
};

use super::{
    names::{self, list, quote},
    types,
};

/// Where a dropped table goes.
pub(crate) fn trash(change: &Kind) -> Name {
    names::kept("trash", change)
}

/// Where the values of a dropped column go.
pub(crate) fn values(change: &Kind) -> Name {
    names::kept("kept", change)
}

/// The tables in which a change may keep rows.
pub(crate) fn places(change: &Kind) -> Vec<Qualified> {
    match change {
        // A note, no rows.
        Kind::Filling(_) => Vec::new(),
        other => [trash(other), values(other)].map(|name| Qualified::new(None, name)).to_vec(),
    }
}

/// The query for the columns of a kept table.
pub(crate) fn columns_of(table: &Qualified) -> Statement {
    Statement::new(format!(
        "SELECT column_name, column_type, is_nullable = 'NO' FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = {} AND COALESCE(generation_expression, '') = ''
ORDER BY ordinal_position",
        names::literal(table.name.as_str())
    ))
}

/// The columns that tell rows apart: the primary key.
pub(crate) fn key(table: &Table) -> Option<Vec<Name>> {
    table.primary_key().map(|(_, key)| key.columns.clone())
}

/// The columns that tell rows apart: the primary key, or a unique one of whole columns without NULLs.
pub(crate) fn row_key(table: &Table, schema: &Schema, at: &Qualified) -> Option<Vec<Name>> {
    let whole = |key: &Vec<Name>| {
        let primary = table.primary_key().and_then(|(name, _)| table.constraints.get(name));
        primary.is_some_and(|c| !key.iter().any(|k| c.options.contains_key(&format!("length.{}", k.as_str()))))
    };
    let unique = |index: &Index| -> Option<Vec<Name>> {
        let plain = index.unique && index.method.is_none();
        let parts = index.parts.iter().map(|part| match &part.what {
            IndexedBy::Column(name) if part.opclass.is_none() && table.column(name)?.not_null => Some(name.clone()),
            _ => None,
        });
        if plain { parts.collect() } else { None }
    };
    key(table).filter(whole).or_else(|| schema.indexes_of(at).find_map(|(_, index)| unique(index)))
}

/// How the kept values of a column find their rows again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finds {
    /// By the primary key.
    Key(Vec<Name>),
    /// By all other columns: rows that are alike in those may get each other's values.
    Rest(Vec<Name>),
}

impl Finds {
    /// The columns.
    pub(crate) fn columns(&self) -> &[Name] {
        match self {
            Self::Key(columns) | Self::Rest(columns) => columns,
        }
    }

    /// The condition that two rows are one.
    pub(crate) fn same(&self, left: &str, right: &str) -> String {
        let sign = if matches!(self, Self::Key(_)) { "=" } else { "<=>" };
        let part = |k: &Name| format!("{left}.{0} {sign} {right}.{0}", quote(k));
        self.columns().iter().map(part).collect::<Vec<_>>().join(" AND ")
    }
}

/// How a column's values can be kept, if it has values of its own.
pub(crate) fn finds(table: &Table, column: &Column) -> Option<Finds> {
    let computed = |c: &Column| matches!(c.value, mig_plan::ColumnValue::Generated { .. });
    if computed(column) {
        return None;
    }
    if let Some(key) = key(table).filter(|key| !key.contains(&column.name)) {
        return Some(Finds::Key(key));
    }
    let others = table.columns.iter().filter(|c| c.name != column.name && !computed(c)).map(|c| c.name.clone());
    let others: Vec<_> = others.collect();
    (!others.is_empty()).then_some(Finds::Rest(others))
}

/// Statements that copy a column's values, each of which can be run again.
pub(crate) fn copy(change: &Kind, at: &Qualified, by: &Finds, column: &Column) -> Vec<String> {
    let kept = quote(&values(change));
    let columns = list(by.columns().iter().chain([&column.name]));
    let table = quote(&at.name);
    let key = match by {
        Finds::Key(key) => format!(" (PRIMARY KEY ({}))", list(key)),
        Finds::Rest(_) => String::new(),
    };
    vec![
        format!("CREATE TABLE IF NOT EXISTS {kept}{key} AS SELECT {columns} FROM {table} WHERE FALSE"),
        format!("DELETE FROM {kept}"),
        format!("INSERT INTO {kept} ({columns}) SELECT {columns} FROM {table}"),
    ]
}

/// What an UPDATE sets besides, so that it does not count as a write of a client: the times of the last one stay, unless they are set.
pub(crate) fn undated(table: &Table, alias: &str, set: &[&Name]) -> String {
    let dated = table.columns.iter().filter(|c| c.options.contains_key("on_update") && !set.contains(&&c.name));
    dated.map(|c| format!(", {alias}.{0} = {alias}.{0}", quote(&c.name))).collect()
}

/// The name that a column has while it is being brought back: pulls do not see it.
pub(crate) fn returning(column: &Name) -> Name {
    let text: String = format!("_mig_back_{}", column.as_str()).chars().take(64).collect();
    Name::new(text.trim_end()).expect("a prefix is never empty")
}

/// The column that tells rows without a key apart while a column is being brought back: pulls do not see it.
pub(crate) fn row() -> Name {
    Name::new("_mig_back_row").expect("a word")
}

/// Rows are the same if their keys are.
pub(crate) fn same_key(key: &[Name], left: &str, right: &str) -> String {
    let parts: Vec<_> = key.iter().map(|k| format!("{left}.{0} = {right}.{0}", quote(k))).collect();
    parts.join(" AND ")
}

/// A column's value as a literal that means exactly that value.
pub(crate) fn as_literal(column: &mig_plan::Column) -> String {
    let (name, kind) = (quote(&column.name), column.data_type.as_str());
    if kind.starts_with("bit") {
        return format!("COALESCE(CONCAT('b''', BIN({name} + 0), ''''), 'NULL')");
    }
    let bytes = ["geometry", "point", "linestring", "polygon", "multi", "geomcollection"];
    if types::is_binary(kind) || bytes.iter().any(|word| kind.starts_with(word)) {
        return format!("COALESCE(CONCAT('X''', HEX({name}), ''''), 'NULL')");
    }
    // Written out, a number of single precision loses digits.
    if kind.starts_with("float") { format!("QUOTE({name} + 0e0)") } else { format!("QUOTE({name})") }
}

/// A key column as text that says it exactly.
pub(crate) fn as_text(table: &Table, column: &Name) -> String {
    match table.column(column) {
        Some(c) if types::is_binary(&c.data_type) => format!("HEX({})", quote(column)),
        _ => format!("CAST({} AS CHAR)", quote(column)),
    }
}

/// A parameter of the text of [`as_text`].
pub(crate) fn parameter(table: &Table, column: &Name) -> String {
    match table.column(column) {
        Some(c) if types::is_binary(&c.data_type) => "UNHEX(?)".to_owned(),
        Some(c) if types::range(&c.data_type).is_some() => {
            let sign = if c.data_type.contains("unsigned") { "UNSIGNED" } else { "SIGNED" };
            format!("CAST(? AS {sign})")
        }
        _ => "?".to_owned(),
    }
}
