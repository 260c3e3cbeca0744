//! Backfills as batches over a key.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Limits, Name, Probe, Qualified, Rendered, Schema, Sql,
    Statement, Table,
    kind::Backfill,
    step::{Batch, Batches, Rejects},
    verify::Literal,
};

use super::{missing, place};
use crate::dialect::{
    casts, keep,
    names::{self, literal, qualified, quote, quote_text},
};

const LIMITS: Limits = Limits { lock_ms: 1_000, statement_ms: 60_000, attempts: 30 };

/// How many rows the first batch has where the spec does not say.
const ROWS: u32 = 5_000;

/// What orders the batches.
struct Cursor {
    /// Each column as SQL with its type.
    parts: Vec<(String, String)>,
    /// For people.
    words: Vec<String>,
    order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By the values of a key.
    Key,
    /// By where rows are, for want of a key: whole blocks, the same ones of all tables that inherit.
    Place,
}

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
            target_ms: 200,
            prepare: if self.change.overwrites { self.prepare() } else { vec![] },
            first: Batch { bound: self.bound(false), sql: self.work(false) },
            next: Batch { bound: self.bound(true), sql: self.work(true) },
            end: Some(self.end()),
            // The hidden twin of a column is kept equal by a trigger, and what is overwritten is told by its key: there nothing comes late.
            leaves_late: !self.change.rows.late && matches!(self.mode, Mode::Empty | Mode::Fill),
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
        let (from, names) = (qualified(&self.change.table), self.names());
        Statement::new(format!("SELECT {} FROM {from} ORDER BY {names} LIMIT 5", shown.join(", ")))
    }

    fn names(&self) -> String {
        self.cursor.parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ")
    }

    /// The parameters of a key, as a row of values, from a number on.
    fn values(&self, from: usize) -> String {
        let parts = self.cursor.parts.iter().enumerate();
        let parts: Vec<_> = parts.map(|(i, (_, kind))| format!("${}::text::{kind}", from + i)).collect();
        parts.join(", ")
    }

    /// A comparison of the key of a row with parameters; `of` is what stands before each column.
    fn against(&self, of: &str, sign: &str, from: usize) -> String {
        let names: Vec<_> = self.cursor.parts.iter().map(|(name, _)| format!("{of}{name}")).collect();
        match names.as_slice() {
            [name] => format!("{name} {sign} {}", self.values(from)),
            names => format!("({}) {sign} ({})", names.join(", "), self.values(from)),
        }
    }

    fn bound(&self, next: bool) -> Statement {
        match self.cursor.order {
            Order::Key => self.key_bound(next),
            Order::Place => place::bound(&self.change.table, next),
        }
    }

    fn end(&self) -> Statement {
        match self.cursor.order {
            Order::Key => {
                let down: Vec<_> = self.cursor.parts.iter().map(|(name, _)| format!("{name} DESC")).collect();
                let from = qualified(&self.change.table);
                Statement::new(format!(
                    "SELECT {} FROM (\n    SELECT {} FROM {from} ORDER BY {} LIMIT 1\n) AS batch",
                    self.texts(),
                    self.names(),
                    down.join(", ")
                ))
            }
            Order::Place => place::end(&self.change.table),
        }
    }

    /// The key of a batch's row as texts.
    fn texts(&self) -> String {
        let texts: Vec<_> = self.cursor.parts.iter().map(|(name, _)| format!("batch.{name}::text")).collect();
        texts.join(", ")
    }

    fn key_bound(&self, next: bool) -> Statement {
        let many = self.cursor.parts.len();
        let rows = if next { many + 1 } else { 1 };
        let after = if next { format!("{} AND ", self.against("", ">", 1)) } else { String::new() };
        let upto = self.against("", "<=", rows + 1);
        // Qualified: a bare name would mean the text that is put out, and texts sort otherwise than keys.
        let down: Vec<_> = self.cursor.parts.iter().map(|(name, _)| format!("batch.{name} DESC")).collect();
        let (from, names) = (qualified(&self.change.table), self.names());
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {names} FROM {from} WHERE {after}{upto} ORDER BY {names} LIMIT ${rows}::text::bigint\n\
             ) AS batch ORDER BY {} LIMIT 1",
            self.texts(),
            down.join(", ")
        ))
    }

    /// The part of the table that a batch is over.
    pub(crate) fn range(&self, next: bool) -> String {
        self.range_of("", next)
    }

    /// The same with something before each column.
    fn range_of(&self, of: &str, next: bool) -> String {
        let many = self.cursor.parts.len();
        if next {
            format!("{} AND {}", self.against(of, ">", 1), self.against(of, "<=", many + 1))
        } else {
            self.against(of, "<=", 1)
        }
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

    fn prepare(&self) -> Vec<Statement> {
        let kept = qualified(&self.kept);
        let keys = self.cursor.parts.iter().enumerate().map(|(i, (name, _))| format!("{name} AS _mig_k{i}"));
        let values = self.change.set.keys().enumerate();
        let values = values.flat_map(|(i, c)| {
            let value = keep::kept_value(&quote(c), &type_of(&self.table, c));
            [format!("{value} AS _mig_old{i}"), format!("{value} AS _mig_new{i}")]
        });
        let columns = keys.chain(values).collect::<Vec<_>>().join(", ");
        let key: Vec<_> = (0..self.cursor.parts.len()).map(|i| format!("_mig_k{i}")).collect();
        let index = quote_text(&format!("{}_k", super::super::names::cut(self.kept.name.as_str(), 60)));
        vec![
            Statement::new(keep::schema()),
            Statement::new(format!(
                "CREATE TABLE IF NOT EXISTS {kept} AS SELECT {columns} FROM {} WITH NO DATA",
                qualified(&self.change.table)
            )),
            Statement::new(format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {kept} ({})", key.join(", "))),
        ]
    }

    fn work(&self, next: bool) -> Vec<Statement> {
        let range = self.range(next);
        let table = qualified(&self.change.table);
        let computed = self.computed(Some(&range));
        let columns = || self.change.set.keys().enumerate();
        // On both sides of a join: the server does not see that they are the same rows, and would read all of one side.
        let same_range = self.range_of("_mig_t.", next);
        if self.is_direct() {
            let (alias, values) = (quote(&self.change.alias), self.values_set());
            return vec![Statement::new(format!(
                "UPDATE {table} AS {alias}\nSET {}\nWHERE {}\n  AND {}",
                self.assigned(&alias, &values),
                self.range_of(&format!("{alias}."), next),
                self.lacks(&alias, &values)
            ))];
        }
        if !self.change.overwrites {
            let values: Vec<_> = columns().map(|(i, _)| format!("_mig_v._mig_c{i}")).collect();
            return vec![Statement::new(format!(
                "UPDATE {table} AS _mig_t\nSET {}\nFROM (\n    {computed}\n) AS _mig_v\nWHERE {}\n  AND {same_range}\n  AND {}",
                self.assigned("_mig_t", &values),
                self.by_key("_mig_t", "_mig_v"),
                self.undone("_mig_t", "_mig_v")
            ))];
        }
        let kept = qualified(&self.kept);
        let keys: Vec<_> = (0..self.cursor.parts.len()).map(|i| format!("_mig_k{i}")).collect();
        let targets = columns().flat_map(|(i, _)| [format!("_mig_old{i}"), format!("_mig_new{i}")]);
        let targets: Vec<_> = keys.iter().cloned().chain(targets).collect();
        let values = columns().flat_map(|(i, c)| [format!("_mig_t.{}", quote(c)), format!("_mig_v._mig_c{i}")]);
        let values: Vec<_> = keys.iter().map(|k| format!("_mig_v.{k}")).chain(values).collect();
        // A row whose old values are kept already is never computed again, whatever becomes of it.
        let insert = format!(
            "INSERT INTO {kept} ({})\nSELECT {}\nFROM {table} AS _mig_t JOIN (\n    {computed}\n) AS _mig_v ON {}\nWHERE {same_range}{}\nON CONFLICT DO NOTHING",
            targets.join(", "),
            values.join(", "),
            self.by_key("_mig_t", "_mig_v"),
            if self.mode == Mode::Compare {
                format!("\n  AND {}", self.undone("_mig_t", "_mig_v"))
            } else {
                String::new()
            }
        );
        let set: Vec<_> = columns()
            .map(|(i, c)| {
                format!("{} = {}", quote(c), keep::restored(&format!("_mig_v._mig_new{i}"), &type_of(&self.table, c)))
            })
            .collect();
        let old: Vec<_> = columns()
            .map(|(i, c)| self.same(c, &format!("_mig_t.{}", quote(c)), &format!("_mig_v._mig_old{i}")))
            .collect();
        let update = format!(
            "UPDATE {table} AS _mig_t\nSET {}\nFROM {kept} AS _mig_v\nWHERE {}\n  AND {}\n  AND {same_range}\n  AND {}",
            set.join(", "),
            self.by_key("_mig_t", "_mig_v"),
            old.join(" AND "),
            self.kept_range(next)
        );
        vec![Statement::new(insert), Statement::new(update)]
    }

    /// The batch's range over the kept rows.
    fn kept_range(&self, next: bool) -> String {
        let names: Vec<_> = (0..self.cursor.parts.len()).map(|i| format!("_mig_v._mig_k{i}")).collect();
        let row = names.join(", ");
        let many = self.cursor.parts.len();
        let against = |sign: &str, from: usize| format!("({row}) {sign} ({})", self.values(from));
        if next { format!("{} AND {}", against(">", 1), against("<=", many + 1)) } else { against("<=", 1) }
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
            Mode::Compare | Mode::Empty if self.is_direct() => {
                let alias = quote(&self.change.alias);
                format!("SELECT count(*) FROM {table} AS {alias} WHERE {}", self.lacks(&alias, &self.values_set()))
            }
            Mode::Compare | Mode::Empty => format!(
                "SELECT count(*)\nFROM {table} AS _mig_t JOIN (\n    {}\n) AS _mig_v ON {}\nWHERE {}",
                self.computed(None),
                self.by_key("_mig_t", "_mig_v"),
                self.undone("_mig_t", "_mig_v")
            ),
            Mode::Kept => {
                let kept = qualified(&self.kept);
                let (rows, joined) = if self.change.rows.is_all() {
                    (format!("{table} AS t"), self.joined("t", "k"))
                } else {
                    let parts = (0..self.cursor.parts.len()).map(|i| format!("t._mig_k{i} = k._mig_k{i}"));
                    (format!("({}) AS t", self.chosen()), parts.collect::<Vec<_>>().join(" AND "))
                };
                let count = format!(
                    "SELECT count(*) AS n FROM {rows} WHERE NOT EXISTS (SELECT FROM {kept} AS k WHERE {joined})"
                );
                let all = if self.change.rows.is_all() { table } else { rows };
                // The kept rows say which ones are done; the table of them is made by the first batch, so the query that
                // names it is only parsed when it is there.
                format!(
                    "SELECT CASE WHEN pg_catalog.to_regclass({}) IS NULL THEN (SELECT count(*) FROM {all})\n\
                     ELSE (pg_catalog.xpath('/row/n/text()', pg_catalog.query_to_xml({}, false, true, '')))[1]::text::bigint END",
                    literal(&kept),
                    literal(&count)
                )
            }
        }
    }
}

/// Whether an expression reads a column that the backfill overwrites.
fn reads_itself(change: &Backfill) -> bool {
    let base =
        |now: &Name| change.columns.iter().find(|(_, n)| *n == now).map_or_else(|| now.clone(), |(b, _)| b.clone());
    let texts = || change.set.values().chain(change.rows.rejects.iter().map(|rule| &rule.when));
    change.set.keys().any(|column| texts().any(|e| e.mentions(&base(column)) || e.mentions(column)))
}

pub(crate) fn type_of(table: &Table, column: &Name) -> String {
    table.column(column).map_or_else(|| "text".to_owned(), |c| c.data_type.clone())
}

/// The type to cast a value to: without a length, so that a text that is too long is an error rather than cut.
pub(crate) fn cast_type(data_type: &str) -> String {
    for limited in ["character varying(", "bit varying("] {
        if let Some(rest) = data_type.strip_prefix(limited) {
            let array = if rest.ends_with("[]") { "[]" } else { "" };
            return format!("{}{array}", limited.trim_end_matches('('));
        }
    }
    if data_type.starts_with("character(") { "text".to_owned() } else { data_type.to_owned() }
}

/// A FROM item with the tables that are read beside it.
pub(crate) fn beside(item: String, join: Option<&Sql>) -> String {
    join.map_or_else(|| item.clone(), |join| format!("{item}\n  {join}"))
}

/// Values exchanged for others: compared as texts, so that an old value may be one that its type no longer has.
pub(crate) fn mapped(value: &str, pairs: &[(String, Literal)], to: &str) -> Sql {
    let arms: Vec<_> = pairs
        .iter()
        .map(|(from, to)| {
            let to = match to {
                Literal::Text(text) | Literal::Number(text) => literal(text),
                Literal::Truth(truth) => literal(if *truth { "true" } else { "false" }),
            };
            format!("WHEN {} THEN {to}", literal(from))
        })
        .collect();
    let text = format!("({value})::text");
    Sql::new(format!("(CASE {text} {} ELSE {text} END)::{}", arms.join(" "), cast_type(to)))
}

/// A condition that two values of a type are the same, NULL being the same as NULL.
pub(crate) fn same_value(data_type: &str, a: &str, b: &str) -> String {
    let text = if has_equality(data_type) { "" } else { "::text" };
    format!("{a}{text} IS NOT DISTINCT FROM {b}{text}")
}

/// Whether values of a type can be compared as they are; others are compared as texts.
fn has_equality(data_type: &str) -> bool {
    let base = data_type.trim_end_matches("[]");
    !keep::is_user_type(data_type)
        && !matches!(base, "json" | "xml" | "point" | "polygon" | "box" | "line" | "lseg" | "path" | "circle")
}
