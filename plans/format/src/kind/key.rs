//! Kinds that give a table a key without stopping its clients: the unique index is built first, then becomes the constraint's own.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{DropConstraint, Effect, Impossible, Kind};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::{Object, Schema},
    table::Constraint,
};

/// Builds the unique index that a key will own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildKey {
    /// Where the index lives until the key owns it.
    pub at: Address,
    /// The index.
    pub object: Arc<Object>,
    /// The key that it is for, by its name.
    pub key: Name,
}

impl Effect for BuildKey {
    const SLUG: &'static str = "build-key";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.at.clone()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.objects.insert(self.at.clone(), self.object.clone()) {
            None => Ok(()),
            Some(_) => Err(Impossible::Present(self.at.clone())),
        }
    }

    /// The index may have gone with the key that took it over.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Discard { at: self.at.clone(), object: self.object.clone() }.into())
    }
}

/// Makes a built index a key's own: from then on it is no object by itself, and has the key's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptKey {
    /// Of which table.
    pub table: Qualified,
    /// The key's name.
    pub name: Name,
    /// What it demands.
    pub constraint: Constraint,
    /// Where the index is.
    pub index: Address,
    /// The index.
    pub object: Arc<Object>,
}

impl Effect for AdoptKey {
    const SLUG: &'static str = "adopt-key";

    fn address(&self) -> Address {
        Address::constraint(&self.table, &self.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table), self.index.clone()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        Discard { at: self.index.clone(), object: self.object.clone() }.take(schema)?;
        let at = Address::table(&self.table);
        let table = schema.table_mut(&self.table).ok_or(Impossible::Absent(at))?;
        match table.constraints.insert(self.name.clone(), self.constraint.clone()) {
            None => Ok(()),
            Some(_) => Err(Impossible::Present(self.address())),
        }
    }

    /// An index does not survive its key; the step that built it has nothing left to take back then.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let (table, name, constraint) = (self.table.clone(), self.name.clone(), self.constraint.clone());
        Some(DropConstraint { table, name, constraint }.into())
    }
}

/// Removes what an earlier step made, unless it has gone already with what took it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discard {
    /// Where.
    pub at: Address,
    /// What.
    pub object: Arc<Object>,
}

impl Discard {
    /// Removes it; it must be there.
    fn take(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.objects.remove(&self.at) {
            Some(found) if found == self.object => Ok(()),
            Some(_) => Err(Impossible::Differs(self.at.clone())),
            None => Err(Impossible::Absent(self.at.clone())),
        }
    }
}

impl Effect for Discard {
    const SLUG: &'static str = "discard";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.at.clone()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        if schema.objects.contains_key(&self.at) { self.take(schema) } else { Ok(()) }
    }

    /// It only ever takes back.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
