//! Kinds that keep columns that come and columns that go in step: what is written to either is carried over to the other by a trigger,
//! until the old ones leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, put, take};
use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Object, Schema},
    sql::Sql,
};

/// New columns of a table and the old ones that they take the place of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tied {
    /// Of which table.
    pub table: Qualified,
    /// What each new column is made from, over the columns of one row.
    pub set: BTreeMap<Name, Sql>,
    /// What each old column is made from, over the columns of one row.
    pub back: BTreeMap<Name, Sql>,
    /// The name of the trigger, and of its function.
    pub trigger: Name,
    /// The trigger.
    pub object: Arc<Object>,
}

impl Tied {
    /// Where the trigger is.
    #[must_use]
    pub fn at(&self) -> Address {
        Address::member(ObjectKind::Trigger, &self.table, self.trigger.clone())
    }

    /// The old column, or the table where there are several.
    #[must_use]
    pub fn about(&self) -> Address {
        match self.back.keys().next() {
            Some(one) if self.back.len() == 1 => Address::column(&self.table, one),
            _ => Address::table(&self.table),
        }
    }

    /// The old and the new columns, for people.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        let list = |names: &BTreeMap<Name, Sql>| names.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        (list(&self.back), list(&self.set))
    }

    /// Ties the columns in a schema.
    ///
    /// # Errors
    /// If one is not there, or they are tied already.
    pub(super) fn bind(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = schema.table(&self.table).ok_or_else(|| Impossible::Absent(Address::table(&self.table)))?;
        if let Some(name) = self.set.keys().chain(self.back.keys()).find(|name| table.column(name).is_none()) {
            return Err(Impossible::Absent(Address::column(&self.table, name)));
        }
        put(schema, self.at(), &self.object)
    }

    /// Lets the columns of a schema go.
    ///
    /// # Errors
    /// If they are not tied so.
    pub(super) fn free(&self, schema: &mut Schema) -> Result<(), Impossible> {
        take(schema, self.at(), &self.object)
    }
}

/// Makes the trigger that keeps the columns in step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tie {
    /// What.
    pub tied: Tied,
}

impl Effect for Tie {
    const SLUG: &'static str = "tie";

    fn address(&self) -> Address {
        self.tied.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.tied.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.tied.bind(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Untie { tied: self.tied.clone() }.into())
    }
}

/// Removes the trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untie {
    /// What.
    pub tied: Tied,
}

impl Effect for Untie {
    const SLUG: &'static str = "untie";

    fn address(&self) -> Address {
        self.tied.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.tied.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.tied.free(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Tie { tied: self.tied.clone() }.into())
    }
}
