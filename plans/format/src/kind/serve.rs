//! The kind that serves renamed columns under their old names: the hidden twin of each is shown under the old name, and each follows the
//! other.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, RenameMember, Twins, rename::changed};
use crate::{address::Address, name::Name, schema::Schema};

/// Shows hidden columns under the old names of the columns that they are equal to, or hides them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// The columns, by their new names, with the hidden ones.
    pub twins: Twins,
    /// The old name of each column, by its new name.
    pub old: BTreeMap<Name, Name>,
    /// Whether it hides them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides: bool,
}

impl Serve {
    /// The hidden columns with their old names, as this finds and leaves them.
    pub fn names(&self) -> impl Iterator<Item = (&Name, &Name)> {
        self.twins.pairs.iter().filter_map(|pair| {
            let old = self.old.get(&pair.column)?;
            Some(if self.hides { (old, &pair.hidden.name) } else { (&pair.hidden.name, old) })
        })
    }
}

impl Effect for Serve {
    const SLUG: &'static str = "serve";

    fn address(&self) -> Address {
        match self.twins.pairs.as_slice() {
            [one] => Address::column(&self.twins.table, &one.column),
            _ => Address::table(&self.twins.table),
        }
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [Address::table(&self.twins.table)].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for (from, to) in self.names() {
            let from = Address::column(&self.twins.table, from);
            RenameMember { from, to: to.clone(), carries: BTreeMap::new() }.apply(schema)?;
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Self { hides: !self.hides, ..self.clone() }.into())
    }
}
