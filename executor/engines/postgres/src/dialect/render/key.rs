//! Keys of tables with rows: the unique index is built beside running clients, then becomes the constraint's own.

use mig_plan::{
    Action, Address, Body, Complaint, Hazard, HazardCode, Rendered, Rule, Schema,
    kind::{AdoptKey, BuildKey},
    table::Deferral,
};

use super::{constraint, index, meta};
use crate::dialect::names::{qualified, quote};

/// The SQL that builds the index of a key.
pub(crate) fn build(change: &BuildKey, before: &Schema) -> Result<Rendered, Complaint> {
    let Body::Index(index) = &change.object.body else { return Err(super::missing(&change.at)) };
    let table = qualified(&index.table);
    let lock = format!("SHARE UPDATE EXCLUSIVE on {table}, while the index is built: readers and writers go on");
    let mut out = meta(vec![], lock);
    out.action = index::built_beside(&change.at, &change.object, index);
    let says = "stops if existing rows have duplicates; the half-built index is removed then";
    out.hazards.push(Hazard::new(HazardCode::UniqueMayFail, &change.at, says));
    let columns = index.parts.iter().filter_map(|part| match &part.what {
        mig_plan::schema::IndexedBy::Column(name) => Some(name.clone()),
        mig_plan::schema::IndexedBy::Expression(_) => None,
    });
    let key = mig_plan::table::Key {
        columns: columns.collect(),
        include: index.include.clone(),
        nulls_not_distinct: index.nulls_not_distinct,
    };
    let at = Address::constraint(&index.table, &change.key);
    out.checks = constraint::pre_checks(&at, &index.table, &mig_plan::Constraint::new(Rule::Unique(key)), before);
    Ok(out)
}

/// The SQL that takes it back, where the key has not taken it along already.
pub(crate) fn unbuild(change: &BuildKey) -> Action {
    index::dropped_beside(&change.at, &change.object)
}

/// The SQL that makes the index a key's own.
pub(crate) fn adopt(change: &AdoptKey) -> Rendered {
    let table = qualified(&change.table);
    let word = if matches!(change.constraint.rule, Rule::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" };
    let deferral = match change.constraint.deferral {
        Deferral::NotDeferrable => "",
        Deferral::InitiallyImmediate => " DEFERRABLE",
        Deferral::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    };
    let (name, index) = (quote(&change.name), quote(change.index.name()));
    let mut sql = vec![format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {index}{deferral}")];
    if let Some(text) = &change.constraint.comment {
        let at = Address::constraint(&change.table, &change.name);
        sql.push(super::object::comment(&at, Some(text), None));
    }
    meta(sql, format!("ACCESS EXCLUSIVE on {table}, an instant: the index is there already"))
}
