//! A filled table brought in line with what its sources give by now.

use mig_plan::{
    Address, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, Schema, Sql, Statement, Table,
    kind::{Backfill, Filling, Membership, Populate, Revise},
    step::{Action, Transaction},
};

use super::{
    WORK,
    backfill::{Writer, same_value, type_of},
    missing, populate, rows, transaction,
};
use crate::dialect::{
    casts, keep,
    names::{qualified, quote},
};

/// The SQL of following what clients did to the sources.
pub(crate) fn render(change: &Revise, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let target = before.table(&change.table).ok_or_else(|| missing(&at))?;
    let passes: Vec<Backfill> = change.sources.iter().map(Populate::pass).collect();
    let writers = passes.iter().map(|pass| Writer::new(pass, before)).collect::<Result<Vec<_>, _>>()?;
    let each = change.sources.iter().zip(&writers);
    let made: Vec<String> = each.map(|(source, writer)| populate::made(source, target, writer, None)).collect();
    let declared = change.declared.as_ref().map(|declared| rows::is_declared(declared, target, "_mig_t."));
    let gone = change.given_no_more(&made, Membership::Exists, declared.as_deref(), quote);
    let table = qualified(&change.table);
    let mut sql: Vec<String> = Vec::new();
    for row in change.leaving(&gone, qualified, quote) {
        sql.push(format!("DELETE FROM {} AS {} WHERE {}", qualified(&row.table), row.alias, row.when));
    }
    for (nth, source) in change.sources.iter().enumerate() {
        let compared = source.compared(is_unsteady);
        if compared.is_empty() {
            continue;
        }
        let own = change.is_of(nth, &made, Membership::Exists, declared.as_deref(), quote);
        let own = own.map(|own| format!("\n  AND {own}")).unwrap_or_default();
        let when = format!("{} AND ({}){own}", source.same_key(quote), differs(target, &compared));
        let set: Vec<_> = compared.iter().map(|(i, column)| format!("{} = _mig_v._mig_c{i}", quote(column))).collect();
        let from = format!("(\n{}\n) AS _mig_v", made[nth]);
        sql.push(format!("UPDATE {table} AS _mig_t SET {}\nFROM {from}\nWHERE {when}", set.join(", ")));
    }
    let note = note(&change.filling());
    sql.push(format!("DELETE FROM {note}"));
    let reads: Vec<String> = change.reads.iter().map(|at| qualified(&at.qualified())).collect();
    let lock = match reads.is_empty() {
        true => vec![],
        // What is written to them meanwhile would be missed.
        false => vec![Statement::new(format!("LOCK TABLE {} IN SHARE MODE", reads.join(", ")))],
    };
    let words = match reads.is_empty() {
        true => format!("rows of {table}"),
        false => format!("SHARE on {}: writers wait until all is looked at", reads.join(", ")),
    };
    Ok(Rendered {
        action: Action::Transaction(Transaction {
            prepare: vec![],
            lock,
            rejects: None,
            sql: sql.into_iter().map(Statement::new).collect(),
            none: vec![],
            restore: vec![],
            limits: WORK,
        }),
        probe: Probe::Remaining { sql: Statement::new(format!("SELECT count(*) FROM {note}")), until: None },
        lock: words,
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, change.warning())],
        checks: vec![],
        gc: vec![],
    })
}

/// The table whose one row says that a table is being filled.
fn note(filling: &Filling) -> String {
    qualified(&keep::place(&Kind::from(filling.clone())))
}

/// The SQL of noting that a table is being filled.
pub(crate) fn filling(change: &Filling) -> Rendered {
    let note = note(change);
    let sql = vec![
        keep::schema(),
        format!("DROP TABLE IF EXISTS {note}"),
        format!("CREATE TABLE {note} AS SELECT true AS filling"),
    ];
    Rendered {
        action: transaction(sql, WORK),
        probe: Probe::Shape {},
        lock: "none on anything of yours".to_owned(),
        hazards: vec![],
        checks: vec![],
        gc: vec![Statement::new(format!("DROP TABLE IF EXISTS {note}"))],
    }
}

/// The statements that take the note back.
pub(crate) fn forget(change: &Filling) -> Vec<String> {
    vec![format!("DROP TABLE IF EXISTS {}", note(change))]
}

fn is_unsteady(sql: &Sql) -> bool {
    casts::unsteady(sql.as_str()).is_some()
}

/// The condition that a row has other values than those that it would get now.
fn differs(target: &Table, compared: &[(usize, &Name)]) -> String {
    let differs = compared.iter().map(|(i, column)| {
        let (own, value) = (format!("_mig_t.{}", quote(column)), format!("_mig_v._mig_c{i}"));
        format!("NOT ({})", same_value(&type_of(target, column), &own, &value))
    });
    differs.collect::<Vec<_>>().join(" OR ")
}
