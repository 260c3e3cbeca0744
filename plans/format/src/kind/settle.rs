//! Kinds that end the move of columns whose new values cannot be told back into the old ones: the old columns leave, their values are
//! kept, and the hidden columns take their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{AddColumn, DropColumn, Effect, Impossible, Kept, Kind, RenameMember, Twins, rename::changed};
use crate::{
    address::Address,
    name::Name,
    schema::{Object, Schema},
};

/// Drops the old columns and the triggers, and gives the hidden columns their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settle {
    /// The columns, as they are before.
    pub twins: Twins,
    /// What is kept of the old ones, in the same order.
    pub kept: Kept,
}

impl Effect for Settle {
    const SLUG: &'static str = "settle";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        touched(self, before)
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        if self.kept.is_copied() {
            take(schema, self.kept.at(), &self.kept.object)?;
        }
        take(schema, self.twins.at(), &self.twins.object)?;
        for (pair, column) in self.twins.pairs.iter().zip(&self.kept.columns) {
            DropColumn { table: self.twins.table.clone(), column: column.clone() }.apply(schema)?;
            rename(&self.twins, &pair.hidden.name, &pair.column, schema)?;
        }
        Ok(())
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Unsettle { twins: self.twins.clone(), kept: self.kept.clone() }.into())
    }
}

/// Hides the columns again, brings the old ones back from what was kept, and the triggers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsettle {
    /// The columns, as they are after it.
    pub twins: Twins,
    /// What is kept of the old ones.
    pub kept: Kept,
}

impl Effect for Unsettle {
    const SLUG: &'static str = "unsettle";

    fn address(&self) -> Address {
        self.kept.about()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        touched(self, before)
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for (pair, column) in self.twins.pairs.iter().zip(&self.kept.columns) {
            rename(&self.twins, &pair.column, &pair.hidden.name, schema)?;
            AddColumn { table: self.twins.table.clone(), column: column.clone() }.apply(schema)?;
        }
        put(schema, self.twins.at(), &self.twins.object)?;
        if self.kept.is_copied() { put(schema, self.kept.at(), &self.kept.object) } else { Ok(()) }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        Some(Settle { twins: self.twins.clone(), kept: self.kept.clone() }.into())
    }
}

fn touched(kind: &impl Effect, before: &Schema) -> BTreeSet<Address> {
    let mut after = before.clone();
    let mut touched: BTreeSet<_> = [kind.address().holder()].into();
    if kind.apply(&mut after).is_ok() {
        touched.extend(changed(before, &after));
    }
    touched
}

fn rename(twins: &Twins, from: &Name, to: &Name, schema: &mut Schema) -> Result<(), Impossible> {
    let from = Address::column(&twins.table, from);
    RenameMember { from, to: to.clone(), carries: BTreeMap::new() }.apply(schema)
}

fn take(schema: &mut Schema, at: Address, object: &Arc<Object>) -> Result<(), Impossible> {
    match schema.objects.remove(&at) {
        Some(found) if found == *object => Ok(()),
        Some(_) => Err(Impossible::Differs(at)),
        None => Err(Impossible::Absent(at)),
    }
}

fn put(schema: &mut Schema, at: Address, object: &Arc<Object>) -> Result<(), Impossible> {
    match schema.objects.insert(at.clone(), object.clone()) {
        None => Ok(()),
        Some(_) => Err(Impossible::Present(at)),
    }
}
