//! A table filled from the rows of another, in batches over those.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Name, Probe, Rendered, Schema, Sql, Statement,
    kind::{OnConflict, Populate},
    step::{Batch, Transaction},
};

use super::{
    backfill::{LIMITS, Writer},
    names::quote,
};

/// The SQL of filling a table.
pub(crate) fn render(change: &Populate, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let pass = change.pass();
    let writer = Writer::reading(&pass, before)?;
    let table = quote(&change.table.name);
    let made = |filter: Option<&str>| made(change, &writer, filter);
    let set = change.set.keys().filter(|column| !change.key.contains(column));
    let set: Vec<_> = set.map(|column| format!("{0} = VALUES({0})", quote(column))).collect();
    let upsert = (!set.is_empty()).then(|| format!("ON DUPLICATE KEY UPDATE {}", set.join(", ")));
    let insert = |filter: Option<&str>| {
        Statement::new(change.insert(&made(filter), upsert.as_deref(), |at| quote(&at.name), quote))
    };
    let remaining = Statement::new(change.remaining(&table, &made(None), quote));
    let action = if change.last || !change.group_by.is_empty() {
        let none = match change.on_conflict {
            OnConflict::Error if change.last && change.group_by.is_empty() => {
                vec![Statement::new(change.alike(&made(None)))]
            }
            _ => vec![],
        };
        let (prepare, lock, restore) = (vec![], vec![], vec![]);
        let (sql, rejects) = (vec![insert(None)], writer.rejects(change.join.as_ref()));
        Action::Transaction(Transaction { prepare, lock, rejects, sql, none, restore, limits: LIMITS })
    } else {
        let mut batches = writer.batches();
        // What comes late is taken over by another step.
        batches.leaves_late = true;
        batches.rejects = writer.rejects(change.join.as_ref());
        batches.first = Batch { bound: batches.first.bound, sql: vec![insert(Some(&writer.range(false)))] };
        batches.next = Batch { bound: batches.next.bound, sql: vec![insert(Some(&writer.range(true)))] };
        Action::Batches(batches)
    };
    let says = if change.last {
        format!("what old clients write to {} from then on is not taken over", change.from)
    } else {
        format!("makes rows of {} from those of {}", change.table, change.from)
    };
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: remaining, until: None },
        lock: format!("rows of {} and {}, batch by batch", change.table, change.from),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: vec![],
        gc: vec![],
    })
}

/// The rows that a table gets from those of another.
pub(super) fn made(change: &Populate, writer: &Writer<'_>, filter: Option<&str>) -> String {
    let cast = |_: &Name, sql: &Sql| format!("({sql})");
    change.made(&writer.item(filter), &writer.order(), cast)
}
