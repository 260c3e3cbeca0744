//! Declared renames against the live schema: which are to be done, which are done, and what the schema is once they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, Dialect, Kind, Name, Object, ObjectKind, Qualified, Sameness, Schema, Snapshot,
    kind::{Drop, Rename, RenameMember, RenameValue, rename_in_texts, value_renamed_in_texts},
    renaming::Renaming,
};

use crate::{
    diagnostic::{Code, Diagnostic, Place, Severity},
    intent::{Intent, Move, ValueMove},
    outputs,
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
    renames.all(&followed(&intent.table_moves), fresh, dialect, say);
    renames.all(&followed(&objects), fresh, dialect, say);
    renames.all(&intent.column_moves, fresh, dialect, say);
    renames.respelt(&intent.goal, dialect);
    renames.all(&intent.constraint_moves, fresh, dialect, say);
    renames.values(&intent.enum_value_moves, say);
    renames
}

impl Renames {
    /// What has another text in the goal, and says a name in the base that is another by then, where the engine makes nothing over what is
    /// not there: it goes before the renames and comes after them, so that the way back finds each name when it is wanted.
    fn stale(&self, intent: &Intent, snapshot: &Snapshot, dialect: &dyn Dialect) -> Vec<Kind> {
        let now_at = |at: &Address| {
            let now = at.relation().and_then(|of| self.tables.iter().find(|(_, base)| **base == of));
            now.map_or_else(|| at.clone(), |(now, _)| Address::member(at.kind(), now, at.name().clone()))
        };
        let stays_as_it_is = |at: &Address, object: &Arc<Object>| match intent.goal.objects.get(&now_at(at)) {
            Some(goal) => same(object, goal, dialect),
            None => true,
        };
        let base = &snapshot.schema.0;
        let changed: Vec<_> = base.objects.iter().filter(|(at, object)| !stays_as_it_is(at, object)).collect();
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

    /// Makes the renames of one list as soon as their targets are free, so that chains work in any order.
    fn all(&mut self, moves: &[Move], fresh: bool, dialect: &dyn Dialect, say: &mut Vec<Diagnostic>) {
        let now: Vec<Move> = moves.iter().map(|m| self.where_it_is(m)).collect();
        let mut waiting: Vec<&Move> = now.iter().filter(|m| self.is_due(m, fresh, say)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|m| {
                let free = !self.schema.contains(&m.to);
                if free {
                    self.make(m, dialect);
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
                    moves.push(Move { from, to, place: Place::new(String::new(), 0..0) });
                }
            }
        }
        for respelt in moves {
            self.make(&respelt, dialect);
        }
    }

    /// A move from where its object is once the moves before it are made.
    fn where_it_is(&self, m: &Move) -> Move {
        let moved = self.moved.get(&m.from).filter(|_| !self.schema.contains(&m.from));
        Move { from: moved.unwrap_or(&m.from).clone(), ..m.clone() }
    }

    /// Makes the renames of enum values as soon as their new names are free.
    fn values(&mut self, moves: &[ValueMove], say: &mut Vec<Diagnostic>) {
        let mut waiting: Vec<&ValueMove> = moves.iter().filter(|m| self.is_value_due(m, say)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|m| {
                let free = !self.has_value(&m.of, &m.to);
                if free {
                    self.rename_value(m);
                }
                !free
            });
            if waiting.len() == before {
                for stuck in waiting {
                    let says =
                        format!("the value `{}` of {} cannot become `{}`: both exist", stuck.from, stuck.of, stuck.to);
                    let help =
                        "rows may hold either; move the rows of one to the other, and drop it in a plan of its own";
                    say.push(Diagnostic::new(Code::RenameTargetTaken, says).at(&stuck.place).help(help));
                }
                return;
            }
        }
    }

    fn has_value(&self, of: &Address, value: &str) -> bool {
        match self.schema.objects.get(of).map(|o| &o.body) {
            Some(Body::Enum { values }) => values.iter().any(|v| v == value),
            _ => false,
        }
    }

    fn is_value_due(&self, m: &ValueMove, say: &mut Vec<Diagnostic>) -> bool {
        if self.has_value(&m.of, &m.from) {
            return true;
        }
        if self.has_value(&m.of, &m.to) {
            let says =
                format!("`{}` of {} is called `{}` already; its `was` is harmless and can go", m.from, m.of, m.to);
            say.push(Diagnostic::new(Code::RenameDone, says).at(&m.place));
        } else if self.schema.objects.contains_key(&m.of) {
            let says = format!("{} has neither the value `{}` nor `{}`", m.of, m.from, m.to);
            let mut never = Diagnostic::new(Code::RenameSourceGone, says);
            never.severity = Severity::Error;
            say.push(never.at(&m.place).help("correct the value after `was`; to create it new, remove `was`"));
        }
        false
    }

    fn rename_value(&mut self, m: &ValueMove) {
        let holders: BTreeSet<Address> = self
            .depends
            .iter()
            .filter(|(_, needs)| needs.contains(&m.of))
            .map(|(at, _)| at.holder())
            .filter(|at| !matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate))
            .collect();
        let becomes = |at: &Address| {
            let object = self.schema.objects.get(at)?;
            let becomes = value_renamed_in_texts(object, m.of.name(), &m.from, &m.to);
            (becomes != **object).then(|| (at.clone(), Arc::new(becomes)))
        };
        let carries = holders.iter().filter_map(becomes).collect();
        let change: Kind = RenameValue { at: m.of.clone(), from: m.from.clone(), to: m.to.clone(), carries }.into();
        if self.schema.apply(&change).is_ok() {
            self.changes.push(change);
        }
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

    fn make(&mut self, m: &Move, dialect: &dyn Dialect) {
        let quote = |name: &Name| dialect.quote(name);
        let renaming = Renaming { from: &m.from, to: &m.to, quote: &quote };
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

    /// What has another address then, and what the texts of dependants become: the server renames in what it keeps parsed, never in
    /// the bodies of routines that are strings to it.
    fn carried(
        &self,
        m: &Move,
        renaming: &Renaming<'_>,
        dialect: &dyn Dialect,
    ) -> (BTreeMap<Address, Address>, BTreeMap<Address, Arc<Object>>) {
        let mut plain = self.schema.clone();
        let alone = bare(m, BTreeMap::new(), BTreeMap::new());
        if plain.apply(&alone).is_err() || m.from.kind() == ObjectKind::Constraint {
            return Default::default();
        }
        let mut moves: BTreeMap<Address, Address> = BTreeMap::new();
        if !m.from.is_member() {
            let named = plain.objects.keys().filter(|at| **at != m.to);
            moves = named.filter_map(|at| Some((at.clone(), renaming.address(at)?))).collect();
        }
        moves.extend(taken_along(m, &plain));
        for (from, to) in &moves {
            let object = plain.objects.remove(from);
            plain.objects.extend(object.map(|object| (to.clone(), object)));
        }
        let family = family(&mut plain, m, dialect);
        let mut holders: BTreeSet<Address> = self
            .depends
            .iter()
            .filter(|(_, needs)| needs.contains(&m.from) || needs.iter().any(|n| n.holder() == m.from))
            .map(|(at, _)| readdressed(&at.holder(), m, &moves))
            .collect();
        holders.insert(readdressed(&m.from.holder(), m, &moves));
        holders.extend(moves.values().cloned());
        if m.from.kind() == ObjectKind::Namespace {
            holders.extend(plain.objects.keys().cloned());
        }
        let mut carries: BTreeMap<Address, Arc<Object>> =
            family.into_iter().filter_map(|at| Some((at.clone(), plain.objects.get(&at)?.clone()))).collect();
        for at in holders {
            let Some(object) = plain.objects.get(&at) else { continue };
            let mut becomes = self.renamed_object(renaming, &at, object, dialect);
            if dialect.derives_constraint_names() {
                rename_derived(&mut becomes, &self.schema, m, &at, dialect);
            }
            if becomes != **object {
                carries.insert(at, becomes.into());
            }
        }
        for (from, to) in moves.iter().filter(|(from, _)| from.kind() == ObjectKind::Sequence) {
            let renaming = Renaming { from, to, quote: renaming.quote };
            let users = self.depends.iter().filter(|(_, needs)| needs.contains(from));
            let users: BTreeSet<Address> = users.map(|(at, _)| readdressed(&at.holder(), m, &moves)).collect();
            for at in users {
                let Some(object) = carries.get(&at).or_else(|| plain.objects.get(&at)) else { continue };
                let becomes = self.renamed_object(&renaming, &at, object, dialect);
                carries.insert(at, becomes.into());
            }
        }
        (moves, carries)
    }

    fn renamed_object(&self, renaming: &Renaming<'_>, at: &Address, object: &Object, dialect: &dyn Dialect) -> Object {
        if renaming.from.kind() != ObjectKind::Column {
            return renaming.object(at, object);
        }
        if matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate) {
            return object.clone();
        }
        let (from, to) = (renaming.from.name(), renaming.to.name());
        let mut becomes = rename_in_texts(object, from, to, renaming.quote);
        if let (true, Body::View(view), Body::View(was)) =
            (dialect.keeps_view_columns(), &mut becomes.body, &object.body)
        {
            view.query = outputs::renamed(&was.query, from, to, |name| dialect.quote(name));
        }
        becomes
    }

    fn readdress(&mut self, m: &Move, moves: &BTreeMap<Address, Address>) {
        let depends = std::mem::take(&mut self.depends);
        for (at, needs) in depends {
            let needs = needs.iter().map(|need| readdressed(need, m, moves)).collect();
            self.depends.insert(readdressed(&at, m, moves), needs);
        }
    }
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

/// A move as a change.
fn bare(m: &Move, moves: BTreeMap<Address, Address>, carries: BTreeMap<Address, Arc<Object>>) -> Kind {
    if m.from.is_member() {
        RenameMember { from: m.from.clone(), to: m.to.name().clone(), carries }.into()
    } else {
        Rename { from: m.from.clone(), to: m.to.clone(), carries, moves }.into()
    }
}

/// Renames a parent, or a parent's column, in the tables under it and in their indexes. Gives what became another.
fn family(schema: &mut Schema, m: &Move, dialect: &dyn Dialect) -> BTreeSet<Address> {
    let (from, to) = (m.from.name(), m.to.name());
    let mut found = BTreeSet::new();
    match m.from.kind() {
        ObjectKind::Namespace => {
            for (at, object) in &mut schema.objects {
                let Body::Table(table) = &mut Arc::make_mut(object).body else { continue };
                for parent in dialect.parents(table).into_iter().filter(|p| p.schema.as_ref() == Some(from)) {
                    let renamed = Qualified::new(Some(to.clone()), parent.name.clone());
                    dialect.rename_parent(table, &parent, &renamed);
                    found.insert(at.clone());
                }
            }
        }
        ObjectKind::Table => {
            let (from, to) = (m.from.qualified(), m.to.qualified());
            let concerned = |_: &Address, object: &Object| match &object.body {
                Body::Table(table) => dialect.parents(table).contains(&from),
                _ => false,
            };
            for (at, object) in schema.objects_mut(concerned) {
                if let Body::Table(table) = &mut object.body {
                    dialect.rename_parent(table, &from, &to);
                    found.insert(at.clone());
                }
            }
        }
        ObjectKind::Column => {
            let mut under: BTreeSet<Qualified> = m.from.relation().into_iter().collect();
            let all: Vec<(Qualified, Vec<Qualified>)> =
                schema.tables().map(|(at, t)| (at, dialect.parents(t))).collect();
            while let Some((more, _)) =
                all.iter().find(|(at, parents)| !under.contains(at) && parents.iter().any(|p| under.contains(p)))
            {
                under.insert(more.clone());
            }
            under.retain(|at| Some(at) != m.from.relation().as_ref());
            for (at, object) in schema.objects.iter_mut().filter(|(at, object)| match &object.body {
                Body::Table(_) => under.contains(&at.qualified()),
                Body::Index(index) => under.contains(&index.table),
                _ => false,
            }) {
                let becomes = object.with_column_renamed(from, to, &|name: &Name| dialect.quote(name));
                if becomes != **object {
                    *object = becomes.into();
                    found.insert(at.clone());
                }
            }
        }
        _ => {}
    }
    found
}

/// What goes along when a table goes to another schema: its indexes, and the sequences of its columns.
fn taken_along(m: &Move, after: &Schema) -> BTreeMap<Address, Address> {
    let (from, to) = (m.from.qualified(), m.to.qualified());
    if m.from.kind() != ObjectKind::Table || from.schema == to.schema {
        return BTreeMap::new();
    }
    let own = |at: &Address, object: &Object| match &object.body {
        Body::Index(index) => index.table == to && !at.is_index_under(&to),
        Body::Sequence(sequence) => sequence.owned_by.as_ref().and_then(Address::relation).as_ref() == Some(&to),
        _ => false,
    };
    let along = after.objects.iter().filter(|(at, object)| at.qualified().schema == from.schema && own(at, object));
    along
        .map(|(at, _)| {
            let there = Qualified::new(to.schema.clone(), at.name().clone());
            (at.clone(), Address::new(at.kind(), &there))
        })
        .collect()
}

/// An address once a move is made: members follow their relation, all follows its schema, routines follow the types of their arguments.
fn readdressed(at: &Address, m: &Move, moves: &BTreeMap<Address, Address>) -> Address {
    let (from, to) = (&m.from, &m.to);
    if at == from {
        return to.clone();
    }
    let at = match from.kind() {
        ObjectKind::Namespace => at.with_schema_renamed(from.name(), to.name()).unwrap_or_else(|| at.clone()),
        _ => at.clone(),
    };
    if let Some(moved) = moves.get(&at) {
        return moved.clone();
    }
    if from.kind() == ObjectKind::Table && at.is_index_under(&from.qualified()) {
        return Address::member(ObjectKind::Index, &to.qualified(), at.name().clone());
    }
    match at.relation() {
        Some(relation) if !from.is_member() && relation == from.qualified() => {
            Address::member(at.kind(), &to.qualified(), at.name().clone())
        }
        _ => at,
    }
}

/// Constraints whose names are made from their content get the names that the renamed content gives.
fn rename_derived(object: &mut Object, before: &Schema, m: &Move, at: &Address, dialect: &dyn Dialect) {
    let Body::Table(table) = &mut object.body else { return };
    let was = if at == &m.to { m.from.qualified() } else { at.qualified() };
    let Some(old) = before.table(&was) else { return };
    let mut renamed = BTreeMap::new();
    let mut taken_old = BTreeSet::new();
    let mut taken_new = BTreeSet::new();
    // The old and the new constraints stand in the same order: a rename changes what they say, not which there are.
    for ((old_name, old_constraint), (name, constraint)) in old.constraints.iter().zip(&table.constraints) {
        let derived = dialect.default_constraint_name(&was, old_constraint, &taken_old);
        let next = if derived == *old_name {
            dialect.default_constraint_name(&at.qualified(), constraint, &taken_new)
        } else {
            name.clone()
        };
        taken_old.insert(old_name.clone());
        taken_new.insert(next.clone());
        renamed.insert(next, constraint.clone());
    }
    table.constraints = renamed;
}
