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
    /// Whether it stood unproved before the plan: then taking the step back makes it so again. Else the step that added it takes it away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stood: bool,
    /// Whether it makes unproved what is proved: the way back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgets: bool,
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
        let (from, to) = match self.forgets {
            false => (Validity::NotValid, Validity::Valid),
            true => (Validity::Valid, Validity::NotValid),
        };
        match table_mut(schema, &self.table)?.constraints.get_mut(&self.name) {
            Some(found) if found.validity == from => {
                found.validity = to;
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.address())),
            None => Err(Impossible::Absent(self.address())),
        }
    }

    /// Being known to hold is nothing that needs taking back where the step that added the constraint takes it away.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        self.stood.then(|| Self { forgets: !self.forgets, ..self.clone() }.into())
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
