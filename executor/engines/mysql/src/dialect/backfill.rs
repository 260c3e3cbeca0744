//! Values for existing rows, batch by batch.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Limits, Name, Probe, Rendered, RenderedUndo, Schema, Sql,
    Statement, Table,
    kind::Backfill,
    step::{Batch, Batches, Transaction},
};

use super::{
    kept,
    names::{list, quote},
    object::cannot,
    render::missing,
    text,
};
use crate::flavor::Flavor;

const ROWS: u32 = 1_000;
const LIMITS: Limits = Limits { lock_ms: 1_000, statement_ms: 0, attempts: 20 };
/// A derived table with a limit is computed before the table under it is written.
const APART: &str = "LIMIT 18446744073709551615";

/// The statements of a backfill.
struct Writer<'a> {
    change: &'a Backfill,
    table: &'a Table,
    key: Vec<Name>,
    kept: Name,
}

/// The SQL of a backfill.
pub(crate) fn render(_: &Flavor, change: &Backfill, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&change.table);
    let table = before.table(&change.table).ok_or_else(|| missing(&at))?;
    let Some(key) = kept::key(table).filter(|key| !key.iter().any(|k| change.set.contains_key(k))) else {
        return Err(Complaint {
            help: Some("give the table a primary key that the transform does not set".to_owned()),
            ..cannot(&at, format!("the rows of {} cannot be told apart while they get their values", change.table))
        });
    };
    if let Some(column) =
        change.set.iter().find_map(|(column, sql)| (!can_be_told(change, column, sql)).then_some(column))
    {
        let says = format!(
            "the value of {column} is made from a column that it overwrites, so an interrupted run could not tell which rows are done"
        );
        return Err(Complaint {
            help: Some("declare a new column with this value, and drop the old one".to_owned()),
            ..cannot(&Address::column(&change.table, column), says)
        });
    }
    let writer = Writer { change, table, key, kept: kept::values(&Kind::from(change.clone())) };
    let mut hazards =
        vec![Hazard::new(HazardCode::RewritesRows, &at, "every row is updated; replicas follow behind".to_owned())];
    let mut gc = vec![];
    if change.overwrites {
        hazards.push(Hazard::new(
            HazardCode::OverwritesValues,
            &at,
            "the old values are kept until `mig gc`".to_owned(),
        ));
        gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", quote(&writer.kept))));
    }
    Ok(Rendered {
        action: Action::Batches(writer.batches()),
        probe: Probe::Remaining { sql: Statement::new(writer.remaining()) },
        lock: format!("rows of {}, batch by batch", change.table),
        hazards,
        checks: vec![],
        gc,
    })
}

/// Whether a row that has its value can be told from one that waits for it: the value is made from nothing that is overwritten, or from
/// the column itself by what changes nothing when it is done again.
fn can_be_told(change: &Backfill, column: &Name, sql: &Sql) -> bool {
    let same = |a: &Name, b: &Name| a.as_str().eq_ignore_ascii_case(b.as_str());
    let read: Vec<Name> =
        text::mentions(sql).into_iter().map(|name| change.columns.get(&name).cloned().unwrap_or(name)).collect();
    let mut overwritten = change.set.keys().filter(|set| change.overwrites && read.iter().any(|name| same(name, set)));
    overwritten.all(|set| set == column && text::only_tidies(sql))
}

/// What takes a backfill back.
pub(crate) fn undo(_: &Flavor, change: &Backfill, before: &Schema) -> RenderedUndo {
    let table = before.table(&change.table);
    let key = table.and_then(kept::key).filter(|_| change.overwrites);
    let (Some(table), Some(key)) = (table, key) else {
        let says = "nothing: the columns leave with the step that added them".to_owned();
        return RenderedUndo { says, action: Action::Nothing {}, hazards: vec![] };
    };
    let writer = Writer { change, table, key, kept: kept::values(&Kind::from(change.clone())) };
    let set: Vec<_> = change.set.keys().enumerate().map(|(i, c)| format!("t.{} = k._mig_old{i}", quote(c))).collect();
    let still: Vec<_> =
        change.set.keys().enumerate().map(|(i, c)| format!("t.{} <=> k._mig_new{i}", quote(c))).collect();
    let sql = format!(
        "UPDATE {} AS t JOIN {} AS k ON {} SET {} WHERE {}",
        quote(&change.table.name),
        quote(&writer.kept),
        kept::same_key(&writer.key, "t", "k"),
        set.join(", "),
        still.join(" AND ")
    );
    let action = Action::Transaction(Transaction {
        prepare: vec![],
        lock: vec![],
        sql: vec![Statement::new(sql)],
        none: vec![],
        restore: vec![],
        limits: LIMITS,
    });
    let says = "brings back the old values of rows that nobody has changed since".to_owned();
    RenderedUndo { says, action, hazards: vec![] }
}

impl Writer<'_> {
    fn batches(&self) -> Batches {
        let rows = self.change.batch_rows.unwrap_or(ROWS).max(1);
        Batches {
            key: self.key.iter().map(ToString::to_string).collect(),
            rows,
            min_rows: rows.min(100),
            max_rows: rows.max(20_000),
            target_ms: 200,
            prepare: if self.change.overwrites { vec![Statement::new(self.prepare())] } else { vec![] },
            first: Batch { bound: self.bound(false), sql: self.work(false) },
            next: Batch { bound: self.bound(true), sql: self.work(true) },
            limits: LIMITS,
        }
    }

    /// A comparison of the key with parameters.
    fn against(&self, sign: &str) -> String {
        let parameters: Vec<_> = self.key.iter().map(|k| kept::parameter(self.table, k)).collect();
        match self.key.as_slice() {
            [only] => format!("{} {sign} {}", quote(only), parameters.join("")),
            _ => format!("({}) {sign} ({})", list(&self.key), parameters.join(", ")),
        }
    }

    fn bound(&self, next: bool) -> Statement {
        let filter = if next { format!(" WHERE {}", self.against(">")) } else { String::new() };
        let names = list(&self.key);
        let texts: Vec<_> = self.key.iter().map(|k| kept::as_text(self.table, k)).collect();
        let down: Vec<_> = self.key.iter().map(|k| format!("{} DESC", quote(k))).collect();
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {names} FROM {}{filter} ORDER BY {names} LIMIT ?\n) AS _mig_batch ORDER BY {} LIMIT 1",
            texts.join(", "),
            quote(&self.change.table.name),
            down.join(", ")
        ))
    }

    fn range(&self, next: bool) -> String {
        if next { format!("{} AND {}", self.against(">"), self.against("<=")) } else { self.against("<=") }
    }

    /// The rows with their key as `_mig_k0 ..` and the values that they shall have as `_mig_c0 ..`.
    fn computed(&self, filter: Option<&str>) -> String {
        let keys: Vec<_> = (0..self.key.len()).map(|i| format!("_mig_k{i}")).collect();
        let values: Vec<_> = self.change.set.values().enumerate().map(|(i, e)| format!("({e}) AS _mig_c{i}")).collect();
        let filter = filter.map(|f| format!(" WHERE {f}")).unwrap_or_default();
        format!(
            "SELECT {}, {}\n    FROM (SELECT {} FROM {}{filter}) AS {} {APART}",
            keys.join(", "),
            values.join(", "),
            self.source(),
            quote(&self.change.table.name),
            quote(&self.change.alias)
        )
    }

    /// The table's columns under the names that expressions use, and the key under names of mig's own.
    fn source(&self) -> String {
        let renamed: BTreeSet<&Name> = self.change.columns.values().collect();
        let keys = self.key.iter().enumerate().map(|(i, name)| format!("{} AS _mig_k{i}", quote(name)));
        let base = self.change.columns.iter().map(|(base, now)| format!("{} AS {}", quote(now), quote(base)));
        let own = self.table.columns.iter().map(|c| &c.name);
        let own = own.filter(|name| !renamed.contains(name) && !self.change.columns.contains_key(*name)).map(quote);
        keys.chain(base).chain(own).collect::<Vec<_>>().join(", ")
    }

    fn joined(&self, left: &str) -> String {
        let parts: Vec<_> =
            self.key.iter().enumerate().map(|(i, k)| format!("{left}.{} = _mig_v._mig_k{i}", quote(k))).collect();
        parts.join(" AND ")
    }

    fn undone(&self) -> String {
        let parts: Vec<_> = self
            .change
            .set
            .keys()
            .enumerate()
            .map(|(i, c)| format!("_mig_t.{} <=> _mig_v._mig_c{i}", quote(c)))
            .collect();
        format!("NOT ({})", parts.join(" AND "))
    }

    fn prepare(&self) -> String {
        let keys = self.key.iter().map(quote);
        let values = self.change.set.keys().enumerate();
        let values =
            values.flat_map(|(i, c)| [format!("{} AS _mig_old{i}", quote(c)), format!("{} AS _mig_new{i}", quote(c))]);
        let columns: Vec<_> = keys.chain(values).collect();
        format!(
            "CREATE TABLE IF NOT EXISTS {} (PRIMARY KEY ({})) AS SELECT {} FROM {} WHERE FALSE",
            quote(&self.kept),
            list(&self.key),
            columns.join(", "),
            quote(&self.change.table.name)
        )
    }

    fn work(&self, next: bool) -> Vec<Statement> {
        let computed = self.computed(Some(&self.range(next)));
        let table = quote(&self.change.table.name);
        let set: Vec<_> = self
            .change
            .set
            .keys()
            .enumerate()
            .map(|(i, c)| format!("_mig_t.{} = _mig_v._mig_c{i}", quote(c)))
            .collect();
        let update = format!(
            "UPDATE {table} AS _mig_t JOIN (\n    {computed}\n) AS _mig_v ON {}\nSET {}\nWHERE {}",
            self.joined("_mig_t"),
            set.join(", "),
            self.undone()
        );
        let mut out = Vec::new();
        if self.change.overwrites {
            let targets: Vec<_> = self
                .key
                .iter()
                .map(quote)
                .chain(
                    self.change
                        .set
                        .keys()
                        .enumerate()
                        .flat_map(|(i, _)| [format!("_mig_old{i}"), format!("_mig_new{i}")]),
                )
                .collect();
            let values: Vec<_> = (0..self.key.len())
                .map(|i| format!("_mig_v._mig_k{i}"))
                .chain(
                    self.change
                        .set
                        .keys()
                        .enumerate()
                        .flat_map(|(i, c)| [format!("_mig_t.{}", quote(c)), format!("_mig_v._mig_c{i}")]),
                )
                .collect();
            out.push(Statement::new(format!(
                "INSERT IGNORE INTO {} ({})\nSELECT {}\nFROM {table} AS _mig_t JOIN (\n    {computed}\n) AS _mig_v ON {}\nWHERE {}",
                quote(&self.kept),
                targets.join(", "),
                values.join(", "),
                self.joined("_mig_t"),
                self.undone()
            )));
        }
        out.push(Statement::new(update));
        out
    }

    /// The query that counts the rows that still need their values.
    fn remaining(&self) -> String {
        format!(
            "SELECT COUNT(*)\nFROM {} AS _mig_t JOIN (\n    {}\n) AS _mig_v ON {}\nWHERE {}",
            quote(&self.change.table.name),
            self.computed(None),
            self.joined("_mig_t"),
            self.undone()
        )
    }
}
