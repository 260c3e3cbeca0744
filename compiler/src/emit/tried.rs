//! Which steps are tried before the first write: those of declared rows, as long as the tables that they are about are as they will be.

use std::collections::BTreeSet;

use mig_plan::{Address, Kind, ObjectKind, Qualified, Schema};

/// What earlier steps have changed that are not tried.
pub(super) struct Trials {
    /// Whether the engine can take back what was tried.
    possible: bool,
    /// Tables that will be other ones by then.
    changed: BTreeSet<Address>,
}

impl Trials {
    pub(super) fn new(possible: bool) -> Self {
        Self { possible, changed: BTreeSet::new() }
    }

    /// Whether a step is tried. `before` is the schema before it.
    pub(super) fn admit(&mut self, change: &Kind, touched: &BTreeSet<Address>, before: &Schema) -> bool {
        let table = match change {
            Kind::Rows(k) if !k.fresh => Some(&k.table),
            Kind::Withdraw(k) if k.waits_for.is_empty() => Some(&k.table),
            _ => None,
        };
        let tried = self.possible && table.is_some_and(|table| self.is_as_it_will_be(table, before));
        // Trying rows leaves the tables as they are, and so does what has nothing to try.
        let empty = matches!(change, Kind::Mark(_)) || matches!(change, Kind::Withdraw(k) if k.rows.is_empty());
        if !tried && !empty {
            let table = |at: &Address| at.relation().map_or_else(|| at.clone(), |table| Address::table(&table));
            self.changed.extend(touched.iter().map(table));
            // What triggers call may be another routine by then.
            let called = |at: &Address| matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure);
            self.possible &= !touched.iter().any(called);
        }
        tried
    }

    /// Whether nothing has changed the table, nor those that refer to it or that it refers to.
    fn is_as_it_will_be(&self, at: &Qualified, before: &Schema) -> bool {
        let own = before.table(at).into_iter().flat_map(|table| table.constraints.values());
        let theirs = own.filter_map(|c| c.foreign_key()).map(|fk| fk.references.clone());
        let mut near = before.references_to(at).map(|(table, ..)| table).chain(theirs).chain([at.clone()]);
        near.all(|table| !self.changed.contains(&Address::table(&table)))
    }
}
