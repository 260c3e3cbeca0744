//! Declared rows as SQL.

use std::collections::BTreeMap;

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, Schema, Statement, Table, kind::Rows,
    step::Until, verify::Literal,
};

use super::{
    WORK,
    backfill::{same_value, type_of},
    missing, transaction,
};
use crate::dialect::{
    keep,
    names::{literal, qualified, quote},
};

/// What taking it back does, in words.
pub(crate) const UNDO: &str =
    "brings back what stood in the place of rows that nobody has changed since, and removes those that were new";

/// How the rows of one table are written.
struct Writer<'a> {
    rows: &'a Rows,
    table: &'a Table,
    kept: String,
}

/// The SQL of declared rows.
pub(crate) fn render(rows: &Rows, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&rows.table);
    let table = before.table(&rows.table).ok_or_else(|| missing(&at))?;
    let writer = Writer { rows, table, kept: qualified(&keep::place(&Kind::from(rows.clone()))) };
    let says = format!("inserts or changes {} declared rows of {}", rows.rows.len(), rows.table);
    let remaining = format!(
        "SELECT {} - count(*) FROM {}\nWHERE {}",
        rows.rows.len(),
        qualified(&rows.table),
        rows.stands(|column, value| writer.same("", column, value))
    );
    // Rows that stand already are kept as well, so that none of them leaves on the way back.
    let until = (!rows.fresh).then(|| Until {
        there: Statement::new(format!(
            "SELECT count(*) FROM (SELECT) AS kept\nWHERE pg_catalog.to_regclass({}) IS NOT NULL",
            literal(&writer.kept)
        )),
        sql: Statement::new("SELECT 1"),
    });
    let gc = if rows.fresh { vec![] } else { vec![Statement::new(format!("DROP TABLE IF EXISTS {}", writer.kept))] };
    let (name, mut action) = (qualified(&rows.table), transaction(writer.sql(), WORK));
    let mut lock = format!("rows of {name}");
    if let (false, Action::Transaction(transaction)) = (rows.fresh, &mut action) {
        // What a client writes between the copy of what stands there and the change would be lost.
        transaction.lock.push(Statement::new(format!("LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")));
        lock = format!("SHARE ROW EXCLUSIVE on {name}, an instant: writers wait");
    }
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: Statement::new(remaining), until },
        lock,
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: vec![],
        gc,
    })
}

/// The condition that a row, called by that name with a dot, is one of those declared.
pub(super) fn is_declared(rows: &Rows, table: &Table, row: &str) -> String {
    let writer = Writer { rows, table, kept: String::new() };
    rows.is_declared(|column, value| writer.same(row, column, value))
}

/// The statements that take declared rows back.
pub(crate) fn undo_sql(rows: &Rows, before: &Schema) -> Vec<String> {
    let Some(table) = before.table(&rows.table).filter(|_| !rows.fresh) else { return vec![] };
    let writer = Writer { rows, table, kept: qualified(&keep::place(&Kind::from(rows.clone()))) };
    let name = qualified(&rows.table);
    let stands = rows.stands(|column, value| writer.same("t.", column, value));
    let same: Vec<_> = rows.key.iter().map(|k| format!("k.{0} = t.{0}", quote(k))).collect();
    let same = same.join(" AND ");
    let kept = &writer.kept;
    let set = rows.columns().filter(|column| !rows.key.contains(column));
    let set: Vec<_> = set.map(|c| format!("{0} = k.{0}", quote(c))).collect();
    let mut sql = vec![format!(
        "DELETE FROM {name} AS t WHERE ({stands})\n  AND NOT EXISTS (SELECT FROM {kept} AS k WHERE {same})"
    )];
    if !set.is_empty() {
        sql.push(format!("UPDATE {name} AS t SET {} FROM {kept} AS k WHERE {same}\n  AND ({stands})", set.join(", ")));
    }
    sql.push(format!("DROP TABLE {kept}"));
    sql
}

impl Writer<'_> {
    fn value(&self, column: &Name, value: &Literal) -> String {
        let text = match value {
            Literal::Text(text) | Literal::Number(text) => literal(text),
            Literal::Truth(truth) => literal(if *truth { "true" } else { "false" }),
        };
        format!("{text}::{}", type_of(self.table, column))
    }

    fn same(&self, row: &str, column: &Name, value: &Literal) -> String {
        let own = format!("{row}{}", quote(column));
        same_value(&type_of(self.table, column), &own, &self.value(column, value))
    }

    fn sql(&self) -> Vec<String> {
        let rows = self.rows;
        let name = qualified(&rows.table);
        let columns: Vec<_> = rows.columns().map(quote).collect();
        let columns = columns.join(", ");
        let mut sql = Vec::new();
        if !rows.fresh {
            sql.push(keep::schema());
            sql.push(format!("CREATE TABLE IF NOT EXISTS {} AS SELECT {columns} FROM {name} WITH NO DATA", self.kept));
            let same: Vec<_> = rows.key.iter().map(|k| format!("k.{0} = t.{0}", quote(k))).collect();
            let key = rows.is_declared(|column, value| self.same("t.", column, value));
            sql.push(format!(
                "INSERT INTO {0} SELECT {columns} FROM {name} AS t\nWHERE ({key})\n  AND NOT EXISTS (SELECT FROM {0} AS k WHERE {1})",
                self.kept,
                same.join(" AND ")
            ));
        }
        let row = |row: &BTreeMap<Name, Literal>| {
            let values: Vec<_> = row.iter().map(|(column, value)| self.value(column, value)).collect();
            format!("({})", values.join(", "))
        };
        let values: Vec<_> = rows.rows.iter().map(row).collect();
        let key: Vec<_> = rows.key.iter().map(quote).collect();
        let set = rows.columns().filter(|column| !rows.key.contains(column));
        let set: Vec<_> = set.map(|column| format!("{0} = excluded.{0}", quote(column))).collect();
        let change = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
        sql.push(format!(
            "INSERT INTO {name} ({columns}) VALUES\n  {}\nON CONFLICT ({}) DO {change}",
            values.join(",\n  "),
            key.join(", ")
        ));
        sql
    }
}
