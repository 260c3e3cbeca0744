//! Declared rows become steps where the database does not remember that they stand; rows that were declared and are declared no more leave.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Group, Kind, Name, Qualified, RowKey, Schema, Snapshot,
    kind::{Declared, RefersToRows, Rows, Withdraw, key_of},
    verify::Literal,
};

use crate::{intent::Intent, moves::Renames};

/// Where the rows of a plan come from.
pub(crate) struct Ground<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) renames: &'a Renames,
    pub(crate) goal: &'a Schema,
}

/// Gives each table's group the steps that bring its declared rows and remove those that are declared no more.
pub(crate) fn attach(groups: &mut Vec<Group>, ground: &Ground<'_>) {
    let tables: Vec<Qualified> =
        ground.goal.tables().map(|(at, _)| at).filter(|at| ground.intent.goal.table(at).is_some()).collect();
    let leaving: BTreeMap<Qualified, Vec<RowKey>> =
        tables.iter().map(|at| (at.clone(), ground.leaving(at))).filter(|(_, rows)| !rows.is_empty()).collect();
    for at in tables {
        let changes = ground.changes(&at, &leaving);
        if changes.is_empty() {
            continue;
        }
        let address = Address::table(&at);
        match groups.iter_mut().find(|group| group.at == address) {
            Some(group) => group.changes.extend(changes),
            None => groups.push(Group { at: address, changes, fill: None }),
        }
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
}

impl Ground<'_> {
    /// The steps of one table; `leaving` are the rows of all tables that go.
    fn changes(&self, at: &Qualified, leaving: &BTreeMap<Qualified, Vec<RowKey>>) -> Vec<Kind> {
        let own = self.snapshot.declared(&Address::table(at));
        if self.is_new(at) {
            let stale = own.filter(|own| !own.keys.is_empty() && !self.intent.rows.contains_key(at));
            let forget = |before| self.withdraw(at, (before, Declared::nothing()), vec![], leaving);
            return self.rows(at, &[], None).into_iter().chain(stale.map(forget).map(Kind::from)).collect();
        }
        let Some(gone) = leaving.get(at) else { return self.rows(at, &[], own).into_iter().collect() };
        let before = own.clone().unwrap_or_else(Declared::nothing);
        let Some(rows) = self.rows(at, gone, own) else {
            return vec![self.withdraw(at, (before, Declared::nothing()), gone.clone(), leaving).into()];
        };
        let Kind::Rows(rows) = rows else { return vec![rows] };
        if !self.may_collide(at, &rows) {
            let states = [gone.as_slice(), &[]].map(|left| Declared::of(&rows.rows, &rows.key, left));
            let [before, after] = states;
            let withdraw = self.withdraw(at, (before, after), gone.clone(), leaving);
            return vec![rows.into(), withdraw.into()];
        }
        let keys = before.keys.iter().filter(|key| !gone.contains(&self.renamed(at, key))).cloned().collect();
        let between = Declared { keys, ..Declared::nothing() };
        let withdraw = self.withdraw(at, (before, between.clone()), gone.clone(), leaving);
        let rows = Rows { leaving: vec![], was: Some(between), takes_over: true, ..rows };
        vec![Withdraw { first: true, ..withdraw }.into(), rows.into()]
    }

    fn is_new(&self, at: &Qualified) -> bool {
        self.renames.schema.table(at).is_none()
    }

    /// The step that makes a table's declared rows stand, unless they are known to.
    fn rows(&self, at: &Qualified, leaving: &[RowKey], was: Option<Declared>) -> Option<Kind> {
        let rows = self.intent.rows.get(at)?;
        let fresh = self.is_new(at);
        let (said, catalog) = Rows::record(rows);
        if !fresh && self.snapshot.remembers(&Address::table(at), &said, &catalog) {
            return None;
        }
        let key = self.key(self.goal, at)?;
        let (table, leaving) = (at.clone(), leaving.to_vec());
        Some(Rows { table, key, rows: rows.clone(), fresh, leaving, was, takes_over: false }.into())
    }

    fn key(&self, schema: &Schema, at: &Qualified) -> Option<Vec<Name>> {
        schema.table(at)?.primary_key().map(|(_, key)| key.columns.clone())
    }

    /// A remembered key in the present names of columns.
    fn renamed(&self, at: &Qualified, key: &RowKey) -> RowKey {
        let own = |name: &Name| {
            let mut renames = self.renames.columns.iter().filter(|(to, _)| to.relation().as_ref() == Some(at));
            renames.find(|(_, was)| *was == name).map_or_else(|| name.clone(), |(to, _)| to.name().clone())
        };
        key.iter().map(|(name, value)| (own(name), value.clone())).collect()
    }

    /// The keys that the database remembers, whatever the table and its columns were called, in present names.
    fn known(&self, at: &Qualified) -> Vec<RowKey> {
        let base = self.renames.tables.get(at).unwrap_or(at);
        let was = self.snapshot.declared(&Address::table(base));
        was.into_iter().flat_map(|was| was.keys).map(|key| self.renamed(at, &key)).collect()
    }

    /// The rows of a table that were declared and are declared no more. None where rows have been found by other columns than now.
    fn leaving(&self, at: &Qualified) -> Vec<RowKey> {
        let Some(key) = self.key(self.goal, at).filter(|_| !self.is_new(at) && !self.intent.rows_left.contains(at))
        else {
            return vec![];
        };
        let declared: Vec<RowKey> =
            self.intent.rows.get(at).into_iter().flatten().map(|row| key_of(row, &key)).collect();
        let known = |row: &RowKey| row.len() == key.len() && key.iter().all(|column| row.contains_key(column));
        let keys = self.known(at).into_iter().filter(known);
        keys.filter(|row| !declared.iter().any(|other| alike(row, other))).collect()
    }

    /// Whether rows that come or change may take values that rows which leave have, and only one row may have.
    fn may_collide(&self, at: &Qualified, rows: &Rows) -> bool {
        let said =
            |columns: &[Name]| columns.iter().any(|c| !rows.key.contains(c) && rows.columns().any(|own| own == c));
        [&self.renames.schema, self.goal].into_iter().any(|schema| {
            let keys = schema.table(at).into_iter().flat_map(|t| t.constraints.values()).filter_map(|c| c.key());
            keys.map(|key| key.columns.as_slice()).any(said) || schema.indexes_of(at).any(|(_, index)| index.unique)
        })
    }

    fn withdraw(
        &self,
        at: &Qualified,
        (before, after): (Declared, Declared),
        rows: Vec<RowKey>,
        leaving: &BTreeMap<Qualified, Vec<RowKey>>,
    ) -> Withdraw {
        let known: BTreeSet<RowKey> = self.known(at).into_iter().collect();
        let key: Vec<Name> = rows.first().into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let declared = self.intent.rows.get(at).into_iter().flatten().map(|row| key_of(row, &key));
        let arriving = declared.filter(|row| !row.is_empty() && !known.contains(row)).collect();
        let (referrers, waits_for) = if rows.is_empty() { Default::default() } else { self.referrers(at, leaving) };
        Withdraw { table: at.clone(), rows, arriving, referrers, waits_for, first: false, before, after }
    }

    /// The foreign keys by which rows may refer to those of a table, and those that the plan takes away.
    fn referrers(
        &self,
        at: &Qualified,
        leaving: &BTreeMap<Qualified, Vec<RowKey>>,
    ) -> (Vec<RefersToRows>, BTreeSet<Address>) {
        let refers = |(table, _, constraint): (Qualified, &Name, &mig_plan::table::Constraint)| {
            let fk = constraint.foreign_key().filter(|_| !self.is_new(&table))?;
            // A key that names no columns means the primary key.
            let referenced = Some(fk.referenced.clone()).filter(|columns| !columns.is_empty());
            let referenced = referenced.or_else(|| self.key(self.goal, at))?;
            let leaving = leaving.get(&table).cloned().unwrap_or_default();
            Some(RefersToRows { table, columns: fk.columns.clone(), referenced, leaving })
        };
        let referrers = self.goal.references_to(at).filter_map(refers).collect();
        let gone = self.renames.schema.references_to(at).filter_map(|(table, name, _)| match self.goal.table(&table) {
            None => Some(Address::table(&table)),
            Some(left) => (!left.constraints.contains_key(name)).then(|| Address::constraint(&table, name)),
        });
        (referrers, gone.collect())
    }
}

/// Whether two keys are the same however their values are written.
fn alike(a: &RowKey, b: &RowKey) -> bool {
    let text = |value: &Literal| match value {
        Literal::Text(text) => text.clone(),
        Literal::Number(digits) => digits.replace('_', ""),
        Literal::Truth(truth) => u8::from(*truth).to_string(),
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && text(a.1) == text(b.1))
}
