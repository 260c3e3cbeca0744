//! The last look at what new tables are filled from: what clients did to it since is followed, for all tables that belong together at one
//! moment.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Dialect, Group, Kind, ObjectKind, Qualified, Schema,
    kind::{Filling, OnConflict, Populate, Reference, Referrer, Revise, Rows},
    table::ForeignKey,
};

/// Tables that the plan makes and fills.
struct Filled<'a> {
    /// All that fills each.
    sources: BTreeMap<Qualified, Vec<Populate>>,
    declared: BTreeMap<Qualified, Rows>,
    /// The database as it is, under present names.
    live: &'a Schema,
    goal: &'a Schema,
    dialect: &'a dyn Dialect,
}

/// Gives the filled tables the steps that follow what clients do to their sources while the plan runs.
pub(crate) fn attach(groups: &mut [Group], live: &Schema, goal: &Schema, dialect: &dyn Dialect) {
    let mut filled = Filled { sources: BTreeMap::new(), declared: BTreeMap::new(), live, goal, dialect };
    for change in groups.iter().flat_map(|group| &group.changes) {
        match change {
            Kind::Populate(k) => filled.sources.entry(k.table.clone()).or_default().push(k.clone()),
            Kind::Rows(k) => drop(filled.declared.insert(k.table.clone(), k.clone())),
            _ => {}
        }
    }
    for tables in filled.together() {
        let first = tables.first().map(Address::table);
        let Some(group) = groups.iter_mut().find(|group| Some(&group.at) == first.as_ref()) else { continue };
        group.changes.extend(tables.iter().flat_map(|table| filled.look(table)));
        for group in groups.iter_mut().filter(|group| tables.iter().any(|table| group.at == Address::table(table))) {
            let table = group.at.qualified();
            let firsts = group.changes.iter_mut().filter_map(|change| match change {
                Kind::Populate(k) if !k.last && k.table == table => Some(k),
                _ => None,
            });
            firsts.for_each(|first| first.refers = filled.refers(&table));
            group.changes.insert(0, Filling { table }.into());
        }
    }
}

impl Filled<'_> {
    /// The tables that must be looked at together, each set in an order in which none needs a later one.
    fn together(&self) -> Vec<Vec<Qualified>> {
        let mut left: Vec<&Qualified> = self.sources.keys().collect();
        let mut sets: Vec<Vec<Qualified>> = Vec::new();
        let mut followed = BTreeSet::new();
        while !left.is_empty() {
            let free =
                |table: &&&Qualified| !left.iter().any(|other| other != *table && self.needs(table).contains(*other));
            // Those that need each other come in any order.
            let next = left.iter().find(free).map_or(left[0], |table| *table);
            left.retain(|table| *table != next);
            let needs = self.needs(next);
            // Nobody writes to what the plan itself makes, save by what it is made from.
            if self.watched(next).is_empty() && needs.is_disjoint(&followed) {
                continue;
            }
            followed.insert(next.clone());
            let (own, others): (Vec<_>, Vec<_>) = sets
                .into_iter()
                .partition(|set| set.iter().any(|table| needs.contains(table) || self.needs(table).contains(next)));
            sets = others;
            sets.push(own.into_iter().flatten().chain([next.clone()]).collect());
        }
        sets
    }

    /// The filled tables that rows of one are made from or refer to.
    fn needs(&self, table: &Qualified) -> BTreeSet<Qualified> {
        let keys = self.goal.table(table).into_iter().flat_map(|t| t.constraints.values());
        let parents = keys.filter_map(|c| c.foreign_key()).map(|fk| fk.references.clone());
        let read = self.sources.keys().filter(|other| self.names(table, other)).cloned();
        parents.chain(read).filter(|other| other != table && self.sources.contains_key(other)).collect()
    }

    /// Whether a table is filled from another, or reads it beside.
    fn names(&self, table: &Qualified, other: &Qualified) -> bool {
        let reads = |source: &Populate| {
            let given = source.rows.given.iter().flat_map(BTreeMap::values);
            let rules = source.rows.only.iter().chain(source.rows.rejects.iter().map(|rule| &rule.when));
            let mut texts = source.set.values().chain(&source.join).chain(&source.group_by).chain(rules).chain(given);
            source.from == *other || texts.any(|text| self.dialect.mentions(text).contains(&other.name))
        };
        self.sources.get(table).is_some_and(|sources| sources.iter().any(reads))
    }

    /// The tables and views of the database that a table is filled from, and others that its expressions read.
    fn watched(&self, table: &Qualified) -> BTreeSet<Address> {
        let kept = |at: &&Address| matches!(at.kind(), ObjectKind::Table | ObjectKind::View);
        let read = |at: &&Address| {
            let name = at.qualified();
            !self.sources.contains_key(&name) && self.names(table, &name)
        };
        self.live.objects.keys().filter(kept).filter(read).cloned().collect()
    }

    /// The steps of one table.
    fn look(&self, table: &Qualified) -> Vec<Kind> {
        let mut sources: Vec<Populate> = Vec::new();
        for source in self.sources.get(table).into_iter().flatten() {
            // Where the last one counts, it counts before what other sources gave.
            let at = if source.on_conflict == OnConflict::Update { 0 } else { sources.len() };
            sources.insert(at, source.clone());
        }
        let last = |source: &Populate| Kind::from(Populate { last: true, ..source.clone() });
        let late: Vec<Kind> = sources.iter().map(last).collect();
        let revise = Revise {
            table: table.clone(),
            sources,
            reads: self.watched(table),
            declared: self.declared.get(table).cloned(),
            referrers: self.referrers(table, &mut BTreeSet::from([table.clone()])),
        };
        [Kind::from(revise)].into_iter().chain(late).collect()
    }

    /// What rows of a table refer to among those that are filled.
    fn refers(&self, table: &Qualified) -> Vec<Reference> {
        let constraints = self.goal.table(table).into_iter().flat_map(|t| t.constraints.values());
        let keys = constraints.filter_map(|c| c.foreign_key());
        let keys = keys.filter(|fk| fk.references != *table && self.sources.contains_key(&fk.references));
        let reference = |fk: &ForeignKey| {
            // A key that names no columns means the primary key.
            let primary = || self.goal.table(&fk.references)?.primary_key().map(|(_, key)| key.columns.clone());
            let referenced = Some(fk.referenced.clone()).filter(|columns| !columns.is_empty()).or_else(primary)?;
            Some(Reference { columns: fk.columns.clone(), table: fk.references.clone(), referenced })
        };
        keys.filter_map(reference).collect()
    }

    /// What refers to the rows of a table among those that are filled; `seen` is what led there.
    fn referrers(&self, table: &Qualified, seen: &mut BTreeSet<Qualified>) -> Vec<Referrer> {
        let mut found = Vec::new();
        for other in self.sources.keys().filter(|other| *other != table) {
            for Reference { columns, referenced, .. } in self.refers(other).into_iter().filter(|r| r.table == *table) {
                let further = seen.insert(other.clone());
                let referrers = if further { self.referrers(other, seen) } else { vec![] };
                found.push(Referrer { table: other.clone(), columns, referenced, referrers });
                if further {
                    seen.remove(other);
                }
            }
        }
        found
    }
}
