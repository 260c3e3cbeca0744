//! Defaults and computed columns over code that goes, or is made anew, while they stay: they let go of the old before, and take hold of
//! what comes in its place after.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Column, ColumnValue, Dialect, Group, Kind, Object, ObjectKind, Schema, Table, kind::AlterColumn,
};

use crate::order::is_type;

/// The code and the like that goes, even if it comes again.
pub(super) fn gone(groups: &[Group], dialect: &dyn Dialect) -> BTreeSet<Address> {
    let goes = |change: &Kind| match change {
        Kind::Drop(k) => is_code(&k.at),
        Kind::Replace(k) => is_code(&k.at) && dialect.disturbs(change).contains(&k.at),
        _ => false,
    };
    groups.iter().flat_map(|g| &g.changes).filter(|change| goes(change)).map(Kind::address).collect()
}

/// The code that goes and comes again with a type that is made anew.
pub(super) fn shaken(
    groups: &[Group],
    live: &Schema,
    depends: &BTreeMap<Address, BTreeSet<Address>>,
    dialect: &dyn Dialect,
) -> BTreeSet<Address> {
    let disturbed = groups.iter().flat_map(|g| &g.changes).flat_map(|change| dialect.disturbs(change));
    let mut found: BTreeSet<Address> = disturbed.filter(is_type).collect();
    found.extend(super::types_over(groups, depends, dialect));
    loop {
        let next = |(at, needs): &(&Address, &BTreeSet<Address>)| {
            is_code(at) && live.contains(at) && !found.contains(*at) && !needs.is_disjoint(&found)
        };
        let next: Vec<Address> = depends.iter().filter(next).map(|(at, _)| at.clone()).collect();
        if next.is_empty() {
            break;
        }
        found.extend(next);
    }
    found.retain(|at| !is_type(at));
    found
}

fn is_code(at: &Address) -> bool {
    matches!(at.kind(), ObjectKind::Function | ObjectKind::Aggregate | ObjectKind::Other)
}

/// Lets columns go of what is gone for as long as it is, where they need it or its successor again. Gives what they let go of.
pub(super) fn values(
    groups: &mut Vec<Group>,
    (live, goal): (&Schema, &Schema),
    depends: &BTreeMap<Address, BTreeSet<Address>>,
    gone: &BTreeSet<Address>,
    dialect: &dyn Dialect,
) -> BTreeSet<Address> {
    let mut let_go = BTreeSet::new();
    if gone.is_empty() {
        return let_go;
    }
    let columns = depends.iter().filter(|(at, needs)| at.kind() == ObjectKind::Column && !needs.is_disjoint(gone));
    for (at, needs) in columns {
        let (Some(was), Some(is)) = (live.column(at), goal.column(at)) else { continue };
        let Some(table) = at.relation().filter(|_| !was.value.is_plain() && !is.value.is_plain()) else { continue };
        let of: Vec<&Address> = needs.intersection(gone).collect();
        let alone = Object::new(Body::Table(Table { columns: vec![is.clone()], ..Table::default() }));
        let wanted = dialect.references(&Address::table(&table), &alone, goal);
        let succeeds = |need: &Address| of.iter().any(|old| *old == need || old.path() == need.path());
        if !wanted.iter().any(succeeds) {
            continue;
        }
        let group = super::group_of(groups, &Address::table(&table));
        if hold(group, was) {
            let_go.extend(of.into_iter().cloned());
        }
    }
    let_go
}

/// Lets columns go of a default that changes while their type is made anew: the old one may be no value of the new type, and the new one
/// none of the old.
pub(super) fn defaults(groups: &mut [Group], columns: &[Address]) {
    for at in columns {
        let Some(table) = at.relation() else { continue };
        let Some(group) = groups.iter_mut().find(|group| group.at == Address::table(&table)) else { continue };
        let other = group.changes.iter().find_map(|change| match change {
            Kind::AlterColumn(k) if k.from.name == *at.name() && k.from.data_type == k.to.data_type => Some(k),
            _ => None,
        });
        let default = |column: &Column| matches!(column.value, ColumnValue::Default(_));
        let other = other.filter(|k| default(&k.from) && default(&k.to) && k.from.value != k.to.value);
        if let Some(was) = other.map(|k| k.from.clone()) {
            hold(group, &was);
        }
    }
}

/// Takes the value from a column first, and gives it back last; `false` where it has none in between anyway.
fn hold(group: &mut Group, column: &Column) -> bool {
    let own = |change: &Kind| matches!(change, Kind::AlterColumn(k) if k.from.name == column.name);
    let goes = |change: &Kind| matches!(change, Kind::DropColumn(k) if k.column.name == column.name);
    if group.changes.iter().any(goes) || group.changes.iter().filter(|change| own(change)).count() > 1 {
        return false;
    }
    let found = group.changes.iter().position(own).map(|i| group.changes.remove(i));
    let to = match found {
        Some(Kind::AlterColumn(k)) => k.to,
        _ => column.clone(),
    };
    let computed = matches!(column.value, ColumnValue::Generated { .. });
    // What clients do not notice changes early, while the value is still there.
    let held = Column {
        value: ColumnValue::Plain,
        not_null: column.not_null && to.not_null && !computed,
        options: to.options.clone(),
        comment: to.comment.clone(),
        ..column.clone()
    };
    let table = group.at.qualified();
    let first = AlterColumn { table: table.clone(), from: column.clone(), to: held.clone(), using: None };
    group.changes.insert(0, first.into());
    group.changes.push(AlterColumn { table, from: held, to, using: None }.into());
    true
}
