//! The kind that changes who may do what with an object.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{address::Address, grant::Grant, schema::Schema};

/// Grants and revokes privileges on an object and its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privileges {
    /// On what.
    pub at: Address,
    /// The grants as they are.
    pub from: BTreeSet<Grant>,
    /// The grants as they shall be.
    pub to: BTreeSet<Grant>,
}

impl Effect for Privileges {
    const SLUG: &'static str = "privileges";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.at.clone()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let object = schema.objects.get_mut(&self.at).ok_or_else(|| Impossible::Absent(self.at.clone()))?;
        if object.grants != self.from {
            return Err(Impossible::Differs(self.at.clone()));
        }
        Arc::make_mut(object).grants.clone_from(&self.to);
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { at: self.at.clone(), from: self.to.clone(), to: self.from.clone() }.into())
    }
}
