//! Constraints that must go before something changes and come again after: those of a column that is made anew, foreign keys
//! between two columns that both change type, for which there is no moment at which the types fit, and foreign keys that stand on a key
//! or an index that goes or is made anew.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Constraint, Dialect, Group, Kind, ObjectKind, Rule, Schema,
    kind::{AddConstraint, DropConstraint},
};

/// The columns that change in a way that constraints may not bear.
pub(super) struct Columns<'a> {
    remade: &'a BTreeSet<Address>,
    /// Code that goes, even if it comes again.
    gone: &'a BTreeSet<Address>,
    /// The old and the new type, by column.
    retyped: BTreeMap<Address, (String, String)>,
    /// Keys and indexes that go, even if others of their name come.
    lost: BTreeSet<Address>,
    depends: &'a BTreeMap<Address, BTreeSet<Address>>,
    dialect: &'a dyn Dialect,
}

impl<'a> Columns<'a> {
    pub(super) fn of(
        groups: &[Group],
        remade: &'a BTreeSet<Address>,
        gone: &'a BTreeSet<Address>,
        depends: &'a BTreeMap<Address, BTreeSet<Address>>,
        dialect: &'a dyn Dialect,
    ) -> Self {
        let retyped = groups.iter().flat_map(|g| &g.changes).filter_map(|change| match change {
            Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => {
                let column = Address::column(&k.table, &k.from.name);
                Some((column, (k.from.data_type.clone(), k.to.data_type.clone())))
            }
            _ => None,
        });
        let lost = groups.iter().flat_map(|g| &g.changes).filter_map(|change| match change {
            Kind::DropConstraint(k) if k.constraint.key().is_some() => Some(Address::constraint(&k.table, &k.name)),
            Kind::Drop(k) if k.at.kind() == ObjectKind::Index => Some(k.at.clone()),
            Kind::Replace(k) if k.at.kind() == ObjectKind::Index => Some(k.at.clone()),
            _ => None,
        });
        Self { remade, gone, retyped: retyped.collect(), lost: lost.collect(), depends, dialect }
    }

    fn disturb(&self, at: &Address, constraint: &Constraint) -> bool {
        self.on_remade(at, constraint)
            || self.between_retyped(at, constraint)
            || self.on_lost(at, constraint)
            || !self.calls(at, constraint).is_empty()
    }

    /// The code that goes among what a check calls.
    fn calls(&self, at: &Address, constraint: &Constraint) -> BTreeSet<Address> {
        let needs = self.depends.get(at).filter(|_| matches!(constraint.rule, Rule::Check { .. }));
        needs.into_iter().flatten().filter(|need| self.gone.contains(*need)).cloned().collect()
    }

    /// Whether it is a foreign key that the database says stands on a key that goes.
    fn on_lost(&self, at: &Address, constraint: &Constraint) -> bool {
        let needs = || self.depends.get(at).into_iter().flatten();
        constraint.foreign_key().is_some() && needs().any(|need| self.lost.contains(need))
    }

    fn on_remade(&self, at: &Address, constraint: &Constraint) -> bool {
        let Some(table) = at.relation().filter(|_| !self.remade.is_empty()) else { return false };
        let own = constraint.columns().iter().map(|c| Address::column(&table, c));
        let theirs = constraint.foreign_key().into_iter();
        let theirs = theirs.flat_map(|fk| fk.referenced.iter().map(|c| Address::column(&fk.references, c)));
        let needs = self.depends.get(at).into_iter().flatten().cloned();
        own.chain(theirs).chain(needs).any(|column| self.remade.contains(&column))
    }

    fn between_retyped(&self, at: &Address, constraint: &Constraint) -> bool {
        let (Some(fk), Some(table)) = (constraint.foreign_key(), at.relation()) else { return false };
        fk.columns.iter().zip(&fk.referenced).any(|(own, theirs)| {
            let own = self.retyped.get(&Address::column(&table, own));
            let theirs = self.retyped.get(&Address::column(&fk.references, theirs));
            let (Some((a, x)), Some((b, y))) = (own, theirs) else { return false };
            !(self.dialect.compares(a, y) && self.dialect.compares(x, b))
        })
    }
}

/// Adds to `groups` the drops and additions of the constraints that stay as they are, but cannot stand meanwhile. Gives the code that goes
/// among what checks call that stay under their name.
pub(super) fn constraints_again(
    groups: &mut Vec<Group>,
    live: &Schema,
    goal: &Schema,
    columns: &Columns<'_>,
) -> BTreeSet<Address> {
    let mut let_go = BTreeSet::new();
    for (table, content) in live.tables() {
        for (name, constraint) in &content.constraints {
            let at = Address::constraint(&table, name);
            let_go.extend(goal.constraint(&at).into_iter().flat_map(|_| columns.calls(&at, constraint)));
            let stays = goal.constraint(&at).filter(|_| columns.disturb(&at, constraint));
            let Some(wanted) = stays.filter(|wanted| wanted.rule == constraint.rule) else { continue };
            let holder = Address::table(&table);
            let changes = &mut super::group_of(groups, &holder).changes;
            if changes.iter().any(|c| matches!(c, Kind::DropConstraint(k) if k.name == *name)) {
                continue;
            }
            let (table, name) = (table.clone(), name.clone());
            let drop = DropConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() };
            changes.insert(0, drop.into());
            changes.push(AddConstraint { table, name, constraint: wanted.clone() }.into());
        }
    }
    let_go
}
