//! Kinds that give a thing another name. What refers to it follows, as it does in the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Body, IndexedBy, Object, Schema},
    sql::Sql,
    table::{ColumnValue, Rule, Table},
};

/// Renames a schema-level object: a table, index, view, type, sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// Where it is.
    pub from: Address,
    /// Where it shall be: same kind, same schema.
    pub to: Address,
    /// What the texts of dependants become, by object: the server's deparser says the new name, and so does the goal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carries: BTreeMap<Address, Arc<Object>>,
    /// Routines and the like whose addresses are made of the name: where each is then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moves: BTreeMap<Address, Address>,
}

impl Effect for Rename {
    const SLUG: &'static str = "rename";

    fn address(&self) -> Address {
        self.from.clone()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [self.from.clone(), self.to.clone()].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        if schema.objects.contains_key(&self.to) {
            return Err(Impossible::Present(self.to.clone()));
        }
        let object = schema.objects.remove(&self.from).ok_or_else(|| Impossible::Absent(self.from.clone()))?;
        schema.objects.insert(self.to.clone(), object);
        match self.from.kind() {
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => self.relation_renamed(schema),
            ObjectKind::Namespace => self.namespace_renamed(schema),
            _ => {}
        }
        for (from, to) in &self.moves {
            let object = schema.objects.remove(from).ok_or_else(|| Impossible::Absent(from.clone()))?;
            schema.objects.insert(to.clone(), object);
        }
        carry(schema, &self.carries)
    }

    fn reverse(&self, before: &Schema) -> Option<Kind> {
        let carries = self.carries.keys().map(|at| self.address_before(at));
        let carries = carries.filter_map(|at| before.objects.get(&at).map(|o| (at.clone(), o.clone()))).collect();
        let moves = self.moves.iter().map(|(from, to)| (self.schema_before(to), self.schema_before(from))).collect();
        Some(Self { from: self.to.clone(), to: self.from.clone(), carries, moves }.into())
    }
}

impl Rename {
    /// A rename that shows in no text of a dependant.
    #[must_use]
    pub fn new(from: Address, to: Address) -> Self {
        Self { from, to, carries: BTreeMap::new(), moves: BTreeMap::new() }
    }

    /// Where something stood before the rename: itself and its members under the old name.
    fn address_before(&self, at: &Address) -> Address {
        if *at == self.to {
            return self.from.clone();
        }
        if let Some((from, _)) = self.moves.iter().find(|(_, to)| *to == at) {
            return self.schema_before(from);
        }
        if self.to.kind() == ObjectKind::Namespace {
            return self.schema_before(at);
        }
        match at.relation() {
            Some(relation) if !self.to.is_member() && relation == self.to.qualified() => {
                Address::member(at.kind(), &self.from.qualified(), at.name().clone())
            }
            _ => at.clone(),
        }
    }

    /// Where something stood while its schema had the old name.
    fn schema_before(&self, at: &Address) -> Address {
        let namespace = self.to.kind() == ObjectKind::Namespace;
        let before = namespace.then(|| at.with_schema_renamed(self.to.name(), self.from.name())).flatten();
        before.unwrap_or_else(|| at.clone())
    }

    /// All that is in a schema, and all that refers to it, follows the schema.
    fn namespace_renamed(&self, schema: &mut Schema) {
        let (from, to) = (self.from.name(), self.to.name());
        let follow = |at: &mut Qualified| {
            if at.schema.as_ref() == Some(from) {
                at.schema = Some(to.clone());
            }
        };
        let objects = std::mem::take(&mut schema.objects);
        for (at, mut object) in objects {
            match &mut Arc::make_mut(&mut object).body {
                Body::Table(table) => each_foreign_key(table, |fk| follow(&mut fk.references)),
                Body::Index(index) => follow(&mut index.table),
                Body::Sequence(sequence) => {
                    if let Some(owner) = &mut sequence.owned_by
                        && let Some(renamed) = owner.with_schema_renamed(from, to)
                    {
                        *owner = renamed;
                    }
                }
                Body::Extension(extension) if extension.schema.as_ref() == Some(from) => {
                    extension.schema = Some(to.clone());
                }
                _ => {}
            }
            schema.objects.insert(at.with_schema_renamed(from, to).unwrap_or(at), object);
        }
    }

    /// Foreign keys, indexes, owned sequences and members follow their relation.
    fn relation_renamed(&self, schema: &mut Schema) {
        let (from, to) = (self.from.qualified(), self.to.qualified());
        let members: Vec<_> =
            schema.objects.keys().filter(|at| at.relation().as_ref() == Some(&from)).cloned().collect();
        let under: Vec<_> = schema.objects.keys().filter(|at| at.is_index_under(&from)).cloned().collect();
        for index in under {
            if let Some(object) = schema.objects.remove(&index) {
                schema.objects.insert(Address::member(ObjectKind::Index, &to, index.name().clone()), object);
            }
        }
        for member in members {
            if let Some(object) = schema.objects.remove(&member) {
                schema.objects.insert(Address::member(member.kind(), &to, member.name().clone()), object);
            }
        }
        let concerned = |_: &Address, object: &Object| match &object.body {
            Body::Table(table) => refers_to(table, &from),
            Body::Index(index) => index.table == from,
            Body::Sequence(sequence) => sequence.owned_by.as_ref().and_then(Address::relation).as_ref() == Some(&from),
            _ => false,
        };
        for (_, object) in schema.objects_mut(concerned) {
            match &mut object.body {
                Body::Table(table) => each_foreign_key(table, |fk| {
                    if fk.references == from {
                        fk.references = to.clone();
                    }
                }),
                Body::Index(index) => index.table = to.clone(),
                Body::Sequence(sequence) => {
                    sequence.owned_by.iter_mut().for_each(|owner| *owner = Address::column(&to, owner.name()));
                }
                _ => {}
            }
        }
    }
}

/// Renames a column, constraint, trigger, policy or rule of a relation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameMember {
    /// Where it is.
    pub from: Address,
    /// Its new name.
    pub to: Name,
    /// What the texts of dependants become, by object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carries: BTreeMap<Address, Arc<Object>>,
}

impl RenameMember {
    fn target(&self) -> Address {
        match self.from.relation() {
            Some(relation) => Address::member(self.from.kind(), &relation, self.to.clone()),
            None => self.from.clone(),
        }
    }

    fn column_renamed(&self, schema: &mut Schema, table: &Qualified) -> Result<(), Impossible> {
        let (from, to) = (self.from.name().clone(), &self.to);
        let absent = || Impossible::Absent(self.from.clone());
        let own = schema.table_mut(table).ok_or_else(absent)?;
        if own.column(to).is_some() {
            return Err(Impossible::Present(self.target()));
        }
        own.column_mut(&from).ok_or_else(absent)?.name = to.clone();
        let swap = |name: &mut Name| {
            if *name == from {
                *name = to.clone();
            }
        };
        for constraint in own.constraints.values_mut() {
            match &mut constraint.rule {
                Rule::PrimaryKey(key) | Rule::Unique(key) => {
                    key.columns.iter_mut().chain(&mut key.include).for_each(swap)
                }
                Rule::ForeignKey(fk) => fk.columns.iter_mut().chain(&mut fk.on_delete_columns).for_each(swap),
                Rule::Check { .. } | Rule::Exclude { .. } => {}
            }
        }
        if let Some(object) = schema.objects.get_mut(&Address::table(table)).map(Arc::make_mut) {
            let renamed = |mut grant: crate::grant::Grant| {
                grant.column.iter_mut().for_each(swap);
                grant
            };
            object.grants = std::mem::take(&mut object.grants).into_iter().map(renamed).collect();
        }
        let concerned = |_: &Address, object: &Object| match &object.body {
            Body::Table(other) => refers_to(other, table),
            Body::Index(index) => index.table == *table,
            Body::Sequence(sequence) => sequence.owned_by.as_ref() == Some(&self.from),
            _ => false,
        };
        for (_, object) in schema.objects_mut(concerned) {
            match &mut object.body {
                Body::Table(other) => each_foreign_key(other, |fk| {
                    if fk.references == *table {
                        fk.referenced.iter_mut().for_each(swap);
                    }
                }),
                Body::Index(index) => {
                    index.include.iter_mut().for_each(swap);
                    for part in &mut index.parts {
                        if let IndexedBy::Column(name) = &mut part.what {
                            swap(name);
                        }
                    }
                }
                Body::Sequence(sequence) => sequence.owned_by = Some(self.target()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Effect for RenameMember {
    const SLUG: &'static str = "rename-member";

    fn address(&self) -> Address {
        self.from.clone()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [self.from.holder(), self.target().holder()].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let absent = || Impossible::Absent(self.from.clone());
        let table = self.from.relation().ok_or_else(absent)?;
        match self.from.kind() {
            ObjectKind::Column => self.column_renamed(schema, &table)?,
            ObjectKind::Constraint => {
                let constraints = &mut schema.table_mut(&table).ok_or_else(absent)?.constraints;
                let constraint = constraints.remove(self.from.name()).ok_or_else(absent)?;
                if constraints.insert(self.to.clone(), constraint).is_some() {
                    return Err(Impossible::Present(self.target()));
                }
            }
            _ => {
                let object = schema.objects.remove(&self.from).ok_or_else(absent)?;
                if schema.objects.insert(self.target(), object).is_some() {
                    return Err(Impossible::Present(self.target()));
                }
            }
        }
        carry(schema, &self.carries)
    }

    fn reverse(&self, before: &Schema) -> Option<Kind> {
        let (now, target) = (&self.from, self.target());
        let place = |at: &Address| if *at == target { now.clone() } else { at.clone() };
        let carries = self.carries.keys().map(place);
        let carries = carries.filter_map(|at| before.objects.get(&at).map(|o| (at.clone(), o.clone()))).collect();
        Some(Self { from: target.clone(), to: now.name().clone(), carries }.into())
    }
}

fn refers_to(table: &Table, to: &Qualified) -> bool {
    table.constraints.values().any(|c| c.foreign_key().is_some_and(|fk| fk.references == *to))
}

fn each_foreign_key(table: &mut Table, mut change: impl FnMut(&mut crate::table::ForeignKey)) {
    for constraint in table.constraints.values_mut() {
        if let Rule::ForeignKey(fk) = &mut constraint.rule {
            change(fk);
        }
    }
}

/// Sets the dependants to what their texts become.
pub(super) fn carry(schema: &mut Schema, carries: &BTreeMap<Address, Arc<Object>>) -> Result<(), Impossible> {
    for (at, object) in carries {
        match schema.objects.get_mut(at) {
            Some(found) => *found = object.clone(),
            None => return Err(Impossible::Absent(at.clone())),
        }
    }
    Ok(())
}

/// What the carried objects were before.
pub(super) fn was(before: &Schema, carries: &BTreeMap<Address, Arc<Object>>) -> BTreeMap<Address, Arc<Object>> {
    carries.keys().filter_map(|at| before.objects.get(at).map(|o| (at.clone(), o.clone()))).collect()
}

/// The addresses whose object differs between two schemas.
pub(super) fn changed(before: &Schema, after: &Schema) -> BTreeSet<Address> {
    let all = before.objects.keys().chain(after.objects.keys());
    all.filter(|at| before.objects.get(*at) != after.objects.get(*at)).cloned().collect()
}

/// The texts of an object that a rename of `from` to `to` changes, rewritten the way servers do it: identifier by identifier.
#[must_use]
pub fn rename_in_texts(object: &Object, from: &Name, to: &Name, quote: &dyn Fn(&Name) -> String) -> Object {
    let mut object = object.clone();
    object.each_text(&mut |sql: &mut Sql| {
        if sql.mentions(from) {
            *sql = sql.with_name_replaced(from, to, quote);
        }
    });
    object
}

impl Object {
    /// A table or index with its own column renamed: in lists of columns and in texts.
    #[must_use]
    pub fn with_column_renamed(&self, from: &Name, to: &Name, quote: &dyn Fn(&Name) -> String) -> Self {
        let mut object = rename_in_texts(self, from, to, quote);
        let swap = |name: &mut Name| {
            if *name == *from {
                *name = to.clone();
            }
        };
        match &mut object.body {
            Body::Table(table) => {
                table.columns.iter_mut().map(|c| &mut c.name).for_each(swap);
                for constraint in table.constraints.values_mut() {
                    match &mut constraint.rule {
                        Rule::PrimaryKey(key) | Rule::Unique(key) => {
                            key.columns.iter_mut().chain(&mut key.include).for_each(swap);
                        }
                        Rule::ForeignKey(fk) => fk.columns.iter_mut().chain(&mut fk.on_delete_columns).for_each(swap),
                        Rule::Check { .. } | Rule::Exclude { .. } => {}
                    }
                }
            }
            Body::Index(index) => {
                index.include.iter_mut().for_each(swap);
                for part in &mut index.parts {
                    if let IndexedBy::Column(name) = &mut part.what {
                        swap(name);
                    }
                }
            }
            _ => {}
        }
        object
    }

    /// Visits each SQL text of the object, in a fixed order.
    pub fn each_text(&mut self, visit: &mut dyn FnMut(&mut Sql)) {
        match &mut self.body {
            Body::Table(table) => {
                for column in &mut table.columns {
                    match &mut column.value {
                        ColumnValue::Default(sql) | ColumnValue::Generated { expression: sql, .. } => visit(sql),
                        ColumnValue::Plain | ColumnValue::Identity { .. } => {}
                    }
                }
                for constraint in table.constraints.values_mut() {
                    match &mut constraint.rule {
                        Rule::Check { expression: sql } | Rule::Exclude { definition: sql } => visit(sql),
                        Rule::PrimaryKey(_) | Rule::Unique(_) | Rule::ForeignKey(_) => {}
                    }
                }
            }
            Body::Index(index) => {
                for part in &mut index.parts {
                    if let IndexedBy::Expression(sql) = &mut part.what {
                        visit(sql);
                    }
                }
                index.predicate.iter_mut().for_each(visit);
            }
            Body::View(view) => visit(&mut view.query),
            Body::Domain(domain) => {
                domain.default.iter_mut().for_each(&mut *visit);
                domain.checks.values_mut().for_each(visit);
            }
            Body::Source(source) => source.create.iter_mut().for_each(visit),
            Body::Namespace {}
            | Body::DefaultPrivileges {}
            | Body::Extension(_)
            | Body::Enum { .. }
            | Body::Sequence(_)
            | Body::Opaque { .. } => {}
        }
    }

    /// Visits each name of a type in the object.
    pub fn each_type(&mut self, visit: &mut dyn FnMut(&mut String)) {
        match &mut self.body {
            Body::Table(table) => table.columns.iter_mut().map(|c| &mut c.data_type).for_each(visit),
            Body::Domain(domain) => visit(&mut domain.base),
            _ => {}
        }
    }

    /// The SQL texts of the object, in the order of [`Object::each_text`].
    #[must_use]
    pub fn texts(&self) -> Vec<Sql> {
        let mut texts = Vec::new();
        self.clone().each_text(&mut |sql| texts.push(sql.clone()));
        texts
    }
}
