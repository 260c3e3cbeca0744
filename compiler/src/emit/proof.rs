//! The proof without which no plan comes out: forward the steps give the goal, back again the base.

use std::{collections::BTreeSet, sync::Arc};

use mig_plan::{Address, Object, Schema, Step, Table, schema::Body};

use super::{Header, NoPlan};

/// Replaying every step must give the goal, and taking every step back must give the base.
pub(super) fn prove(end: &Schema, header: &Header<'_>, steps: &[Step]) -> Result<(), NoPlan> {
    if let Some(at) = differs(end, header.goal) {
        return Err(not_alike("the steps do not lead to the declared", &at, end, header.goal));
    }
    let mut back = end.clone();
    for step in steps.iter().rev() {
        if let Some(change) = &step.undo.change {
            back.apply(change).map_err(|e| NoPlan::NotProved(format!("undoing {}: {e}", step.id)))?;
        }
    }
    match differs(&back, &header.snapshot.schema.0) {
        Some(at) => Err(not_alike("undoing the steps does not bring back", &at, &back, &header.snapshot.schema.0)),
        None => Ok(()),
    }
}

/// What a report of the bug needs to hold.
fn not_alike(says: &str, at: &Address, found: &Schema, wanted: &Schema) -> NoPlan {
    let json = |schema: &Schema| serde_json::to_string(&schema.objects.get(at)).unwrap_or_default();
    NoPlan::NotProved(format!("{says} {at}: it would be {} instead of {}", json(found), json(wanted)))
}

/// The first object in which two schemas differ, column order and proofs of constraints aside.
fn differs(a: &Schema, b: &Schema) -> Option<Address> {
    let all: BTreeSet<&Address> = a.objects.keys().chain(b.objects.keys()).collect();
    all.into_iter().find(|at| !alike(a.objects.get(*at), b.objects.get(*at))).cloned()
}

fn alike(a: Option<&Arc<Object>>, b: Option<&Arc<Object>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b || (a.comment == b.comment && a.grants == b.grants && ordered(&a.body) == ordered(&b.body))
        }
        (a, b) => a == b,
    }
}

/// A body with a table's columns sorted by name, whatever is known of its constraints.
fn ordered(body: &Body) -> Body {
    match body {
        Body::Table(table) => {
            let mut table: Table = table.clone();
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            // Being known to hold is nothing that has to be taken back.
            table.constraints.values_mut().for_each(|c| c.validity = mig_plan::schema::Validity::Valid);
            Body::Table(table)
        }
        other => other.clone(),
    }
}
