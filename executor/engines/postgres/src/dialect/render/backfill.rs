//! Backfills as batches over a key.

mod cursor;
mod values;
mod work;

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Limits, Name, Probe, Qualified, Rendered, Schema, Sql,
    Statement, Table,
    kind::Backfill,
    step::{Batch, Batches, Rejects},
};

pub(crate) use self::values::{cast_type, mapped, same_value, type_of};
use self::{
    cursor::{Cursor, Order},
    values::has_equality,
};
use super::missing;
use crate::dialect::{
    casts, keep,
    names::{self, literal, qualified, quote},
    published,
};

const LIMITS: Limits = Limits { lock_ms: 1_000, statement_ms: 60_000, attempts: 30 };

/// How many rows the first batch has where the spec does not say.
const ROWS: u32 = 5_000;

/// How a backfill of one table is written.
pub(crate) struct Writer<'a> {
    change: &'a Backfill,
    table: Table,
    cursor: Cursor,
    kept: Qualified,
    mode: Mode,
}

/// How a row that is done is told from one that is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Its values are what the expressions give.
    Compare,
    /// It was empty and is not any more: the expressions give something else each time.
    Fill,
    /// It is not empty, or the expressions give nothing: what is in a new column by then is what clients wrote there. What mig hides from
    /// them is compared.
    Empty,
    /// Its old values are kept: the expressions read what they overwrite.
    Kept,
}

/// The SQL of a backfill.
pub(crate) fn render(change: &Backfill, before: &Schema) -> Result<Rendered, Complaint> {
    let writer = Writer::new(change, before)?;
    let name = qualified(&change.table);
    let at = mig_plan::kind::Effect::address(change);
    published::refuse_update(&at, &change.table, before)?;
    let mut hazards = vec![Hazard::new(
        HazardCode::RewritesRows,
        &at,
        match &change.rows.only {
            None => format!("updates every row of {}, batch by batch; its triggers fire", change.table),
            Some(_) => format!("updates the chosen rows of {}, batch by batch; its triggers fire", change.table),
        },
    )];
    let mut gc = Vec::new();
    if change.overwrites {
        let says = "old values are overwritten; they are kept, and undo brings back those that nobody changed since";
        hazards.push(Hazard::new(HazardCode::OverwritesValues, &at, says));
        gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", qualified(&writer.kept))));
    }
    if change.set.values().any(|e| casts::is_volatile(e.as_str())) {
        let says = "an expression may give another value each time it is asked; a row keeps the first one";
        hazards.push(Hazard::new(HazardCode::RewritesRows, &at, says));
    }
    Ok(Rendered {
        action: Action::Batches(writer.batches()),
        probe: Probe::Remaining { sql: Statement::new(writer.remaining()), until: None },
        lock: format!("row locks on {name}, batch by batch"),
        hazards,
        checks: vec![],
        gc,
    })
}

/// The statements that bring back overwritten values where nobody has changed them since.
pub(crate) fn undo_sql(change: &Backfill, before: &Schema) -> Result<Vec<String>, Complaint> {
    if !change.overwrites {
        return Ok(vec![]);
    }
    let writer = Writer::new(change, before)?;
    let columns: Vec<_> = change.set.keys().collect();
    let set = columns
        .iter()
        .enumerate()
        .map(|(i, c)| {
            format!("{} = {}", quote(c), keep::restored(&format!("k._mig_old{i}"), &type_of(&writer.table, c)))
        })
        .collect::<Vec<_>>()
        .join(", ");
    let still =
        columns.iter().enumerate().map(|(i, c)| writer.same(c, &format!("t.{}", quote(c)), &format!("k._mig_new{i}")));
    let still = still.collect::<Vec<_>>().join(" AND ");
    let kept = qualified(&writer.kept);
    Ok(vec![
        format!(
            "UPDATE {} AS t SET {set} FROM {kept} AS k WHERE {} AND {still}",
            qualified(&change.table),
            writer.joined("t", "k")
        ),
        format!("DROP TABLE {kept}"),
    ])
}

impl<'a> Writer<'a> {
    pub(crate) fn new(change: &'a Backfill, before: &'a Schema) -> Result<Self, Complaint> {
        let at = Address::table(&change.table);
        let table = crate::dialect::inherit::whole(before, &change.table).ok_or_else(|| missing(&at))?;
        let key = keep::key_of(&table).filter(|key| !key.iter().any(|k| change.set.contains_key(k)));
        let cursor = match &key {
            Some(key) => Cursor {
                parts: key.iter().map(|k| (quote(k), type_of(&table, k))).collect(),
                words: key.iter().map(ToString::to_string).collect(),
                order: Order::Key,
            },
            None => Cursor {
                parts: vec![("ctid".to_owned(), "tid".to_owned())],
                words: vec!["ctid".to_owned()],
                order: Order::Place,
            },
        };
        let unsteady = |e: &Sql| casts::is_volatile(e.as_str()) || casts::unsteady(e.as_str()).is_some();
        let volatile = change.set.values().any(unsteady);
        let mode = match (change.overwrites && reads_itself(change), volatile) {
            (true, _) => Mode::Kept,
            (_, true) if change.overwrites => Mode::Kept,
            (_, true) => Mode::Fill,
            _ if change.overwrites || change.set.keys().all(names::is_own) => Mode::Compare,
            _ => Mode::Empty,
        };
        if key.is_none() && change.overwrites {
            return Err(Complaint {
                at,
                says: format!(
                    "values of {} cannot be overwritten safely: it has no key to tell which rows are done",
                    change.table
                ),
                help: Some("give the table a primary key, or set a new column".to_owned()),
            });
        }
        let kept = keep::place(&Kind::from(change.clone()));
        Ok(Self { change, table, cursor, kept, mode })
    }

    pub(crate) fn batches(&self) -> Batches {
        let rows = self.change.batch_rows.unwrap_or(ROWS).max(1);
        Batches {
            key: self.cursor.words.clone(),
            rows,
            min_rows: rows.min(100),
            max_rows: rows.max(50_000),
            target_ms: 150,
            prepare: if self.change.overwrites { self.prepare() } else { vec![] },
            first: Batch { bound: self.cursor.bound(&self.change.table, false), sql: self.work(false) },
            next: Batch { bound: self.cursor.bound(&self.change.table, true), sql: self.work(true) },
            end: Some(self.cursor.end(&self.change.table)),
            // The hidden twin of a column is kept equal by a trigger: there nothing comes late.
            leaves_late: !self.change.rows.late
                && (self.change.overwrites || matches!(self.mode, Mode::Empty | Mode::Fill)),
            before: vec![],
            rejects: self.rejects(None),
            sample: Some(self.sample()),
            limits: LIMITS,
        }
    }

    /// The rows that keep what they have, by the rules.
    pub(crate) fn rejects(&self, join: Option<&Sql>) -> Option<Rejects> {
        let rows = &self.change.rows;
        let rejected = rows.rejected()?;
        let alias = quote(&self.change.alias);
        let keys = self.cursor.words.iter().enumerate();
        let keys: Vec<_> = keys.map(|(i, word)| format!("{}, {alias}._mig_k{i}", literal(word))).collect();
        let done = if self.mode == Mode::Kept {
            let same = (0..keys.len()).map(|i| format!("k._mig_k{i} = {alias}._mig_k{i}"));
            let same = same.collect::<Vec<_>>().join(" AND ");
            format!("\n  AND NOT EXISTS (SELECT FROM {} AS k WHERE {same})", qualified(&self.kept))
        } else {
            String::new()
        };
        let sql = format!(
            "SELECT json_build_object({})::text, {},\n  (SELECT row_to_json(_mig_t)::text FROM {} AS _mig_t WHERE {})\nFROM {}\nWHERE {rejected}{done}",
            keys.join(", "),
            rows.reason(literal),
            qualified(&self.change.table),
            self.by_key("_mig_t", &alias),
            beside(self.item(None), join)
        );
        Some(Rejects { sql: Statement::new(sql), max: rows.max_rejects })
    }

    /// A few rows by key, with what the expressions name and what they set.
    fn sample(&self) -> Statement {
        let named = |c: &Name| {
            let base = self.change.columns.iter().find(|(_, now)| *now == c).map(|(base, _)| base);
            self.change.set.contains_key(c)
                || self.change.set.values().any(|sql| sql.mentions(c) || base.is_some_and(|base| sql.mentions(base)))
        };
        let keys = self.cursor.parts.iter().map(|(name, _)| name.clone());
        let columns = self.table.columns.iter().map(|c| &c.name).filter(|c| named(c)).map(quote);
        let mut shown: Vec<_> = keys.collect();
        columns.for_each(|c| {
            if !shown.contains(&c) {
                shown.push(c)
            }
        });
        let (from, names) = (qualified(&self.change.table), self.cursor.names());
        Statement::new(format!("SELECT {} FROM {from} ORDER BY {names} LIMIT 5", shown.join(", ")))
    }

    /// The part of the table that a batch is over.
    pub(crate) fn range(&self, next: bool) -> String {
        self.cursor.range_of("", next)
    }

    /// The rows with their key as `_mig_k0 ..` and the values that they shall have as `_mig_c0 ..`.
    fn computed(&self, filter: Option<&str>) -> String {
        let values: Vec<_> =
            self.values_set().into_iter().enumerate().map(|(i, value)| format!("{value} AS _mig_c{i}")).collect();
        format!("SELECT {}, {}\n    FROM {}", self.identity(), values.join(", "), self.source(filter))
    }

    /// The keys of the rows that get values, as `_mig_k0 ..`.
    fn chosen(&self) -> String {
        format!("SELECT {} FROM {}", self.identity(), self.source(None))
    }

    /// What tells the rows of [`Writer::item`] apart.
    fn identity(&self) -> String {
        let alias = quote(&self.change.alias);
        let keys = (0..self.cursor.parts.len()).map(|i| format!("{alias}._mig_k{i}"));
        let of = (self.cursor.order == Order::Place).then(|| format!("{alias}._mig_of"));
        keys.chain(of).collect::<Vec<_>>().join(", ")
    }

    /// The values that the columns get, over the rows of [`Writer::item`].
    fn values_set(&self) -> Vec<String> {
        let value = |(column, e): (&Name, &Sql)| format!("({e})::{}", cast_type(&type_of(&self.table, column)));
        self.change.set.iter().map(value).collect()
    }

    /// The assignments of columns that held nothing before.
    fn assigned(&self, row: &str, values: &[String]) -> String {
        let set = self.change.set.keys().zip(values).map(|(name, value)| {
            let column = quote(name);
            let free = self.change.set.len() == 1 || self.mode == Mode::Compare || names::is_own(name);
            if free { format!("{column} = {value}") } else { format!("{column} = coalesce({row}.{column}, {value})") }
        });
        set.collect::<Vec<_>>().join(", ")
    }

    /// Whether the expressions can be asked of the table itself: they mean its columns, and are about every row.
    fn is_direct(&self) -> bool {
        let change = self.change;
        change.columns.is_empty() && change.rows.is_all() && !change.overwrites
    }

    /// The rows that get values, under the names that expressions use: a FROM item with its condition.
    fn source(&self, filter: Option<&str>) -> String {
        let item = self.item(filter);
        self.change.rows.condition().map_or_else(|| item.clone(), |condition| format!("{item}\n    WHERE {condition}"))
    }

    /// The rows of the table under the names that expressions use, as a FROM item.
    pub(crate) fn item(&self, filter: Option<&str>) -> String {
        let alias = quote(&self.change.alias);
        let filter = filter.map(|f| format!(" WHERE {f}")).unwrap_or_default();
        let table = qualified(&self.change.table);
        let item = format!("(SELECT {} FROM {table}{filter}) AS {alias}", self.source_columns());
        self.change.rows.over(item, &alias, quote)
    }

    /// The key over [`Writer::item`].
    pub(crate) fn order(&self) -> Vec<String> {
        let alias = quote(&self.change.alias);
        (0..self.cursor.parts.len()).map(|i| format!("{alias}._mig_k{i}")).collect()
    }

    /// The table's columns under the names that expressions use, and the key under names of mig's own.
    fn source_columns(&self) -> String {
        let renamed: BTreeSet<&Name> = self.change.columns.values().collect();
        let keys = self.cursor.parts.iter().enumerate().map(|(i, (name, _))| format!("{name} AS _mig_k{i}"));
        let of = (self.cursor.order == Order::Place).then(|| "tableoid AS _mig_of".to_owned());
        let base = self.change.columns.iter().map(|(base, now)| format!("{} AS {}", quote(now), quote(base)));
        let own = self.table.columns.iter().map(|c| &c.name);
        let given: BTreeSet<&Name> = self.change.rows.given_columns().collect();
        let hidden = |name: &Name| renamed.contains(name) || given.contains(name);
        let own = own.filter(|name| !hidden(name) && !self.change.columns.contains_key(*name)).map(quote);
        keys.chain(of).chain(base).chain(own).collect::<Vec<_>>().join(", ")
    }

    fn by_key(&self, left: &str, right: &str) -> String {
        let parts = self.cursor.parts.iter().enumerate();
        let parts = parts.map(|(i, (name, _))| format!("{left}.{name} = {right}._mig_k{i}"));
        let of = (self.cursor.order == Order::Place).then(|| format!("{left}.tableoid = {right}._mig_of"));
        parts.chain(of).collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that a row of the table is the one of a kept row.
    fn joined(&self, left: &str, right: &str) -> String {
        self.by_key(left, right)
    }

    fn same(&self, column: &Name, left: &str, right: &str) -> String {
        let text = if has_equality(&type_of(&self.table, column)) { "" } else { "::text" };
        format!("{left}{text} IS NOT DISTINCT FROM {right}{text}")
    }

    /// The condition that a row still needs its values: those of a row of [`Writer::computed`].
    fn undone(&self, row: &str, values: &str) -> String {
        let values: Vec<_> = (0..self.change.set.len()).map(|i| format!("{values}._mig_c{i}")).collect();
        self.lacks(row, &values)
    }

    fn differs(&self, column: &Name, own: &str, value: &str) -> String {
        let text = if has_equality(&type_of(&self.table, column)) { "" } else { "::text" };
        format!("{own}{text} IS DISTINCT FROM {value}{text}")
    }

    fn lacks(&self, row: &str, values: &[String]) -> String {
        let parts = self.change.set.keys().zip(values).map(|(column, value)| {
            let own = format!("{row}.{}", quote(column));
            let data_type = type_of(&self.table, column);
            match self.mode {
                Mode::Fill => format!("{own} IS NULL"),
                // A row is no NULL because its fields are, but `IS NULL` says so.
                Mode::Empty if names::is_own(column) => self.differs(column, &own, value),
                Mode::Empty if keep::is_user_type(&data_type) => {
                    format!("({own} IS NOT DISTINCT FROM NULL AND {value} IS DISTINCT FROM NULL)")
                }
                Mode::Empty => format!("({own} IS NULL AND {value} IS NOT NULL)"),
                Mode::Compare | Mode::Kept => self.differs(column, &own, value),
            }
        });
        let parts: Vec<_> = parts.collect();
        if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" OR ")) }
    }

    /// The query that counts the rows that still need their values.
    fn remaining(&self) -> String {
        let table = qualified(&self.change.table);
        match self.mode {
            Mode::Fill if self.change.rows.is_all() => {
                format!("SELECT count(*) FROM {table} AS _mig_t WHERE {}", self.undone("_mig_t", "_mig_t"))
            }
            Mode::Fill => format!(
                "SELECT count(*)\nFROM {table} AS _mig_t JOIN (\n    {}\n) AS _mig_v ON {}\nWHERE {}",
                self.chosen(),
                self.by_key("_mig_t", "_mig_v"),
                self.undone("_mig_t", "_mig_t")
            ),
            Mode::Compare if self.change.overwrites => {
                let all = self.to_compare();
                // What a client has written over the new value since is the client's.
                let since = self.change.set.keys().enumerate();
                let since =
                    since.map(|(i, c)| self.differs(c, &format!("_mig_t.{}", quote(c)), &format!("k._mig_old{i}")));
                let count = format!(
                    "{all}\n  AND NOT EXISTS (SELECT FROM {} AS k WHERE {} AND ({}))",
                    qualified(&self.kept),
                    self.joined("_mig_t", "k"),
                    since.collect::<Vec<_>>().join(" OR ")
                );
                self.once_kept(&all, &count)
            }
            Mode::Compare | Mode::Empty if self.is_direct() => {
                let alias = quote(&self.change.alias);
                format!("SELECT count(*) FROM {table} AS {alias} WHERE {}", self.lacks(&alias, &self.values_set()))
            }
            Mode::Compare | Mode::Empty => self.to_compare(),
            Mode::Kept => {
                let kept = qualified(&self.kept);
                let (rows, joined) = if self.change.rows.is_all() {
                    (format!("{table} AS t"), self.joined("t", "k"))
                } else {
                    let parts = (0..self.cursor.parts.len()).map(|i| format!("t._mig_k{i} = k._mig_k{i}"));
                    (format!("({}) AS t", self.chosen()), parts.collect::<Vec<_>>().join(" AND "))
                };
                let count =
                    format!("SELECT count(*) FROM {rows} WHERE NOT EXISTS (SELECT FROM {kept} AS k WHERE {joined})");
                let all = if self.change.rows.is_all() { table } else { rows };
                self.once_kept(&format!("SELECT count(*) FROM {all}"), &count)
            }
        }
    }

    /// The query that counts the rows whose values are not those that the expressions give.
    fn to_compare(&self) -> String {
        format!(
            "SELECT count(*)\nFROM {} AS _mig_t JOIN (\n    {}\n) AS _mig_v ON {}\nWHERE {}",
            qualified(&self.change.table),
            self.computed(None),
            self.by_key("_mig_t", "_mig_v"),
            self.undone("_mig_t", "_mig_v")
        )
    }

    /// A query that counts by what is kept, and another for the time before there is a place for it: it is made by the first batch, so the
    /// query that names it is only parsed when it is there.
    fn once_kept(&self, before: &str, count: &str) -> String {
        format!(
            "SELECT CASE WHEN pg_catalog.to_regclass({}) IS NULL THEN ({before})\n\
             ELSE (pg_catalog.xpath('/row/count/text()', pg_catalog.query_to_xml({}, false, true, '')))[1]::text::bigint END",
            literal(&qualified(&self.kept)),
            literal(count)
        )
    }
}

/// Whether an expression reads a column that the backfill overwrites.
fn reads_itself(change: &Backfill) -> bool {
    let base =
        |now: &Name| change.columns.iter().find(|(_, n)| *n == now).map_or_else(|| now.clone(), |(b, _)| b.clone());
    let texts = || change.set.values().chain(change.rows.rejects.iter().map(|rule| &rule.when));
    change.set.keys().any(|column| texts().any(|e| e.mentions(&base(column)) || e.mentions(column)))
}

/// A FROM item with the tables that are read beside it.
pub(crate) fn beside(item: String, join: Option<&Sql>) -> String {
    join.map_or_else(|| item.clone(), |join| format!("{item}\n  {join}"))
}
