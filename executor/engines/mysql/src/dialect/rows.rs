//! Declared rows as SQL.

use std::collections::BTreeMap;

use mig_plan::{
    Action, Address, Hazard, HazardCode, Kind, Name, Probe, Rendered, RenderedUndo, Statement, kind::Rows,
    step::Transaction, verify::Literal,
};

use super::{
    backfill::{LIMITS, constant},
    kept,
    names::{list, quote},
};

/// The SQL of declared rows.
pub(crate) fn render(change: &Kind, rows: &Rows) -> Rendered {
    let at = Address::table(&rows.table);
    let table = quote(&rows.table.name);
    let kept = quote(&kept::values(change));
    let columns = list(rows.columns());
    let (mut prepare, mut sql) = (Vec::new(), Vec::new());
    if !rows.fresh {
        prepare.push(format!(
            "CREATE TABLE IF NOT EXISTS {kept} (PRIMARY KEY ({})) AS SELECT {columns} FROM {table} WHERE FALSE",
            list(&rows.key)
        ));
        let key = rows.is_declared(|column, value| same("t.", column, value));
        // Before anything is asked: rows that stand already are kept as well, so that none of them leaves on the way back.
        prepare.push(format!("INSERT IGNORE INTO {kept} ({columns}) SELECT {columns} FROM {table} AS t\nWHERE {key}"));
    }
    let row =
        |row: &BTreeMap<Name, Literal>| format!("({})", row.values().map(constant).collect::<Vec<_>>().join(", "));
    let values: Vec<_> = rows.rows.iter().map(row).collect();
    let others: Vec<_> = others(rows).collect();
    let written = if others.is_empty() { rows.key.iter().take(1).collect() } else { others };
    let set: Vec<_> = written.iter().map(|column| format!("{0} = VALUES({0})", quote(column))).collect();
    sql.push(format!(
        "INSERT INTO {table} ({columns}) VALUES\n  {}\nON DUPLICATE KEY UPDATE {}",
        values.join(",\n  "),
        set.join(", ")
    ));
    let stands = rows.stands(|column, value| same("", column, value));
    let remaining = format!("SELECT {} - COUNT(*) FROM {table}\nWHERE {stands}", rows.rows.len());
    let says = format!("inserts or changes {} declared rows of {}", rows.rows.len(), rows.table);
    let gc = if rows.fresh { vec![] } else { vec![Statement::new(format!("DROP TABLE IF EXISTS {kept}"))] };
    Rendered {
        action: work(prepare, sql),
        probe: Probe::Remaining { sql: Statement::new(remaining), until: None },
        lock: format!("rows of {}", rows.table),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: vec![],
        gc,
    }
}

/// The condition that a row, called by that name with a dot, is one of those declared.
pub(super) fn is_declared(rows: &Rows, row: &str) -> String {
    rows.is_declared(|column, value| same(row, column, value))
}

/// What takes declared rows back.
pub(crate) fn undo(change: &Kind, rows: &Rows) -> RenderedUndo {
    if rows.fresh {
        let says = "nothing: the rows leave with their table".to_owned();
        return RenderedUndo { says, action: Action::Nothing {}, hazards: vec![] };
    }
    let (table, kept) = (quote(&rows.table.name), quote(&kept::values(change)));
    let stands = rows.stands(|column, value| same("t.", column, value));
    let same_key = kept::same_key(&rows.key, "k", "t");
    let mut sql = vec![format!(
        "DELETE t FROM {table} AS t WHERE ({stands})\n  AND NOT EXISTS (SELECT 1 FROM {kept} AS k WHERE {same_key})"
    )];
    let set: Vec<_> = others(rows).map(|c| format!("t.{0} = k.{0}", quote(c))).collect();
    if !set.is_empty() {
        sql.push(format!("UPDATE {table} AS t JOIN {kept} AS k ON {same_key} SET {} WHERE {stands}", set.join(", ")));
    }
    sql.push(format!("DELETE FROM {kept}"));
    let says =
        "brings back what stood in the place of rows that nobody has changed since, and removes those that were new";
    RenderedUndo { says: says.to_owned(), action: work(vec![], sql), hazards: vec![] }
}

fn others(rows: &Rows) -> impl Iterator<Item = &Name> {
    rows.columns().filter(|column| !rows.key.contains(column))
}

fn same(row: &str, column: &Name, value: &Literal) -> String {
    format!("{row}{} = {}", quote(column), constant(value))
}

pub(super) fn work(prepare: Vec<String>, sql: Vec<String>) -> Action {
    let statements = |all: Vec<String>| all.into_iter().map(Statement::new).collect();
    Action::Transaction(Transaction {
        prepare: statements(prepare),
        lock: vec![],
        rejects: None,
        sql: statements(sql),
        none: vec![],
        restore: vec![],
        limits: LIMITS,
    })
}
