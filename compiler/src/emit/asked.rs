//! What the data is asked before the first write.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Check, DraftCheck, Kind, Name, ObjectKind, Schema, Sql, StepId, sql::tokens};

/// The questions so far, and what earlier steps make, rename or fill: that cannot be asked before the first write; constraints decide.
pub(super) struct Asked<'a> {
    /// The schema as it is before the first write.
    live: &'a Schema,
    pub(super) checks: Vec<Check>,
    /// The names that steps bring to a table, in any case.
    new_names: BTreeMap<String, BTreeSet<String>>,
    /// The names of new tables, in any case.
    made: BTreeSet<String>,
    /// Columns that get their values on the way.
    filled: BTreeSet<Address>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(live: &'a Schema) -> Self {
        let (checks, new_names, made, filled) = Default::default();
        Self { live, checks, new_names, made, filled }
    }

    /// Takes over what a step wants to be asked, as far as it can be.
    pub(super) fn ask(&mut self, step: &StepId, wanted: Vec<DraftCheck>) {
        for DraftCheck { at, says, help, count, sample, stops } in wanted {
            // What is about no rows is asked once, whatever needs it.
            let known = self.checks.iter().any(|other| other.count == count && other.says == says);
            if known || !self.is_askable(&at, &Sql::new(count.sql())) {
                continue;
            }
            let step = step.clone();
            self.checks.push(Check { step, at, says, help, count, sample, stops, at_most: 0, first: false });
        }
    }

    fn is_askable(&self, at: &Address, count: &Sql) -> bool {
        let names = names_in(count);
        let tables = names.iter().cloned().chain([any_case(at.holder().name())]);
        let late = tables.filter_map(|table| self.new_names.get(&table)).any(|new| !names.is_disjoint(new));
        let of_new = !names.is_disjoint(&self.made);
        !late && !of_new && !self.filled.contains(at) && self.live.objects.contains_key(&at.holder())
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
