//! Kinds that let columns leave beside running clients: what they hold is copied, keyed, to where mig keeps it, a trigger keeps the copy
//! current, and the columns then go in an instant.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{AddColumn, DropColumn, Effect, Impossible, Kind, Tied, put, take};
use crate::{
    address::{Address, ObjectKind},
    name::{Name, Qualified},
    schema::{Object, Schema},
    table::Column,
};

/// Columns whose values are kept, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Of which table.
    pub table: Qualified,
    /// The columns as they are when they leave.
    pub columns: Vec<Column>,
    /// The columns that tell rows apart; none where the values need no copy, because other rows tell them.
    pub key: Vec<Name>,
    /// The name of the trigger that keeps the copy current, and of its function.
    pub trigger: Name,
    /// The trigger.
    pub object: Arc<Object>,
    /// The columns that took the place of some of these and are in step with them until they leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tied: Option<Tied>,
}

impl Kept {
    /// Where the trigger is.
    #[must_use]
    pub fn at(&self) -> Address {
        Address::member(ObjectKind::Trigger, &self.table, self.trigger.clone())
    }

    /// Whether there is a copy.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        !self.key.is_empty()
    }

    /// The column, or the table where there are several.
    #[must_use]
    pub fn about(&self) -> Address {
        match self.columns.as_slice() {
            [one] => Address::column(&self.table, &one.name),
            _ => Address::table(&self.table),
        }
    }

    /// What changes when the columns leave.
    fn ends(&self) -> BTreeSet<Address> {
        let tied = self.tied.iter().map(Tied::at);
        [self.at(), Address::table(&self.table)].into_iter().chain(tied).collect()
    }

    fn watched(&self, schema: &mut Schema) -> Result<(), Impossible> {
        put(schema, self.at(), &self.object)
    }

    fn unwatched(&self, schema: &mut Schema) -> Result<(), Impossible> {
        take(schema, self.at(), &self.object)
    }
}

/// Makes the place for the copy and the trigger that keeps it current.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// What.
    pub kept: Kept,
}

impl Effect for Keep {
    const SLUG: &'static str = "keep";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.kept.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.kept.watched(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Unkeep { kept: self.kept.clone() }.into())
    }
}

/// Removes the trigger and the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unkeep {
    /// What.
    pub kept: Kept,
}

impl Effect for Unkeep {
    const SLUG: &'static str = "unkeep";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.kept.at()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.kept.unwatched(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Keep { kept: self.kept.clone() }.into())
    }
}

/// Copies the values of existing rows, in batches. Done when its query probe says so, never by a stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepRows {
    /// What.
    pub kept: Kept,
}

impl Effect for KeepRows {
    const SLUG: &'static str = "keep-rows";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.kept.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let at = Address::table(&self.kept.table);
        let table = schema.table(&self.kept.table).ok_or(Impossible::Absent(at))?;
        let names = self.kept.columns.iter().map(|c| &c.name).chain(&self.kept.key);
        match names.into_iter().find(|name| table.column(name).is_none()) {
            Some(name) => Err(Impossible::Absent(Address::column(&self.kept.table, name))),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

/// Drops the columns and the trigger; the copy stays until it is collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// What.
    pub kept: Kept,
    /// Whether they come back empty, and other steps of a rollback give them their values beside running clients.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refills: bool,
}

impl Effect for Leave {
    const SLUG: &'static str = "leave";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.kept.ends()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.kept.unwatched(schema)?;
        self.kept.tied.iter().try_for_each(|tied| tied.free(schema))?;
        for column in &self.kept.columns {
            DropColumn { table: self.kept.table.clone(), column: column.clone() }.apply(schema)?;
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let mut kept = self.kept.clone();
        if self.refills {
            kept.columns.iter_mut().for_each(|column| column.not_null = false);
        }
        Some(Rejoin { kept }.into())
    }
}

/// Brings the columns back from the copy, and the trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejoin {
    /// What.
    pub kept: Kept,
}

impl Effect for Rejoin {
    const SLUG: &'static str = "rejoin";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.kept.ends()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for column in &self.kept.columns {
            AddColumn { table: self.kept.table.clone(), column: column.clone() }.apply(schema)?;
        }
        self.kept.tied.iter().try_for_each(|tied| tied.bind(schema))?;
        self.kept.watched(schema)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Leave { kept: self.kept.clone(), refills: false }.into())
    }
}
