//! Kinds that change one constraint of a table.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::{Schema, Validity},
    table::{Constraint, Table},
};

fn table_mut<'a>(schema: &'a mut Schema, at: &Qualified) -> Result<&'a mut Table, Impossible> {
    schema.table_mut(at).ok_or_else(|| Impossible::Absent(Address::table(at)))
}

/// Adds a constraint, valid at once or not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddConstraint {
    /// To which table.
    pub table: Qualified,
    /// Under which name.
    pub name: Name,
    /// What it demands.
    pub constraint: Constraint,
}

impl Effect for AddConstraint {
    const SLUG: &'static str = "add-constraint";

    fn address(&self) -> Address {
        Address::constraint(&self.table, &self.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let constraints = &mut table_mut(schema, &self.table)?.constraints;
        match constraints.insert(self.name.clone(), self.constraint.clone()) {
            None => Ok(()),
            Some(_) => Err(Impossible::Present(self.address())),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let (table, name, constraint) = (self.table.clone(), self.name.clone(), self.constraint.clone());
        Some(DropConstraint { table, name, constraint }.into())
    }
}

/// Proves that rows older than a constraint obey it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidateConstraint {
    /// Of which table.
    pub table: Qualified,
    /// Which constraint.
    pub name: Name,
}

impl Effect for ValidateConstraint {
    const SLUG: &'static str = "validate-constraint";

    fn address(&self) -> Address {
        Address::constraint(&self.table, &self.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match table_mut(schema, &self.table)?.constraints.get_mut(&self.name) {
            Some(found) if found.validity == Validity::NotValid => {
                found.validity = Validity::Valid;
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.address())),
            None => Err(Impossible::Absent(self.address())),
        }
    }

    /// Being known to hold is nothing that needs taking back; the step that added the constraint takes it away.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

/// Drops a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropConstraint {
    /// From which table.
    pub table: Qualified,
    /// Under which name.
    pub name: Name,
    /// What it demanded, so that it can be brought back.
    pub constraint: Constraint,
}

impl Effect for DropConstraint {
    const SLUG: &'static str = "drop-constraint";

    fn address(&self) -> Address {
        Address::constraint(&self.table, &self.name)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    /// The constraint may have been validated since it was added; its validity does not matter for dropping it.
    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match table_mut(schema, &self.table)?.constraints.remove(&self.name) {
            Some(mut found) => {
                found.validity = self.constraint.validity;
                if found == self.constraint { Ok(()) } else { Err(Impossible::Differs(self.address())) }
            }
            None => Err(Impossible::Absent(self.address())),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let (table, name, constraint) = (self.table.clone(), self.name.clone(), self.constraint.clone());
        Some(AddConstraint { table, name, constraint }.into())
    }
}
