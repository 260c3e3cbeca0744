//! Renames as SQL, and changes of a table's own settings.

use mig_plan::{
    Complaint, Hazard, HazardCode, ObjectKind, Rendered, Table,
    kind::{Rename, RenameMember, Replace},
};

use super::{
    meta,
    object::noun,
    table::{parameter, replica_identity},
};
use crate::dialect::names::{qualified, quote, quote_text};

/// The SQL that renames an object.
pub(crate) fn object(change: &Rename) -> Rendered {
    let from = change.from.qualified();
    let mut sql = Vec::new();
    if change.from.name() != change.to.name() {
        sql.push(format!("ALTER {} RENAME TO {}", noun(&change.from), quote(change.to.name())));
    }
    let to = change.to.qualified();
    if let (Some(schema), true) = (&to.schema, from.schema != to.schema) {
        let word = noun(&change.from).replace(&qualified(&from), &qualified(&from.sibling(to.name.clone())));
        sql.push(format!("ALTER {word} SET SCHEMA {}", quote(schema)));
    }
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {}, an instant", qualified(&from)));
    let (code, says) = match change.from.kind() {
        ObjectKind::Index => (HazardCode::ExplicitNames, "error messages name the index otherwise from then on"),
        _ => (HazardCode::RenameTable, "clients that use the old name get errors from then on"),
    };
    out.hazards.push(Hazard::new(code, &change.from, says));
    out
}

/// The SQL that renames a part of a relation.
pub(crate) fn member(change: &RenameMember) -> Rendered {
    let of = change.from.relation().map(|r| qualified(&r)).unwrap_or_default();
    let (from, to) = (quote(change.from.name()), quote(&change.to));
    let (sql, code, says) = match change.from.kind() {
        ObjectKind::Column => (
            format!("ALTER TABLE {of} RENAME COLUMN {from} TO {to}"),
            HazardCode::RenameColumn,
            "clients that use the old name get errors from then on",
        ),
        ObjectKind::Constraint => (
            format!("ALTER TABLE {of} RENAME CONSTRAINT {from} TO {to}"),
            HazardCode::ExplicitNames,
            "error messages and ON CONFLICT ON CONSTRAINT name it otherwise from then on",
        ),
        _ => (
            format!("ALTER {} RENAME TO {to}", noun(&change.from)),
            HazardCode::ExplicitNames,
            "it is named otherwise from then on",
        ),
    };
    let mut out = meta(vec![sql], format!("ACCESS EXCLUSIVE on {of}, an instant"));
    out.hazards.push(Hazard::new(code, &change.from, says));
    out
}

/// The statements that change a table's own settings. Columns and constraints have own changes.
pub(crate) fn table_options(change: &Replace, from: &Table, to: &Table) -> Result<Vec<String>, Complaint> {
    let name = qualified(&change.at.qualified());
    let alter = |what: String| format!("ALTER TABLE {name} {what}");
    let mut sql = Vec::new();
    let keys = from.options.keys().chain(to.options.keys().filter(|key| !from.options.contains_key(*key)));
    for key in keys {
        let (old, new) = (from.options.get(key), to.options.get(key));
        if old == new {
            continue;
        }
        match (key.as_str(), new) {
            ("unlogged", value) => {
                sql.push(alter(format!("SET {}", if value.is_some() { "UNLOGGED" } else { "LOGGED" })))
            }
            ("tablespace", value) => {
                sql.push(alter(format!("SET TABLESPACE {}", quote_text(value.map_or("pg_default", String::as_str)))));
            }
            ("access_method", value) => {
                sql.push(alter(format!("SET ACCESS METHOD {}", quote_text(value.map_or("heap", String::as_str)))));
            }
            ("replica_identity", value) => {
                let setting = value.map_or("default", String::as_str);
                sql.push(alter(format!("REPLICA IDENTITY {}", replica_identity(setting))));
            }
            ("row_security", value) => {
                sql.extend(row_security(old.map(String::as_str), value.map(String::as_str)).into_iter().map(alter))
            }
            (parameter_key, value) if parameter_key.starts_with("with.") => {
                let short = &parameter_key["with.".len()..];
                sql.push(alter(match value {
                    Some(value) => format!("SET ({short} = {})", parameter(value)),
                    None => format!("RESET ({short})"),
                }));
            }
            (other, _) => {
                return Err(Complaint {
                    at: change.at.clone(),
                    says: format!("PostgreSQL cannot change `{other}` of a table in place"),
                    help: Some("make a new table and move the rows".to_owned()),
                });
            }
        }
    }
    if change.from.comment != change.to.comment {
        sql.push(super::object::comment(&change.at, change.to.comment.as_deref(), None));
    }
    Ok(sql)
}

/// From one setting of row security to another: none, enabled, forced.
fn row_security(from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let mut sql = Vec::new();
    match (from.is_some(), to.is_some()) {
        (false, true) => sql.push("ENABLE ROW LEVEL SECURITY".to_owned()),
        (true, false) => sql.push("DISABLE ROW LEVEL SECURITY".to_owned()),
        _ => {}
    }
    match (from == Some("forced"), to == Some("forced")) {
        (false, true) => sql.push("FORCE ROW LEVEL SECURITY".to_owned()),
        (true, false) => sql.push("NO FORCE ROW LEVEL SECURITY".to_owned()),
        _ => {}
    }
    sql
}
