//! Writes definitions as SQL.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Name, Object, ObjectKind, Past, Qualified, Rule, Schema, Sql, Table,
    schema::{Index, IndexPart, IndexedBy, View},
    sql::TokenKind,
    table::{Column, ColumnValue, Constraint, Deferral, ForeignKey, Key},
    verify::Literal,
};

use super::{ddl, lex, names, shape};
use crate::dialect::names::{list, quote};

/// A query over tables as they were; only a name with its database means the table itself then.
pub(crate) fn over_past(sql: &str, past: &[Past], live: &Schema) -> Option<String> {
    let asks = lex::tokens(sql).iter().all(|t| t.identifier().is_none_or(|word| !word.starts_with("pragma_")));
    let table = |past: &Past| {
        let base = live.table(&past.base)?;
        let word = shape::rowid_word(base).filter(|word| past.columns.iter().all(|(name, _)| !is_word(name, word)));
        let rowid = word.map(|word| format!("{word} AS {word}, ")).unwrap_or_default();
        let (now, was) = (quote(&past.table.name), quote(&past.base.name));
        Some(format!("{now} AS (SELECT {rowid}{} FROM main.{was})", past.columns(quote)))
    };
    let tables = past.iter().map(table).collect::<Option<Vec<_>>>()?;
    asks.then(|| format!("WITH {}\n{sql}", tables.join(", ")))
}

fn is_word(name: &Name, word: &str) -> bool {
    name.as_str().eq_ignore_ascii_case(word)
}

/// Values exchanged for others, compared as texts.
pub(crate) fn mapped(value: &str, pairs: &[(String, Literal)]) -> Sql {
    let arms: Vec<_> =
        pairs.iter().map(|(from, to)| format!("WHEN {} THEN {}", names::literal(from), constant(to))).collect();
    Sql::new(format!("CASE CAST({value} AS TEXT) {} ELSE {value} END", arms.join(" ")))
}

/// A value as SQL.
pub(crate) fn constant(value: &Literal) -> String {
    match value {
        Literal::Text(text) => names::literal(text),
        Literal::Number(digits) => digits.replace('_', ""),
        Literal::Truth(truth) => u8::from(*truth).to_string(),
    }
}

/// The CREATE TABLE of a table.
///
/// A constraint whose name is the one that SQLite's text would be read with anyway is written without it, as a person would.
pub(crate) fn create_table(at: &Qualified, table: &Table) -> String {
    let unnamed = unnamed(at, table);
    let named = |name: &Name| {
        if unnamed.contains(name) { String::new() } else { format!("CONSTRAINT {} ", quote(name)) }
    };
    let inline = inline_key(table);
    let mut lines = Vec::new();
    for column in &table.columns {
        let key = inline.filter(|(_, _, key)| key.columns[0] == column.name);
        let key = key.map(|(name, constraint, _)| format!("{}{}", named(name), inline_primary_key(column, constraint)));
        lines.push(column_definition(table, column, key.as_deref()));
    }
    for (name, constraint) in &table.constraints {
        if inline.is_none_or(|(key, _, _)| key != name) {
            lines.push(format!("{}{}", named(name), constraint_definition(constraint)));
        }
    }
    let mut options = Vec::new();
    if shape::is_strict(table) {
        options.push("STRICT");
    }
    if shape::is_without_rowid(table) {
        options.push("WITHOUT ROWID");
    }
    let options = if options.is_empty() { String::new() } else { format!(" {}", options.join(", ")) };
    format!("CREATE TABLE {} (\n  {}\n){options}", quote(&at.name), lines.join(",\n  "))
}

/// The constraints whose names reading the text back gives without their being written.
fn unnamed(at: &Qualified, table: &Table) -> BTreeSet<Name> {
    let mut taken = BTreeSet::new();
    let mut unnamed = BTreeSet::new();
    for (name, constraint) in &table.constraints {
        if names::of_constraint(&at.name, constraint, &taken) == *name {
            unnamed.insert(name.clone());
        }
        taken.insert(name.clone());
    }
    unnamed
}

/// A primary key of one column is written at the column: only there can it be AUTOINCREMENT, or an INTEGER that is not the rowid.
fn inline_key(table: &Table) -> Option<(&Name, &Constraint, &Key)> {
    shape::primary_key(table).filter(|(_, constraint, key)| {
        let collated = constraint.options.keys().any(|k| k.starts_with("collate."));
        key.columns.len() == 1 && !collated && table.column(&key.columns[0]).is_some()
    })
}

fn inline_primary_key(column: &Column, constraint: &Constraint) -> String {
    let mut out = "PRIMARY KEY".to_owned();
    if constraint.options.contains_key(&format!("order.{}", column.name.as_str())) {
        out.push_str(" DESC");
    }
    out.push_str(&on_conflict(constraint));
    if constraint.options.contains_key("autoincrement") {
        out.push_str(" AUTOINCREMENT");
    }
    out
}

/// The definition of a column, with its primary key if that stands there.
pub(crate) fn column_definition(table: &Table, column: &Column, key: Option<&str>) -> String {
    let mut out = quote(&column.name);
    let mut push = |text: &str| {
        out.push(' ');
        out.push_str(text);
    };
    if !column.data_type.is_empty() {
        push(&column.data_type);
    }
    if let Some(key) = key {
        push(key);
    }
    let conflict = column.options.get("not_null_on_conflict");
    if shape::says_not_null(table, column) || (column.not_null && conflict.is_some()) {
        push("NOT NULL");
        if let Some(action) = conflict {
            push(&format!("ON CONFLICT {}", action.to_ascii_uppercase()));
        }
    }
    match &column.value {
        ColumnValue::Plain | ColumnValue::Identity { .. } => {}
        ColumnValue::Default(value) => push(&format!("DEFAULT {}", default_value(value))),
        ColumnValue::Generated { expression, stored } => {
            push(&format!("GENERATED ALWAYS AS ({expression}) {}", if *stored { "STORED" } else { "VIRTUAL" }));
        }
    }
    if let Some(collation) = &column.collation {
        push(&format!("COLLATE {}", names::quote_text(collation)));
    }
    out
}

/// A default as DDL takes it: a literal bare, anything else in parentheses.
pub(crate) fn default_value(value: &Sql) -> String {
    if is_literal(value) { value.as_str().to_owned() } else { format!("({value})") }
}

/// Whether a value is a literal, perhaps with a sign, or one of the words for a value.
pub(crate) fn is_literal(value: &Sql) -> bool {
    let tokens = lex::tokens(value.as_str());
    match &tokens[..] {
        [one] => match one.kind {
            TokenKind::Text | TokenKind::Number => true,
            TokenKind::Word => ddl::is_value_word(one.text),
            _ => false,
        },
        [sign, number] => (sign.is_sign("-") || sign.is_sign("+")) && number.kind == TokenKind::Number,
        _ => false,
    }
}

/// Whether a default is the same for every row: what ADD COLUMN takes.
pub(crate) fn is_constant(value: &Sql) -> bool {
    is_literal(value) && !value.as_str().to_ascii_lowercase().starts_with("current_")
}

/// Whether a default is NULL.
pub(crate) fn is_null(value: &Sql) -> bool {
    value.as_str().trim().eq_ignore_ascii_case("null")
}

fn on_conflict(constraint: &Constraint) -> String {
    let action = constraint.options.get("on_conflict");
    action.map_or_else(String::new, |action| format!(" ON CONFLICT {}", action.to_ascii_uppercase()))
}

/// A constraint as it stands in CREATE TABLE, without its name.
pub(crate) fn constraint_definition(constraint: &Constraint) -> String {
    match &constraint.rule {
        Rule::PrimaryKey(key) => format!("PRIMARY KEY ({}){}", key_parts(key, constraint), on_conflict(constraint)),
        Rule::Unique(key) => format!("UNIQUE ({}){}", key_parts(key, constraint), on_conflict(constraint)),
        Rule::Check { expression } => format!("CHECK ({expression})"),
        Rule::ForeignKey(fk) => {
            format!("FOREIGN KEY ({}) {}{}", list(&fk.columns), references(fk), deferral(constraint.deferral))
        }
        Rule::Exclude { definition } => format!("EXCLUDE {definition}"),
    }
}

fn key_parts(key: &Key, constraint: &Constraint) -> String {
    let part = |name: &Name| {
        let collation = constraint.options.get(&format!("collate.{}", name.as_str()));
        let collation = collation.map_or_else(String::new, |c| format!(" COLLATE {}", names::quote_text(c)));
        let descending = constraint.options.contains_key(&format!("order.{}", name.as_str()));
        format!("{}{collation}{}", quote(name), if descending { " DESC" } else { "" })
    };
    key.columns.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// What stands after the columns of a foreign key, without its deferral.
fn references(fk: &ForeignKey) -> String {
    let mut out = format!("REFERENCES {}", quote(&fk.references.name));
    if !fk.referenced.is_empty() {
        out.push_str(&format!(" ({})", list(&fk.referenced)));
    }
    if !fk.on_update.is_default() {
        out.push_str(&format!(" ON UPDATE {}", fk.on_update.sql()));
    }
    if !fk.on_delete.is_default() {
        out.push_str(&format!(" ON DELETE {}", fk.on_delete.sql()));
    }
    if fk.match_full {
        out.push_str(" MATCH FULL");
    }
    out
}

fn deferral(deferral: Deferral) -> &'static str {
    match deferral {
        Deferral::NotDeferrable => "",
        Deferral::InitiallyImmediate => " DEFERRABLE INITIALLY IMMEDIATE",
        Deferral::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    }
}

/// The CREATE INDEX of an index.
pub(crate) fn create_index(name: &Name, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let parts = index.parts.iter().map(index_part).collect::<Vec<_>>().join(", ");
    let predicate = index.predicate.as_ref().map_or_else(String::new, |p| format!(" WHERE {p}"));
    format!("CREATE {unique}INDEX {} ON {} ({parts}){predicate}", quote(name), quote(&index.table.name))
}

fn index_part(part: &IndexPart) -> String {
    let mut out = match &part.what {
        IndexedBy::Column(name) => quote(name),
        IndexedBy::Expression(sql) => sql.as_str().to_owned(),
    };
    if let Some(collation) = &part.collation {
        out.push_str(&format!(" COLLATE {}", names::quote_text(collation)));
    }
    if part.descending {
        out.push_str(" DESC");
    }
    out
}

/// The CREATE VIEW of a view.
pub(crate) fn create_view(name: &Name, view: &View) -> String {
    let columns = if view.columns.is_empty() { String::new() } else { format!(" ({})", list(&view.columns)) };
    format!("CREATE VIEW {}{columns} AS {}", quote(name), view.query)
}

/// The statements that create an object; `None` for what cannot be written.
pub(crate) fn create(at: &Address, object: &Object) -> Option<Vec<String>> {
    Some(match &object.body {
        Body::Table(table) => vec![create_table(&at.qualified(), table)],
        Body::Index(index) => vec![create_index(at.name(), index)],
        Body::View(view) => vec![create_view(at.name(), view)],
        Body::Source(source) => source.create.iter().map(|sql| sql.as_str().to_owned()).collect(),
        _ => return None,
    })
}

/// A value as a literal that means exactly that value. A text may hold bytes that are no UTF-8, which no program gets whole as text, and zero
/// bytes, at which `quote` ends: those, and all else that is not plain ASCII, are said by their bytes.
pub(crate) fn exact(value: &str) -> String {
    format!(
        "CASE WHEN typeof({value}) = 'text' AND ({value} GLOB '*[^' || char(9, 10, 13) || ' -~]*' \
         OR length({value}) <> length(CAST({value} AS BLOB))) \
         THEN 'CAST(X''' || hex({value}) || ''' AS TEXT)' ELSE quote({value}) END"
    )
}

/// The statement that drops an object; `None` for what SQLite cannot drop.
pub(crate) fn drop(at: &Address) -> Option<String> {
    let what = match at.kind() {
        ObjectKind::Table | ObjectKind::VirtualTable => "TABLE",
        ObjectKind::Index => "INDEX",
        ObjectKind::View => "VIEW",
        ObjectKind::Trigger => "TRIGGER",
        _ => return None,
    };
    Some(format!("DROP {what} {}", quote(at.name())))
}
