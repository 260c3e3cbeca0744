//! A table filled from the rows of another, in batches over those.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Name, Probe, Rendered, Schema, Sql, Statement, Table,
    kind::{OnConflict, Populate},
    step::{Batch, Transaction},
};

use super::{
    WORK,
    backfill::{Writer, cast_type, type_of},
    missing,
};
use crate::dialect::names::{qualified, quote};

/// The SQL of filling a table.
pub(crate) fn render(change: &Populate, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let target = before.table(&change.table).ok_or_else(|| missing(&at))?;
    let pass = change.pass();
    let writer = Writer::new(&pass, before)?;
    let table = qualified(&change.table);
    let made = |filter: Option<&str>| made(change, target, &writer, filter);
    let upsert = upsert(change);
    let insert =
        |filter: Option<&str>| Statement::new(change.insert(&made(filter), upsert.as_deref(), qualified, quote));
    let remaining = Statement::new(change.remaining(&table, &made(None), quote));
    let whole = change.last || !change.group_by.is_empty();
    let source = qualified(&change.from);
    let (action, lock) = if whole {
        // What is written to the source meanwhile would be missed.
        let locks =
            if change.last { vec![Statement::new(format!("LOCK TABLE {source} IN SHARE MODE"))] } else { vec![] };
        let none = match change.on_conflict {
            OnConflict::Error if change.last && change.group_by.is_empty() => {
                vec![Statement::new(change.alike(&made(None)))]
            }
            _ => vec![],
        };
        let sql = vec![insert(None)];
        let rejects = writer.rejects(change.join.as_ref());
        let (prepare, restore) = (vec![], vec![]);
        let work = Transaction { prepare, lock: locks, rejects, sql, none, restore, limits: WORK };
        let words = if change.last {
            format!("SHARE on {source}: writers to it wait until it is done")
        } else {
            format!("rows of {table}")
        };
        (Action::Transaction(work), words)
    } else {
        let mut batches = writer.batches();
        // What comes late is taken over by another step.
        batches.leaves_late = true;
        batches.rejects = writer.rejects(change.join.as_ref());
        batches.first = Batch { bound: batches.first.bound, sql: vec![insert(Some(&writer.range(false)))] };
        batches.next = Batch { bound: batches.next.bound, sql: vec![insert(Some(&writer.range(true)))] };
        (Action::Batches(batches), format!("rows of {table}, batch by batch"))
    };
    let says = if change.last {
        format!("what old clients write to {} from then on is not taken over", change.from)
    } else {
        format!("makes rows of {} from those of {}", change.table, change.from)
    };
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: remaining, until: None },
        lock,
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: vec![],
        gc: vec![],
    })
}

/// The rows that a table gets from those of another.
pub(super) fn made(change: &Populate, target: &Table, writer: &Writer<'_>, filter: Option<&str>) -> String {
    let cast = |column: &Name, sql: &Sql| format!("({sql})::{}", cast_type(&type_of(target, column)));
    change.made(&writer.item(filter), &writer.order(), cast)
}

/// What writes a later row over an earlier one.
fn upsert(change: &Populate) -> Option<String> {
    let key: Vec<_> = change.key.iter().map(quote).collect();
    let set: Vec<_> = change
        .set
        .keys()
        .filter(|column| !change.key.contains(column))
        .map(|column| format!("{0} = excluded.{0}", quote(column)))
        .collect();
    (!set.is_empty()).then(|| format!("ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", ")))
}
