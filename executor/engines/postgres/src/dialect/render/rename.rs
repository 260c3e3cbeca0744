//! Renames as SQL, and changes of a table's own settings.

use mig_plan::{
    ObjectKind, Rendered,
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
    if change.from.kind() == ObjectKind::Index {
        out.lock = "SHARE UPDATE EXCLUSIVE on the index, an instant: readers and writers go on".to_owned();
    }
    out
}

/// The SQL that renames a part of a relation.
pub(crate) fn member(change: &RenameMember) -> Rendered {
    let of = change.from.relation().map(|r| qualified(&r)).unwrap_or_default();
    let (from, to) = (quote(change.from.name()), quote(&change.to));
    let sql = match change.from.kind() {
        ObjectKind::Column => format!("ALTER TABLE {of} RENAME COLUMN {from} TO {to}"),
        ObjectKind::Constraint => format!("ALTER TABLE {of} RENAME CONSTRAINT {from} TO {to}"),
        _ => format!("ALTER {} RENAME TO {to}", noun(&change.from)),
    };
    meta(vec![sql], format!("ACCESS EXCLUSIVE on {of}, an instant"))
}
