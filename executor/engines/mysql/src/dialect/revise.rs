//! A filled table brought in line with what its sources give by now.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Probe, Rendered, Schema, Statement,
    kind::{Backfill, Filling, Membership, Populate, Revise},
    step::Transaction,
};

use super::{
    backfill::{LIMITS, Writer, same_value},
    kept,
    names::quote,
    populate,
    render::{alone, missing, prepared},
    rows, text,
};

/// In this isolation what a locking read went past stays as it is: no row of it changes or leaves, and none comes.
const HOLD: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
/// That of mig's sessions.
const USUAL: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The SQL of following what clients did to the sources.
pub(crate) fn render(change: &Revise, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let target = before.table(&change.table).ok_or_else(|| missing(&at))?;
    let passes: Vec<Backfill> = change.sources.iter().map(Populate::pass).collect();
    let writers = passes.iter().map(|pass| Writer::reading(pass, before)).collect::<Result<Vec<_>, _>>()?;
    let each = change.sources.iter().zip(&writers);
    let made: Vec<String> = each.map(|(source, writer)| populate::made(source, writer, None)).collect();
    let declared = change.declared.as_ref().map(|declared| rows::is_declared(declared, "_mig_t."));
    let gone = change.given_no_more(&made, Membership::In, declared.as_deref(), quote);
    let table = quote(&change.table.name);
    let mut sql: Vec<String> = Vec::new();
    for row in change.leaving(&gone, |at| quote(&at.name), quote) {
        sql.push(format!("DELETE {1} FROM {0} AS {1} WHERE {2}", quote(&row.table.name), row.alias, row.when));
    }
    for (nth, source) in change.sources.iter().enumerate() {
        let compared = source.compared(|sql| text::unsteady(sql).is_some());
        if compared.is_empty() {
            continue;
        }
        let own = change.is_of(nth, &made, Membership::In, declared.as_deref(), quote);
        let own = own.map(|own| format!("\n  AND {own}")).unwrap_or_default();
        let differs = compared.iter().map(|(i, column)| {
            let (own, value) = (format!("_mig_t.{}", quote(column)), format!("_mig_v._mig_c{i}"));
            format!("NOT ({})", same_value(target, column, &own, &value))
        });
        let differs = differs.collect::<Vec<_>>().join(" OR ");
        let set: Vec<_> =
            compared.iter().map(|(i, column)| format!("_mig_t.{} = _mig_v._mig_c{i}", quote(column))).collect();
        let from = format!("{table} AS _mig_t JOIN (\n{}\n) AS _mig_v ON {}", made[nth], source.same_key(quote));
        let when = format!("({differs}){own}");
        sql.push(format!("UPDATE {from}\nSET {}\nWHERE {when}", set.join(", ")));
    }
    let note = note(&change.filling());
    sql.push(format!("DELETE FROM {note}"));
    let reads: Vec<String> = change.reads.iter().map(|at| quote(at.name())).collect();
    let held = reads.iter().map(|read| Statement::new(format!("SELECT COUNT(*) FROM {read} LOCK IN SHARE MODE")));
    Ok(Rendered {
        action: Action::Transaction(Transaction {
            prepare: vec![Statement::new(HOLD)],
            lock: held.collect(),
            rejects: None,
            sql: sql.into_iter().map(Statement::new).collect(),
            none: vec![],
            restore: vec![Statement::new(USUAL)],
            limits: LIMITS,
        }),
        probe: Probe::Remaining { sql: Statement::new(format!("SELECT COUNT(*) FROM {note}")), until: None },
        lock: format!("all rows of {}: writers wait until all is looked at", reads.join(", ")),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, change.warning())],
        checks: vec![],
        gc: vec![],
    })
}

/// The table whose one row says that a table is being filled.
fn note(filling: &Filling) -> String {
    quote(&kept::values(&Kind::from(filling.clone())))
}

/// The SQL of noting that a table is being filled.
pub(crate) fn filling(change: &Filling) -> Rendered {
    let note = note(change);
    let gone = format!("DROP TABLE IF EXISTS {note}");
    Rendered {
        action: prepared(vec![gone.clone()], format!("CREATE TABLE {note} AS SELECT 1 AS filling")),
        probe: Probe::Shape {},
        lock: "none on anything of yours".to_owned(),
        hazards: vec![],
        checks: vec![],
        gc: vec![Statement::new(gone)],
    }
}

/// The SQL that takes the note back.
pub(crate) fn forget(change: &Filling) -> Action {
    alone(format!("DROP TABLE IF EXISTS {}", note(change)))
}
