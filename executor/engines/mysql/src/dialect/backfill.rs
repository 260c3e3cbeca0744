//! Values for existing rows, batch by batch.

use std::collections::BTreeSet;

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Kind, Limits, Name, Probe, Rendered,
    RenderedUndo, Schema, Sql, Statement, Table, UuidVersion,
    kind::Backfill,
    step::{Batch, Batches, Rejects, Transaction, Until},
    verify::Literal,
};

use super::{
    kept,
    names::{list, literal, quote},
    object::cannot,
    render::missing,
    text, types,
};
use crate::flavor::Flavor;

const ROWS: u32 = 1_000;
pub(super) const LIMITS: Limits = Limits { lock_ms: 1_000, statement_ms: 0, attempts: 20 };
/// A derived table with a limit is computed before the table under it is written.
const APART: &str = "LIMIT 18446744073709551615";

/// The statements of a backfill.
pub(super) struct Writer<'a> {
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
    let writer = Writer { change, table, key, kept: kept::values(&Kind::from(change.clone())) };
    let which = if change.rows.is_all() { "every row" } else { "every chosen row" };
    let mut hazards =
        vec![Hazard::new(HazardCode::RewritesRows, &at, format!("{which} is updated; replicas follow behind"))];
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
        probe: writer.probe(),
        lock: format!("rows of {}, batch by batch", change.table),
        hazards,
        checks: vec![],
        gc,
    })
}

/// The columns among those set that an expression reads.
fn reads<'a>(change: &'a Backfill, sql: &Sql) -> impl Iterator<Item = &'a Name> {
    let read: Vec<Name> =
        text::mentions(sql).into_iter().map(|name| change.columns.get(&name).cloned().unwrap_or(name)).collect();
    let same = |a: &Name, b: &Name| a.as_str().eq_ignore_ascii_case(b.as_str());
    change.set.keys().filter(move |set| read.iter().any(|name| same(name, set)))
}

/// Whether a row that has its value can be told from one that waits for it: the value is made from nothing that is overwritten, or from
/// the column itself by what changes nothing when it is done again.
fn can_be_told(change: &Backfill, column: &Name, sql: &Sql) -> bool {
    !change.overwrites || reads(change, sql).all(|set| set == column && text::only_tidies(sql))
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
    let still = change.set.keys().enumerate();
    let still: Vec<_> =
        still.map(|(i, c)| writer.same(c, &format!("t.{}", quote(c)), &format!("k._mig_new{i}"))).collect();
    let sql = format!(
        "UPDATE {} AS t JOIN {} AS k ON {} SET {}{} WHERE {}",
        quote(&change.table.name),
        quote(&writer.kept),
        kept::same_key(&writer.key, "t", "k"),
        set.join(", "),
        writer.undated("t"),
        still.join(" AND ")
    );
    // What is kept says which rows are done: when they are to be done again, none is.
    let forget = format!("DELETE FROM {}", quote(&writer.kept));
    let action = Action::Transaction(Transaction {
        prepare: vec![],
        lock: vec![],
        sql: vec![Statement::new(sql), Statement::new(forget)],
        none: vec![],
        rejects: None,
        restore: vec![],
        limits: LIMITS,
    });
    let says = "brings back the old values of rows that nobody has changed since".to_owned();
    RenderedUndo { says, action, hazards: vec![] }
}

impl<'a> Writer<'a> {
    /// A pass over a table that writes nothing to it.
    pub(super) fn reading(change: &'a Backfill, before: &'a Schema) -> Result<Self, Complaint> {
        let at = Address::table(&change.table);
        let table = before.table(&change.table).ok_or_else(|| missing(&at))?;
        let Some(key) = kept::key(table) else {
            let help = Some("give the table a primary key".to_owned());
            return Err(Complaint {
                help,
                ..cannot(&at, format!("the rows of {} cannot be told apart", change.table))
            });
        };
        Ok(Self { change, table, key, kept: kept::values(&Kind::from(change.clone())) })
    }

    /// The key over [`Writer::item`].
    pub(super) fn order(&self) -> Vec<String> {
        let alias = quote(&self.change.alias);
        (0..self.key.len()).map(|i| format!("{alias}._mig_k{i}")).collect()
    }

    pub(super) fn batches(&self) -> Batches {
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
            end: Some(self.end()),
            // What is overwritten is told by its key: there nothing comes late.
            leaves_late: !self.change.rows.late && !self.change.overwrites,
            before: vec![],
            rejects: self.rejects(None),
            sample: None,
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
        let (names, table) = (list(&self.key), quote(&self.change.table.name));
        let down: Vec<_> = self.key.iter().map(|k| format!("{} DESC", quote(k))).collect();
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {names} FROM {table}{filter} ORDER BY {names} LIMIT ?\n) AS _mig_batch WHERE {} ORDER BY {} LIMIT 1",
            self.texts(),
            self.against("<="),
            down.join(", ")
        ))
    }

    /// The greatest key of the table.
    fn end(&self) -> Statement {
        let down: Vec<_> = self.key.iter().map(|k| format!("{} DESC", quote(k))).collect();
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {} FROM {} ORDER BY {} LIMIT 1\n) AS _mig_batch",
            self.texts(),
            list(&self.key),
            quote(&self.change.table.name),
            down.join(", ")
        ))
    }

    /// The key as texts.
    fn texts(&self) -> String {
        self.key.iter().map(|k| kept::as_text(self.table, k)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn range(&self, next: bool) -> String {
        if next { format!("{} AND {}", self.against(">"), self.against("<=")) } else { self.against("<=") }
    }

    /// The rows with their key as `_mig_k0 ..` and the values that they shall have as `_mig_c0 ..`.
    fn computed(&self, filter: Option<&str>) -> String {
        let keys: Vec<_> = (0..self.key.len()).map(|i| format!("_mig_k{i}")).collect();
        let values: Vec<_> = self.change.set.values().enumerate().map(|(i, e)| format!("({e}) AS _mig_c{i}")).collect();
        format!("SELECT {}, {}\n    FROM {} {APART}", keys.join(", "), values.join(", "), self.rows(filter))
    }

    /// The rows that get values, under the names that expressions use: a FROM item with its condition.
    fn rows(&self, filter: Option<&str>) -> String {
        let item = self.item(filter);
        self.change.rows.condition().map_or_else(|| item.clone(), |condition| format!("{item}\n    WHERE {condition}"))
    }

    /// The rows of the table under the names that expressions use, as a FROM item.
    pub(super) fn item(&self, filter: Option<&str>) -> String {
        let filter = filter.map(|f| format!(" WHERE {f}")).unwrap_or_default();
        let alias = quote(&self.change.alias);
        let item = format!("(SELECT {} FROM {}{filter}) AS {alias}", self.source(), quote(&self.change.table.name));
        self.change.rows.over(item, &alias, quote)
    }

    /// The rows that keep what they have, by the rules.
    pub(super) fn rejects(&self, join: Option<&Sql>) -> Option<Rejects> {
        let rows = &self.change.rows;
        let rejected = rows.rejected()?;
        let alias = quote(&self.change.alias);
        let part = |name: &Name, column: &Column, value: String| {
            let value = if types::is_binary(&column.data_type) { format!("HEX({value})") } else { value };
            format!("{}, {value}", literal(name.as_str()))
        };
        let keys = self.key.iter().enumerate();
        let keys = keys.filter_map(|(i, k)| Some(part(k, self.table.column(k)?, format!("{alias}._mig_k{i}"))));
        let given: BTreeSet<&Name> = rows.given_columns().collect();
        let base =
            |now: &Name| self.change.columns.iter().find(|(_, n)| *n == now).map_or(now.clone(), |(b, _)| b.clone());
        let own = self.table.columns.iter().filter(|c| !given.contains(&c.name));
        let own = own.map(|c| part(&c.name, c, format!("{alias}.{}", quote(&base(&c.name)))));
        let done = match self.is_told_by_kept() {
            true => format!(" AND NOT EXISTS ({})", self.done()),
            false => String::new(),
        };
        let sql = format!(
            "SELECT JSON_OBJECT({}), {}, JSON_OBJECT({})\nFROM {}{}\nWHERE {rejected}{done}",
            keys.collect::<Vec<_>>().join(", "),
            rows.reason(literal),
            own.collect::<Vec<_>>().join(", "),
            self.item(None),
            join.map_or_else(String::new, |join| format!("\n  {join}"))
        );
        Some(Rejects { sql: Statement::new(sql), max: rows.max_rejects })
    }

    /// Whether a row's old values are kept, as a query.
    fn done(&self) -> String {
        let (alias, kept) = (quote(&self.change.alias), quote(&self.kept));
        let same = self.key.iter().enumerate().map(|(i, k)| format!("k.{} = {alias}._mig_k{i}", quote(k)));
        format!("SELECT 1 FROM {kept} AS k WHERE {}", same.collect::<Vec<_>>().join(" AND "))
    }

    /// Whether what is kept tells which rows are done: a value is made from what is overwritten, and making it again would give another.
    fn is_told_by_kept(&self) -> bool {
        let told = self.change.set.iter().all(|(column, sql)| can_be_told(self.change, column, sql));
        let judged = self.change.rows.rejects.iter().any(|rule| reads(self.change, &rule.when).next().is_some());
        self.change.overwrites && (judged || !told || self.is_unsteady())
    }

    fn probe(&self) -> Probe {
        if !self.is_told_by_kept() {
            return Probe::Remaining { sql: Statement::new(self.remaining()), until: None };
        }
        let (rows, done) = (self.rows(None), self.done());
        let word = if self.change.rows.is_all() { "WHERE" } else { "AND" };
        let there = format!(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = {}",
            literal(self.kept.as_str())
        );
        Probe::Remaining {
            sql: Statement::new(format!("SELECT COUNT(*) FROM {rows}\n{word} NOT EXISTS ({done})")),
            until: Some(Until {
                there: Statement::new(there),
                sql: Statement::new(format!("SELECT COUNT(*) FROM {rows}")),
            }),
        }
    }

    /// The table's columns under the names that expressions use, and the key under names of mig's own.
    fn source(&self) -> String {
        let renamed: BTreeSet<&Name> = self.change.columns.values().collect();
        let keys = self.key.iter().enumerate().map(|(i, name)| format!("{} AS _mig_k{i}", quote(name)));
        let base = self.change.columns.iter().map(|(base, now)| format!("{} AS {}", quote(now), quote(base)));
        let own = self.table.columns.iter().map(|c| &c.name);
        let given: BTreeSet<&Name> = self.change.rows.given_columns().collect();
        let hidden = |name: &Name| renamed.contains(name) || given.contains(name);
        let own = own.filter(|name| !hidden(name) && !self.change.columns.contains_key(*name)).map(quote);
        keys.chain(base).chain(own).collect::<Vec<_>>().join(", ")
    }

    fn joined(&self, left: &str) -> String {
        let parts: Vec<_> =
            self.key.iter().enumerate().map(|(i, k)| format!("{left}.{} = _mig_v._mig_k{i}", quote(k))).collect();
        parts.join(" AND ")
    }

    fn same(&self, column: &Name, a: &str, b: &str) -> String {
        same_value(self.table, column, a, b)
    }

    fn is_unsteady(&self) -> bool {
        self.change.set.values().any(|sql| text::unsteady(sql).is_some())
    }

    fn undone(&self) -> String {
        if self.is_unsteady() && !self.change.overwrites {
            // A row keeps the first value that it got.
            let empty: Vec<_> = self.change.set.keys().map(|c| format!("_mig_t.{} IS NULL", quote(c))).collect();
            return format!("({})", empty.join(" OR "));
        }
        let lacks = |(i, column): (usize, &Name)| {
            let (own, value) = (format!("_mig_t.{}", quote(column)), format!("_mig_v._mig_c{i}"));
            match self.was_empty(column) {
                true => format!("{own} IS NULL AND {value} IS NOT NULL"),
                false => format!("NOT ({})", self.same(column, &own, &value)),
            }
        };
        let parts: Vec<_> = self.change.set.keys().enumerate().map(lacks).collect();
        if parts.len() == 1 { parts.concat() } else { format!("(({}))", parts.join(") OR (")) }
    }

    /// Whether a column held nothing before, so that a value in it is one that a new client wrote.
    fn was_empty(&self, column: &Name) -> bool {
        let plain = |c: &Column| c.value == ColumnValue::Plain && !c.not_null;
        !self.change.overwrites && self.table.column(column).is_some_and(plain)
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
            .map(|(i, c)| {
                let (column, value) = (format!("_mig_t.{}", quote(c)), format!("_mig_v._mig_c{i}"));
                let free = self.change.set.len() == 1 || !self.was_empty(c);
                if free { format!("{column} = {value}") } else { format!("{column} = COALESCE({column}, {value})") }
            })
            .collect();
        let told_by_kept = self.is_told_by_kept();
        let update = if told_by_kept {
            self.update_from_kept(next)
        } else {
            format!(
                "UPDATE {table} AS _mig_t JOIN (\n    {computed}\n) AS _mig_v ON {}\nSET {}{}\nWHERE {}",
                self.joined("_mig_t"),
                set.join(", "),
                self.undated("_mig_t"),
                self.undone()
            )
        };
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
                "INSERT IGNORE INTO {} ({})\nSELECT {}\nFROM {table} AS _mig_t JOIN (\n    {computed}\n) AS _mig_v ON {}{}",
                quote(&self.kept),
                targets.join(", "),
                values.join(", "),
                self.joined("_mig_t"),
                // A row whose old values are kept already is never computed again, whatever becomes of it.
                if told_by_kept { String::new() } else { format!("\nWHERE {}", self.undone()) }
            )));
        }
        out.push(Statement::new(update));
        out
    }

    fn undated(&self, alias: &str) -> String {
        kept::undated(self.table, alias, &self.change.set.keys().collect::<Vec<_>>())
    }

    /// Writes the values that were made once, into rows that nobody has changed since.
    fn update_from_kept(&self, next: bool) -> String {
        let columns = || self.change.set.keys().enumerate();
        let set: Vec<_> = columns().map(|(i, c)| format!("_mig_t.{} = k._mig_new{i}", quote(c))).collect();
        let old: Vec<_> =
            columns().map(|(i, c)| self.same(c, &format!("_mig_t.{}", quote(c)), &format!("k._mig_old{i}"))).collect();
        let range = format!("SELECT * FROM {} WHERE {} {APART}", quote(&self.kept), self.range(next));
        format!(
            "UPDATE {} AS _mig_t JOIN (\n    {range}\n) AS k ON {}\nSET {}{}\nWHERE {}",
            quote(&self.change.table.name),
            kept::same_key(&self.key, "_mig_t", "k"),
            set.join(", "),
            self.undated("_mig_t"),
            old.join(" AND ")
        )
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

/// Whether two values of a column are the same: texts letter by letter, whatever their collation takes for equal.
pub(super) fn same_value(table: &Table, column: &Name, a: &str, b: &str) -> String {
    let exact = |c: &Column| {
        let base = types::base(&c.data_type);
        types::is_text(&c.data_type) && !matches!(base, "char" | "enum" | "set")
    };
    let bytes = |value: &str| format!("CAST(CONVERT({value} USING utf8mb4) AS BINARY)");
    match table.column(column) {
        Some(c) if exact(c) => format!("{} <=> {}", bytes(a), bytes(b)),
        _ => format!("{a} <=> {b}"),
    }
}

/// Values exchanged for others, compared as texts, letter by letter.
pub(crate) fn mapped(value: &str, pairs: &[(String, Literal)]) -> Sql {
    let arms: Vec<_> = pairs.iter().map(|(from, to)| format!("WHEN {} THEN {}", literal(from), constant(to))).collect();
    let text = as_text(value);
    Sql::new(format!("CASE {text} {} ELSE {value} END", arms.join(" ")))
}

/// A value as text that is compared letter by letter.
pub(crate) fn as_text(value: &str) -> String {
    format!("CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin")
}

/// A value as SQL.
pub(crate) fn constant(value: &Literal) -> String {
    match value {
        Literal::Text(text) => literal(text),
        Literal::Number(digits) => digits.replace('_', ""),
        Literal::Truth(truth) => u8::from(*truth).to_string(),
    }
}

/// An id made from a namespace and a name.
pub(crate) fn uuid(version: UuidVersion, namespace: &str, name: &Sql) -> Sql {
    let (digit, function) = match version {
        UuidVersion::Three => ('3', "MD5"),
        UuidVersion::Five => ('5', "SHA1"),
    };
    let hash = format!("{function}(CONCAT(UNHEX('{namespace}'), CONVERT({name} USING utf8mb4)))");
    let part = |from: u8, many: u8| format!("SUBSTR({hash}, {from}, {many})");
    let variant = format!("LOWER(CONV((CONV({}, 16, 10) & 3) | 8, 10, 16))", part(17, 1));
    let (first, second, third, fourth, last) = (part(1, 8), part(9, 4), part(14, 3), part(18, 3), part(21, 12));
    Sql::new(format!("CONCAT({first}, '-', {second}, '-{digit}', {third}, '-', {variant}, {fourth}, '-', {last})"))
}
