//! Declared rows become steps where the database does not remember that they stand.

use mig_plan::{Address, Group, Kind, Schema, Snapshot, kind::Rows};

use crate::intent::Intent;

/// Gives each table's group the step that brings its rows.
pub(crate) fn attach(groups: &mut Vec<Group>, intent: &Intent, snapshot: &Snapshot, live: &Schema, goal: &Schema) {
    for (at, rows) in &intent.rows {
        let address = Address::table(at);
        let (said, catalog) = Rows::record(rows);
        let fresh = live.table(at).is_none();
        if !fresh && snapshot.remembers(&address, &said, &catalog) {
            continue;
        }
        let Some((_, key)) = goal.table(at).and_then(|table| table.primary_key()) else { continue };
        let change = Kind::from(Rows { table: at.clone(), key: key.columns.clone(), rows: rows.clone(), fresh });
        match groups.iter_mut().find(|group| group.at == address) {
            Some(group) => group.changes.push(change),
            None => groups.push(Group { at: address, changes: vec![change], fill: None }),
        }
    }
    groups.sort_by(|a, b| a.at.cmp(&b.at));
}
