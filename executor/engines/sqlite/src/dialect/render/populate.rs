//! A table filled from the rows of another, in batches over those.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, Schema, Sql, Statement,
    kind::{OnConflict, Populate},
    step::{Batch, Batches, Transaction},
};

use super::{backfill::Fill, rebuild::PATIENT};
use crate::dialect::names::quote;

/// Renders the filling of a table.
pub(crate) fn render(populate: &Populate, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&populate.table);
    let pass = populate.pass();
    let kind = Kind::from(pass.clone());
    let work = Fill::new(&kind, &pass, before)?;
    let table = quote(&populate.table.name);
    let made = |range: Option<&str>| made(populate, &work, range);
    let upsert = upsert(populate);
    let insert = |range: Option<&str>| -> Result<Statement, Complaint> {
        Ok(Statement::new(populate.insert(&made(range)?, upsert.as_deref(), |at| quote(&at.name), quote)))
    };
    let remaining = Statement::new(populate.remaining(&table, &made(None)?, quote));
    let action = if populate.last || !populate.group_by.is_empty() {
        let none = match populate.on_conflict {
            OnConflict::Error if populate.last && populate.group_by.is_empty() => {
                vec![Statement::new(populate.alike(&made(None)?))]
            }
            _ => Vec::new(),
        };
        Action::Transaction(Transaction {
            prepare: Vec::new(),
            lock: Vec::new(),
            rejects: work.rejects(populate.join.as_ref())?,
            sql: vec![insert(None)?],
            none,
            restore: Vec::new(),
            limits: PATIENT,
        })
    } else {
        let batch = |cursor: bool| -> Result<Batch, Complaint> {
            let range = work.range(cursor);
            Ok(Batch { bound: Statement::new(work.bound(cursor)), sql: vec![insert(Some(&range))?] })
        };
        let batches = work.batches(batch(false)?, batch(true)?)?;
        // What comes late is taken over by another step.
        Action::Batches(Batches { rejects: work.rejects(populate.join.as_ref())?, leaves_late: true, ..batches })
    };
    let says = if populate.last {
        format!("what old clients write to {} from then on is not taken over", populate.from)
    } else {
        format!("makes rows of {} from those of {}", populate.table, populate.from)
    };
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: remaining, until: None },
        lock: "the database file, batch by batch: no other writer, and without WAL no reader".to_owned(),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: Vec::new(),
        gc: Vec::new(),
    })
}

/// The rows that a table gets from those of another.
pub(super) fn made(populate: &Populate, work: &Fill<'_>, range: Option<&str>) -> Result<String, Complaint> {
    let cast = |_: &Name, sql: &Sql| format!("({sql})");
    Ok(populate.made(&work.source.from(range)?, &work.source.key_columns(), cast))
}

/// What writes a later row over an earlier one.
fn upsert(populate: &Populate) -> Option<String> {
    let key: Vec<_> = populate.key.iter().map(quote).collect();
    let set = populate.set.keys().filter(|column| !populate.key.contains(column));
    let set: Vec<_> = set.map(|column| format!("{0} = excluded.{0}", quote(column))).collect();
    (!set.is_empty()).then(|| format!("ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", ")))
}
