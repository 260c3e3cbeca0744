//! What the data is asked before the first write.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Check, CheckSql, Dialect, DraftCheck, Kind, Name, Object, ObjectKind, Schema, Sql, StepId,
    schema::IndexedBy, sql::tokens,
};

use super::origin::Origins;

/// The questions so far, and what earlier steps make, rename or fill: that cannot be asked before the first write; constraints decide.
pub(super) struct Asked<'a> {
    /// The schema as it is before the first write.
    live: &'a Schema,
    dialect: &'a dyn Dialect,
    pub(super) checks: Vec<Check>,
    /// The names that steps bring to a table, in any case.
    new_names: BTreeMap<String, BTreeSet<String>>,
    /// The names of new tables, in any case.
    made: BTreeSet<String>,
    /// Columns that get their values on the way.
    filled: BTreeSet<Address>,
    /// The names of tables that were nothing before, in any case.
    created: BTreeSet<String>,
    origins: Origins,
}

impl<'a> Asked<'a> {
    pub(super) fn new(live: &'a Schema, dialect: &'a dyn Dialect) -> Self {
        let (checks, new_names, made, filled, created, origins) = Default::default();
        Self { live, dialect, checks, new_names, made, filled, created, origins }
    }

    /// Takes over what a step wants to be asked, as far as it can be. What declared values do to a column is asked elsewhere.
    pub(super) fn ask(&mut self, step: &StepId, change: &Kind, wanted: Vec<DraftCheck>) {
        let declared = |at: &Address| match change {
            Kind::Rebuild(k) => k.copy.iter().any(|c| c.declared.is_some() && *at == Address::column(&k.table, &c.to)),
            _ => false,
        };
        for DraftCheck { at, says, help, count, sample, stops } in wanted {
            let (count, sample, first) = if self.is_askable(&at, &Sql::new(count.sql())) {
                (count, sample, false)
            } else if let Some(before) = self.before(&count, is_key(change, &at)).filter(|_| !declared(&at)) {
                (before, sample.and_then(|sample| self.before(&sample, false)), true)
            } else {
                continue;
            };
            // What is about no rows is asked once, whatever needs it.
            if !self.checks.iter().any(|other| other.count == count && other.says == says) {
                let step = step.clone();
                self.checks.push(Check { step, at, says, help, count, sample, stops, at_most: 0, first });
            }
        }
    }

    /// A question in the words of the schema before the first write.
    fn before(&self, sql: &CheckSql, of_key: bool) -> Option<CheckSql> {
        let sql = sql.sql();
        let names = names_in(&Sql::new(&sql));
        if !names.is_disjoint(&self.created) {
            return None;
        }
        let named = |name: &Name| names.contains(&any_case(name));
        self.origins.asked_before(&sql, of_key, &named, self.live, self.dialect).map(CheckSql::new)
    }

    fn is_askable(&self, at: &Address, count: &Sql) -> bool {
        let names = names_in(count);
        let tables = names.iter().cloned().chain([any_case(at.holder().name())]);
        let late = tables.filter_map(|table| self.new_names.get(&table)).any(|new| !names.is_disjoint(new));
        let of_new = !names.is_disjoint(&self.made);
        // Which rows refer to which is the same question whatever becomes of both sides' type.
        let ties = self.live.constraint(at).is_some_and(|c| c.foreign_key().is_some());
        let changed = !ties && self.origins.changed(&|name: &Name| names.contains(&any_case(name)));
        // An index is not there yet where it lives beside its table.
        let stands = at.kind() == ObjectKind::Index || self.live.objects.contains_key(&at.holder());
        !late && !of_new && !changed && !self.filled.contains(at) && stands
    }

    /// Notes what a step makes, renames or fills.
    pub(super) fn done(&mut self, change: &Kind) {
        if let Kind::Backfill(fill) = change {
            self.filled.extend(fill.set.keys().map(|column| Address::column(&fill.table, column)));
        }
        if let Some((table, names)) = brings(change) {
            self.new_names.entry(any_case(table.name())).or_default().extend(names.iter().map(any_case));
        }
        self.made.extend(new_relation(change).as_ref().map(any_case));
        if let Kind::Create(_) = change {
            self.created.extend(new_relation(change).as_ref().map(any_case));
        }
        self.origins.done(change, self.live, self.dialect);
    }
}

/// Whether what a change wants to be asked is about a key over columns as they are.
fn is_key(change: &Kind, at: &Address) -> bool {
    let plain = |object: &Object| match &object.body {
        Body::Index(index) => {
            index.predicate.is_none() && index.parts.iter().all(|p| matches!(p.what, IndexedBy::Column(_)))
        }
        _ => false,
    };
    match change {
        Kind::Create(k) => plain(&k.object),
        Kind::Replace(k) => plain(&k.to),
        Kind::AddConstraint(k) => k.constraint.key().is_some(),
        Kind::Rebuild(k) => k.to.constraints.get(at.name()).is_some_and(|c| c.key().is_some()),
        _ => false,
    }
}

/// The name of a table that is not there before the change.
fn new_relation(change: &Kind) -> Option<Name> {
    let at = match change {
        Kind::Create(create) => &create.at,
        Kind::Rename(rename) => &rename.to,
        _ => return None,
    };
    (at.kind() == ObjectKind::Table).then(|| at.name().clone())
}

/// The table and the names of columns that a change brings to it.
fn brings(change: &Kind) -> Option<(Address, Vec<Name>)> {
    match change {
        Kind::AddColumn(add) => Some((Address::table(&add.table), vec![add.column.name.clone()])),
        Kind::RenameMember(rename) => Some((Address::table(&rename.from.relation()?), vec![rename.to.clone()])),
        Kind::Rebuild(k) => {
            let new = k.to.columns.iter().filter(|column| k.from.column(&column.name).is_none());
            Some((Address::table(&k.table), new.map(|column| column.name.clone()).collect()))
        }
        Kind::Sync(k) => {
            let hidden = k.twins.pairs.iter().map(|pair| pair.hidden.name.clone());
            Some((Address::table(&k.twins.table), hidden.collect()))
        }
        _ => None,
    }
}

/// The names that a text may mean, whichever way the engine takes the case of bare words.
fn names_in(sql: &Sql) -> BTreeSet<String> {
    tokens(sql.as_str()).filter_map(|token| token.identifier()).map(|name| name.to_ascii_lowercase()).collect()
}

fn any_case(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}
