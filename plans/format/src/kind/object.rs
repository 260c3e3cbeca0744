//! Kinds that make, remove or exchange a whole object, and comments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::{Address, ObjectKind},
    name::Qualified,
    schema::{Body, Object, Schema},
};

/// Makes an object that was not there: a table with all its columns, an index, a type ...
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Where.
    pub at: Address,
    /// What.
    pub object: Arc<Object>,
    /// Indexes of the table that come in the same statement, where the engine makes them so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<Address, Arc<Object>>,
    /// What the body of a routine names and what may come after it, because it names the routine in turn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ahead: BTreeSet<Address>,
}

impl Create {
    /// An object alone.
    #[must_use]
    pub fn new(at: Address, object: impl Into<Arc<Object>>) -> Self {
        Self { at, object: object.into(), with: BTreeMap::new(), ahead: BTreeSet::new() }
    }
}

impl Effect for Create {
    const SLUG: &'static str = "create";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.with.keys().chain([&self.at]).cloned().collect()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for (at, object) in [(&self.at, &self.object)].into_iter().chain(&self.with) {
            if schema.objects.insert(at.clone(), object.clone()).is_some() {
                return Err(Impossible::Present(at.clone()));
            }
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Drop { at: self.at.clone(), object: self.object.clone(), with: self.with.clone() }.into())
    }
}

/// Removes an object. A table goes with its columns and constraints; its triggers have own steps before, and so have its indexes unless
/// they are named in `with`. Foreign keys of other tables may be left dangling where the engine allows that; where it does not, they have own steps before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// Where.
    pub at: Address,
    /// What stood there, so that it can be brought back.
    pub object: Arc<Object>,
    /// Indexes of the table that go in the same statement, where the engine keeps them with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<Address, Arc<Object>>,
}

impl Drop {
    /// An object alone.
    #[must_use]
    pub fn new(at: Address, object: impl Into<Arc<Object>>) -> Self {
        Self { at, object: object.into(), with: BTreeMap::new() }
    }
}

impl Effect for Drop {
    const SLUG: &'static str = "drop";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.with.keys().chain([&self.at]).cloned().collect()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for (at, object) in [(&self.at, &self.object)].into_iter().chain(&self.with) {
            match schema.objects.remove(at) {
                Some(found) if found.alike(object) => {}
                Some(_) => return Err(Impossible::Differs(at.clone())),
                None => return Err(Impossible::Absent(at.clone())),
            }
        }
        let index = schema.indexes_of(&self.at.qualified()).map(|(at, _)| at.clone()).next();
        match index.filter(|_| matches!(self.at.kind(), ObjectKind::Table | ObjectKind::MaterializedView)) {
            Some(by) => Err(Impossible::Needed { at: self.at.clone(), by }),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let back = Create { with: self.with.clone(), ..Create::new(self.at.clone(), self.object.clone()) };
        Some(back.into())
    }
}

/// Exchanges an object for another definition at the same address, in place or by drop and create, as the engine can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// Where.
    pub at: Address,
    /// What stands there.
    pub from: Arc<Object>,
    /// What shall stand there.
    pub to: Arc<Object>,
}

impl Effect for Replace {
    const SLUG: &'static str = "replace";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.at.clone()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.objects.get_mut(&self.at) {
            Some(found) if *found == self.from => {
                *found = self.to.clone();
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.at.clone())),
            None => Err(Impossible::Absent(self.at.clone())),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { at: self.at.clone(), from: self.to.clone(), to: self.from.clone() }.into())
    }
}

/// Changes the engine's own settings of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlterTable {
    /// Which table.
    pub table: Qualified,
    /// Its settings as they are.
    pub from: BTreeMap<String, String>,
    /// Its settings as they shall be.
    pub to: BTreeMap<String, String>,
}

impl Effect for AlterTable {
    const SLUG: &'static str = "alter-table";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.address()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = schema.table_mut(&self.table).ok_or_else(|| Impossible::Absent(self.address()))?;
        if table.options != self.from {
            return Err(Impossible::Differs(self.address()));
        }
        table.options.clone_from(&self.to);
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { table: self.table.clone(), from: self.to.clone(), to: self.from.clone() }.into())
    }
}

/// Sets or removes the comment on an object, a column or a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// On what.
    pub at: Address,
    /// The comment as it is.
    pub from: Option<String>,
    /// The comment as it shall be.
    pub to: Option<String>,
}

impl Effect for Comment {
    const SLUG: &'static str = "comment";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.at.holder()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let absent = || Impossible::Absent(self.at.clone());
        let holder = Arc::make_mut(schema.objects.get_mut(&self.at.holder()).ok_or_else(absent)?);
        let comment = match (self.at.kind(), &mut holder.body) {
            (ObjectKind::Column, Body::Table(table)) => {
                &mut table.column_mut(self.at.name()).ok_or_else(absent)?.comment
            }
            (ObjectKind::Constraint, Body::Table(table)) => {
                &mut table.constraints.get_mut(self.at.name()).ok_or_else(absent)?.comment
            }
            _ => &mut holder.comment,
        };
        if *comment != self.from {
            return Err(Impossible::Differs(self.at.clone()));
        }
        comment.clone_from(&self.to);
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { at: self.at.clone(), from: self.to.clone(), to: self.from.clone() }.into())
    }
}
