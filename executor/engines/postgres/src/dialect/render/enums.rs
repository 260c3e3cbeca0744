//! Enumerated types as SQL.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Body, Column, Complaint, DraftCheck, Hazard, HazardCode, ObjectKind, Qualified, Rendered, Schema,
    kind::{RenameValue, Replace},
    plan::CheckSql,
    sql::{TokenKind, tokens},
};

use super::{META, WORK, alone, anew, meta, transaction};
use crate::dialect::{
    casts, inherit,
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
    anew::divides_none(&change.at, before)?;
    let gone: Vec<_> = from.iter().filter(|value| !to.contains(value)).collect();
    if let Some((domain, value)) = named_above(&change.at, &gone, before) {
        return Err(Complaint {
            at: change.at.clone(),
            says: format!("{} cannot lose `{value}` while {domain} names it", change.at),
            help: Some("change the domain in a plan before this one".to_owned()),
        });
    }
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

/// A domain over an enum that names one of some values in its checks or its default.
fn named_above<'a>(at: &Address, values: &[&'a String], schema: &Schema) -> Option<(Address, &'a String)> {
    anew::types_over(at, schema).into_iter().find_map(|(over, object)| {
        let Body::Domain(domain) = &object.body else { return None };
        let texts: BTreeSet<&str> = domain
            .checks
            .values()
            .chain(&domain.default)
            .flat_map(|text| tokens(text.as_str()))
            .filter(|token| token.kind == TokenKind::Text)
            .map(|token| token.text)
            .collect();
        let named = values.iter().find(|value| texts.contains(literal(value).as_str()))?;
        Some((over, *named))
    })
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
/// Whether a type is an enum. A question about its values cannot be asked as long as it is to get one that the question names.
pub(crate) fn is_one(of: &str, schema: &Schema) -> bool {
    let found = inherit::path_of(of).and_then(|at| schema.objects.get(&Address::new(ObjectKind::Enum, &at)));
    found.is_some()
}
