//! Renames as SQL, and changes of a table's own settings.

use mig_plan::{
    Hazard, HazardCode, ObjectKind, Rendered,
    kind::{Rename, RenameMember},
};

use super::{meta, object::noun};
use crate::dialect::names::{qualified, quote};

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
