//! A table that takes another's place, as SQL: the triggers, the batches, the exchange of names, and the way back.
//!
//! Each trigger writes into the table on the other side, and does nothing while that is not there: so both directions can stand from the
//! beginning, and one RENAME turns them round.

use mig_plan::{
    Action, Address, Complaint, Hazard, HazardCode, Kind, Limits, Name, Probe, Qualified, Rendered, RenderedUndo,
    Schema, Statement, Table,
    kind::{CopyRows, Finish, Shadow, Swap},
    plan::CheckSql,
    step::{Batch, Batches},
    table::ForeignKey,
};

use super::{
    kept,
    names::{is_own, list, literal, quote},
    online::is_identity,
    render::{missing, prepared},
    types,
};
use crate::flavor::Flavor;

const ROWS: u32 = 2_000;
const LIMITS: Limits = Limits { lock_ms: 1_000, statement_ms: 0, attempts: 50 };

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A row goes.
    Delete,
    /// A row changes.
    Update,
    /// A row comes.
    Insert,
}

impl Event {
    /// In the order in which they are made: a row that one of them carries over can be taken back by those before.
    pub(crate) const ALL: [Self; 3] = [Self::Delete, Self::Update, Self::Insert];

    /// The word for it in names.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delete => "d",
            Self::Update => "u",
            Self::Insert => "i",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Update => "UPDATE",
            Self::Insert => "INSERT",
        }
    }
}

/// The statement that makes a trigger, as the catalog gives it back.
pub(crate) fn trigger(shadow: &Shadow, name: &Name, on: &Qualified, into: &Qualified, event: Event) -> String {
    let into = quote(&into.name);
    let all = |sign: &str, left: &str, right: &str, names: &[Name], between: &str| -> String {
        let each = names.iter().map(|n| format!("{left}{0} {sign} {right}{0}", quote(n)));
        each.collect::<Vec<_>>().join(between)
    };
    let old = all("=", "", "OLD.", &shadow.key, " AND ");
    let new: Vec<_> = shadow.columns.iter().map(|n| format!("NEW.{}", quote(n))).collect();
    let put = format!(
        "INSERT INTO {into} ({}) VALUES ({}) ON DUPLICATE KEY UPDATE {};",
        list(&shadow.columns),
        new.join(", "),
        all("=", "", "NEW.", &shadow.columns, ", ")
    );
    let body = match event {
        Event::Delete => format!("DELETE FROM {into} WHERE {old};"),
        Event::Insert => put,
        Event::Update => format!(
            "IF NOT ({}) THEN UPDATE {into} SET {} WHERE {old}; END IF; {put}",
            all("<=>", "OLD.", "NEW.", &shadow.key, " AND "),
            all("=", "", "NEW.", &shadow.key, ", ")
        ),
    };
    format!(
        "CREATE TRIGGER {} AFTER {} ON {} FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 BEGIN END; {body} END",
        quote(name),
        event.sql(),
        quote(&on.name)
    )
}

fn tables<'a>(shadow: &Shadow, schema: &'a Schema) -> Result<(&'a Table, &'a Table), Complaint> {
    let find = |at: &Qualified| schema.table(at).ok_or_else(|| missing(&Address::table(at)));
    Ok((find(&shadow.table)?, find(&shadow.beside)?))
}

/// The SQL of a copy.
pub(crate) fn copy(flavor: &Flavor, change: &CopyRows, before: &Schema) -> Result<Rendered, Complaint> {
    let shadow = &change.shadow;
    let at = Address::table(&shadow.table);
    let (table, beside) = tables(shadow, before)?;
    let (from, into) = (&shadow.table, &shadow.beside);
    let batches = Pump { flavor, shadow, table, other: beside, from, into, meets: Meets::Older }.batches(vec![]);
    let says = "every row is copied; replicas follow behind".to_owned();
    Ok(Rendered {
        action: Action::Batches(batches),
        probe: Probe::Remaining { sql: Statement::new(differing(shadow, table, beside)), until: None },
        lock: format!("rows of {}, batch by batch", shadow.table),
        hazards: vec![Hazard::new(HazardCode::RewritesRows, &at, says)],
        checks: zeros(shadow, table, beside),
        gc: vec![],
    })
}

/// A zero in a column that the server numbers would be numbered anew.
fn zeros(shadow: &Shadow, table: &Table, beside: &Table) -> Vec<mig_plan::DraftCheck> {
    let numbered = beside.columns.iter().find(|c| is_identity(c)).filter(|c| table.column(&c.name).is_some());
    let check = numbered.map(|column| mig_plan::DraftCheck {
        at: Address::column(&shadow.table, &column.name),
        says: format!("no row has the number 0 in {}, which a copy would give another", column.name),
        help: vec![format!("give the row another number in {}", column.name)],
        count: CheckSql::new(format!(
            "SELECT COUNT(*) FROM {} WHERE {} = 0",
            quote(&shadow.table.name),
            quote(&column.name)
        )),
        sample: None,
        stops: true,
    });
    check.into_iter().collect()
}

/// Batches that carry rows from one table into the other.
struct Pump<'a> {
    flavor: &'a Flavor,
    shadow: &'a Shadow,
    table: &'a Table,
    other: &'a Table,
    from: &'a Qualified,
    into: &'a Qualified,
    meets: Meets,
}

/// What a row is, seen from the row of the same key in the table that it is carried into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meets {
    /// What is there was brought by a trigger, and stays. A row that a client is writing is left to the trigger: waiting for it with locks
    /// in hand could end the client by a deadlock. One that no trigger brings after all is found by the probe, and by the next pass.
    Older,
    /// It takes the place of what is there.
    Newer,
}

impl Pump<'_> {
    fn batches(&self, prepare: Vec<Statement>) -> Batches {
        let work = |next: bool| {
            let range =
                if next { format!("{} AND {}", self.against(">"), self.against("<=")) } else { self.against("<=") };
            let columns = list(&self.shadow.columns);
            let lock = match (self.flavor.is_maria(), self.meets) {
                (true, Meets::Older) => "LOCK IN SHARE MODE SKIP LOCKED",
                (false, Meets::Older) => "FOR SHARE SKIP LOCKED",
                (true, Meets::Newer) => "LOCK IN SHARE MODE",
                (false, Meets::Newer) => "FOR SHARE",
            };
            let stays = self.shadow.key.first().map(|k| format!("{0} = {1}.{0}", quote(k), quote(&self.into.name)));
            let newer = self.shadow.columns.iter().map(|c| format!("{0} = VALUES({0})", quote(c)));
            let on_meeting = match self.meets {
                Meets::Older => stays.unwrap_or_default(),
                Meets::Newer => newer.collect::<Vec<_>>().join(", "),
            };
            Statement::new(format!(
                "INSERT INTO {} ({columns})\nSELECT {columns} FROM {} WHERE {range} {lock}\nON DUPLICATE KEY UPDATE {}",
                quote(&self.into.name),
                quote(&self.from.name),
                on_meeting
            ))
        };
        Batches {
            key: self.shadow.key.iter().map(ToString::to_string).collect(),
            rows: ROWS,
            min_rows: 100,
            max_rows: 20_000,
            target_ms: 200,
            prepare,
            first: Batch { bound: self.bound(false), sql: vec![work(false)] },
            next: Batch { bound: self.bound(true), sql: vec![work(true)] },
            end: None,
            leaves_late: false,
            before: vec![],
            rejects: None,
            sample: None,
            limits: LIMITS,
        }
    }

    fn against(&self, sign: &str) -> String {
        let key = &self.shadow.key;
        let parameters: Vec<_> = key.iter().map(|k| kept::parameter(self.table, k)).collect();
        match key.as_slice() {
            [only] => format!("{} {sign} {}", quote(only), parameters.join("")),
            _ => format!("({}) {sign} ({})", list(key), parameters.join(", ")),
        }
    }

    /// Only rows that are missing on the other side count: what triggers bring meanwhile has no end.
    fn bound(&self, next: bool) -> Statement {
        let key = &self.shadow.key;
        let filter = if next { format!("{} AND ", self.against(">")) } else { String::new() };
        let names = list(key);
        let texts: Vec<_> = key.iter().map(|k| kept::as_text(self.table, k)).collect();
        let down: Vec<_> = key.iter().map(|k| format!("{} DESC", quote(k))).collect();
        let mut met = kept::same_key(key, "a", "b");
        if self.meets == Meets::Newer {
            met.push_str(
                &alike(self.shadow, self.table, self.other).map(|same| format!(" AND {same}")).unwrap_or_default(),
            );
        }
        Statement::new(format!(
            "SELECT {} FROM (\n    SELECT {names} FROM {} AS a WHERE {filter}NOT EXISTS (SELECT 1 FROM {} AS b WHERE {met}) ORDER BY {names} LIMIT ?\n) \
             AS _mig_batch ORDER BY {} LIMIT 1",
            texts.join(", "),
            quote(&self.from.name),
            quote(&self.into.name),
            down.join(", ")
        ))
    }
}

/// Whether two rows of one key are the same in all else, if there is anything else.
fn alike(shadow: &Shadow, table: &Table, other: &Table) -> Option<String> {
    let others = shadow.columns.iter().filter(|c| !shadow.key.contains(c));
    let same: Vec<_> = others.map(|c| same(table, other, c)).collect();
    (!same.is_empty()).then(|| same.join(" AND "))
}

/// The query that counts the rows in which the two tables differ.
fn differing(shadow: &Shadow, table: &Table, beside: &Table) -> String {
    let (from, into) = (quote(&shadow.table.name), quote(&shadow.beside.name));
    let first = shadow.key.first().map(quote).unwrap_or_default();
    let differ = alike(shadow, table, beside).map(|same| format!(" OR NOT ({same})")).unwrap_or_default();
    let on = kept::same_key(&shadow.key, "a", "b");
    format!(
        "SELECT\n    (SELECT COUNT(*) FROM {from} AS a LEFT JOIN {into} AS b ON {on} WHERE b.{first} IS NULL{differ})\n  + (SELECT COUNT(*) \
         FROM {into} AS b LEFT JOIN {from} AS a ON {on} WHERE a.{first} IS NULL)"
    )
}

/// Whether a value is the same on both sides. Texts of different forms are compared character by character.
fn same(table: &Table, beside: &Table, column: &Name) -> String {
    let name = quote(column);
    let text = |t: &Table| t.column(column).is_some_and(|c| types::is_text(&c.data_type));
    let side = |side: &str| match text(table) && text(beside) {
        true => format!("CONVERT({side}.{name} USING utf8mb4) COLLATE utf8mb4_bin"),
        false => format!("{side}.{name}"),
    };
    format!("{} <=> {}", side("a"), side("b"))
}

/// The SQL of the exchange.
pub(crate) fn swap(flavor: &Flavor, change: &Swap, before: &Schema) -> Result<Rendered, Complaint> {
    let Shadow { table, beside, .. } = &change.shadow;
    let (was, comes) = tables(&change.shadow, before)?;
    let mut hazards = Vec::new();
    for column in &comes.columns {
        let Some(old) = was.column(&column.name).filter(|old| *old != column) else { continue };
        let says = format!(
            "clients meet {} as {} from then on; until contract a value that {} cannot hold is refused, so that a rollback loses nothing",
            column.name, column.data_type, old.data_type
        );
        hazards.push(Hazard::new(HazardCode::MovesColumn, &Address::column(table, &column.name), says));
    }
    let mut prepare = vec![format!("ANALYZE TABLE {}", quote(&beside.name))];
    if comes.columns.iter().any(is_identity) {
        prepare.extend(numbered_on(flavor, table, beside));
    }
    Ok(Rendered {
        action: prepared(prepare, exchange(&change.shadow)),
        probe: Probe::Shape {},
        lock: format!(
            "the metadata of {table} for a moment: waits for open transactions that used it, and clients wait behind"
        ),
        hazards,
        checks: vec![],
        gc: vec![],
    })
}

fn exchange(shadow: &Shadow) -> String {
    let [table, beside, aside] = [&shadow.table, &shadow.beside, &shadow.aside].map(|at| quote(&at.name));
    format!("RENAME TABLE {table} TO {aside}, {beside} TO {table}")
}

/// Whether a change only gives a foreign key that holds another name, or another table that is kept equal: mig's own is or was there
/// for it, so no row needs a look.
pub(crate) fn is_held(change: &Kind, before: &Schema) -> bool {
    let (table, name, constraint, comes) = match change {
        Kind::AddConstraint(k) => (&k.table, &k.name, &k.constraint, true),
        Kind::DropConstraint(k) => (&k.table, &k.name, &k.constraint, false),
        _ => return false,
    };
    let Some(fk) = constraint.foreign_key() else { return false };
    let own = |name: &Name| is_own(name.as_str());
    let alike = |other: &ForeignKey| other.columns == fk.columns && other.referenced == fk.referenced;
    let mut others = before.table(table).into_iter().flat_map(|t| &t.constraints);
    own(name)
        || comes && (own(&table.name) || own(&fk.references.name))
        || others.any(|(name, other)| own(name) && other.foreign_key().is_some_and(alike))
}

/// A statement for which foreign keys are not looked at.
pub(crate) fn unchecked(sql: &str) -> String {
    format!("SET STATEMENT foreign_key_checks = 0 FOR {sql}")
}

/// Statements that let one table go on with the numbers of the other.
fn numbered_on(flavor: &Flavor, from: &Qualified, to: &Qualified) -> Vec<String> {
    // MySQL answers with numbers of yesterday unless it is told not to.
    let fresh = (!flavor.is_maria()).then(|| "SET SESSION information_schema_stats_expiry = 0".to_owned());
    let set = format!(
        "SET @_mig_next = (SELECT CONCAT('ALTER TABLE {} AUTO_INCREMENT = ', COALESCE(AUTO_INCREMENT, 1)) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = {})",
        quote(&to.name).replace('\'', "''").replace('\\', "\\\\"),
        literal(from.name.as_str())
    );
    let run = ["PREPARE _mig_next FROM @_mig_next", "EXECUTE _mig_next", "DEALLOCATE PREPARE _mig_next"];
    fresh.into_iter().chain([set]).chain(run.map(str::to_owned)).collect()
}

/// What takes the exchange back.
pub(crate) fn unswap(change: &Swap) -> RenderedUndo {
    let Shadow { table, beside, aside, .. } = change.shadow.clone();
    let back = Shadow { table, beside: aside, aside: beside, ..change.shadow.clone() };
    let says = "exchanges the names back; what clients wrote since stays".to_owned();
    RenderedUndo { says, action: prepared(Vec::new(), exchange(&back)), hazards: vec![] }
}

/// What brings the old table up to date when the run is taken back after its end.
pub(crate) fn unsettle(flavor: &Flavor, change: &Finish, before: &Schema) -> Result<RenderedUndo, Complaint> {
    let Shadow { table, aside, key, .. } = &change.shadow;
    let find = |at: &Qualified| before.table(at).ok_or_else(|| missing(&Address::table(at)));
    let (content, other) = (find(table)?, find(aside)?);
    let (now, old) = (quote(&table.name), quote(&aside.name));
    let same: Vec<_> = key.iter().map(|k| format!("{now}.{0} = {old}.{0}", quote(k))).collect();
    let lock = if flavor.is_maria() { "LOCK IN SHARE MODE" } else { "FOR SHARE" };
    let gone = format!("DELETE FROM {old} WHERE NOT EXISTS (SELECT 1 FROM {now} WHERE {} {lock})", same.join(" AND "));
    let shadow = &change.shadow;
    let pump = Pump { flavor, shadow, table: content, other, from: table, into: aside, meets: Meets::Newer };
    let says = "brings what was written since into the old table, in batches".to_owned();
    let action = Action::Batches(pump.batches(vec![Statement::new(gone)]));
    Ok(RenderedUndo { says, action, hazards: vec![] })
}
