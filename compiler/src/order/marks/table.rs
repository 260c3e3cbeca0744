//! What steps on tables, their columns and constraints do to addresses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Footmarks, Ground, data::selection_reads, is_type};
use crate::order::needs::{
    code_of, column_lets_go, column_needs, constraint_needs, expression_reads, is_bare, lets_go, members,
};
use mig_plan::{
    Address, Body, Column, ColumnValue, Kind, Name, Object, ObjectKind, Qualified, Schema, Table,
    kind::{AddColumn, AddConstraint, AlterColumn, AlterTable, DropColumn, DropConstraint, Rebuild, Regroup, Shadow},
    table::Rule,
};

pub(super) fn alter_table(alter: &AlterTable, ground: &Ground<'_>, marks: &mut Footmarks) {
    let needs = |options: &BTreeMap<String, String>, schema| {
        let bare = Object::new(Body::Table(Table { options: options.clone(), ..Table::default() }));
        ground.dialect.references(&Address::table(&alter.table), &bare, schema)
    };
    let (needed, needs) = (needs(&alter.from, ground.live), needs(&alter.to, ground.goal));
    let types = |needs: &BTreeSet<Address>| -> BTreeSet<Address> {
        needs.iter().filter(|need| need.kind() == ObjectKind::Type).cloned().collect()
    };
    let (was, is) = (types(&needed), types(&needs));
    // A table of a type has the form of that from the moment in which it joins it to that in which it leaves.
    if let Some(of) = was.difference(&is).next() {
        marks.opens.insert(alter.table.clone());
        marks.lets_go.insert(of.clone());
    }
    if let Some(of) = is.difference(&was).next() {
        marks.closes.insert(alter.table.clone());
        marks.stands_on.insert(of.clone());
    }
    marks.changes.insert(Address::table(&alter.table));
    marks.stands_on.extend(needs);
    marks
        .lets_go
        .extend(needed.into_iter().filter(|at| matches!(at.kind(), ObjectKind::Index | ObjectKind::Constraint)));
}

pub(super) fn add_column(add: &AddColumn, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::column(&add.table, &add.column.name);
    marks.stands_on.extend(column_needs(&add.table, &add.column, ground));
    if ground.live.contains(&at) {
        marks.takes.extend(code_of(&add.table, &add.column, ground, ground.goal));
    }
    marks.stands_on.insert(Address::table(&add.table));
    marks.stands_on.extend(ground.column(&add.table, &add.column.name).into_iter().skip(1));
    marks.makes.insert(at);
}

pub(super) fn alter_column(alter: &AlterColumn, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::column(&alter.table, &alter.from.name);
    let needs = column_needs(&alter.table, &alter.to, ground);
    let mut was = Footmarks::default();
    column_lets_go(&alter.table, &alter.from, ground, &mut was);
    // A type that it stays of is not let go.
    marks.lets_go.extend(was.lets_go.into_iter().filter(|at| !(is_type(at) && needs.contains(at))));
    marks.stands_on.extend(needs);
    if alter.to.value.is_plain() && !alter.from.value.is_plain() {
        marks.frees.extend(code_of(&alter.table, &alter.from, ground, ground.live));
        // A default is a value of the old form of its type, or of the new one.
        marks.frees.extend(type_of(alter, ground));
    } else if alter.from.value.is_plain() && !alter.to.value.is_plain() {
        marks.takes.extend(code_of(&alter.table, &alter.to, ground, ground.goal));
        marks.takes.extend(type_of(alter, ground));
    }
    marks.stands_on.extend(ground.column(&alter.table, &alter.from.name).into_iter().skip(1));
    if alter.from.data_type != alter.to.data_type {
        marks.retypes.insert(at.clone());
    }
    marks.changes.insert(at);
    if let Some(using) = &alter.using {
        expression_reads(&alter.table, using, ground, marks);
    }
}

/// The types that a column stays of.
fn type_of(alter: &AlterColumn, ground: &Ground<'_>) -> BTreeSet<Address> {
    if alter.from.data_type != alter.to.data_type {
        return BTreeSet::new();
    }
    let bare = Column { value: ColumnValue::Plain, ..alter.to.clone() };
    column_needs(&alter.table, &bare, ground).into_iter().filter(is_type).collect()
}

pub(super) fn drop_column(drop: &DropColumn, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::column(&drop.table, &drop.column.name);
    column_lets_go(&drop.table, &drop.column, ground, marks);
    marks.lets_go.extend(ground.column(&drop.table, &drop.column.name).into_iter().skip(1));
    marks.removes.insert(at);
}

pub(super) fn add_constraint(add: &AddConstraint, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::constraint(&add.table, &add.name);
    marks.bare.extend(is_bare(&add.constraint.rule).then(|| at.clone()));
    marks.makes.insert(at);
    constraint_needs(&add.table, &add.constraint.rule, ground, marks);
}

pub(super) fn drop_constraint(drop: &DropConstraint, ground: &Ground<'_>, marks: &mut Footmarks) {
    let at = Address::constraint(&drop.table, &drop.name);
    lets_go(&at, None, ground, marks);
    let mut was = Footmarks::default();
    constraint_needs(&drop.table, &drop.constraint.rule, ground, &mut was);
    marks.lets_go.extend(was.stands_on);
    marks.bare.extend(is_bare(&drop.constraint.rule).then(|| at.clone()));
    marks.removes.insert(at);
}

pub(super) fn rebuild(rebuild: &Rebuild, ground: &Ground<'_>, marks: &mut Footmarks) {
    let table = Address::table(&rebuild.table);
    marks.reads.extend(rebuild.from.columns.iter().map(|c| Address::column(&rebuild.table, &c.name)));
    for column in &rebuild.to.columns {
        let at = Address::column(&rebuild.table, &column.name);
        match rebuild.from.column(&column.name) {
            None => marks.makes.insert(at),
            Some(was) if was != column => {
                if was.data_type != column.data_type {
                    marks.retypes.insert(at.clone());
                }
                marks.changes.insert(at)
            }
            Some(_) => false,
        };
    }
    for column in rebuild.from.columns.iter().filter(|c| rebuild.to.column(&c.name).is_none()) {
        marks.removes.insert(Address::column(&rebuild.table, &column.name));
    }
    for copy in rebuild.copy.iter().filter_map(|c| c.declared.as_ref()) {
        expression_reads(&rebuild.table, copy, ground, marks);
    }
    selection_reads(&rebuild.table, &rebuild.rows, ground, marks);
    marks.lets_go.extend(ground.depends.get(&table).into_iter().flatten().cloned());
    for constraint in rebuild.to.constraints.values() {
        if let Rule::ForeignKey(fk) = &constraint.rule {
            marks.stands_on.insert(Address::table(&fk.references));
        }
    }
    for constraint in rebuild.from.constraints.values() {
        if let Rule::ForeignKey(fk) = &constraint.rule {
            marks.lets_go.insert(Address::table(&fk.references));
            marks.names.insert(Address::table(&fk.references));
            marks.names.extend(fk.referenced.iter().map(|name| Address::column(&fk.references, name)));
        }
    }
    marks.stands_on.remove(&table);
    marks.lets_go.remove(&table);
    marks.changes.insert(table);
}

/// What a table of another form takes the place of changes where the forms differ.
pub(super) fn swap(shadow: &Shadow, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = Address::table(&shadow.table);
    let column = |schema: &Schema, name: &Name| schema.table(&shadow.table)?.column(name).cloned();
    let differs = shadow.columns.iter().filter(|name| column(ground.live, name) != column(ground.goal, name));
    for at in differs.map(|name| Address::column(&shadow.table, name)) {
        lets_go(&at, None, ground, marks);
        marks.changes.insert(at);
    }
    marks.changes.insert(own);
}

pub(super) fn regroup(regroup: &Regroup, ground: &Ground<'_>, marks: &mut Footmarks) {
    let own = Address::table(&regroup.table);
    let parents = |set: &BTreeMap<Address, Arc<mig_plan::Object>>| match set.get(&own).map(|o| &o.body) {
        Some(Body::Table(table)) => ground.dialect.parents(table),
        _ => Vec::new(),
    };
    let (old, new) = (parents(&regroup.from), parents(&regroup.to));
    // A table that leaves its parents needs nothing new, and one that joins some has left the old ones.
    if old == new || !old.is_empty() {
        for (at, object) in &regroup.from {
            marks.lets_go.extend(ground.dialect.references(at, object, ground.live));
        }
    }
    if old == new || !new.is_empty() {
        for (at, object) in &regroup.to {
            marks.stands_on.extend(ground.dialect.references(at, object, ground.goal));
        }
    }
    marks.changes.insert(own.clone());
    if old != new && new.is_empty() {
        marks.opens.extend([regroup.table.clone()].into_iter().chain(ground.above(&regroup.table)));
        return;
    }
    marks.stands_on.extend(regroup.from.keys().filter(|at| **at != own).cloned());
    if old != new {
        marks.closes.extend([regroup.table.clone()].into_iter().chain(ground.above(&regroup.table)));
        return;
    }
    let tables = |set: &BTreeMap<Address, Arc<mig_plan::Object>>| -> BTreeSet<Qualified> {
        set.keys().filter(|at| at.kind() == ObjectKind::Table).map(Address::qualified).collect()
    };
    marks.closes.extend(tables(&regroup.from));
    for (at, object) in regroup.to.iter().filter(|(at, _)| !regroup.from.contains_key(*at)) {
        marks.makes.insert(at.clone());
        members(at, &object.body, &mut marks.makes);
    }
    for (at, object) in regroup.from.iter().filter(|(at, _)| !regroup.to.contains_key(*at)) {
        marks.removes.insert(at.clone());
        members(at, &object.body, &mut marks.removes);
    }
    let passing = |at: &Address| tables(&regroup.to).contains(&at.holder().qualified());
    marks.stands_on.retain(|at| !regroup.to.contains_key(at) && !passing(at) || *at == own);
    marks.stands_on.remove(&own);
    marks.lets_go.retain(|at| !regroup.from.contains_key(&at.holder()));
}

/// The tables whose columns, constraints or indexes a change is about.
pub(super) fn works_on(change: &Kind, ground: &Ground<'_>) -> BTreeSet<Qualified> {
    let index = |at: &Address| {
        [ground.live, ground.goal].iter().find_map(|schema| match schema.objects.get(at).map(|o| &o.body) {
            Some(Body::Index(index)) => Some(index.table.clone()),
            _ => None,
        })
    };
    let of_body = |at: &Address, body: &Body| match body {
        Body::Index(index) => Some(index.table.clone()),
        Body::Table(_) => Some(at.qualified()),
        _ => None,
    };
    match change {
        Kind::Create(k) => of_body(&k.at, &k.object.body).filter(|_| k.at.kind() == ObjectKind::Index),
        Kind::Drop(k) => of_body(&k.at, &k.object.body).filter(|_| k.at.kind() == ObjectKind::Index),
        Kind::Rename(k) if k.to.kind() == ObjectKind::Index => index(&k.to).or_else(|| index(&k.from)),
        Kind::AddColumn(k) => Some(k.table.clone()),
        Kind::AlterColumn(k) => Some(k.table.clone()),
        Kind::DropColumn(k) => Some(k.table.clone()),
        Kind::AddConstraint(k) => Some(k.table.clone()),
        Kind::ValidateConstraint(k) => Some(k.table.clone()),
        Kind::DropConstraint(k) => Some(k.table.clone()),
        Kind::Release(k) => Some(k.drop.table.clone()),
        Kind::AlterTable(k) => Some(k.table.clone()),
        Kind::Backfill(k) => Some(k.table.clone()),
        Kind::Populate(k) => Some(k.table.clone()),
        Kind::Revise(k) => Some(k.table.clone()),
        Kind::Rows(k) => Some(k.table.clone()),
        Kind::Withdraw(k) => Some(k.table.clone()),
        Kind::Regroup(k) => Some(k.table.clone()),
        Kind::BuildKey(k) => of_body(&k.at, &k.object.body),
        Kind::AdoptKey(k) => Some(k.table.clone()),
        Kind::Swap(k) => Some(k.shadow.table.clone()),
        Kind::Sync(k) => Some(k.twins.table.clone()),
        Kind::Exchange(k) => Some(k.twins.table.clone()),
        Kind::Unsync(k) => Some(k.twins.table.clone()),
        Kind::Settle(k) => Some(k.twins.table.clone()),
        Kind::Serve(k) => Some(k.twins.table.clone()),
        Kind::Tie(k) => Some(k.tied.table.clone()),
        Kind::RenameMember(k) if matches!(k.from.kind(), ObjectKind::Column | ObjectKind::Constraint) => {
            k.from.relation()
        }
        _ => None,
    }
    .into_iter()
    .collect()
}
