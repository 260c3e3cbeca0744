//! Rows that are declared no more, as SQL.

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, Schema,
    Statement, Table,
    dialect::DraftCheck,
    kind::{RefersToRows, Withdraw},
    plan::CheckSql,
    verify::Literal,
};

use super::{WORK, missing, transaction};
use crate::dialect::{
    keep,
    names::{list, literal, qualified, quote},
};

/// What taking it back does, in words.
pub(crate) const UNDO: &str = "brings the rows back, save those whose key is there again";

/// How rows of one table leave.
struct Writer<'a> {
    k: &'a Withdraw,
    table: &'a Table,
    name: String,
    kept: String,
}

impl<'a> Writer<'a> {
    fn new(k: &'a Withdraw, before: &'a Schema) -> Option<Self> {
        let (name, kept) = (qualified(&k.table), qualified(&keep::place(&Kind::from(k.clone()))));
        Some(Self { k, table: before.table(&k.table)?, name, kept })
    }

    /// The columns that a row is made of.
    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.table.columns.iter().filter(|column| !matches!(column.value, ColumnValue::Generated { .. }))
    }

    fn leaving(&self) -> String {
        self.k.is_leaving(|column, value| same("t.", column, value))
    }

    /// Makes the place where the rows are kept.
    fn place(&self) -> [String; 2] {
        let value = |c: &Column| {
            let name = quote(&c.name);
            format!("{} AS {name}", keep::kept_value(&format!("t.{name}"), &c.data_type))
        };
        let values = self.columns().map(value).collect::<Vec<_>>().join(", ");
        let make = format!(
            "CREATE TABLE IF NOT EXISTS {} AS SELECT {values}\nFROM {} AS t WITH NO DATA",
            self.kept, self.name
        );
        [keep::schema(), make]
    }

    /// What goes is kept as it is when it goes, whoever has just written to it. The rows are locked first, so that the deletion sees every row
    /// of a client that refers to one: the server waits for such a client, but then deletes, and cascades, by what it saw before.
    fn sql(&self) -> Vec<String> {
        let value = |c: &Column| keep::kept_value(&format!("gone.{}", quote(&c.name)), &c.data_type);
        let values = self.columns().map(value).collect::<Vec<_>>().join(", ");
        let referred = self.others().map(|refers| {
            let same = refers.same("r", "t", quote);
            format!("\n  AND NOT EXISTS (SELECT FROM {} AS r WHERE {same})", qualified(&refers.table))
        });
        let referred: String = referred.collect();
        let (kept, name, leaving) = (&self.kept, &self.name, self.leaving());
        let [schema, make] = self.place();
        let go = format!("WITH gone AS (\nDELETE FROM {name} AS t WHERE ({leaving}){referred}\nRETURNING t.*\n)");
        let lock = format!("SELECT count(*) FROM (SELECT FROM {name} AS t WHERE {leaving} FOR UPDATE) AS locked");
        vec![schema, make, lock, format!("{go}\nINSERT INTO {kept} SELECT {values} FROM gone")]
    }

    fn others(&self) -> impl Iterator<Item = &RefersToRows> {
        self.k.referrers.iter().filter(|refers| refers.table != self.k.table)
    }

    fn check(&self, refers: &RefersToRows) -> DraftCheck {
        let stays = refers.leaves(|column, value| same("r.", column, value));
        let stays = stays.map(|leaves| format!("\n  AND NOT ({leaves})")).unwrap_or_default();
        let wrong = format!(
            "{} AS r JOIN {} AS t ON {} WHERE ({}){stays}",
            qualified(&refers.table),
            self.name,
            refers.same("r", "t", quote),
            self.leaving()
        );
        let shown =
            |columns: &[Name]| columns.iter().map(|c| format!("r.{}::text", quote(c))).collect::<Vec<_>>().join(", ");
        DraftCheck {
            at: Address::table(&refers.table),
            says: refers.says(&self.k.table),
            help: refers.help(&self.k.table),
            count: CheckSql::new(format!("SELECT count(*) FROM {wrong}")),
            sample: Some(CheckSql::new(format!("SELECT {} FROM {wrong} LIMIT 5", shown(&refers.columns)))),
            stops: true,
        }
    }
}

/// The SQL that removes the rows.
pub(crate) fn render(k: &Withdraw, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&k.table);
    if k.rows.is_empty() {
        let (action, probe, lock) = (Action::Nothing {}, Probe::Shape {}, "nothing".to_owned());
        return Ok(Rendered { action, probe, lock, hazards: vec![], checks: vec![], gc: vec![] });
    }
    let writer = Writer::new(k, before).ok_or_else(|| missing(&at))?;
    let mut action = transaction(writer.sql(), WORK);
    let key: Vec<_> = k.key().cloned().collect();
    let left = format!("SELECT {} FROM {} AS t WHERE {} LIMIT 1", list(&key), writer.name, writer.leaving());
    if let Action::Transaction(work) = &mut action {
        work.none.push(Statement::new(left));
    }
    let remaining = format!("SELECT count(*) FROM {} AS t WHERE {}", writer.name, writer.leaving());
    Ok(Rendered {
        action,
        probe: Probe::Remaining { sql: Statement::new(remaining), until: None },
        lock: format!("rows of {}", writer.name),
        hazards: vec![Hazard::new(HazardCode::RemovesRows, &at, k.warning())],
        checks: k.referrers.iter().map(|refers| writer.check(refers)).collect(),
        gc: vec![Statement::new(format!("DROP TABLE IF EXISTS {}", writer.kept))],
    })
}

/// The statements that bring the rows back.
pub(crate) fn undo_sql(k: &Withdraw, before: &Schema) -> Vec<String> {
    let Some(writer) = Writer::new(k, before).filter(|_| !k.rows.is_empty()) else { return vec![] };
    let names: Vec<_> = writer.columns().map(|c| quote(&c.name)).collect();
    let value = |c: &Column| keep::restored(&format!("k.{}", quote(&c.name)), &c.data_type);
    let values: Vec<_> = writer.columns().map(value).collect();
    let key = writer.columns().filter(|c| k.key().any(|name| *name == c.name));
    let key: Vec<_> = key.map(|c| format!("t.{} = {}", quote(&c.name), value(c))).collect();
    let [schema, make] = writer.place();
    vec![
        schema,
        make,
        format!(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE\nSELECT {2} FROM {3} AS k\nWHERE NOT EXISTS (SELECT FROM {0} AS t WHERE {4})",
            writer.name,
            names.join(", "),
            values.join(", "),
            writer.kept,
            key.join(" AND ")
        ),
        format!("DROP TABLE {}", writer.kept),
    ]
}

/// A key's values are of the type that the column has, whichever that is by then.
fn same(row: &str, column: &Name, value: &Literal) -> String {
    let text = match value {
        Literal::Text(text) => literal(text),
        Literal::Number(digits) => literal(&digits.replace('_', "")),
        Literal::Truth(truth) => literal(if *truth { "true" } else { "false" }),
    };
    format!("{row}{} = {text}", quote(column))
}
