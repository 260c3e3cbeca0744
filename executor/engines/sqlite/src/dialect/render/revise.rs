//! A filled table brought in line with what its sources give by now.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Probe, Rendered, RenderedUndo, Schema, Statement,
    kind::{Backfill, Filling, Membership, Populate, Revise},
    step::Transaction,
};

use super::{
    backfill::Fill,
    populate,
    rebuild::{Kept, PATIENT},
    rows,
};
use crate::dialect::{names::quote, text};

/// Renders what follows what clients did to the sources.
pub(crate) fn render(change: &Revise, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let passes: Vec<(Kind, Backfill)> =
        change.sources.iter().map(Populate::pass).map(|pass| (Kind::from(pass.clone()), pass)).collect();
    let made = change.sources.iter().zip(&passes).map(|(source, (kind, pass))| {
        let work = Fill::new(kind, pass, before)?;
        populate::made(source, &work, None)
    });
    let made = made.collect::<Result<Vec<String>, Complaint>>()?;
    let declared = change.declared.as_ref().map(|declared| rows::is_declared(declared, "_mig_t."));
    // What an `IN` asks for is computed once, what an `EXISTS` asks for once for each row.
    let gone = change.given_no_more(&made, Membership::In, declared.as_deref(), quote);
    let table = quote(&change.table.name);
    let mut sql: Vec<String> = Vec::new();
    for row in change.leaving(&gone, |at| quote(&at.name), quote) {
        sql.push(format!("DELETE FROM {} AS {} WHERE {}", quote(&row.table.name), row.alias, row.when));
    }
    for (nth, source) in change.sources.iter().enumerate() {
        let compared = source.compared(|sql| text::unsteady(sql).is_some());
        if compared.is_empty() {
            continue;
        }
        let own = change.is_of(nth, &made, Membership::In, declared.as_deref(), quote);
        let own = own.map(|own| format!("\n  AND {own}")).unwrap_or_default();
        let differs = compared.iter().map(|(i, column)| format!("_mig_t.{} IS NOT _mig_v._mig_c{i}", quote(column)));
        let differs = differs.collect::<Vec<_>>().join(" OR ");
        let when = format!("{} AND ({differs}){own}", source.same_key(quote));
        let set: Vec<_> = compared.iter().map(|(i, column)| format!("{} = _mig_v._mig_c{i}", quote(column))).collect();
        let from = format!("(\n{}\n) AS _mig_v", made[nth]);
        sql.push(format!("UPDATE {table} AS _mig_t SET {}\nFROM {from}\nWHERE {when}", set.join(", ")));
    }
    let note = note(&change.filling());
    sql.push(format!("DELETE FROM {note}"));
    Ok(Rendered {
        action: work(sql),
        probe: Probe::Remaining { sql: Statement::new(format!("SELECT count(*) FROM {note}")), until: None },
        lock: "the database file until all is looked at: no other writer, and without WAL no reader".to_owned(),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, change.warning())],
        checks: Vec::new(),
        gc: Vec::new(),
    })
}

/// The table whose one row says that a table is being filled.
fn note(filling: &Filling) -> String {
    Kept::of(&Kind::from(filling.clone())).rows
}

/// Renders the note that a table is being filled.
pub(crate) fn filling(change: &Filling) -> Rendered {
    let note = note(change);
    Rendered {
        action: work(vec![
            format!("DROP TABLE IF EXISTS {note}"),
            format!("CREATE TABLE {note} AS SELECT 1 AS filling"),
        ]),
        probe: Probe::Shape {},
        lock: "the database file for a moment: no other writer, and without WAL no reader".to_owned(),
        hazards: Vec::new(),
        checks: Vec::new(),
        gc: vec![Statement::new(format!("DROP TABLE IF EXISTS {note}"))],
    }
}

/// Renders the way back.
pub(crate) fn forget(change: &Filling) -> RenderedUndo {
    let action = work(vec![format!("DROP TABLE IF EXISTS {}", note(change))]);
    RenderedUndo { says: "Forgets that the table was filled.".to_owned(), action, hazards: Vec::new() }
}

fn work(sql: Vec<String>) -> Action {
    Action::Transaction(Transaction {
        prepare: Vec::new(),
        lock: Vec::new(),
        rejects: None,
        sql: sql.into_iter().map(Statement::new).collect(),
        none: Vec::new(),
        restore: Vec::new(),
        limits: PATIENT,
    })
}
