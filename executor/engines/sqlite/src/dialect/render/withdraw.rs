//! Rows that are declared no more, as SQL.

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, RenderedUndo,
    Schema, Statement,
    dialect::DraftCheck,
    kind::{RefersToRows, Withdraw},
    plan::CheckSql,
    verify::Literal,
};

use super::{
    plain,
    rebuild::Kept,
    rows::{list, work},
};
use crate::dialect::{names::quote, normalize::complaint, write::constant};

/// How rows of one table leave.
struct Writer<'a> {
    k: &'a Withdraw,
    table: String,
    /// The columns that a row is made of.
    columns: String,
    kept: Kept,
}

impl<'a> Writer<'a> {
    fn new(change: &Kind, k: &'a Withdraw, before: &Schema) -> Result<Self, Complaint> {
        let absent = || complaint(&Address::table(&k.table), "the table is not there", None);
        let table = before.table(&k.table).ok_or_else(absent)?;
        let given = |column: &&Column| !matches!(column.value, ColumnValue::Generated { .. });
        let columns = list(table.columns.iter().filter(given).map(|column| &column.name));
        Ok(Self { k, table: quote(&k.table.name), columns, kept: Kept::of(change) })
    }

    fn leaving(&self) -> String {
        self.k.is_leaving(|column, value| same("t.", column, value))
    }

    /// Makes the place where the rows are kept.
    fn place(&self) -> String {
        let Self { table, columns, kept, .. } = self;
        format!("CREATE TABLE IF NOT EXISTS {} AS SELECT {columns} FROM {table} WHERE 1 = 0", kept.rows)
    }

    fn sql(&self) -> Vec<String> {
        let Self { table, columns, kept, .. } = self;
        let leaving = self.leaving();
        let others = self.k.referrers.iter().filter(|refers| refers.table != self.k.table);
        let referred = others.map(|refers| {
            let same = refers.same("r", "t", quote);
            format!("\n  AND NOT EXISTS (SELECT 1 FROM {} AS r WHERE {same})", quote(&refers.table.name))
        });
        let referred: String = referred.collect();
        vec![
            self.place(),
            format!("INSERT INTO {} SELECT {columns} FROM {table} AS t\nWHERE {leaving}", kept.rows),
            format!("DELETE FROM {table} AS t WHERE ({leaving}){referred}"),
        ]
    }

    fn check(&self, refers: &RefersToRows) -> DraftCheck {
        let stays = refers.leaves(|column, value| same("r.", column, value));
        let stays = stays.map(|leaves| format!("\n  AND NOT ({leaves})")).unwrap_or_default();
        let wrong = format!(
            "{} AS r JOIN {} AS t ON {} WHERE ({}){stays}",
            quote(&refers.table.name),
            self.table,
            refers.same("r", "t", quote),
            self.leaving()
        );
        let shown: Vec<_> = refers.columns.iter().map(|c| format!("r.{}", quote(c))).collect();
        DraftCheck {
            at: Address::table(&refers.table),
            says: refers.says(&self.k.table),
            help: refers.help(&self.k.table),
            count: CheckSql::new(format!("SELECT count(*) FROM {wrong}")),
            sample: Some(CheckSql::new(format!("SELECT {} FROM {wrong} LIMIT 5", shown.join(", ")))),
            stops: true,
        }
    }
}

/// Renders the removal.
pub(crate) fn render(change: &Kind, k: &Withdraw, before: &Schema) -> Result<Rendered, Complaint> {
    if k.rows.is_empty() {
        return Ok(plain::nothing());
    }
    let writer = Writer::new(change, k, before)?;
    let mut action = work(writer.sql());
    let (table, leaving) = (&writer.table, writer.leaving());
    if let Action::Transaction(work) = &mut action {
        work.none.push(Statement::new(format!("SELECT {} FROM {table} AS t WHERE {leaving} LIMIT 1", list(k.key()))));
    }
    let remaining = Statement::new(format!("SELECT count(*) FROM {table} AS t WHERE {leaving}"));
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: remaining, until: None },
        lock: "the database file for a moment: no other writer, and without WAL no reader".to_owned(),
        hazards: vec![Hazard::new(HazardCode::RemovesRows, &Address::table(&k.table), k.warning())],
        checks: k.referrers.iter().map(|refers| writer.check(refers)).collect(),
        gc: writer.kept.drop(),
    })
}

/// Renders the way back.
pub(crate) fn render_undo(change: &Kind, k: &Withdraw, before: &Schema) -> Result<RenderedUndo, Complaint> {
    if k.rows.is_empty() {
        let says = "Nothing was changed in the database.".to_owned();
        return Ok(RenderedUndo { says, action: Action::Nothing {}, hazards: Vec::new() });
    }
    let writer = Writer::new(change, k, before)?;
    let Writer { table, columns, kept, .. } = &writer;
    let key: Vec<_> = k.key().map(|name| format!("t.{0} = k.{0}", quote(name))).collect();
    let mut sql = vec![
        writer.place(),
        format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {} AS k\nWHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {})",
            kept.rows,
            key.join(" AND ")
        ),
    ];
    sql.extend(kept.drop().iter().map(Statement::sql));
    let says = "Brings the rows back, save those whose key is there again.".to_owned();
    Ok(RenderedUndo { says, action: work(sql), hazards: Vec::new() })
}

fn same(row: &str, column: &Name, value: &Literal) -> String {
    format!("{row}{} = {}", quote(column), constant(value))
}
