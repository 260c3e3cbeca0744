//! The kind that changes how tables stand to each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    name::Qualified,
    schema::{Body, Object, Schema},
};

/// Attaches a table to a parent, detaches it, or divides its rows among other tables than before. Constraints and indexes that merge
/// with the parent's, and tables that only hold a share of the rows, come and go with it; no row is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regroup {
    /// Which table.
    pub table: Qualified,
    /// The tables and indexes concerned as they are.
    pub from: BTreeMap<Address, Arc<Object>>,
    /// The tables and indexes concerned as they shall be.
    pub to: BTreeMap<Address, Arc<Object>>,
}

impl Effect for Regroup {
    const SLUG: &'static str = "regroup";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.from.keys().chain(self.to.keys()).cloned().collect()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for (at, object) in &self.from {
            match schema.objects.remove(at) {
                Some(found) if alike(&found, object) => {}
                Some(_) => return Err(Impossible::Differs(at.clone())),
                None => return Err(Impossible::Absent(at.clone())),
            }
        }
        for (at, object) in &self.to {
            if schema.objects.insert(at.clone(), object.clone()).is_some() {
                return Err(Impossible::Present(at.clone()));
            }
        }
        Ok(())
    }

    fn reverse(&self, before: &Schema) -> Option<Kind> {
        let was =
            |(at, object): (&Address, &Arc<Object>)| (at.clone(), before.objects.get(at).unwrap_or(object).clone());
        let to = self.from.iter().map(was).collect();
        Some(Self { table: self.table.clone(), from: self.to.clone(), to }.into())
    }
}

/// Whether two objects are the same; the order of columns counts only when a table is created.
fn alike(a: &Object, b: &Object) -> bool {
    let ordered = |object: &Object| {
        let mut object = object.clone();
        if let Body::Table(table) = &mut object.body {
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
        object
    };
    a == b || ordered(a) == ordered(b)
}
