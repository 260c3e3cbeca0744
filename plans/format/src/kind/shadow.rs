//! Kinds that give a table its new form beside running clients: another table of that form is kept equal by triggers, filled, and
//! takes its place by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, Rename, rename::changed};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::{Object, Schema},
};

/// A table and the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// The table that clients use.
    pub table: Qualified,
    /// The one that takes its place, until it does.
    pub beside: Qualified,
    /// Where the one that clients used before is from then on.
    pub aside: Qualified,
    /// The columns that tell rows apart, in both.
    pub key: Vec<Name>,
    /// The columns that both have values of their own in.
    pub columns: Vec<Name>,
}

impl Shadow {
    fn holds(&self, schema: &Schema, at: &Qualified) -> Result<(), Impossible> {
        let table = schema.table(at).ok_or_else(|| Impossible::Absent(Address::table(at)))?;
        match self.columns.iter().chain(&self.key).find(|name| table.column(name).is_none()) {
            Some(name) => Err(Impossible::Absent(Address::column(at, name))),
            None => Ok(()),
        }
    }
}

/// Copies the rows into the table beside, in batches. Done when its query probe says so, never by a stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyRows {
    /// From where to where.
    pub shadow: Shadow,
}

impl Effect for CopyRows {
    const SLUG: &'static str = "copy-rows";

    fn address(&self) -> Address {
        Address::table(&self.shadow.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.shadow.table), Address::table(&self.shadow.beside)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.shadow.holds(schema, &self.shadow.table)?;
        self.shadow.holds(schema, &self.shadow.beside)
    }

    /// The copy leaves with its table.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

/// Exchanges the names of a table and the one beside it. Indexes, triggers and foreign keys follow the table that they are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The tables, as they are called before.
    pub shadow: Shadow,
    /// What the texts of the triggers become, by where they are after it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carries: BTreeMap<Address, Arc<Object>>,
}

impl Swap {
    /// Where something of these tables stood before.
    fn address_before(&self, at: &Address) -> Address {
        let of = |table: &Qualified| Address::member(at.kind(), table, at.name().clone());
        match at.relation() {
            Some(relation) if relation == self.shadow.aside => of(&self.shadow.table),
            Some(relation) if relation == self.shadow.table => of(&self.shadow.beside),
            _ => at.clone(),
        }
    }
}

impl Effect for Swap {
    const SLUG: &'static str = "swap";

    fn address(&self) -> Address {
        Address::table(&self.shadow.table)
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let Shadow { table, beside, aside, .. } = &self.shadow;
        let mut after = before.clone();
        let mut touched = match self.apply(&mut after) {
            Ok(()) => changed(before, &after),
            Err(_) => BTreeSet::new(),
        };
        // Also what another of the same form takes the place of.
        for of in [table, beside, aside] {
            let own = |at: &&Address| at.relation().as_ref() == Some(of) || at.is_index_under(of);
            touched.insert(Address::table(of));
            touched.extend(before.objects.keys().chain(after.objects.keys()).filter(own).cloned());
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let Shadow { table, beside, aside, .. } = &self.shadow;
        for (from, to) in [(table, aside), (beside, table)] {
            let (from, to) = (Address::table(from), Address::table(to));
            Rename::new(from, to).apply(schema)?;
        }
        super::rename::carry(schema, &self.carries)
    }

    fn reverse(&self, before: &Schema) -> Option<Kind> {
        let carries = self.carries.keys().map(|at| self.address_before(at));
        let carries = carries.filter_map(|at| before.objects.get(&at).map(|o| (at.clone(), o.clone()))).collect();
        let (beside, aside) = (self.shadow.aside.clone(), self.shadow.beside.clone());
        Some(Self { shadow: Shadow { beside, aside, ..self.shadow.clone() }, carries }.into())
    }
}

/// From here on the table that clients used before the exchange is no longer kept equal. Nothing happens at this step; taken back, the
/// rows that were written since are brought over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The tables, as they are called before the exchange.
    pub shadow: Shadow,
}

impl Effect for Finish {
    const SLUG: &'static str = "finish";

    fn address(&self) -> Address {
        Address::table(&self.shadow.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.shadow.table), Address::table(&self.shadow.aside)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.shadow.holds(schema, &self.shadow.table)?;
        self.shadow.holds(schema, &self.shadow.aside)
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
