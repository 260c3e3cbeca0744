//! Enumerated types as SQL.

use mig_plan::{
    Action, Address, Column, Complaint, DraftCheck, Hazard, HazardCode, Qualified, Rendered, Schema,
    kind::{RenameValue, Replace},
    plan::CheckSql,
};

use super::{META, WORK, alone, anew, meta, transaction};
use crate::dialect::{
    casts,
    names::{literal, qualified, quote},
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
        _ => rewrite(change, from, to, before),
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

fn rewrite(change: &Replace, from: &[String], to: &[String], before: &Schema) -> Result<Rendered, Complaint> {
    let users = anew::columns_of(&change.at.qualified(), before);
    let tables: Vec<_> = users.iter().map(|(table, _)| qualified(table)).collect();
    let mut out = meta(vec![], format!("ACCESS EXCLUSIVE on {}, while every row is written", listed(&tables)));
    let through_text =
        |column: &Column, value: &str, array: &str| Ok(format!("{value}::text{array}::{}", column.data_type));
    out.action = transaction(anew::sql(&change.at, &change.to, before, &through_text)?, WORK);
    let says =
        format!("{} columns are written anew under exclusive locks; a row with a removed value stops it", users.len());
    out.hazards.push(Hazard::new(HazardCode::RewritesEnum, &change.at, says));
    if from.iter().any(|value| !to.contains(value)) {
        out.checks.extend(users.iter().map(|(table, column)| no_removed_value(table, column, to)));
    }
    Ok(out)
}

/// The question whether a row still has a value that goes.
fn no_removed_value(table: &Qualified, column: &Column, to: &[String]) -> DraftCheck {
    let (name, quoted) = (qualified(table), quote(&column.name));
    let wrong = casts::no_label(&quoted, column.data_type.ends_with("[]"), to);
    DraftCheck {
        at: Address::column(table, &column.name),
        says: format!("no row of {table} has a value in {} that is removed", column.name),
        help: vec![
            format!("give these rows another value: set.{} in a transform of {table}", column.name),
            "change or delete them".to_owned(),
            "keep the value in the enum".to_owned(),
        ],
        count: CheckSql::new(format!("SELECT count(*) FROM {name} WHERE {wrong}")),
        sample: Some(CheckSql::new(format!("SELECT DISTINCT {quoted}::text FROM {name} WHERE {wrong} LIMIT 5"))),
        stops: true,
    }
}

/// The SQL that renames a value.
pub(crate) fn rename(change: &RenameValue) -> Rendered {
    let name = qualified(&change.at.qualified());
    let (from, to) = (literal(&change.from), literal(&change.to));
    let sql = format!("ALTER TYPE {name} RENAME VALUE {from} TO {to}");
    let mut out = meta(vec![sql], format!("a short lock on type {name}; no table is touched"));
    let says = format!("clients that write or compare {from} get errors from then on, and read {to}");
    out.hazards.push(Hazard::new(HazardCode::RenameValue, &change.at, says));
    out
}

fn listed(tables: &[String]) -> String {
    if tables.is_empty() { "no table".to_owned() } else { tables.join(", ") }
}
