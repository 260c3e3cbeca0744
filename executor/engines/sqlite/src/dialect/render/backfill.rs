//! Gives columns of existing rows their values, in batches by key.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Name, Probe, Rendered, RenderedUndo, Schema, Sql, Statement,
    Table,
    kind::Backfill,
    step::{Batch, Batches, Limits, Rejects, Transaction, Until},
};

use super::{
    rebuild::{Kept, PATIENT},
    source::{Source, key, key_column},
};
use crate::dialect::{
    names::{self, quote},
    normalize::complaint,
    text,
};

const LIMITS: Limits = Limits { lock_ms: 5_000, statement_ms: 0, attempts: 20 };

/// What a backfill works on.
pub(super) struct Fill<'a> {
    fill: &'a Backfill,
    pub(super) source: Source<'a>,
    /// The key, over the table.
    key: Vec<String>,
    kept: Kept,
}

impl<'a> Fill<'a> {
    pub(super) fn new(change: &Kind, fill: &'a Backfill, schema: &'a Schema) -> Result<Self, Complaint> {
        let at = Address::table(&fill.table);
        let table: &Table = schema.table(&fill.table).ok_or_else(|| complaint(&at, "the table is not there", None))?;
        let key = key(table).ok_or_else(|| complaint(&at, "its columns hide every name of its rowid", None))?;
        let (columns, set) = (&fill.columns, fill.set.clone());
        let (at, alias, rows) = (&fill.table, &fill.alias, &fill.rows);
        let source = Source { at, table, alias, columns, set, fresh: !fill.overwrites, rows };
        Ok(Self { fill, source, key, kept: Kept::of(change) })
    }

    /// Whether what is kept tells which rows are done: a value is made from a column that is overwritten, and making it again would
    /// give another.
    fn is_told_by_kept(&self) -> bool {
        let present = |name: &Name| self.fill.columns.get(name).unwrap_or(name).clone();
        let again = |(column, sql): (&Name, &Sql)| {
            let read: Vec<Name> = text::mentions(sql).iter().map(present).collect();
            let mut overwritten = self.fill.set.keys().filter(|set| read.iter().any(|name| names::same(name, set)));
            overwritten.all(|set| set == column && text::only_tidies(sql))
        };
        let read = |sql: &Sql| text::mentions(sql).iter().map(present).collect::<Vec<_>>();
        let is_set = |name: &Name| self.fill.set.keys().any(|set| names::same(name, set));
        let judged = self.fill.rows.rejects.iter().any(|rule| read(&rule.when).iter().any(is_set));
        let unsteady = self.fill.set.values().any(|sql| text::unsteady(sql).is_some());
        self.fill.overwrites && (judged || unsteady || !self.fill.set.iter().all(again))
    }

    /// The condition of the rows that get values, as one more after others.
    fn chosen(&self, word: &str) -> String {
        self.fill.rows.condition().map(|condition| format!("{word}{condition}")).unwrap_or_default()
    }

    /// The key in a range: above the cursor's values, if there is a cursor, up to the bound's. Parameters count from `?1`.
    pub(super) fn range(&self, cursor: bool) -> String {
        let n = self.key.len();
        let key = row(self.key.iter().cloned());
        let from = if cursor { format!("{key} > {} AND ", params(1, n)) } else { String::new() };
        let first = if cursor { n + 1 } else { 1 };
        format!("{from}{key} <= {}", params(first, n))
    }

    pub(super) fn bound(&self, cursor: bool) -> String {
        let n = self.key.len();
        let named = self.key.iter().enumerate().map(|(i, part)| format!("{part} AS {}", key_column(i)));
        let (named, names) = (named.collect::<Vec<_>>().join(", "), (0..n).map(key_column).collect::<Vec<_>>());
        let (above, limit) = if cursor {
            (format!(" WHERE {} > {}", row(self.key.iter().cloned()), params(1, n)), n + 1)
        } else {
            (String::new(), 1)
        };
        let order = self.key.join(", ");
        let last = names.iter().map(|name| format!("{name} DESC")).collect::<Vec<_>>().join(", ");
        format!(
            "SELECT {} FROM (SELECT {named} FROM {}{above} ORDER BY {order} LIMIT ?{limit})\nORDER BY {last} LIMIT 1",
            names.join(", "),
            quote(&self.fill.table.name)
        )
    }

    /// The values of a range of rows, with their keys.
    fn values(&self, range: Option<&str>) -> Result<String, Complaint> {
        let mut items: Vec<_> =
            self.source.key_columns().iter().enumerate().map(|(i, k)| format!("{k} AS {}", key_column(i))).collect();
        for (i, column) in self.fill.set.keys().enumerate() {
            if self.fill.overwrites {
                items.push(format!("{} AS {}", self.source.column(column), old(i)));
            }
            items.push(format!("{} AS {}", self.source.value(column).unwrap_or_default(), new(i)));
        }
        Ok(format!("SELECT {} FROM {}{}", items.join(", "), self.source.from(range)?, self.chosen(" WHERE ")))
    }

    fn update(&self, from: &str, when: &str) -> String {
        let value = |(i, c): (usize, &Name)| {
            let (column, value) = (quote(c), format!("_mig_source.{}", new(i)));
            // What a new client wrote since the column is there stays.
            let keeps = !self.fill.overwrites;
            if keeps {
                format!("{column} = coalesce(_mig_target.{column}, {value})")
            } else {
                format!("{column} = {value}")
            }
        };
        let set: Vec<_> = self.fill.set.keys().enumerate().map(value).collect();
        let on = self.same_row("_mig_target");
        let target = quote(&self.fill.table.name);
        format!("UPDATE {target} AS _mig_target SET {}\nFROM {from} AS _mig_source\nWHERE {on}{when}", set.join(", "))
    }

    fn same_row(&self, target: &str) -> String {
        let parts = self.key.iter().enumerate();
        let parts = parts.map(|(i, part)| format!("_mig_source.{} = {target}.{part}", key_column(i)));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn batch(&self, cursor: bool) -> Result<Batch, Complaint> {
        let range = self.range(cursor);
        let values = self.values(Some(&range))?;
        let sql = if self.fill.overwrites {
            let keep = format!("INSERT OR IGNORE INTO {}\n{values}", self.kept.rows);
            let untouched = |(i, c): (usize, &Name)| format!(" AND _mig_target.{} IS _mig_source.{}", quote(c), old(i));
            let untouched: String = match self.is_told_by_kept() {
                true => self.fill.set.keys().enumerate().map(untouched).collect(),
                false => String::new(),
            };
            vec![keep, self.update(&self.kept.rows, &format!(" AND {range}{untouched}"))]
        } else {
            let empty: Vec<_> = self.fill.set.keys().map(|c| format!("_mig_target.{} IS NULL", quote(c))).collect();
            vec![self.update(&format!("({values})"), &format!(" AND ({})", empty.join(" OR ")))]
        };
        let sql = sql.into_iter().map(Statement::new).collect();
        Ok(Batch { bound: Statement::new(self.bound(cursor)), sql })
    }

    /// Batches over the table, with what the first and the later ones do.
    pub(super) fn batches(&self, first: Batch, next: Batch) -> Result<Batches, Complaint> {
        let rows = self.fill.batch_rows.unwrap_or(5_000);
        Ok(Batches {
            key: self.key.clone(),
            rows,
            min_rows: 100.min(rows),
            max_rows: 100_000.max(rows),
            target_ms: 250,
            prepare: if self.fill.overwrites { vec![self.make_kept()] } else { Vec::new() },
            first,
            next,
            end: None,
            // What is overwritten is told by its key: there nothing comes late.
            leaves_late: !self.fill.overwrites,
            before: vec![],
            rejects: self.rejects(None)?,
            sample: Some(self.sample()),
            limits: LIMITS,
        })
    }

    /// A few rows by key, with what the expressions name and what they set.
    fn sample(&self) -> Statement {
        let fill = self.fill;
        let named = |c: &Name| {
            let base = fill.columns.iter().find(|(_, now)| *now == c).map(|(base, _)| base);
            fill.set.contains_key(c)
                || fill.set.values().any(|sql| sql.mentions(c) || base.is_some_and(|base| sql.mentions(base)))
        };
        let mut shown = self.key.clone();
        let columns = self.source.table.columns.iter().map(|c| &c.name).filter(|c| named(c)).map(quote);
        columns.for_each(|c| {
            if !shown.contains(&c) {
                shown.push(c)
            }
        });
        let (from, order) = (quote(&fill.table.name), self.key.join(", "));
        Statement::new(format!("SELECT {} FROM {from} ORDER BY {order} LIMIT 5", shown.join(", ")))
    }

    fn make_kept(&self) -> Statement {
        let keys: Vec<_> = (0..self.key.len()).map(key_column).collect();
        let columns: Vec<_> = (0..self.fill.set.len()).map(|i| format!("{}, {}", old(i), new(i))).collect();
        Statement::new(format!(
            "CREATE TABLE IF NOT EXISTS {} ({}, {}, PRIMARY KEY ({})) WITHOUT ROWID",
            self.kept.rows,
            keys.join(", "),
            columns.join(", "),
            keys.join(", ")
        ))
    }

    /// The rows that keep what they have, by the rules.
    pub(super) fn rejects(&self, join: Option<&Sql>) -> Result<Option<Rejects>, Complaint> {
        let done = if self.is_told_by_kept() { format!(" AND NOT EXISTS ({})", self.done()) } else { String::new() };
        self.source.rejects(join, &done)
    }

    /// Whether a row's old values are kept, as a query.
    fn done(&self) -> String {
        let same = self.source.key_columns().into_iter().enumerate();
        let same: Vec<_> = same.map(|(i, key)| format!("k.{} = {key}", key_column(i))).collect();
        format!("SELECT 1 FROM {} AS k WHERE {}", self.kept.rows, same.join(" AND "))
    }

    /// Counts the rows that still need their values.
    fn probe(&self) -> Result<Probe, Complaint> {
        if !self.is_told_by_kept() {
            return Ok(Probe::Remaining { sql: self.remaining()?, until: None });
        }
        let from = self.source.from(None)?;
        let done = self.done();
        let there = format!("SELECT count(*) FROM sqlite_schema WHERE name = '{}'", self.kept.rows);
        let until = Until {
            there: Statement::new(there),
            sql: Statement::new(format!("SELECT count(*) FROM {from}{}", self.chosen("\nWHERE "))),
        };
        let sql = format!("SELECT count(*) FROM {from}\nWHERE NOT EXISTS ({done}){}", self.chosen(" AND "));
        Ok(Probe::Remaining { sql: Statement::new(sql), until: Some(until) })
    }

    /// Counts the rows whose value is not the one wanted.
    fn remaining(&self) -> Result<Statement, Complaint> {
        let wrong: Vec<_> = self
            .fill
            .set
            .keys()
            .map(|column| {
                let (now, value) = (self.present(column), self.source.value(column).unwrap_or_default());
                if self.fill.overwrites {
                    format!("{now} IS NOT {value}")
                } else {
                    format!("({now} IS NULL AND {value} IS NOT NULL)")
                }
            })
            .collect();
        let wrong = wrong.join(" OR ");
        let wrong = match self.fill.rows.condition() {
            Some(condition) => format!("{condition} AND ({wrong})"),
            None => wrong,
        };
        Ok(Statement::new(format!("SELECT count(*) FROM {}\nWHERE {wrong}", self.source.from(None)?)))
    }

    /// The column itself over the source, even where a base name or a value set hides it.
    fn present(&self, column: &Name) -> String {
        let on = self.key.iter().enumerate();
        let on = on.map(|(i, part)| format!("_mig_now.{part} = {}.{}", quote(self.source.alias), key_column(i)));
        let on = on.collect::<Vec<_>>().join(" AND ");
        let (table, column) = (quote(&self.fill.table.name), quote(column));
        format!("(SELECT _mig_now.{column} FROM {table} AS _mig_now WHERE {on})")
    }
}

fn old(place: usize) -> String {
    format!("_mig_old{place}")
}

fn new(place: usize) -> String {
    format!("_mig_new{place}")
}

fn row(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(", ")) }
}

fn params(first: usize, count: usize) -> String {
    row((first..first + count).map(|i| format!("?{i}")))
}

/// Renders a backfill.
pub(crate) fn render(change: &Kind, fill: &Backfill, before: &Schema) -> Result<Rendered, Complaint> {
    let work = Fill::new(change, fill, before)?;
    let at = Address::table(&fill.table);
    let names: Vec<_> = fill.set.keys().map(ToString::to_string).collect();
    let which = if fill.rows.is_all() { "every row" } else { "the chosen rows" };
    let says = format!("sets {} in {which}, batch by batch; writers wait for one batch at a time", names.join(", "));
    let mut hazards = vec![Hazard::new(HazardCode::RewritesRows, &at, says)];
    if fill.overwrites {
        let says = "the old values are kept until `mig gc`";
        hazards.push(Hazard::new(HazardCode::OverwritesValues, &at, says));
    }
    Ok(Rendered {
        action: Action::Batches(work.batches(work.batch(false)?, work.batch(true)?)?),
        probe: work.probe()?,
        lock: "the database file, batch by batch: no other writer, and without WAL no reader".to_owned(),
        hazards,
        checks: Vec::new(),
        gc: if fill.overwrites { work.kept.drop() } else { Vec::new() },
    })
}

/// Renders the way back: values that mig wrote and nobody changed since become the old ones.
pub(crate) fn render_undo(change: &Kind, fill: &Backfill, before: &Schema) -> Result<RenderedUndo, Complaint> {
    if !fill.overwrites {
        let says = "Leaves the values; they go with their columns.".to_owned();
        return Ok(RenderedUndo { says, action: Action::Nothing {}, hazards: Vec::new() });
    }
    let work = Fill::new(change, fill, before)?;
    let mut sql = vec![work.make_kept()];
    for (i, column) in fill.set.keys().enumerate() {
        let column = quote(column);
        sql.push(Statement::new(format!(
            "UPDATE {} AS _mig_target SET {column} = _mig_source.{}\nFROM {} AS _mig_source\nWHERE {} AND _mig_target.{column} IS _mig_source.{}",
            quote(&fill.table.name),
            old(i),
            work.kept.rows,
            work.same_row("_mig_target"),
            new(i)
        )));
    }
    sql.extend(work.kept.drop());
    Ok(RenderedUndo {
        says: "Brings back the old values in rows that still hold what was written.".to_owned(),
        action: Action::Transaction(Transaction {
            prepare: Vec::new(),
            lock: Vec::new(),
            sql,
            none: Vec::new(),
            rejects: None,
            restore: Vec::new(),
            limits: PATIENT,
        }),
        hazards: Vec::new(),
    })
}
