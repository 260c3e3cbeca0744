//! Enumerated types as SQL.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Qualified, Rendered, Schema, kind::Replace,
};

use super::{META, WORK, alone, meta, transaction};
use crate::dialect::{
    grants,
    names::{generated, literal, qualified, quote},
};

/// `CREATE TYPE ... AS ENUM`.
pub(crate) fn create_sql(name: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|v| literal(v)).collect();
    format!("CREATE TYPE {name} AS ENUM ({})", values.join(", "))
}

/// The values that `to` adds to `from`, in an order in which each can be added; `None` if more than that changes.
pub(crate) fn added<'a>(from: &[String], to: &'a [String]) -> Option<Vec<&'a String>> {
    let kept: Vec<_> = to.iter().filter(|v| from.contains(v)).collect();
    (kept.len() == from.len() && kept.iter().zip(from).all(|(a, b)| *a == b))
        .then(|| to.iter().filter(|v| !from.contains(v)).collect())
}

/// The SQL of a changed enum: one value is added in place; anything else makes the type anew.
pub(crate) fn replace(
    change: &Replace,
    from: &[String],
    to: &[String],
    before: &Schema,
) -> Result<Rendered, Complaint> {
    let name = qualified(&change.at.qualified());
    match added(from, to).as_deref() {
        Some([]) => {
            let text = super::object::comment(&change.at, change.to.comment.as_deref(), None);
            Ok(meta(vec![text], "nothing that clients wait for".to_owned()))
        }
        Some([one]) => {
            let mut out = meta(vec![], format!("a short lock on type {name}; no table is touched"));
            out.action = add_value(&name, one, to);
            let says = format!(
                "running clients may read `{one}` and not know it; it cannot be removed without rewriting the type"
            );
            out.hazards.push(Hazard::new(HazardCode::AddsEnumValue, &change.at, says));
            Ok(out)
        }
        _ => Ok(rewrite(change, to, before)),
    }
}

fn add_value(name: &str, value: &str, all: &[String]) -> Action {
    let at = all.iter().position(|v| v == value).unwrap_or_default();
    let place = match (at.checked_sub(1).and_then(|i| all.get(i)), all.get(at + 1)) {
        (_, None) => String::new(),
        (Some(left), _) => format!(" AFTER {}", literal(left)),
        (None, Some(right)) => format!(" BEFORE {}", literal(right)),
    };
    alone(&format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {}{place}", literal(value)), META)
}

fn rewrite(change: &Replace, to: &[String], before: &Schema) -> Rendered {
    let users = columns_of(&change.at.qualified(), before);
    let tables: Vec<_> = users.iter().map(|(table, _)| qualified(table)).collect();
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {}, while every row is written", listed(&tables)));
    let mut sql = rewrite_sql(&change.at, to, before);
    sql.extend(grants::sql(&change.at, &BTreeSet::new(), &change.to.grants));
    out.action = transaction(sql, WORK);
    let says =
        format!("{} columns are written anew under exclusive locks; a row with a removed value stops it", users.len());
    out.hazards.push(Hazard::new(HazardCode::RewritesEnum, &change.at, says));
    out
}

fn listed(tables: &[String]) -> String {
    if tables.is_empty() { "no table".to_owned() } else { tables.join(", ") }
}

/// The statements that make an enum anew with other values, and put every column of it on the new one.
pub(crate) fn rewrite_sql(at: &Address, to: &[String], before: &Schema) -> Vec<String> {
    let name = qualified(&at.qualified());
    let old = generated("_mig_old_", at, at.name().as_str());
    let mut sql = vec![format!("ALTER TYPE {name} RENAME TO {}", quote(&old)), create_sql(&name, to)];
    for (table, column) in columns_of(&at.qualified(), before) {
        let alter = format!("ALTER TABLE {} ALTER COLUMN {}", qualified(&table), quote(&column.name));
        let array = if column.data_type.ends_with("[]") { "[]" } else { "" };
        let default = match &column.value {
            ColumnValue::Default(value) => Some(value),
            _ => None,
        };
        sql.extend(default.map(|_| format!("{alter} DROP DEFAULT")));
        let value = quote(&column.name);
        sql.push(format!("{alter} TYPE {name}{array} USING {value}::text{array}::{name}{array}"));
        sql.extend(default.map(|value| format!("{alter} SET DEFAULT {value}")));
    }
    sql.push(format!("DROP TYPE {}", qualified(&at.qualified().sibling(old))));
    sql
}

/// The columns of an enum type, arrays included.
fn columns_of<'a>(at: &Qualified, schema: &'a Schema) -> Vec<(Qualified, &'a Column)> {
    let name = qualified(at);
    let own = |c: &&Column| c.data_type == name || c.data_type.strip_suffix("[]") == Some(&name);
    let tables = schema.tables().filter(|(_, t)| !t.options.contains_key("partition_of"));
    tables.flat_map(|(table, t)| t.columns.iter().filter(own).map(move |c| (table.clone(), c))).collect()
}
