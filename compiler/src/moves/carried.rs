//! What one rename takes along: other addresses, the texts of what stands on it, tables under it, names made from what they name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Dialect, Kind, Name, Object, ObjectKind, Qualified, Schema,
    kind::{Rename, RenameMember, rename_in_texts},
    renaming::Renaming,
};

use super::Renames;
use crate::outputs;

/// One rename: from an address to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) from: &'a Address,
    pub(super) to: &'a Address,
}

impl Renames {
    /// What has another address then, and what the texts of dependants become: the server renames in what it keeps parsed, never in
    /// the bodies of routines that are strings to it.
    pub(super) fn carried(
        &self,
        m: Step<'_>,
        renaming: &Renaming<'_>,
        dialect: &dyn Dialect,
    ) -> (BTreeMap<Address, Address>, BTreeMap<Address, Arc<Object>>) {
        let mut plain = self.schema.clone();
        let alone = bare(m, BTreeMap::new(), BTreeMap::new());
        if plain.apply(&alone).is_err() || m.from.kind() == ObjectKind::Constraint {
            return Default::default();
        }
        let mut moves: BTreeMap<Address, Address> = BTreeMap::new();
        if !m.from.is_member() {
            let named = plain.objects.keys().filter(|at| *at != m.to);
            moves = named.filter_map(|at| Some((at.clone(), renaming.address(at)?))).collect();
        }
        moves.extend(taken_along(m, &plain));
        for (from, to) in &moves {
            let object = plain.objects.remove(from);
            plain.objects.extend(object.map(|object| (to.clone(), object)));
        }
        let family = family(&mut plain, m, dialect);
        let mut holders: BTreeSet<Address> = self
            .depends
            .iter()
            .filter(|(_, needs)| needs.contains(m.from) || needs.iter().any(|n| n.holder() == *m.from))
            .map(|(at, _)| readdressed(&at.holder(), m, &moves))
            .collect();
        holders.insert(readdressed(&m.from.holder(), m, &moves));
        holders.extend(moves.values().cloned());
        if m.from.kind() == ObjectKind::Namespace {
            holders.extend(plain.objects.keys().cloned());
        }
        let mut carries: BTreeMap<Address, Arc<Object>> =
            family.into_iter().filter_map(|at| Some((at.clone(), plain.objects.get(&at)?.clone()))).collect();
        for at in holders {
            let Some(object) = plain.objects.get(&at) else { continue };
            let mut becomes = self.renamed_object(renaming, &at, object, dialect);
            if dialect.derives_constraint_names() {
                rename_derived(&mut becomes, &self.schema, m, &at, dialect);
            }
            rename_with_column(&mut becomes, m, &at, dialect);
            if becomes != **object {
                carries.insert(at, becomes.into());
            }
        }
        for (from, to) in moves.iter().filter(|(from, _)| from.kind() == ObjectKind::Sequence) {
            let renaming = Renaming { from, to, quote: renaming.quote };
            let users = self.depends.iter().filter(|(_, needs)| needs.contains(from));
            let users: BTreeSet<Address> = users.map(|(at, _)| readdressed(&at.holder(), m, &moves)).collect();
            for at in users {
                let Some(object) = carries.get(&at).or_else(|| plain.objects.get(&at)) else { continue };
                let becomes = self.renamed_object(&renaming, &at, object, dialect);
                carries.insert(at, becomes.into());
            }
        }
        (moves, carries)
    }

    fn renamed_object(&self, renaming: &Renaming<'_>, at: &Address, object: &Object, dialect: &dyn Dialect) -> Object {
        if renaming.from.kind() != ObjectKind::Column {
            return renaming.object(at, object);
        }
        if matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate) {
            return object.clone();
        }
        let (from, to) = (renaming.from.name(), renaming.to.name());
        let mut becomes = rename_in_texts(object, from, to, renaming.quote);
        if let (true, Body::View(view), Body::View(was)) =
            (dialect.keeps_view_columns(), &mut becomes.body, &object.body)
        {
            view.query = outputs::renamed(&was.query, from, to, |name| dialect.quote(name));
        }
        becomes
    }
}

/// A move as a change.
pub(super) fn bare(m: Step<'_>, moves: BTreeMap<Address, Address>, carries: BTreeMap<Address, Arc<Object>>) -> Kind {
    if m.from.is_member() {
        RenameMember { from: m.from.clone(), to: m.to.name().clone(), carries }.into()
    } else {
        Rename { from: m.from.clone(), to: m.to.clone(), carries, moves }.into()
    }
}

/// Renames a parent, or a parent's column, in the tables under it and in their indexes. Gives what became another.
fn family(schema: &mut Schema, m: Step<'_>, dialect: &dyn Dialect) -> BTreeSet<Address> {
    let (from, to) = (m.from.name(), m.to.name());
    let mut found = BTreeSet::new();
    match m.from.kind() {
        ObjectKind::Namespace => {
            for (at, object) in &mut schema.objects {
                let Body::Table(table) = &mut Arc::make_mut(object).body else { continue };
                for parent in dialect.parents(table).into_iter().filter(|p| p.schema.as_ref() == Some(from)) {
                    let renamed = Qualified::new(Some(to.clone()), parent.name.clone());
                    dialect.rename_parent(table, &parent, &renamed);
                    found.insert(at.clone());
                }
            }
        }
        ObjectKind::Table => {
            let (from, to) = (m.from.qualified(), m.to.qualified());
            let concerned = |_: &Address, object: &Object| match &object.body {
                Body::Table(table) => dialect.parents(table).contains(&from),
                _ => false,
            };
            for (at, object) in schema.objects_mut(concerned) {
                if let Body::Table(table) = &mut object.body {
                    dialect.rename_parent(table, &from, &to);
                    found.insert(at.clone());
                }
            }
        }
        ObjectKind::Column => {
            let mut under: BTreeSet<Qualified> = m.from.relation().into_iter().collect();
            let all: Vec<(Qualified, Vec<Qualified>)> =
                schema.tables().map(|(at, t)| (at, dialect.parents(t))).collect();
            while let Some((more, _)) =
                all.iter().find(|(at, parents)| !under.contains(at) && parents.iter().any(|p| under.contains(p)))
            {
                under.insert(more.clone());
            }
            under.retain(|at| Some(at) != m.from.relation().as_ref());
            for (at, object) in schema.objects.iter_mut().filter(|(at, object)| match &object.body {
                Body::Table(_) => under.contains(&at.qualified()),
                Body::Index(index) => under.contains(&index.table),
                _ => false,
            }) {
                let becomes = object.with_column_renamed(from, to, &|name: &Name| dialect.quote(name));
                if becomes != **object {
                    *object = becomes.into();
                    found.insert(at.clone());
                }
            }
        }
        _ => {}
    }
    found
}

/// What goes along when a table goes to another schema: its indexes, and the sequences of its columns.
fn taken_along(m: Step<'_>, after: &Schema) -> BTreeMap<Address, Address> {
    let (from, to) = (m.from.qualified(), m.to.qualified());
    if m.from.kind() != ObjectKind::Table || from.schema == to.schema {
        return BTreeMap::new();
    }
    let own = |at: &Address, object: &Object| match &object.body {
        Body::Index(index) => index.table == to && !at.is_index_under(&to),
        Body::Sequence(sequence) => sequence.owned_by.as_ref().and_then(Address::relation).as_ref() == Some(&to),
        _ => false,
    };
    let along = after.objects.iter().filter(|(at, object)| at.qualified().schema == from.schema && own(at, object));
    along
        .map(|(at, _)| {
            let there = Qualified::new(to.schema.clone(), at.name().clone());
            (at.clone(), Address::new(at.kind(), &there))
        })
        .collect()
}

/// An address once a move is made: members follow their relation, all follows its schema, routines follow the types of their arguments.
pub(super) fn readdressed(at: &Address, m: Step<'_>, moves: &BTreeMap<Address, Address>) -> Address {
    let (from, to) = (m.from, m.to);
    if at == from {
        return to.clone();
    }
    let at = match from.kind() {
        ObjectKind::Namespace => at.with_schema_renamed(from.name(), to.name()).unwrap_or_else(|| at.clone()),
        _ => at.clone(),
    };
    if let Some(moved) = moves.get(&at) {
        return moved.clone();
    }
    if from.kind() == ObjectKind::Table && at.is_index_under(&from.qualified()) {
        return Address::member(ObjectKind::Index, &to.qualified(), at.name().clone());
    }
    match at.relation() {
        Some(relation) if !from.is_member() && relation == from.qualified() => {
            Address::member(at.kind(), &to.qualified(), at.name().clone())
        }
        _ => at,
    }
}

/// A constraint that bears the name of its column bears its new one.
fn rename_with_column(object: &mut Object, m: Step<'_>, at: &Address, dialect: &dyn Dialect) {
    let Body::Table(table) = &mut object.body else { return };
    if m.from.kind() == ObjectKind::Column
        && *at == m.to.holder()
        && let Some(own) = table.constraints.get(m.from.name()).filter(|own| dialect.bears_column_name(own)).cloned()
    {
        table.constraints.remove(m.from.name());
        table.constraints.insert(m.to.name().clone(), own);
    }
}

/// Constraints whose names are made from their content get the names that the renamed content gives.
fn rename_derived(object: &mut Object, before: &Schema, m: Step<'_>, at: &Address, dialect: &dyn Dialect) {
    let Body::Table(table) = &mut object.body else { return };
    let was = if at == m.to { m.from.qualified() } else { at.qualified() };
    let Some(old) = before.table(&was) else { return };
    let mut renamed = BTreeMap::new();
    let mut taken_old = BTreeSet::new();
    let mut taken_new = BTreeSet::new();
    // The old and the new constraints stand in the same order: a rename changes what they say, not which there are.
    for ((old_name, old_constraint), (name, constraint)) in old.constraints.iter().zip(&table.constraints) {
        let derived = dialect.default_constraint_name(&was, old_constraint, &taken_old);
        let next = if derived == *old_name {
            dialect.default_constraint_name(&at.qualified(), constraint, &taken_new)
        } else {
            name.clone()
        };
        taken_old.insert(old_name.clone());
        taken_new.insert(next.clone());
        renamed.insert(next, constraint.clone());
    }
    table.constraints = renamed;
}
