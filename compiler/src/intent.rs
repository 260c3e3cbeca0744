//! What the specs ask for, once they are read, checked and put into the engine's form.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Dataset, DeclaredCheck, DeclaredProbe, Fingerprint, Name, Object, ObjectKind, Qualified, Schema,
    Sql, UuidVersion,
    kind::{OnConflict, Reject},
    verify::Literal,
};
use serde::Serialize;

use crate::diagnostic::Place;

/// What the specs ask for. The goal names nothing of the live database; whether a rename's source is there is for the diff to see.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The schema as it shall be, normalised by the dialect. It holds only what is managed.
    pub goal: Schema,
    /// What is put into files before the first write, in declared order.
    pub to_save: Vec<(ToSave, Place)>,
    /// Where each object, column and constraint is declared.
    pub spans: BTreeMap<Address, Place>,
    /// Declared renames of tables.
    pub table_moves: Vec<Move>,
    /// Declared renames of columns; see [`Move::from`].
    pub column_moves: Vec<Move>,
    /// Declared renames of constraints; see [`Move::from`].
    pub constraint_moves: Vec<Move>,
    /// Declared renames of everything else that has an own address: indexes, enums, domains, types, sequences, views.
    pub object_moves: Vec<Move>,
    /// Declared renames of enum values.
    pub enum_value_moves: Vec<ValueMove>,
    /// How existing rows get their values, by goal table.
    pub fills: BTreeMap<Qualified, Transform>,
    /// How new tables get their rows, by goal table, in declared order.
    pub sources: BTreeMap<Qualified, Vec<Source>>,
    /// Rows that tables shall have, by goal table.
    pub rows: BTreeMap<Qualified, Vec<BTreeMap<Name, Literal>>>,
    /// Tables whose rows are managed no longer, whichever of them were declared.
    pub rows_left: BTreeSet<Qualified>,
    /// What must hold of the data, in declared order.
    pub declared_checks: Vec<Declared<DeclaredCheck>>,
    /// What the database must take or refuse, in declared order.
    pub declared_probes: Vec<Declared<DeclaredProbe>>,
    /// Rows that are filed as evidence, in declared order.
    pub declared_datasets: Vec<Declared<Dataset>>,
    /// Objects to leave as they are and to manage no longer.
    pub removed: BTreeSet<Address>,
    /// The fingerprint of the resolved content; formatting and the order of files do not change it.
    pub specs_digest: Fingerprint,
    /// Which part of the database the specs speak about.
    pub managed: Managed,
}

/// What is to be in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ToSave {
    /// The rows of every table.
    Everything,
    /// What the plan takes away, overwrites or gives another type.
    Removed,
    /// The rows of a table.
    Table(Qualified),
    /// A column, with what tells its rows apart.
    Column(Address),
}

/// A declared rename. Harmless once done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The old address. For a column or constraint its table is named as in the goal, whatever the table itself was called.
    pub from: Address,
    /// The address in the goal.
    pub to: Address,
    /// Where it is declared.
    pub place: Place,
}

/// A declared rename of an enum's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueMove {
    /// The enum, by its address in the goal.
    pub of: Address,
    /// The old value.
    pub from: String,
    /// The value in the goal.
    pub to: String,
    /// Where it is declared.
    pub place: Place,
}

/// A check, a probe or a dataset, and which plans have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared<T> {
    /// What is declared.
    pub what: T,
    /// The tables of which a plan must change one; every plan has it if there are none.
    pub of: BTreeSet<Address>,
}

/// A declared transform, with its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transform {
    /// Expression by goal column, as declared.
    pub set: BTreeMap<Name, Sql>,
    /// What columns that go are made from until then, by base column.
    pub back: BTreeMap<Name, Sql>,
    /// Ids made from names, by goal column: version, namespace in hex digits, name.
    pub uuids: BTreeMap<Name, (UuidVersion, String, Sql)>,
    /// What values become, by goal column: old value and new, in declared order.
    pub maps: BTreeMap<Name, Vec<(String, Literal)>>,
    /// The condition of the rows that it concerns.
    pub only: Option<Sql>,
    /// The name by which the database remembers that it was made, if it is to be made once.
    pub once: Option<String>,
    /// Whether its expressions may give another value each time.
    pub varies: bool,
    /// Whether a value that a map does not name is rejected.
    pub rejects_unmapped: bool,
    /// Rules by which rows are left as they are.
    pub rejects: Vec<Reject>,
    /// How many rows may be rejected.
    pub max_rejects: u64,
    /// Rows of the first batch.
    pub batch_rows: Option<u32>,
    /// Where the transform is declared.
    pub place: Place,
    /// Where each column's expression is.
    pub columns: BTreeMap<Name, Place>,
}

/// How a new table gets rows from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The other table, by its name in the goal, or in the base if it goes.
    pub from: Qualified,
    /// Tables beside it.
    pub join: Option<Sql>,
    /// What source rows have in common that make one row.
    pub group_by: Vec<Sql>,
    /// The columns that tell rows apart; the primary key if there are none.
    pub key: Vec<Name>,
    /// What happens where several source rows make a row of the same key.
    pub on_conflict: OnConflict,
    /// The values, and which rows are concerned; its expressions are over the source.
    pub transform: Transform,
}

/// Which part of the database the specs speak about. What is outside is neither compared nor dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Managed {
    /// The schemas (namespaces) that are managed; `None` is all of them.
    pub schemas: Option<BTreeSet<Name>>,
    /// Patterns of names that are not, with `*` for any text: `legacy_*`, or with a schema `audit.*`.
    pub exclude: Vec<String>,
}

impl Managed {
    /// Whether an object is managed. An index, trigger or owned sequence is where its table is.
    #[must_use]
    pub fn covers(&self, at: &Address, object: &Object) -> bool {
        match &object.body {
            Body::Index(index) => {
                self.covers_name(at.kind(), &index.table) && self.covers_name(at.kind(), &at.qualified())
            }
            Body::Sequence(sequence) => {
                let owner = sequence.owned_by.as_ref().and_then(Address::relation);
                self.covers_name(at.kind(), &owner.unwrap_or_else(|| at.qualified()))
            }
            _ => self.covers_name(at.kind(), &at.qualified()),
        }
    }

    /// Whether something of that kind and (relation's) name is managed.
    #[must_use]
    pub fn covers_name(&self, kind: ObjectKind, at: &Qualified) -> bool {
        use ObjectKind::{DefaultPrivileges, EventTrigger, Extension, Other};
        let in_schemas = match (&self.schemas, kind) {
            (None, _) | (_, Extension | EventTrigger | Other | DefaultPrivileges) => true,
            (Some(schemas), ObjectKind::Namespace) => schemas.contains(&at.name),
            (Some(schemas), _) => at.schema.as_ref().is_none_or(|schema| schemas.contains(schema)),
        };
        in_schemas && !self.exclude.iter().any(|pattern| excludes(pattern, at))
    }
}

impl Intent {
    /// Whether an object of the live schema is this intent's business: managed, and not declared as removed.
    #[must_use]
    pub fn manages(&self, at: &Address, object: &Object) -> bool {
        let of_removed = |table: &Qualified| self.removed.contains(&Address::table(table));
        let gone = self.removed.contains(at)
            || at.relation().is_some_and(|table| of_removed(&table))
            || match &object.body {
                Body::Index(index) => of_removed(&index.table),
                Body::Sequence(s) => s.owned_by.as_ref().and_then(Address::relation).is_some_and(|t| of_removed(&t)),
                _ => false,
            };
        !gone && self.managed.covers(at, object)
    }
}

/// A pattern with a dot is matched against `schema.name`, one without against the name alone.
fn excludes(pattern: &str, at: &Qualified) -> bool {
    if pattern.contains('.') {
        let schema = at.schema.as_ref().map(Name::as_str).unwrap_or_default();
        glob(pattern, &format!("{schema}.{}", at.name.as_str()))
    } else {
        glob(pattern, at.name.as_str())
    }
}

/// Whether a text matches a pattern in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| glob(tail, &rest[i..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, text, fits) in
            [("legacy_*", "legacy_x", true), ("legacy_*", "x_legacy_", false), ("*é*", "aéb", true), ("a", "ab", false)]
        {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
