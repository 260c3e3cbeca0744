//! Declared rows as SQL.

use std::collections::BTreeMap;

use mig_plan::{
    Action, Address, Hazard, HazardCode, Kind, Name, Probe, Rendered, RenderedUndo, Statement,
    kind::Rows,
    step::{Transaction, Until},
    verify::Literal,
};

use super::rebuild::{Kept, PATIENT};
use crate::dialect::{names::quote, write::constant};

/// Renders declared rows.
pub(crate) fn render(change: &Kind, rows: &Rows) -> Rendered {
    let at = Address::table(&rows.table);
    let table = quote(&rows.table.name);
    let kept = Kept::of(change);
    let columns = list(rows.columns());
    let mut sql = Vec::new();
    if !rows.fresh {
        let name = &kept.rows;
        sql.push(format!("CREATE TABLE IF NOT EXISTS {name} AS SELECT {columns} FROM {table} WHERE 1 = 0"));
        let key = rows.is_declared(|column, value| same("t.", column, value));
        sql.push(format!(
            "INSERT INTO {name} SELECT {columns} FROM {table} AS t\nWHERE ({key})\n  AND NOT EXISTS (SELECT 1 FROM {name} AS k WHERE {})",
            same_key(rows)
        ));
    }
    let row =
        |row: &BTreeMap<Name, Literal>| format!("({})", row.values().map(constant).collect::<Vec<_>>().join(", "));
    let values: Vec<_> = rows.rows.iter().map(row).collect();
    let set: Vec<_> = others(rows).map(|column| format!("{0} = excluded.{0}", quote(column))).collect();
    let change = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
    sql.push(format!(
        "INSERT INTO {table} ({columns}) VALUES\n  {}\nON CONFLICT ({}) DO {change}",
        values.join(",\n  "),
        list(rows.key.iter())
    ));
    let stands = rows.stands(|column, value| same("", column, value));
    let remaining = format!("SELECT {} - count(*) FROM {table}\nWHERE {stands}", rows.rows.len());
    // Rows that stand already are kept as well, so that none of them leaves on the way back.
    let until = (!rows.fresh).then(|| Until {
        there: Statement::new(format!("SELECT count(*) FROM sqlite_schema WHERE name = '{}'", kept.rows)),
        sql: Statement::new("SELECT 1"),
    });
    let says = format!("inserts or changes {} declared rows of {}", rows.rows.len(), rows.table);
    Rendered {
        action: work(sql),
        probe: Probe::Remaining { sql: Statement::new(remaining), until },
        lock: "the database file for a moment: no other writer, and without WAL no reader".to_owned(),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: Vec::new(),
        gc: if rows.fresh { Vec::new() } else { kept.drop() },
    }
}

/// The condition that a row, called by that name with a dot, is one of those declared.
pub(super) fn is_declared(rows: &Rows, row: &str) -> String {
    rows.is_declared(|column, value| same(row, column, value))
}

/// Renders the way back: what stood in the place of rows that nobody changed since, without those that were new.
pub(crate) fn render_undo(change: &Kind, rows: &Rows) -> RenderedUndo {
    if rows.fresh {
        let says = "Leaves the rows; they go with their table.".to_owned();
        return RenderedUndo { says, action: Action::Nothing {}, hazards: Vec::new() };
    }
    let (table, kept) = (quote(&rows.table.name), Kept::of(change));
    let (name, same_key) = (&kept.rows, same_key(rows));
    let stands = rows.stands(|column, value| same("t.", column, value));
    let mut sql = vec![format!(
        "DELETE FROM {table} AS t WHERE ({stands})\n  AND NOT EXISTS (SELECT 1 FROM {name} AS k WHERE {same_key})"
    )];
    let set: Vec<_> = others(rows).map(|c| format!("{0} = k.{0}", quote(c))).collect();
    if !set.is_empty() {
        sql.push(format!(
            "UPDATE {table} AS t SET {} FROM {name} AS k WHERE {same_key}\n  AND ({stands})",
            set.join(", ")
        ));
    }
    sql.extend(kept.drop().iter().map(Statement::sql));
    RenderedUndo {
        says: "Brings back what stood in the place of rows that nobody has changed since, and removes those that were new."
            .to_owned(),
        action: work(sql),
        hazards: Vec::new(),
    }
}

fn others(rows: &Rows) -> impl Iterator<Item = &Name> {
    rows.columns().filter(|column| !rows.key.contains(column))
}

fn same(row: &str, column: &Name, value: &Literal) -> String {
    format!("{row}{} IS {}", quote(column), constant(value))
}

fn same_key(rows: &Rows) -> String {
    rows.key.iter().map(|k| format!("k.{0} = t.{0}", quote(k))).collect::<Vec<_>>().join(" AND ")
}

pub(super) fn list<'a>(names: impl Iterator<Item = &'a Name>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}

pub(super) fn work(sql: Vec<String>) -> Action {
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
