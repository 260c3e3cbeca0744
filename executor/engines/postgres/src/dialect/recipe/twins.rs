//! How columns change their type beside running clients: hidden columns of the new types, kept equal by a trigger, filled in one pass
//! over the table, proved, and exchanged with the old ones by name; keys and indexes follow in `contract`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Context, Draft, Group, HazardCode, Name, Object, Phase, Qualified,
    Rule, Sql,
    kind::{
        AddConstraint, AdoptKey, AlterColumn, Backfill, BuildKey, Comment, Create, Drop, DropConstraint, Exchange,
        Rename, Replace, Sync, Twin, Twins, Unsync, ValidateConstraint,
    },
    schema::{Index, IndexedBy, Validity},
};

use super::{
    column, constraint,
    movers::{self, Movers},
    retrace, warned,
};
use crate::dialect::{
    keep,
    names::{generated, qualified, quote},
    render::{backfill::same_value, twins as sql},
};

/// The mark of what exchanges the columns.
const EXCHANGE: &str = "exchange";
/// The mark of what exchanges the keys.
const KEYS: &str = "keys";

/// The columns that move, by their names, with their hidden twins' names.
pub(super) type Hidden = BTreeMap<Name, Name>;

pub(super) fn turned(names: &[Name], hidden: &Hidden) -> Vec<Name> {
    names.iter().map(|name| hidden.get(name).unwrap_or(name).clone()).collect()
}

/// A constraint over the hidden columns instead of those that clients use.
pub(super) fn over_hidden(c: &Constraint, own: &Hidden, theirs: &Hidden) -> Constraint {
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

pub(super) fn concerns(c: &Constraint, hidden: &Hidden) -> bool {
    over_hidden(c, hidden, &Hidden::new()) != *c
}

/// The columns on their way, as `alter` goes on with them.
pub(crate) struct Move<'a> {
    pub(super) table: &'a Qualified,
    pub(super) context: &'a Context<'a>,
    pub(super) group: &'a Group,
    pub(super) movers: Movers<'a>,
    pub(super) hidden: Hidden,
    /// Each column as it is when its twin is made.
    pub(super) now: Vec<(Column, &'a AlterColumn)>,
}

impl<'a> Move<'a> {
    /// The move of a group's columns, if there are any. `now` are the columns as earlier steps leave them.
    pub(crate) fn new(
        table: &'a Qualified,
        group: &'a Group,
        context: &'a Context<'a>,
        now: Vec<(Column, &'a AlterColumn)>,
    ) -> Option<Self> {
        let movers = Movers::of(context);
        let hidden = movers.hidden(table);
        (!now.is_empty()).then_some(Self { table, context, group, movers, hidden, now })
    }

    /// A column once it has moved.
    pub(crate) fn moved(now: &Column, change: &AlterColumn) -> Column {
        let (data_type, collation) = (change.to.data_type.clone(), change.to.collation.clone());
        let strict = |value: &ColumnValue| matches!(value, ColumnValue::Identity { always: true, .. });
        let mut value = change.to.value.clone();
        // Old clients give their own numbers until `contract`.
        if let (false, ColumnValue::Identity { always, .. }) = (strict(&now.value), &mut value) {
            *always = false;
        }
        Column { data_type, collation, value, ..now.clone() }
    }

    pub(super) fn twins(&self) -> Twins {
        let settles = self.movers.settles(self.table);
        let pairs = self.now.iter().map(|(now, change)| Twin {
            column: now.name.clone(),
            data_type: now.data_type.clone(),
            hidden: Column {
                name: self.hidden[&now.name].clone(),
                not_null: false,
                value: ColumnValue::Plain,
                ..Self::moved(now, change)
            },
            by: settles.then(|| movers::made_by(change, self.group, self.context)),
            back: self.back(&now.name).filter(|_| settles),
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
            settles,
            served: false,
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
        if self.movers.settles(self.table) {
            return self.settled();
        }
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

    pub(super) fn words(&self) -> String {
        self.now.iter().map(|(now, _)| now.name.to_string()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn fill(&self) -> Backfill {
        let set = self.twins().pairs.into_iter().map(|pair| {
            let cast = || Sql::new(sql::cast(&quote(&pair.column), &pair.hidden.data_type));
            (pair.hidden.name.clone(), pair.by.unwrap_or_else(cast))
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
    pub(super) fn concerned(&self) -> impl Iterator<Item = (&'a Address, &'a Arc<Object>, &'a Index)> {
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

    pub(super) fn keyed(&self) -> Vec<(&'a Name, &'a Constraint)> {
        let constraints = self.context.renamed.table(self.table).map(|t| &t.constraints);
        constraints.into_iter().flatten().filter(|(_, c)| c.key().is_some() && concerns(c, &self.hidden)).collect()
    }

    pub(super) fn key_index(&self, name: &Name, c: &Constraint) -> (Address, Object) {
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
    pub(super) fn built(&self) -> Vec<Draft> {
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

    pub(super) fn parity(&self) -> (Name, Constraint) {
        let name = generated("_mig_eq_", &(self.table, &self.hidden), self.table.name.as_str());
        let parts = self.now.iter().map(|(now, change)| {
            let twin = quote(&self.hidden[&now.name]);
            let value = sql::cast(&quote(&now.name), &change.to.data_type);
            let same = same_value(&change.to.data_type, &twin, &value);
            let given = keep::is_given(&twin, &change.to.data_type);
            if now.not_null { format!("({given}) AND ({same})") } else { format!("({same})") }
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
        let prove = ValidateConstraint { table: table.clone(), name, stood: false, forgets: false };
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
            let full = Column { value: Self::moved(now, change).value, ..new.clone() };
            let given = step(&table, new, full.clone(), format!("new rows get the default of {}", now.name));
            drafts.extend(given.map(|draft| column::numbered(draft, &now.value, &full.value)));
        }
        drafts.into_iter().map(|d| d.together(EXCHANGE)).collect()
    }

    /// Sequences that a column owns while it moves: those that stay with it or come to it, and those that leave in the end.
    pub(super) fn owned(&self, now: &Column) -> impl Iterator<Item = (&'a Address, &'a Arc<Object>)> {
        let own = Address::column(self.table, &now.name);
        let (before, goal) = (&self.context.renamed.objects, &self.context.goal.objects);
        let leaving = before.iter().filter(|(at, _)| !goal.contains_key(*at));
        let all = goal.iter().chain(leaving);
        all.filter(move |(_, o)| matches!(&o.body, Body::Sequence(s) if s.owned_by.as_ref() == Some(&own)))
    }

    /// Sequences that a column owns follow it to its new place.
    fn sequences(&self, now: &Column) -> Vec<Draft> {
        let hidden = Address::column(self.table, &self.hidden[&now.name]);
        let follow = self.owned(now).map(|(at, object)| {
            let change = Replace { at: at.clone(), from: owned_by(object, Some(hidden.clone())), to: object.clone() };
            Draft::new(change, Phase::Switch, format!("{at} stays with {}", now.name))
        });
        follow.collect()
    }

    /// Foreign keys that this table sees to, with the table of each: those to its moving columns, and those from them to columns that stay.
    pub(super) fn foreign_keys(&self) -> Vec<(Qualified, &'a Name, &'a Constraint, Constraint)> {
        let mut found = Vec::new();
        for (from, table) in self.context.renamed.tables() {
            for (name, c) in &table.constraints {
                let Some(fk) = c.foreign_key() else { continue };
                let (own, theirs) = (self.movers.hidden(&from), self.movers.hidden(&fk.references));
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
        let (mut proved_again, mut built_again) = (Vec::new(), Vec::new());
        let mut leaves = |unit: &mut Vec<Draft>, table: &Qualified, name: &Name, old: Constraint| {
            let left = retrace::leaves(table, name, old);
            proved_again.extend(left.ahead);
            built_again.extend(left.after);
            unit.push(left.goes);
        };
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
            leaves(&mut unit, table, name, old.clone());
        }
        for (name, c) in self.keyed() {
            let old = over_hidden(c, &self.hidden, &Hidden::new());
            leaves(&mut unit, self.table, name, old);
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
            leaves(&mut unit, self.table, name, old);
            unit.push(add(self.table, name, c));
            proofs.push((self.table.clone(), name));
        }
        for (table, name, c, _) in &foreign {
            unit.push(add(table, name, c));
            proofs.push((table.clone(), name));
        }
        let unit = proved_again.into_iter().chain(unit).chain(built_again).map(|draft| draft.together(KEYS));
        let proofs = proofs.into_iter().map(|(table, name)| {
            let prove = ValidateConstraint { table, name: name.clone(), stood: false, forgets: false };
            Draft::new(prove, Phase::Contract, format!("proves {name} for existing rows"))
        });
        unit.chain(proofs).collect()
    }

    /// Indexes over the old columns leave, and their twins take their names.
    pub(super) fn indexes(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for (at, object, index) in self.concerned() {
            if !self.movers.settles(self.table) {
                let old = Object { body: Body::Index(over(index, &self.hidden)), ..Object::clone(object) };
                drafts.push(old_index(at, old));
            }
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

/// The draft that drops an index over old columns.
pub(super) fn old_index(at: &Address, object: Object) -> Draft {
    let why = format!("removes {} over the old columns", at.name());
    Draft::new(Drop::new(at.clone(), object), Phase::Contract, why)
}

/// A sequence with another owner.
pub(super) fn owned_by(sequence: &Arc<Object>, owner: Option<Address>) -> Arc<Object> {
    let mut sequence = sequence.clone();
    if let Body::Sequence(s) = &mut Arc::make_mut(&mut sequence).body {
        s.owned_by = owner;
    }
    sequence
}

fn step(table: &Qualified, from: Column, to: Column, why: String) -> Option<Draft> {
    (from != to).then(|| Draft::new(AlterColumn { table: table.clone(), from, to, using: None }, Phase::Switch, why))
}

/// An index over the hidden columns.
pub(super) fn over(index: &Index, hidden: &Hidden) -> Index {
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
pub(super) fn renamed_parts(object: &Object, hidden: &Hidden) -> Object {
    let back: Hidden = hidden.iter().map(|(column, twin)| (twin.clone(), column.clone())).collect();
    match &object.body {
        Body::Index(index) => Object { body: Body::Index(over(index, &back)), ..object.clone() },
        _ => object.clone(),
    }
}
