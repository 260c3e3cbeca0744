//! Makes a table anew under its name: its rows are written aside with their new values, the table is dropped, made, and filled.
//!
//! Writing aside first, rather than making the new table beside the old one, has these effects: every expression is evaluated over
//! the old table with its collations; the new table's text says its own name; no RENAME rewrites views and triggers; and what was
//! written aside is what the undo needs.

use std::collections::BTreeMap;

use mig_plan::{
    Action, Address, ColumnValue, Complaint, Fingerprint, Hazard, HazardCode, Kind, Name, Probe, Qualified, Rendered,
    RenderedUndo, Schema, Statement, Table,
    kind::Rebuild,
    step::{Limits, Transaction},
};

use super::{
    lossy,
    source::{Source, key, key_column},
    tighten,
};
use crate::dialect::{
    names::{self, literal, quote},
    refs, shape, write,
};

/// How long a rebuild may wait for the file; it may work as long as it needs.
pub(crate) const PATIENT: Limits = Limits { lock_ms: 10_000, statement_ms: 0, attempts: 10 };

/// The tables that a change keeps for its undo.
pub(crate) struct Kept {
    /// The rows.
    pub(crate) rows: String,
    /// The number that AUTOINCREMENT stood at.
    pub(crate) sequence: String,
    /// Foreign keys that were broken before.
    pub(crate) broken: String,
    /// The rows on their way back.
    pub(crate) back: String,
}

impl Kept {
    pub(crate) fn of(change: &Kind) -> Self {
        let hash = Fingerprint::of(change).short(12).to_owned();
        Self {
            rows: format!("_mig_kept_{hash}"),
            sequence: format!("_mig_sequence_{hash}"),
            broken: format!("_mig_broken_{hash}"),
            back: format!("_mig_back_{hash}"),
        }
    }

    /// Statements that drop everything that may have been kept.
    pub(crate) fn drop(&self) -> Vec<Statement> {
        [&self.rows, &self.sequence].map(|name| Statement::new(format!("DROP TABLE IF EXISTS {name}"))).to_vec()
    }
}

/// The tables in which a change may keep rows.
pub(crate) fn kept(change: &Kind) -> Vec<Qualified> {
    // A note, no rows.
    if matches!(change, Kind::Filling(_)) {
        return Vec::new();
    }
    Name::new(Kept::of(change).rows).map(|name| Qualified::new(None, name)).into_iter().collect()
}

/// The name under which the kept rows give the value that was set in a column.
pub(crate) fn set_column(place: usize) -> String {
    format!("_mig_set{place}")
}

/// Renders a rebuild.
pub(crate) fn render(change: &Kind, rebuild: &Rebuild, before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    let plan = Plan::new(change, rebuild);
    let at = Address::table(&rebuild.table);
    let source = plan.source();
    let mut sql = vec![format!("DROP TABLE IF EXISTS {}", plan.kept.rows)];
    sql.push(plan.write_aside(&source)?);
    sql.extend(keep_sequence(&rebuild.table, &rebuild.from, &plan.kept.sequence));
    sql.extend(make(&rebuild.table, &rebuild.to));
    sql.push(plan.fill());
    sql.extend(restore_sequence(&rebuild.table, &rebuild.from, &rebuild.to, &plan.kept.sequence));
    sql.extend(companions(&rebuild.table, before, after));
    if !plan.must_keep() {
        sql.extend(plan.kept.drop().iter().map(Statement::sql));
    }
    let mut hazards = tighten::hazards(rebuild);
    if plan.keyless() && plan.must_keep() {
        let says = "its rows cannot be told apart once it is rebuilt, so values that it loses cannot be brought back";
        hazards.push(Hazard::new(HazardCode::NoUndo, &at, says));
    }
    let rejects = source.rejects(None, "")?;
    let work = in_one_go(&rebuild.table, sql, before, after, &plan.kept.broken);
    Ok(Rendered {
        action: Action::Transaction(Transaction { rejects, ..work }),
        probe: Probe::Shape {},
        lock: "the database file: no other writer, and without WAL no reader, until it is done".to_owned(),
        hazards,
        checks: tighten::checks(rebuild, &source, before)?,
        gc: if plan.must_keep() { plan.kept.drop() } else { Vec::new() },
    })
}

/// Renders the way back: the old shape, with what new clients wrote, and the old values of rows that nobody wrote since.
pub(crate) fn render_undo(
    change: &Kind,
    rebuild: &Rebuild,
    before: &Schema,
    after: &Schema,
) -> Result<RenderedUndo, Complaint> {
    let plan = Plan::new(change, rebuild);
    let mut hazards = Vec::new();
    let now_null = |name: &Name| rebuild.to.column(name).is_none_or(|c| !c.not_null);
    let stricter = rebuild.from.columns.iter().any(|c| c.not_null && now_null(&c.name));
    if stricter {
        let at = Address::table(&rebuild.table);
        let says = "the undo fails if rows that were written since have NULL where it is refused again";
        hazards.push(Hazard::new(HazardCode::NotNullMayFail, &at, says));
    }
    let says = if plan.must_keep() {
        "Rebuilds the table as it was, with the values that were kept and the rows that were written since."
    } else {
        "Rebuilds the table as it was, with its rows."
    };
    Ok(RenderedUndo { says: says.to_owned(), action: Action::Transaction(plan.undo(before, after)), hazards })
}

/// What a rebuild does with each value.
struct Plan<'a> {
    rebuild: &'a Rebuild,
    kept: Kept,
}

impl<'a> Plan<'a> {
    fn new(change: &Kind, rebuild: &'a Rebuild) -> Self {
        Self { rebuild, kept: Kept::of(change) }
    }

    fn source(&self) -> Source<'a> {
        let declared = self.rebuild.copy.iter().filter_map(|c| Some((c.to.clone(), c.declared.clone()?)));
        Source {
            at: &self.rebuild.table,
            table: &self.rebuild.from,
            alias: &self.rebuild.table.name,
            columns: &self.rebuild.columns,
            set: declared.collect(),
            fresh: false,
            rows: &self.rebuild.rows,
        }
    }

    fn keyless(&self) -> bool {
        key(&self.rebuild.to).is_none()
    }

    /// Whether values go that only the kept rows have.
    fn must_keep(&self) -> bool {
        let (from, to) = (&self.rebuild.from, &self.rebuild.to);
        let gone = from.columns.iter().any(|c| match to.column(&c.name) {
            None => !is_generated(&c.value),
            Some(other) => lossy(from, c, to, other) || self.place(&c.name).is_some(),
        });
        let rowid_gone = shape::rowid_word(from).is_some()
            && shape::rowid_alias(from).is_none()
            && (shape::is_without_rowid(to) || shape::rowid_alias(to).is_some());
        // The number that AUTOINCREMENT stood at is nowhere else.
        let counter_gone = shape::is_autoincrement(from) && !shape::is_autoincrement(to);
        gone || rowid_gone || counter_gone
    }

    /// Where the declared value of a column stands among the copies.
    fn place(&self, column: &Name) -> Option<usize> {
        self.rebuild.copy.iter().position(|c| c.to == *column && c.declared.is_some())
    }

    /// `CREATE TABLE kept AS SELECT` the new key, the old rowid, the old values, the values set.
    fn write_aside(&self, source: &Source<'_>) -> Result<String, Complaint> {
        let rebuild = self.rebuild;
        let mut items = Vec::new();
        for (i, value) in self.new_key(source).into_iter().enumerate() {
            items.push(format!("{value} AS {}", key_column(i)));
        }
        items.push("1 AS _mig_here".to_owned());
        if shape::rowid_word(&rebuild.from).is_some() {
            items.push(format!("{} AS _mig_rowid", source.key_columns()[0]));
        }
        for column in &rebuild.from.columns {
            items.push(format!("{} AS {}", source.column(&column.name), quote(&column.name)));
        }
        for (i, copy) in rebuild.copy.iter().enumerate() {
            if let Some(value) = source.value_or_own(&copy.to) {
                items.push(format!("{value} AS {}", set_column(i)));
            }
        }
        let items = items.join(",\n  ");
        Ok(format!("CREATE TABLE {} AS SELECT\n  {items}\nFROM {}", self.kept.rows, source.from(None)?))
    }

    /// What will identify each row in the new table, over the source.
    fn new_key(&self, source: &Source<'_>) -> Vec<String> {
        let (from, to) = (&self.rebuild.from, &self.rebuild.to);
        let value = |name: &Name| -> Option<String> {
            source.value_or_own(name).or_else(|| from.column(name).map(|_| source.column(name)))
        };
        if shape::is_without_rowid(to) {
            let columns = shape::primary_key(to).map(|(_, _, key)| key.columns.as_slice()).unwrap_or_default();
            return columns.iter().map(|name| value(name).unwrap_or_else(|| "NULL".to_owned())).collect();
        }
        let alias = shape::rowid_alias(to).and_then(|alias| value(&alias.name));
        let rowid = shape::rowid_word(from).and_then(|_| source.key_columns().first().cloned());
        vec![alias.or(rowid).unwrap_or_else(|| "row_number() OVER ()".to_owned())]
    }

    /// `INSERT INTO` the new table from the kept rows.
    fn fill(&self) -> String {
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        let to = &self.rebuild.to;
        match shape::rowid_alias(to) {
            Some(alias) => {
                columns.push(quote(&alias.name));
                values.push(key_column(0));
            }
            None => {
                if let Some(word) = shape::rowid_word(to) {
                    columns.push(word.to_owned());
                    values.push(key_column(0));
                }
            }
        }
        for (i, copy) in self.rebuild.copy.iter().enumerate() {
            let column = quote(&copy.to);
            if columns.contains(&column) || to.column(&copy.to).is_none_or(|c| is_generated(&c.value)) {
                continue;
            }
            values.push(if copy.declared.is_some() { set_column(i) } else { column.clone() });
            columns.push(column);
        }
        insert(&self.rebuild.table, &columns, &values, &self.kept.rows)
    }

    fn undo(&self, before: &Schema, after: &Schema) -> Transaction {
        let rebuild = self.rebuild;
        let keyed = self.must_keep() && !self.keyless();
        let mut sql = vec![format!("DROP TABLE IF EXISTS {}", self.kept.back), self.write_back(keyed)];
        let sequence = (!keyed).then_some(&self.kept.sequence).filter(|_| shape::is_autoincrement(&rebuild.to));
        if let Some(name) = sequence {
            sql.extend(keep_sequence(&rebuild.table, &rebuild.to, name));
        }
        sql.extend(make(&rebuild.table, &rebuild.from));
        let columns: Vec<_> =
            rebuild.from.columns.iter().filter(|c| !is_generated(&c.value)).map(|c| quote(&c.name)).collect();
        let (mut into, mut values) = (columns.clone(), columns);
        if shape::rowid_alias(&rebuild.from).is_none()
            && let Some(word) = shape::rowid_word(&rebuild.from)
        {
            into.push(word.to_owned());
            values.push("_mig_rowid".to_owned());
        }
        sql.push(insert(&rebuild.table, &into, &values, &self.kept.back));
        let from = if sequence.is_some() { &rebuild.to } else { &rebuild.from };
        if sequence.is_some() || self.must_keep() {
            sql.extend(restore_sequence(&rebuild.table, from, &rebuild.from, &self.kept.sequence));
        }
        sql.extend(companions(&rebuild.table, after, before));
        sql.push(format!("DROP TABLE {}", self.kept.back));
        sql.extend(self.kept.drop().iter().map(Statement::sql));
        in_one_go(&rebuild.table, sql, after, before, &self.kept.broken)
    }

    /// `CREATE TABLE back AS SELECT` the old rowid and the old columns: kept values where nobody wrote since, else present ones.
    fn write_back(&self, keyed: bool) -> String {
        let (from, to) = (&self.rebuild.from, &self.rebuild.to);
        let mut items = vec![match (keyed && shape::rowid_word(from).is_some(), shape::rowid_word(to)) {
            (true, Some(word)) => format!("coalesce(k._mig_rowid, t.{word}) AS _mig_rowid"),
            (true, None) => "k._mig_rowid AS _mig_rowid".to_owned(),
            (false, Some(word)) => format!("t.{word} AS _mig_rowid"),
            (false, None) => "NULL AS _mig_rowid".to_owned(),
        }];
        let is_computed = |name: &Name| to.column(name).is_some_and(|c| is_generated(&c.value));
        for column in from.columns.iter().filter(|c| !is_generated(&c.value)) {
            let name = quote(&column.name);
            let present = to.column(&column.name).map(|_| format!("t.{name}"));
            let none = match &column.value {
                ColumnValue::Default(value) => format!("({value})"),
                _ => "NULL".to_owned(),
            };
            let written =
                self.place(&column.name).map_or_else(|| format!("k.{name}"), |i| format!("k.{}", set_column(i)));
            let value = match present {
                // Nobody writes a computed value.
                Some(present) if keyed && is_computed(&column.name) => {
                    format!("CASE WHEN k._mig_here IS NOT NULL THEN k.{name} ELSE {present} END")
                }
                // With a plus before it, the kept value is compared as the column that it went into would store it.
                Some(present) if keyed => format!(
                    "CASE WHEN k._mig_here IS NOT NULL AND {present} COLLATE BINARY IS +{written} THEN k.{name} ELSE {present} END"
                ),
                Some(present) => present,
                None if keyed => format!("CASE WHEN k._mig_here IS NOT NULL THEN k.{name} ELSE {none} END"),
                None => none,
            };
            items.push(format!("{value} AS {name}"));
        }
        let join = if keyed {
            let parts = key(to).unwrap_or_default().into_iter().enumerate();
            let parts = parts.map(|(i, part)| format!("k.{} = t.{part}", key_column(i)));
            format!("\nLEFT JOIN {} AS k ON {}", self.kept.rows, parts.collect::<Vec<_>>().join(" AND "))
        } else {
            String::new()
        };
        let items = items.join(",\n  ");
        format!(
            "CREATE TABLE {} AS SELECT\n  {items}\nFROM {} AS t{join}",
            self.kept.back,
            quote(&self.rebuild.table.name)
        )
    }
}

pub(crate) fn is_generated(value: &ColumnValue) -> bool {
    matches!(value, ColumnValue::Generated { .. })
}

fn make(at: &Qualified, table: &Table) -> [String; 2] {
    [format!("DROP TABLE {}", quote(&at.name)), write::create_table(at, table)]
}

pub(crate) fn insert(at: &Qualified, columns: &[String], values: &[String], from: &str) -> String {
    if columns.is_empty() {
        // Every column is generated: there is nothing to give but the number of rows.
        return format!("INSERT INTO {} DEFAULT VALUES", quote(&at.name));
    }
    format!("INSERT INTO {} ({})\nSELECT {}\nFROM {from}", quote(&at.name), columns.join(", "), values.join(", "))
}

/// Writes aside the number that AUTOINCREMENT stands at.
pub(crate) fn keep_sequence(at: &Qualified, from: &Table, kept: &str) -> Vec<String> {
    if !shape::is_autoincrement(from) {
        return Vec::new();
    }
    let name = literal(at.name.as_str());
    vec![
        format!("DROP TABLE IF EXISTS {kept}"),
        format!("CREATE TABLE {kept} AS SELECT seq FROM sqlite_sequence WHERE name = {name}"),
    ]
}

/// Lets AUTOINCREMENT go on where it stood, even if the rows with the highest numbers are gone.
pub(crate) fn restore_sequence(at: &Qualified, from: &Table, to: &Table, kept: &str) -> Vec<String> {
    if !shape::is_autoincrement(from) || !shape::is_autoincrement(to) {
        return Vec::new();
    }
    let name = literal(at.name.as_str());
    let high = format!(
        "SELECT {name}, max(seq) FROM (SELECT seq FROM {kept} UNION ALL SELECT seq FROM sqlite_sequence WHERE name = {name})"
    );
    vec![
        format!("CREATE TABLE {kept}_high AS {high} HAVING count(*) > 0"),
        format!("DELETE FROM sqlite_sequence WHERE name = {name}"),
        format!("INSERT INTO sqlite_sequence (name, seq) SELECT * FROM {kept}_high"),
        format!("DROP TABLE {kept}_high"),
    ]
}

/// The indexes and triggers that went with the table, as they stand in both schemas.
fn companions(table: &Qualified, before: &Schema, after: &Schema) -> Vec<String> {
    let both = |at: &Address| before.objects.contains_key(at);
    let mut out = Vec::new();
    for (at, index) in after.indexes_of(table).filter(|(at, _)| both(at)) {
        out.push(write::create_index(at.name(), index));
    }
    let triggers = after.objects.iter().filter(|(at, _)| {
        at.kind() == mig_plan::ObjectKind::Trigger
            && at.relation().is_some_and(|of| names::same(&of.name, &table.name))
            && both(at)
    });
    out.extend(triggers.filter_map(|(at, object)| write::create(at, object)).flatten());
    out
}

/// The tables whose foreign keys a change of a table can break: itself, and those that refer to it.
fn concerned(table: &Qualified, schemas: [&Schema; 2]) -> Vec<Name> {
    let mut names: BTreeMap<Name, ()> = BTreeMap::new();
    for schema in schemas {
        let referring = schema.references_to(table).map(|(from, _, _)| from.name).collect::<Vec<_>>();
        names.extend(referring.into_iter().map(|name| (name, ())));
        if schema.table(table).is_some_and(|t| t.constraints.values().any(|c| c.foreign_key().is_some())) {
            names.insert(table.name.clone(), ());
        }
    }
    names.into_keys().collect()
}

/// The transaction of a rebuild: foreign keys are off while it runs, and no new violation may be left in the end.
fn in_one_go(table: &Qualified, sql: Vec<String>, before: &Schema, after: &Schema, broken: &str) -> Transaction {
    let violations = |schema: &Schema| {
        let there = concerned(table, [before, after])
            .into_iter()
            // Keys that the plan has yet to set right cannot be looked at; they are when their own table is made anew.
            .filter(|n| shape::is_sound(&names::unqualified(n.clone()), schema))
            .filter(|n| schema.table(&names::unqualified(n.clone())).is_some());
        let one = |n: Name| {
            let name = literal(n.as_str());
            format!("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check({name})")
        };
        there.map(one).collect::<Vec<_>>()
    };
    let guard = "SELECT 'foreign keys are enforced, so the old table cannot be taken away' FROM pragma_foreign_keys\nWHERE foreign_keys = 1";
    let mut none = vec![Statement::new(guard)];
    let mut all = Vec::new();
    let then = violations(before);
    let empty = "SELECT NULL AS \"table\", NULL AS rowid, NULL AS parent WHERE 0".to_owned();
    let then = if then.is_empty() { empty } else { then.join("\nUNION ALL ") };
    all.push(Statement::new(format!("CREATE TEMP TABLE {broken} AS {then}")));
    for now in violations(after) {
        none.push(Statement::new(format!("{now}\nEXCEPT SELECT * FROM temp.{broken}")));
    }
    all.extend(sql.into_iter().map(Statement::new));
    Transaction {
        prepare: vec![
            Statement::new(format!("DROP TABLE IF EXISTS temp.{broken}")),
            Statement::new("PRAGMA foreign_keys = OFF"),
        ],
        lock: Vec::new(),
        sql: all,
        none,
        rejects: None,
        restore: vec![
            Statement::new("PRAGMA foreign_keys = ON"),
            Statement::new(format!("DROP TABLE IF EXISTS temp.{broken}")),
        ],
        limits: PATIENT,
    }
}

/// A transaction with foreign keys off, in which nothing can break one that held: for tables that nobody refers to any more.
pub(crate) fn unenforced(sql: Vec<String>) -> Transaction {
    Transaction {
        prepare: vec![Statement::new("PRAGMA foreign_keys = OFF")],
        lock: Vec::new(),
        sql: sql.into_iter().map(Statement::new).collect(),
        none: Vec::new(),
        rejects: None,
        restore: vec![Statement::new("PRAGMA foreign_keys = ON")],
        limits: PATIENT,
    }
}

/// Whether anything but the table itself says a column's name.
pub(crate) fn is_used(table: &Qualified, column: &Name, schema: &Schema) -> bool {
    !refs::users_of_column(table, column, schema).is_empty()
}
