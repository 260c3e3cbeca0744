//! How columns change their type beside running clients: hidden columns of the new types, kept equal by a trigger, filled in one pass
//! over the table, proved, and exchanged with the old ones by name; keys and indexes follow in `contract`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Context, Draft, Group, HazardCode, Kind, Name, Object, ObjectKind,
    Phase, Qualified, Rule, Sql,
    kind::{
        AddConstraint, AdoptKey, AlterColumn, Backfill, BuildKey, Comment, Create, Drop, DropConstraint, Exchange,
        Rename, Replace, Sync, Twin, Twins, Unsync, ValidateConstraint,
    },
    schema::{Index, IndexedBy, Validity},
};

use super::{constraint, warned};
use crate::dialect::{
    casts,
    names::{generated, qualified, quote},
    render::{backfill::same_value, index::can_beside, is_partitioned, twins as sql},
};

/// The mark of what exchanges the columns.
const EXCHANGE: &str = "exchange";
/// The mark of what exchanges the keys.
const KEYS: &str = "keys";

/// The columns of a table that move to their new type beside running clients. Every recipe that asks gets the same answer.
pub(crate) fn moving<'a>(table: &Qualified, context: &Context<'a>) -> Vec<&'a AlterColumn> {
    let at = Address::table(table);
    let Some(group) = context.groups.iter().find(|g| g.at == at) else { return Vec::new() };
    if !holds_twins(table, context) {
        return Vec::new();
    }
    let all = group.changes.iter().filter_map(|c| match c {
        Kind::AlterColumn(k) if moves(k, group) => Some(k),
        _ => None,
    });
    all.filter(|k| is_free(table, &k.from.name, context)).collect()
}

/// Whether the new type takes what old clients write, and gives back what they wrote.
fn moves(change: &AlterColumn, group: &Group) -> bool {
    let declared = group.fill.as_ref().is_some_and(|f| f.set.contains_key(&change.from.name));
    let plain = |value: &ColumnValue| !matches!(value, ColumnValue::Generated { .. });
    change.using.is_none()
        && !declared
        && plain(&change.from.value)
        && plain(&change.to.value)
        && change.from.collation == change.to.collation
        && !change.from.data_type.is_empty()
        && casts::moves_beside(change)
}

/// Whether a table can have a hidden column for a while.
pub(crate) fn holds_twins(table: &Qualified, context: &Context<'_>) -> bool {
    let Some(content) = context.renamed.table(table) else { return false };
    let related = ["partition_of", "inherits", "of_type"];
    let has_heirs = context.renamed.tables().any(|(_, other)| {
        let parents = ["partition_of", "inherits"].into_iter().filter_map(|key| other.options.get(key));
        parents.flat_map(|p| p.split(',')).any(|p| p.trim() == table.to_string())
    });
    !is_partitioned(context.renamed, table) && !related.iter().any(|k| content.options.contains_key(*k)) && !has_heirs
}

/// Whether whatever is built on a column can be built on its twin as well, and stays what it is.
fn is_free(table: &Qualified, column: &Name, context: &Context<'_>) -> bool {
    let at = Address::column(table, column);
    let (Some(now), Some(goal)) = (context.renamed.table(table), context.goal.table(table)) else { return false };
    let mentions = |text: &Sql| text.mentions(column);
    let same = |name: &Name, c: &Constraint| {
        goal.constraints
            .get(name)
            .is_some_and(|g| Constraint { validity: g.validity, comment: g.comment.clone(), ..c.clone() } == *g)
    };
    let constraints = now.constraints.iter().all(|(name, c)| match &c.rule {
        Rule::Exclude { definition } => !mentions(definition),
        Rule::Check { expression } => {
            !mentions(expression) || (same(name, c) && c.validity.is_valid() && c.options.is_empty())
        }
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            let concerned = key.columns.contains(column) || key.include.contains(column);
            let plain = c.options.keys().all(|o| o.starts_with("with.") || o == "tablespace");
            !concerned || (same(name, c) && plain)
        }
        Rule::ForeignKey(fk) => {
            !fk.columns.contains(column) || (same(name, c) && c.validity.is_valid() && c.options.is_empty())
        }
    });
    let referring = context.renamed.references_to(table).all(|(from, name, c)| {
        let concerned = c.foreign_key().is_some_and(|fk| fk.referenced.contains(column));
        let goal = context.goal.table(&from).and_then(|t| t.constraints.get(name));
        !concerned
            || (goal.is_some_and(|g| g.rule == c.rule && g.deferral == c.deferral)
                && c.validity.is_valid()
                && c.options.is_empty()
                && !is_partitioned(context.renamed, &from))
    });
    let indexes = context.renamed.indexes_of(table).all(|(at, index)| {
        let texts = index.parts.iter().filter_map(|p| match &p.what {
            IndexedBy::Expression(text) => Some(text),
            IndexedBy::Column(_) => None,
        });
        if texts.chain(&index.predicate).any(mentions) {
            return false;
        }
        let part = index.parts.iter().find(|p| p.what == IndexedBy::Column(column.clone()));
        let concerned = part.is_some() || index.include.contains(column);
        let object = context.renamed.objects.get(at);
        let stays = object.is_some() && object == context.goal.objects.get(at);
        !concerned
            || (stays
                && part.is_none_or(|p| p.opclass.is_none())
                && object.is_some_and(|o| {
                    can_beside(at, &Object { comment: None, ..Object::clone(o) }, index, context.renamed)
                }))
    });
    let computed = now.columns.iter().any(|c| match &c.value {
        ColumnValue::Generated { expression, .. } => mentions(expression),
        _ => false,
    });
    let granted = [context.renamed, context.goal].into_iter().any(|schema| {
        let object = schema.objects.get(&Address::table(table));
        object.is_some_and(|o| o.grants.iter().any(|g| g.column.as_ref() == Some(column)))
    });
    let bound = context.snapshot.depends.iter().any(|(by, needs)| {
        matches!(by.kind(), ObjectKind::Statistics | ObjectKind::Policy | ObjectKind::Rule) && needs.contains(&at)
    });
    constraints && referring && indexes && !computed && !granted && !bound
}

/// The columns that move, by their names, with their hidden twins' names.
type Hidden = BTreeMap<Name, Name>;

fn hidden(table: &Qualified, context: &Context<'_>) -> Hidden {
    let name = |k: &&AlterColumn| generated("_mig_twin_", &(table, &k.from.name), k.from.name.as_str());
    moving(table, context).iter().map(|k| (k.from.name.clone(), name(k))).collect()
}

fn turned(names: &[Name], hidden: &Hidden) -> Vec<Name> {
    names.iter().map(|name| hidden.get(name).unwrap_or(name).clone()).collect()
}

/// A constraint over the hidden columns instead of those that clients use.
fn over_hidden(c: &Constraint, own: &Hidden, theirs: &Hidden) -> Constraint {
    let mut c = c.clone();
    match &mut c.rule {
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            key.columns = turned(&key.columns, own);
            key.include = turned(&key.include, own);
        }
        Rule::ForeignKey(fk) => {
            fk.columns = turned(&fk.columns, own);
            fk.on_delete_columns = turned(&fk.on_delete_columns, own);
            fk.referenced = turned(&fk.referenced, theirs);
        }
        Rule::Check { expression } | Rule::Exclude { definition: expression } => {
            for (column, twin) in own.iter().filter(|(column, _)| expression.mentions(column)).collect::<Vec<_>>() {
                *expression = expression.with_name_replaced(column, twin, quote);
            }
        }
    }
    c
}

fn concerns(c: &Constraint, hidden: &Hidden) -> bool {
    over_hidden(c, hidden, &Hidden::new()) != *c
}

/// The columns on their way, as `alter` goes on with them.
pub(crate) struct Move<'a> {
    table: &'a Qualified,
    context: &'a Context<'a>,
    group: &'a Group,
    hidden: Hidden,
    /// Each column as it is when its twin is made.
    now: Vec<(Column, &'a AlterColumn)>,
}

impl<'a> Move<'a> {
    /// The move of a group's columns, if there are any. `now` are the columns as earlier steps leave them.
    pub(crate) fn new(
        table: &'a Qualified,
        group: &'a Group,
        context: &'a Context<'a>,
        now: Vec<(Column, &'a AlterColumn)>,
    ) -> Option<Self> {
        (!now.is_empty()).then(|| Self { table, context, group, hidden: hidden(table, context), now })
    }

    /// A column once it has moved.
    pub(crate) fn moved(now: &Column, change: &AlterColumn) -> Column {
        Column { data_type: change.to.data_type.clone(), value: change.to.value.clone(), ..now.clone() }
    }

    fn twins(&self) -> Twins {
        let pairs = self.now.iter().map(|(now, change)| Twin {
            column: now.name.clone(),
            data_type: now.data_type.clone(),
            hidden: Column {
                name: self.hidden[&now.name].clone(),
                data_type: change.to.data_type.clone(),
                not_null: false,
                value: ColumnValue::Plain,
                ..now.clone()
            },
        });
        let name = generated("zzz_mig_", &(self.table, &self.hidden), self.table.name.as_str());
        let create = sql::trigger(&qualified(self.table), &quote(&name)).map(Sql::new).to_vec();
        let source = mig_plan::schema::Source { create, needs: BTreeSet::new() };
        Twins {
            table: self.table.clone(),
            trigger: name,
            object: Object::new(Body::Source(source)).into(),
            pairs: pairs.collect(),
            exchanged: false,
        }
    }

    /// The twins at the end, where the hidden columns are the old ones.
    fn twins_at_end(&self) -> Twins {
        let mut twins = self.twins().turned();
        for (pair, (now, _)) in twins.pairs.iter_mut().zip(&self.now) {
            pair.hidden = Column { name: pair.hidden.name.clone(), value: ColumnValue::Plain, ..now.clone() };
        }
        twins
    }

    /// All drafts, in phase order.
    pub(crate) fn drafts(&self) -> Vec<Draft> {
        let mut drafts = vec![Draft::new(
            Sync { twins: self.twins() },
            Phase::Expand,
            format!("adds {} under its new type, hidden and kept equal by a trigger", self.words()),
        )];
        drafts.push(Draft::new(self.fill(), Phase::Backfill, "gives the hidden columns of existing rows their values"));
        drafts.extend(self.built());
        drafts.extend(self.proved());
        drafts.extend(self.exchanged());
        drafts.extend(self.keys());
        drafts.extend(self.indexes());
        let why = format!("removes the old {} and the trigger", self.words());
        drafts.push(Draft::new(Unsync { twins: self.twins_at_end() }, Phase::Contract, why));
        drafts
    }

    fn words(&self) -> String {
        self.now.iter().map(|(now, _)| now.name.to_string()).collect::<Vec<_>>().join(", ")
    }

    fn fill(&self) -> Backfill {
        let set = self.now.iter().map(|(now, change)| {
            let value = sql::cast(&quote(&now.name), &change.to.data_type);
            (self.hidden[&now.name].clone(), Sql::new(value))
        });
        Backfill {
            table: self.table.clone(),
            alias: self.table.name.clone(),
            set: set.collect(),
            columns: BTreeMap::new(),
            overwrites: false,
            rows: Default::default(),
            batch_rows: self.group.fill.as_ref().and_then(|f| f.batch_rows),
        }
    }

    /// Indexes of the table that are over a moving column.
    fn concerned(&self) -> impl Iterator<Item = (&'a Address, &'a Arc<Object>, &'a Index)> {
        let hidden = self.hidden.clone();
        let renamed = self.context.renamed;
        renamed.indexes_of(self.table).filter_map(move |(at, index)| {
            let object = renamed.objects.get(at)?;
            (over(index, &hidden) != *index).then_some((at, object, index))
        })
    }

    fn twin_index(&self, at: &Address) -> Address {
        Address::index(&at.qualified().sibling(generated(
            "_mig_ix_",
            &(at, self.table, &self.hidden),
            at.name().as_str(),
        )))
    }

    fn keyed(&self) -> Vec<(&'a Name, &'a Constraint)> {
        let constraints = self.context.renamed.table(self.table).map(|t| &t.constraints);
        constraints.into_iter().flatten().filter(|(_, c)| c.key().is_some() && concerns(c, &self.hidden)).collect()
    }

    fn key_index(&self, name: &Name, c: &Constraint) -> (Address, Object) {
        let at = self.table.sibling(generated("_mig_key_", &(self.table, name, &self.hidden), name.as_str()));
        let over = over_hidden(c, &self.hidden, &Hidden::new());
        let key = over.key().cloned().unwrap_or_else(|| mig_plan::table::Key {
            columns: Vec::new(),
            include: Vec::new(),
            nulls_not_distinct: false,
        });
        (Address::index(&at), constraint::index_of(self.table, &key, &over.options))
    }

    /// Indexes and the indexes of keys, over the hidden columns.
    fn built(&self) -> Vec<Draft> {
        let why = |name: &Name| format!("builds the twin of {name} over the hidden columns");
        let takes = "reads the whole table and writes an index; takes time and space";
        let mut drafts = Vec::new();
        for (at, object, index) in self.concerned() {
            let object =
                Object { comment: None, body: Body::Index(over(index, &self.hidden)), ..Object::clone(object) };
            let create = Create::new(self.twin_index(at), object);
            drafts.push(warned(Draft::new(create, Phase::Backfill, why(at.name())), HazardCode::BuildsIndex, takes));
        }
        for (name, c) in self.keyed() {
            let (at, object) = self.key_index(name, c);
            let build = BuildKey { at, object: object.into(), key: name.clone() };
            drafts.push(warned(Draft::new(build, Phase::Backfill, why(name)), HazardCode::BuildsIndex, takes));
        }
        drafts
    }

    fn parity(&self) -> (Name, Constraint) {
        let name = generated("_mig_eq_", &(self.table, &self.hidden), self.table.name.as_str());
        let parts = self.now.iter().map(|(now, change)| {
            let twin = quote(&self.hidden[&now.name]);
            let value = sql::cast(&quote(&now.name), &change.to.data_type);
            let same = same_value(&change.to.data_type, &twin, &value);
            if now.not_null { format!("({twin} IS NOT NULL) AND ({same})") } else { format!("({same})") }
        });
        let expression = Sql::new(format!("({})", parts.collect::<Vec<_>>().join(" AND ")));
        let rule = Rule::Check { expression };
        (name, Constraint { validity: Validity::NotValid, ..Constraint::new(rule) })
    }

    /// The proof that the hidden columns are equal, held by the server until the exchange.
    fn proved(&self) -> Vec<Draft> {
        let (name, constraint) = self.parity();
        let table = self.table.clone();
        let add = AddConstraint { table: table.clone(), name: name.clone(), constraint };
        let prove = ValidateConstraint { table: table.clone(), name };
        let mut drafts = vec![
            Draft::new(add, Phase::Backfill, "holds the hidden columns equal from now on"),
            Draft::new(prove, Phase::Backfill, "proves that they are equal in every row"),
        ];
        for pair in self.twins().pairs.into_iter().zip(&self.now).filter(|(_, (now, _))| now.not_null) {
            let from = pair.0.hidden;
            let to = Column { not_null: true, ..from.clone() };
            let why = format!("makes the twin of {} required; the proof spares the scan", pair.1.0.name);
            let alter = AlterColumn { table: table.clone(), from, to, using: None };
            drafts.push(Draft::new(alter, Phase::Backfill, why));
        }
        drafts
    }

    /// One transaction: the names change, defaults and sequences go to the new columns.
    fn exchanged(&self) -> Vec<Draft> {
        let (name, constraint) = self.parity();
        let table = self.table.clone();
        let drop = DropConstraint { table: table.clone(), name, constraint };
        let spelt = self.hidden.iter().map(|(c, h)| (c.clone(), (quote(c), quote(h)))).collect();
        let exchange = Exchange { twins: self.twins(), spelt };
        let mut drafts = vec![Draft::new(drop, Phase::Switch, "the proof has served")];
        for (now, _) in &self.now {
            let bare = Column { value: ColumnValue::Plain, ..now.clone() };
            drafts.extend(step(
                &table,
                now.clone(),
                bare,
                format!("{} gets its values in its new column only", now.name),
            ));
        }
        let why = format!("gives {} the new type by an exchange of names", self.words());
        drafts.push(Draft::new(exchange, Phase::Switch, why));
        for (pair, (now, change)) in self.twins().pairs.iter().zip(&self.now) {
            drafts.extend(self.sequences(now));
            let new = Column { name: now.name.clone(), not_null: now.not_null, ..pair.hidden.clone() };
            let full = Column { value: change.to.value.clone(), ..new.clone() };
            drafts.extend(step(&table, new, full, format!("new rows get the default of {}", now.name)));
        }
        drafts.into_iter().map(|d| d.together(EXCHANGE)).collect()
    }

    /// Sequences that a column owns follow it to its new place.
    fn sequences(&self, now: &Column) -> Vec<Draft> {
        let own = Address::column(self.table, &now.name);
        let hidden = Address::column(self.table, &self.hidden[&now.name]);
        let all = self.context.goal.objects.iter().filter_map(|(at, object)| match &object.body {
            Body::Sequence(s) if s.owned_by.as_ref() == Some(&own) && self.context.renamed.objects.contains_key(at) => {
                let mut from = object.clone();
                if let Body::Sequence(sequence) = &mut Arc::make_mut(&mut from).body {
                    sequence.owned_by = Some(hidden.clone());
                }
                let change = Replace { at: at.clone(), from, to: object.clone() };
                Some(Draft::new(change, Phase::Switch, format!("{at} stays with {}", now.name)))
            }
            _ => None,
        });
        all.collect()
    }

    /// Foreign keys that this table sees to, with the table of each: those to its moving columns, and those from them to columns that stay.
    fn foreign_keys(&self) -> Vec<(Qualified, &'a Name, &'a Constraint, Constraint)> {
        let mut found = Vec::new();
        for (from, table) in self.context.renamed.tables() {
            for (name, c) in &table.constraints {
                let Some(fk) = c.foreign_key() else { continue };
                let own = if from == *self.table { self.hidden.clone() } else { hidden(&from, self.context) };
                let theirs = if fk.references == *self.table {
                    self.hidden.clone()
                } else {
                    hidden(&fk.references, self.context)
                };
                let to_moving = fk.referenced.iter().any(|column| theirs.contains_key(column));
                let from_moving = fk.columns.iter().any(|column| own.contains_key(column));
                let ours = if to_moving { fk.references == *self.table } else { from_moving && from == *self.table };
                if ours {
                    found.push((from.clone(), name, c, over_hidden(c, &own, &theirs)));
                }
            }
        }
        found
    }

    /// One transaction: keys, foreign keys and checks leave the old columns and come to the new ones; foreign keys and checks are proved
    /// after it.
    fn keys(&self) -> Vec<Draft> {
        let mut unit = Vec::new();
        let mut proofs = Vec::new();
        let foreign = self.foreign_keys();
        let checks: Vec<_> = self.context.renamed.table(self.table).into_iter().flat_map(|t| &t.constraints).collect();
        let checks: Vec<_> = checks
            .into_iter()
            .filter(|(_, c)| matches!(c.rule, Rule::Check { .. }) && concerns(c, &self.hidden))
            .collect();
        let add = |table: &Qualified, name: &Name, c: &Constraint| {
            let constraint = Constraint { validity: Validity::NotValid, ..c.clone() };
            let add = AddConstraint { table: table.clone(), name: name.clone(), constraint };
            Draft::new(add, Phase::Contract, format!("{name} holds the new columns"))
        };
        for (table, name, _, old) in &foreign {
            let drop = DropConstraint { table: table.clone(), name: (*name).clone(), constraint: old.clone() };
            unit.push(Draft::new(drop, Phase::Contract, format!("{name} leaves the old columns")));
        }
        for (name, c) in self.keyed() {
            let old = over_hidden(c, &self.hidden, &Hidden::new());
            let drop = DropConstraint { table: self.table.clone(), name: name.clone(), constraint: old };
            unit.push(Draft::new(drop, Phase::Contract, format!("{name} leaves the old columns")));
            let (index, object) = self.key_index(name, c);
            let adopt = AdoptKey {
                table: self.table.clone(),
                name: name.clone(),
                constraint: c.clone(),
                object: renamed_parts(&object, &self.hidden).into(),
                index,
            };
            unit.push(Draft::new(adopt, Phase::Contract, format!("{name} takes the index over the new columns")));
        }
        for (name, c) in checks {
            let old = over_hidden(c, &self.hidden, &Hidden::new());
            let drop = DropConstraint { table: self.table.clone(), name: name.clone(), constraint: old };
            unit.push(Draft::new(drop, Phase::Contract, format!("{name} leaves the old columns")));
            unit.push(add(self.table, name, c));
            proofs.push((self.table.clone(), name));
        }
        for (table, name, c, _) in &foreign {
            unit.push(add(table, name, c));
            proofs.push((table.clone(), name));
        }
        let unit = unit.into_iter().map(|draft| draft.together(KEYS));
        let proofs = proofs.into_iter().map(|(table, name)| {
            let prove = ValidateConstraint { table, name: name.clone() };
            Draft::new(prove, Phase::Contract, format!("proves {name} for existing rows"))
        });
        unit.chain(proofs).collect()
    }

    /// Indexes over the old columns leave, and their twins take their names.
    fn indexes(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for (at, object, index) in self.concerned() {
            let old = Object { body: Body::Index(over(index, &self.hidden)), ..Object::clone(object) };
            let why = format!("removes {} over the old columns", at.name());
            drafts.push(Draft::new(Drop::new(at.clone(), old), Phase::Contract, why));
            let rename = Rename::new(self.twin_index(at), at.clone());
            drafts.push(Draft::new(rename, Phase::Contract, format!("the twin becomes {}", at.name())));
            if object.comment.is_some() {
                let comment = Comment { at: at.clone(), from: None, to: object.comment.clone() };
                drafts.push(Draft::new(comment, Phase::Contract, "says what it is for"));
            }
        }
        drafts
    }
}

fn step(table: &Qualified, from: Column, to: Column, why: String) -> Option<Draft> {
    (from != to).then(|| Draft::new(AlterColumn { table: table.clone(), from, to, using: None }, Phase::Switch, why))
}

/// An index over the hidden columns.
fn over(index: &Index, hidden: &Hidden) -> Index {
    let mut index = index.clone();
    index.include = turned(&index.include, hidden);
    for part in &mut index.parts {
        if let IndexedBy::Column(name) = &mut part.what
            && let Some(twin) = hidden.get(name)
        {
            name.clone_from(twin);
        }
    }
    index
}

/// An index of a key once the columns have exchanged their names.
fn renamed_parts(object: &Object, hidden: &Hidden) -> Object {
    let back: Hidden = hidden.iter().map(|(column, twin)| (twin.clone(), column.clone())).collect();
    match &object.body {
        Body::Index(index) => Object { body: Body::Index(over(index, &back)), ..object.clone() },
        _ => object.clone(),
    }
}
