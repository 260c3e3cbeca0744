//! What PostgreSQL refuses to change while views, rules, policies or triggers are built on it.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{Address, Body, Kind, Object, ObjectKind};

use super::{
    inherit,
    recipe::column,
    render::{enums, object, view},
};

/// The addresses that a change disturbs.
pub(crate) fn of(change: &Kind, version: u32) -> BTreeSet<Address> {
    let at = change.address();
    let disturbed = match change {
        Kind::AlterColumn(k) => {
            k.from.data_type != k.to.data_type || k.from.collation != k.to.collation || column::remade(k, version)
        }
        Kind::DropColumn(k) => !k.column.data_type.is_empty(),
        // Views that group rows by a key stand on it.
        Kind::DropConstraint(k) => k.constraint.key().is_some(),
        Kind::Release(k) => k.drop.constraint.key().is_some(),
        Kind::Leave(k) => {
            return k.kept.columns.iter().map(|c| Address::column(&k.kept.table, &c.name)).collect();
        }
        Kind::Exchange(k) => {
            let columns = k.twins.pairs.iter();
            return columns.map(|pair| Address::column(&k.twins.table, &pair.column)).collect();
        }
        Kind::Settle(k) => {
            let columns = k.twins.pairs.iter();
            return columns.map(|pair| Address::column(&k.twins.table, &pair.column)).collect();
        }
        Kind::Regroup(k) => {
            let tables = |set: &std::collections::BTreeMap<Address, Arc<Object>>| match set.get(&at).map(|o| &o.body) {
                Some(Body::Table(table)) => inherit::parents(table),
                _ => Vec::new(),
            };
            if tables(&k.from) == tables(&k.to) {
                return k.from.iter().flat_map(|(at, object)| with_columns(at, object)).collect();
            }
            false
        }
        Kind::AdoptType(_) => true,
        Kind::Drop(_) => at.kind() != ObjectKind::Index,
        Kind::Replace(k) => match (&k.from.body, &k.to.body) {
            (Body::View(from), Body::View(to)) => !view::changes_in_place(from, to),
            (Body::Enum { values: from }, Body::Enum { values: to }) => enums::added(from, to).is_none(),
            (Body::Domain(from), Body::Domain(to)) => from.base != to.base || from.collation != to.collation,
            (Body::Source(from), Body::Source(to)) => !object::replaces_in_place(k, from, to),
            _ => false,
        },
        _ => false,
    };
    disturbed.then_some(at).into_iter().collect()
}

/// A table with its columns.
fn with_columns(at: &Address, object: &Object) -> BTreeSet<Address> {
    let Body::Table(table) = &object.body else { return BTreeSet::new() };
    let of = at.qualified();
    let columns = table.columns.iter().map(|c| Address::column(&of, &c.name));
    [at.clone()].into_iter().chain(columns).collect()
}
