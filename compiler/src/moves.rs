//! Declared renames against the live schema: which are to be done, which are done, and what the schema is once they are.

mod carried;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, Dialect, Kind, Name, Object, ObjectKind, Qualified, Sameness, Schema, Snapshot, kind::Drop,
    renaming::Renaming,
};

use self::carried::{Step, bare, readdressed};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    intent::{Intent, Move},
};

/// The renames of a plan.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    /// As changes, in the order in which they must be made.
    pub(crate) changes: Vec<Kind>,
    /// The live schema once they are made.
    pub(crate) schema: Schema,
    /// What each object needs, by the new addresses.
    pub(crate) depends: BTreeMap<Address, BTreeSet<Address>>,
    /// Tables: goal name to base name.
    pub(crate) tables: BTreeMap<Qualified, Qualified>,
    /// Columns: goal address to base name.
    pub(crate) columns: BTreeMap<Address, Name>,
    /// Schemas that get a new name, by it.
    namespaces: BTreeSet<Address>,
    /// Where routines have gone whose addresses said a name that is another now.
    moved: BTreeMap<Address, Address>,
}

/// Resolves the declared renames. Errors and notes go to `say`.
pub(crate) fn resolve(
    intent: &Intent,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
    say: &mut Vec<Diagnostic>,
) -> Renames {
    let mut said = Vec::new();
    let renames = after(Vec::new(), intent, snapshot, dialect, &mut said);
    let stale = renames.stale(intent, snapshot, dialect);
    if stale.is_empty() {
        say.extend(said);
        return renames;
    }
    after(stale, intent, snapshot, dialect, say)
}

/// The renames once some objects are gone that cannot stand over the new names.
fn after(
    stale: Vec<Kind>,
    intent: &Intent,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
    say: &mut Vec<Diagnostic>,
) -> Renames {
    let mut renames =
        Renames { schema: snapshot.schema.0.clone(), depends: snapshot.depends.clone(), ..Renames::default() };
    let fresh = renames.schema.tables().next().is_none();
    for change in stale {
        if renames.schema.apply(&change).is_ok() {
            renames.depends.remove(&change.address());
            renames.changes.push(change);
        }
    }
    let (schemas, objects): (Vec<Move>, Vec<Move>) =
        intent.object_moves.iter().cloned().partition(|m| m.from.kind() == ObjectKind::Namespace);
    renames.all(&schemas, fresh, dialect, say);
    // Under a renamed schema, things are renamed from where they are then.
    let due: Vec<&Move> = schemas.iter().filter(|m| renames.namespaces.contains(&m.to)).collect();
    let followed = |moves: &[Move]| -> Vec<Move> {
        let follow = |m: &Move| {
            let from = due.iter().find_map(|s| m.from.with_schema_renamed(s.from.name(), s.to.name()));
            Move { from: from.unwrap_or_else(|| m.from.clone()), ..m.clone() }
        };
        moves.iter().map(follow).collect()
    };
    // A table goes over with its columns; the names of what stands on them come after both.
    renames.with_columns(&followed(&intent.table_moves), &intent.column_moves, fresh, dialect, say);
    renames.all(&followed(&objects), fresh, dialect, say);
    renames.respelt(&intent.goal, dialect);
    renames.sequences(&intent.goal, dialect);
    renames.all(&intent.constraint_moves, fresh, dialect, say);
    renames.values(&intent.enum_value_moves, say);
    renames
}

impl Renames {
    /// What has another text in the goal, or goes, and says a name in the base that is another by then, where the engine makes nothing over
    /// what is not there: it goes before the renames and comes after them, so that the way back finds each name when it is wanted.
    fn stale(&self, intent: &Intent, snapshot: &Snapshot, dialect: &dyn Dialect) -> Vec<Kind> {
        let now_at = |at: &Address| {
            let now = at.relation().and_then(|of| self.tables.iter().find(|(_, base)| **base == of));
            now.map_or_else(|| at.clone(), |(now, _)| Address::member(at.kind(), now, at.name().clone()))
        };
        let stays_as_it_is = |at: &Address, object: &Arc<Object>| match intent.goal.objects.get(&now_at(at)) {
            Some(goal) => same(object, goal, dialect),
            None => false,
        };
        let base = &snapshot.schema.0;
        let read =
            |at: &Address| matches!(at.kind(), ObjectKind::View | ObjectKind::Trigger) && dialect.renames_read_views();
        let changed: Vec<_> =
            base.objects.iter().filter(|(at, object)| read(at) || !stays_as_it_is(at, object)).collect();
        let needs = |at: &Address, object: &Object| dialect.references(at, object, base);
        let named = |at: &Address, object: &Object| dialect.outdated(at, object, base, &self.tables, &self.columns);
        let mut stale: Vec<_> = changed.iter().copied().filter(|(at, object)| named(at, object)).collect();
        // What is made from them says what they no longer have.
        while let Some(over) = changed.iter().copied().find(|(at, object)| {
            let stands_on = |on: &Address| stale.iter().any(|(at, _)| *at == on);
            let kind = matches!(at.kind(), ObjectKind::View | ObjectKind::Trigger);
            kind && !stands_on(at) && needs(at, object).iter().any(stands_on)
        }) {
            stale.push(over);
        }
        let mut drops = Vec::new();
        while !stale.is_empty() {
            let is_free = |at: &Address| !stale.iter().any(|(by, object)| *by != at && needs(by, object).contains(at));
            let (at, object) = stale.remove(stale.iter().position(|(at, _)| is_free(at)).unwrap_or(0));
            drops.push(Drop::new(at.clone(), object.clone()).into());
        }
        drops
    }

    /// Makes the renames of tables, each followed by those of its columns, and then those of the columns of other tables.
    fn with_columns(
        &mut self,
        tables: &[Move],
        columns: &[Move],
        fresh: bool,
        dialect: &dyn Dialect,
        say: &mut Vec<Diagnostic>,
    ) {
        let of = |table: &Move, column: &Move| column.to.relation() == Some(table.to.qualified());
        let (with, without): (Vec<&Move>, Vec<&Move>) = columns.iter().partition(|c| tables.iter().any(|t| of(t, c)));
        let own = |table: &Move| -> Vec<Move> { with.iter().filter(|c| of(table, c)).map(|c| (*c).clone()).collect() };
        let due: Vec<bool> = tables.iter().map(|table| self.schema.contains(&table.from)).collect();
        self.each(tables, fresh, dialect, say, &mut |renames, table, say| {
            renames.all(&own(table), fresh, dialect, say)
        });
        for (table, _) in tables.iter().zip(due).filter(|(_, due)| !due) {
            self.all(&own(table), fresh, dialect, say);
        }
        let without: Vec<Move> = without.into_iter().cloned().collect();
        self.all(&without, fresh, dialect, say);
    }

    /// Makes the renames of one list as soon as their targets are free, so that chains work in any order.
    fn all(&mut self, moves: &[Move], fresh: bool, dialect: &dyn Dialect, say: &mut Vec<Diagnostic>) {
        self.each(moves, fresh, dialect, say, &mut |_, _, _| {});
    }

    /// As [`Renames::all`], with what follows on each.
    fn each(
        &mut self,
        moves: &[Move],
        fresh: bool,
        dialect: &dyn Dialect,
        say: &mut Vec<Diagnostic>,
        then: &mut dyn FnMut(&mut Self, &Move, &mut Vec<Diagnostic>),
    ) {
        let now: Vec<Move> = moves.iter().map(|m| self.where_it_is(m)).collect();
        let mut waiting: Vec<&Move> = now.iter().filter(|m| self.is_due(m, fresh, say)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|m| {
                let free = !self.schema.contains(&m.to);
                if free {
                    self.make(Step { from: &m.from, to: &m.to }, dialect);
                    then(self, m, say);
                }
                !free
            });
            if waiting.len() == before {
                for stuck in waiting {
                    let says = format!("{} cannot take over the name of {}: both exist", stuck.from, stuck.to);
                    let help = "drop or rename the other one first, in a plan of its own; if the rename was done by hand, remove `was`";
                    say.push(Diagnostic::new(Code::RenameTargetTaken, says).at(&stuck.place).help(help));
                }
                return;
            }
        }
    }

    /// Columns that the specs only spell in another way.
    fn respelt(&mut self, goal: &Schema, dialect: &dyn Dialect) {
        let mut moves = Vec::new();
        for (at, table) in goal.tables() {
            let Some(there) = self.schema.table(&at) else { continue };
            for column in table.columns.iter().filter(|c| there.column(&c.name).is_none()) {
                let is_twin = |c: &&Column| dialect.respells_column(&c.name, &column.name);
                if let Some(twin) = there.columns.iter().find(is_twin).filter(|c| table.column(&c.name).is_none()) {
                    let (from, to) = (Address::column(&at, &twin.name), Address::column(&at, &column.name));
                    moves.push((from, to));
                }
            }
        }
        for (from, to) in &moves {
            self.make(Step { from, to }, dialect);
        }
    }

    /// The sequence of a column that has another one in the goal: it takes that one's name and keeps its counter.
    fn sequences(&mut self, goal: &Schema, dialect: &dyn Dialect) {
        let (going, coming) = (owned_by_columns(&self.schema, goal), owned_by_columns(goal, &self.schema));
        let mut moves: Vec<(Address, Address)> = Vec::new();
        for (column, to) in coming {
            if let (Some([from]), [to]) = (going.get(&column).map(Vec::as_slice), to.as_slice()) {
                moves.push((from.clone(), to.clone()));
            }
        }
        for (from, to) in &moves {
            self.make(Step { from, to }, dialect);
        }
    }

    /// A move from where its object is once the moves before it are made. No rename gives a routine other arguments: it keeps those that it
    /// has, and the comparison finds the rest.
    fn where_it_is(&self, m: &Move) -> Move {
        let moved = self.moved.get(&m.from).filter(|_| !self.schema.contains(&m.from));
        let from = moved.unwrap_or(&m.from).clone();
        let other_arguments = from.signature().filter(|now| m.to.signature().is_some_and(|then| then != *now));
        let kept = other_arguments.map(|now| Address::routine(m.to.kind(), &m.to.qualified(), now));
        let to = kept.filter(|_| self.schema.contains(&from)).unwrap_or_else(|| m.to.clone());
        Move { from, to, place: m.place.clone() }
    }

    /// Whether there is something to rename; says why if not.
    fn is_due(&self, m: &Move, fresh: bool, say: &mut Vec<Diagnostic>) -> bool {
        if self.schema.contains(&m.from) {
            return true;
        }
        let container_is_new = m.to.relation().is_some_and(|table| self.schema.table(&table).is_none());
        if self.schema.contains(&m.to) {
            let says = format!("{} is done: {} is there; its `was` is harmless and can go", m.from, m.to);
            say.push(Diagnostic::new(Code::RenameDone, says).at(&m.place));
        } else if !fresh && !container_is_new {
            let mut never = Diagnostic::new(Code::RenameSourceGone, format!("neither {} nor {} exists", m.from, m.to));
            never.severity = Severity::Error;
            let help = "correct the name after `was`; to create it new, remove `was`";
            say.push(never.at(&m.place).help(help));
        }
        false
    }

    fn make(&mut self, m: Step<'_>, dialect: &dyn Dialect) {
        let quote = |name: &Name| dialect.quote(name);
        let renaming = Renaming { from: m.from, to: m.to, quote: &quote };
        let (moves, carries) = self.carried(m, &renaming, dialect);
        let change = bare(m, moves.clone(), carries);
        let tables: Vec<Qualified> = self.schema.tables().map(|(at, _)| at).collect();
        if self.schema.apply(&change).is_err() {
            return;
        }
        match m.from.kind() {
            ObjectKind::Table => {
                let base = self.tables.remove(&m.from.qualified()).unwrap_or_else(|| m.from.qualified());
                self.tables.insert(m.to.qualified(), base);
            }
            ObjectKind::Column => {
                self.columns.insert(m.to.clone(), m.from.name().clone());
            }
            ObjectKind::Namespace => {
                self.namespaces.insert(m.to.clone());
                for table in tables {
                    let renamed = Address::table(&table).with_schema_renamed(m.from.name(), m.to.name());
                    self.tables.extend(renamed.map(|at| (at.qualified(), table)));
                }
            }
            _ => {}
        }
        self.readdress(m, &moves);
        self.moved.extend(moves);
        self.changes.push(change);
    }

    fn readdress(&mut self, m: Step<'_>, moves: &BTreeMap<Address, Address>) {
        let depends = std::mem::take(&mut self.depends);
        for (at, needs) in depends {
            let needs = needs.iter().map(|need| readdressed(need, m, moves)).collect();
            self.depends.insert(readdressed(&at, m, moves), needs);
        }
    }
}

/// The sequences that one schema has and another lacks, by the column whose own they are.
fn owned_by_columns(of: &Schema, without: &Schema) -> BTreeMap<Address, Vec<Address>> {
    let mut found: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for (at, object) in of.objects.iter().filter(|(at, _)| !without.contains(at)) {
        if let Body::Sequence(sequence) = &object.body
            && let Some(owner) = &sequence.owned_by
        {
            found.entry(owner.clone()).or_default().push(at.clone());
        }
    }
    found
}

/// Whether two views or triggers have the same text.
fn same(live: &Object, goal: &Object, dialect: &dyn Dialect) -> bool {
    let pairs: Vec<_> = match (&live.body, &goal.body) {
        (Body::View(live), Body::View(goal)) => vec![(&live.query, &goal.query)],
        (Body::Source(live), Body::Source(goal)) => live.create.iter().zip(&goal.create).collect(),
        _ => return false,
    };
    pairs.iter().all(|(catalog, declared)| dialect.same_text(live, declared, catalog) == Sameness::Same)
}
