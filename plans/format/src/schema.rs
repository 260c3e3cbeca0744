//! The schema model: what a database is made of, engine-neutral where engines agree.
//!
//! Canonical: maps are sorted, there are no back-pointers, and no statistics. [`Live`] is what was pulled,
//! [`Goal`] what is asked for; neither can be taken for the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, ObjectKind},
    grant::Grant,
    name::{Name, Qualified},
    objects::Objects,
    sql::Sql,
    table::{Column, Constraint, Table},
};

/// All objects of a database, by address. Columns and constraints are inside their tables; indexes, triggers and the rest
/// stand on their own. Copies of a schema share its objects until one of them changes ([`Arc::make_mut`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// Every object that has an own address.
    pub objects: Objects,
}

/// A schema as the database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Live(pub Schema);

/// A schema as the specs ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goal(pub Schema);

/// An object: what every kind has, and what is its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// The comment on it, where the engine keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who else than its owner may do what with it, where that is not the engine's default.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grants: BTreeSet<Grant>,
    /// What it is.
    pub body: Body,
}

impl Object {
    /// Whether two objects are one, whatever the order of a table's columns.
    #[must_use]
    pub fn alike(&self, other: &Self) -> bool {
        match (&self.body, &other.body) {
            (Body::Table(a), Body::Table(b)) => {
                self.comment == other.comment && self.grants == other.grants && a.alike(b)
            }
            _ => self == other,
        }
    }

    /// An object without a comment and with the privileges that the engine gives by default.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { comment: None, grants: BTreeSet::new(), body }
    }
}

/// What an object is made of, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// A schema (namespace).
    Namespace {},
    /// Privileges that objects have from the moment that they are made: the grants are all there is to it.
    DefaultPrivileges {},
    /// An extension.
    Extension(Extension),
    /// An enumerated type: its values in order.
    Enum {
        /// The labels, in sort order.
        values: Vec<String>,
    },
    /// A domain.
    Domain(Domain),
    /// A sequence.
    Sequence(Sequence),
    /// A table.
    Table(Table),
    /// An index.
    Index(Index),
    /// A view or a materialized view (the address tells which).
    View(View),
    /// Anything whose definition is one text: routines, triggers, policies, rules, composite types, virtual tables.
    Source(Source),
    /// Something that the model does not know: carried and named, never changed or dropped.
    Opaque {
        /// What the engine calls it, for messages.
        what: String,
        /// SHA-256 of what the catalog says of it.
        digest: String,
    },
}

/// An installed extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The schema that holds its objects; `None` lets the extension decide.
    pub schema: Option<Name>,
    /// Its version; `None` takes the default version at hand.
    pub version: Option<String>,
}

/// A domain over another type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// The base type, as the engine writes it.
    pub base: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The default, if any.
    pub default: Option<Sql>,
    /// The collation, where it is not the base type's.
    pub collation: Option<String>,
    /// CHECK constraints by name.
    pub checks: BTreeMap<Name, Sql>,
    /// The comments on those constraints that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub comments: BTreeMap<Name, String>,
}

/// A sequence that stands on its own or is owned by a column (not one behind an identity column).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its integer type.
    pub data_type: String,
    /// Its numbers.
    #[serde(default)]
    pub options: SequenceOptions,
    /// The column whose drop drops it.
    pub owned_by: Option<Address>,
}

/// The numbers of a sequence; `None` is the engine's default for its type and direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceOptions {
    /// First value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<i64>,
    /// Step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increment: Option<i64>,
    /// Lowest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Highest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// How many values a session takes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<i64>,
    /// Whether it starts again at its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cycle: bool,
}

/// An index that is not the implementation of a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The table (or materialized view) it is on.
    pub table: Qualified,
    /// Whether it refuses duplicates.
    pub unique: bool,
    /// Access method; `None` is the engine's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What it is ordered by.
    pub parts: Vec<IndexPart>,
    /// Columns carried along, not ordered by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Name>,
    /// Which rows it covers; all if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Sql>,
    /// Whether two NULLs count as duplicates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
    /// Storage parameters and other settings, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Whether it is usable, or what an interrupted concurrent build left behind.
    #[serde(default, skip_serializing_if = "Validity::is_valid")]
    pub validity: Validity,
}

/// Whether an index or a constraint is in full force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// In force and known to hold.
    #[default]
    Valid,
    /// An index that no query may use; a constraint not known to hold for rows that were there before it.
    NotValid,
}

impl Validity {
    /// Whether it is in full force.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }
}

/// One ordered part of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexPart {
    /// Column or expression.
    pub what: IndexedBy,
    /// Collation, where it is not the column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// Operator class with its parameters, where it is not the default, as the engine writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opclass: Option<String>,
    /// Whether it sorts downwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
    /// Whether NULLs come first; `None` is the engine's default for the direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls_first: Option<bool>,
}

/// What an index part is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexedBy {
    /// A column.
    Column(Name),
    /// An expression over the row.
    Expression(Sql),
}

/// A view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The query, without a final semicolon.
    pub query: Sql,
    /// The names of its columns, where they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// Settings such as `security_invoker` or `check_option`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// An object whose definition is one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The statements that create it, as the catalog or the user wrote them, without final semicolons.
    pub create: Vec<Sql>,
    /// What it needs to exist, where the text alone does not tell.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Address>,
}

impl Schema {
    /// Whether something is opaque, or a member of a relation that is: specs cannot speak of it, and plans leave it alone.
    #[must_use]
    pub fn is_opaque(&self, at: &Address) -> bool {
        let of = at.relation().filter(|_| at.is_member());
        at.kind() == ObjectKind::Opaque
            || of.is_some_and(|relation| self.objects.contains_key(&Address::new(ObjectKind::Opaque, &relation)))
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, at: &Qualified) -> Option<&Table> {
        match self.objects.get(&Address::table(at)).map(|o| &o.body) {
            Some(Body::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The table of that name, to change it.
    pub fn table_mut(&mut self, at: &Qualified) -> Option<&mut Table> {
        match self.objects.get_mut(&Address::table(at)).map(|o| &mut Arc::make_mut(o).body) {
            Some(Body::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// Some of its objects by themselves.
    #[must_use]
    pub fn only(self, of: &BTreeSet<Address>) -> BTreeMap<Address, Object> {
        let wanted = self.objects.into_iter().filter(|(at, _)| of.contains(at));
        wanted.map(|(at, object)| (at, Arc::unwrap_or_clone(object))).collect()
    }

    /// The objects that are `concerned`, to change them; the others stay shared with other copies of the schema.
    pub fn objects_mut(
        &mut self,
        concerned: impl Fn(&Address, &Object) -> bool,
    ) -> impl Iterator<Item = (&Address, &mut Object)> {
        self.objects
            .iter_mut()
            .filter(move |(at, object)| concerned(at, object))
            .map(|(at, object)| (at, Arc::make_mut(object)))
    }

    /// All tables with their names.
    pub fn tables(&self) -> impl Iterator<Item = (Qualified, &Table)> {
        self.objects.of_kind(ObjectKind::Table).filter_map(|(at, object)| match &object.body {
            Body::Table(table) => Some((at.qualified(), table)),
            _ => None,
        })
    }

    /// All indexes with their addresses.
    pub fn indexes(&self) -> impl Iterator<Item = (&Address, &Index)> {
        self.objects.of_kind(ObjectKind::Index).filter_map(|(at, object)| match &object.body {
            Body::Index(index) => Some((at, index)),
            _ => None,
        })
    }

    /// The indexes of a table.
    pub fn indexes_of(&self, table: &Qualified) -> impl Iterator<Item = (&Address, &Index)> {
        self.objects.indexes_of(table).iter().filter_map(|at| match &self.objects.get(at)?.body {
            Body::Index(index) => Some((at, index)),
            _ => None,
        })
    }

    /// The column at a column's address.
    #[must_use]
    pub fn column(&self, at: &Address) -> Option<&Column> {
        self.table(&at.relation()?)?.column(at.name())
    }

    /// The constraint at a constraint's address.
    #[must_use]
    pub fn constraint(&self, at: &Address) -> Option<&Constraint> {
        self.table(&at.relation()?)?.constraints.get(at.name())
    }

    /// Whether anything lives at an address; columns and constraints are looked for inside their tables.
    #[must_use]
    pub fn contains(&self, at: &Address) -> bool {
        match at.kind() {
            ObjectKind::Column => self.column(at).is_some(),
            ObjectKind::Constraint => self.constraint(at).is_some(),
            _ => self.objects.contains_key(at),
        }
    }

    /// Foreign keys that refer to a table: the table that has each, and its name.
    pub fn references_to<'a>(
        &'a self,
        to: &'a Qualified,
    ) -> impl Iterator<Item = (Qualified, &'a Name, &'a Constraint)> {
        self.tables().flat_map(move |(from, table)| {
            table
                .constraints
                .iter()
                .filter(move |(_, c)| c.foreign_key().is_some_and(|fk| fk.references == *to))
                .map(move |(name, c)| (from.clone(), name, c))
        })
    }
}
