//! Tables as SQL: `CREATE TABLE` and what belongs to it.

use std::collections::BTreeMap;

use mig_plan::{
    Column, ColumnValue, Complaint, Name, Object, Qualified, Schema, Table,
    address::{Address, ObjectKind},
    kind::AlterColumn,
    split_path,
};

use super::{constraint, object::comment};
use crate::dialect::{
    inherit,
    names::{literal, qualified, quote, quote_text},
};

/// The statements that make a table with its columns, constraints, settings and comments.
pub(crate) fn create(
    at: &Qualified,
    table: &Table,
    object: &Object,
    around: &Schema,
) -> Result<Vec<String>, Complaint> {
    let name = qualified(at);
    let kind = if table.options.contains_key("unlogged") { "CREATE UNLOGGED TABLE" } else { "CREATE TABLE" };
    let mut sql = vec![format!("{kind} {name} {}{}", body(table), tail(table))];
    for own in &table.columns {
        if let Some(above) = inherit::above(around, at, &own.name) {
            let (from, to) = (inherit::passed_on(&above), inherit::merged(&above, own));
            sql.extend(super::column::alter_sql(&AlterColumn { table: at.clone(), from, to, using: None }, around)?);
        }
    }
    sql.extend(after_create(&name, table));
    for above in inherit::ancestors(around, at) {
        let constraints = around.table(&above).into_iter().flat_map(|t| t.constraints.keys().cloned());
        let indexes = around.indexes_of(&above).map(|(at, _)| at.name().clone());
        for of in constraints.chain(indexes) {
            let said = table.options.get(&format!("{}{of}", inherit::NAME_OF));
            if let Some(name) = said.and_then(|name| Name::new(name.as_str()).ok()) {
                sql.push(super::regroup::share_named(at, &above.sibling(of), &name));
            }
        }
    }
    sql.extend(comments(at, table, object));
    Ok(sql)
}

/// What stands between the name and the settings: the list of columns, or the parent and the bound.
fn body(table: &Table) -> String {
    if let (Some(parent), Some(bound)) = (table.options.get("partition_of"), table.options.get("bound")) {
        let items = constraint_items(table);
        let list = if items.is_empty() { String::new() } else { format!(" (\n    {}\n)", items.join(",\n    ")) };
        return format!("PARTITION OF {}{list} {bound}", path(parent));
    }
    let typed = table.options.get("of_type");
    let columns = table.columns.iter().filter(|c| !c.data_type.is_empty());
    let mut items: Vec<String> = match typed {
        Some(_) => columns.filter_map(own_options).collect(),
        None => columns.map(definition).collect(),
    };
    items.extend(constraint_items(table));
    match (typed, items.is_empty()) {
        (Some(of), true) => format!("OF {}", path(of)),
        (Some(of), false) => format!("OF {} (\n    {}\n)", path(of), items.join(",\n    ")),
        (None, true) => "()".to_owned(),
        (None, false) => format!("(\n    {}\n)", items.join(",\n    ")),
    }
}

/// What a table of a type says of a column beyond its type.
fn own_options(column: &Column) -> Option<String> {
    let own = column.not_null || !column.value.is_plain();
    let data_type = "WITH OPTIONS".to_owned();
    own.then(|| definition(&Column { data_type, collation: None, ..column.clone() }))
}

fn constraint_items(table: &Table) -> Vec<String> {
    let mut own: Vec<_> = table.constraints.iter().collect();
    own.sort_by_key(|(_, c)| constraint::rank(c));
    own.into_iter().map(|(name, c)| format!("CONSTRAINT {} {}", quote(name), constraint::definition(c))).collect()
}

fn tail(table: &Table) -> String {
    let mut out = String::new();
    let option = |key: &str| table.options.get(key);
    if let Some(parents) = option("inherits") {
        let parents: Vec<_> = parents.split(',').map(|p| path(p.trim())).collect();
        out.push_str(&format!("\nINHERITS ({})", parents.join(", ")));
    }
    if let Some(by) = option("partition_by") {
        out.push_str(&format!("\nPARTITION BY {by}"));
    }
    if let Some(method) = option("access_method") {
        out.push_str(&format!("\nUSING {}", quote_text(method)));
    }
    if let Some(with) = parameters(&table.options) {
        out.push_str(&format!("\nWITH ({with})"));
    }
    if let Some(space) = option("tablespace") {
        out.push_str(&format!("\nTABLESPACE {}", quote_text(space)));
    }
    out
}

/// Storage parameters as `a = 1, b = 2`, if there are any.
pub(crate) fn parameters(options: &BTreeMap<String, String>) -> Option<String> {
    let with = options.iter().filter_map(|(key, value)| Some((key.strip_prefix("with.")?, value)));
    let with: Vec<_> = with.map(|(key, value)| format!("{key} = {}", parameter(value))).collect();
    (!with.is_empty()).then(|| with.join(", "))
}

/// A storage parameter's value: bare where it is a number or a word.
pub(crate) fn parameter(value: &str) -> String {
    let plain =
        !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if plain { value.to_owned() } else { literal(value) }
}

/// Settings that `CREATE TABLE` itself cannot give.
fn after_create(name: &str, table: &Table) -> Vec<String> {
    let mut sql = Vec::new();
    for column in table.columns.iter().filter(|c| !c.data_type.is_empty()) {
        sql.extend(column_settings(name, column));
    }
    sql.extend(row_security(name, None, table.options.get("row_security").map(String::as_str)));
    if let Some(identity) = table.options.get("replica_identity") {
        let own = Name::new(identity.as_str()).is_ok_and(|n| table.constraints.contains_key(&n));
        if matches!(identity.as_str(), "full" | "nothing") || own {
            sql.push(format!("ALTER TABLE {name} REPLICA IDENTITY {}", replica_identity(identity)));
        }
    }
    sql.extend(table.options.get("clustered_on").map(|key| clustered_on(name, Some(key))));
    sql
}

/// The statement that says by which key a table is clustered.
pub(crate) fn clustered_on(name: &str, key: Option<&String>) -> String {
    let what = key.map_or_else(|| "SET WITHOUT CLUSTER".to_owned(), |key| format!("CLUSTER ON {}", quote_text(key)));
    format!("ALTER TABLE {name} {what}")
}

/// From one setting of row security to another: none, `enabled`, `forced`, `forced-while-disabled`.
pub(crate) fn row_security(name: &str, from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let alter = |what: &str| format!("ALTER TABLE {name} {what} ROW LEVEL SECURITY");
    let enabled = |level: Option<&str>| matches!(level, Some("enabled" | "forced"));
    let forced = |level: Option<&str>| matches!(level, Some("forced" | "forced-while-disabled"));
    let switch = |was: bool, is: bool, on: &str, off: &str| (was != is).then(|| alter(if is { on } else { off }));
    let enable = switch(enabled(from), enabled(to), "ENABLE", "DISABLE");
    let force = switch(forced(from), forced(to), "FORCE", "NO FORCE");
    enable.into_iter().chain(force).collect()
}

/// The words after `REPLICA IDENTITY`.
pub(crate) fn replica_identity(setting: &str) -> String {
    match setting {
        "full" | "nothing" | "default" => setting.to_uppercase(),
        index => format!("USING INDEX {}", quote_text(index)),
    }
}

/// Storage, compression, statistics and other settings of a column.
pub(crate) fn column_settings(table: &str, column: &Column) -> Vec<String> {
    let at = format!("ALTER TABLE {table} ALTER COLUMN {}", quote(&column.name));
    let setting = |(key, value): (&String, &String)| match key.as_str() {
        "storage" => Some(format!("{at} SET STORAGE {}", value.to_uppercase())),
        "compression" => Some(format!("{at} SET COMPRESSION {value}")),
        "statistics" => Some(format!("{at} SET STATISTICS {value}")),
        other => other.strip_prefix("option.").map(|name| format!("{at} SET ({name} = {})", parameter(value))),
    };
    column.options.iter().filter_map(setting).collect()
}

fn comments(at: &Qualified, table: &Table, object: &Object) -> Vec<String> {
    let own = object.comment.iter().map(|text| comment(&Address::table(at), Some(text), None));
    let columns = table
        .columns
        .iter()
        .filter_map(|c| Some(comment(&Address::column(at, &c.name), Some(c.comment.as_ref()?), None)));
    let constraints = table.constraints.iter();
    let constraints = constraints.filter_map(|(name, c)| {
        Some(comment(&Address::member(ObjectKind::Constraint, at, name.clone()), Some(c.comment.as_ref()?), None))
    });
    own.chain(columns).chain(constraints).collect()
}

/// A column as `CREATE TABLE` and `ADD COLUMN` write it.
pub(crate) fn definition(column: &Column) -> String {
    let mut out = format!("{} {}", quote(&column.name), column.data_type);
    if let Some(collation) = &column.collation {
        out.push_str(&format!(" COLLATE {collation}"));
    }
    match &column.value {
        ColumnValue::Plain => {}
        ColumnValue::Default(value) => out.push_str(&format!(" DEFAULT {value}")),
        ColumnValue::Identity { always, sequence } => {
            out.push_str(&format!(" GENERATED {} AS IDENTITY", identity_word(*always)));
            let numbers = super::sequence::options(sequence);
            if !numbers.is_empty() {
                out.push_str(&format!(" ({})", numbers.join(" ")));
            }
        }
        ColumnValue::Generated { expression, stored } => {
            let kind = if *stored { "STORED" } else { "VIRTUAL" };
            out.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kind}"));
        }
    }
    if column.not_null {
        out.push_str(" NOT NULL");
    }
    out
}

/// `ALWAYS` or `BY DEFAULT`.
pub(crate) fn identity_word(always: bool) -> &'static str {
    if always { "ALWAYS" } else { "BY DEFAULT" }
}

/// A dotted path from an option as SQL.
pub(crate) fn path(dotted: &str) -> String {
    match split_path(dotted) {
        Ok(parts) => parts.iter().map(quote).collect::<Vec<_>>().join("."),
        Err(_) => dotted.to_owned(),
    }
}
