//! The kind that makes a table anew, for engines that cannot alter it in place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, Selection};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::{Body, Schema},
    sql::Sql,
    table::Table,
};

/// Makes a table anew under the same name, with its rows: all changes of the table in one step. Indexes and triggers of the
/// table are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebuild {
    /// Which table.
    pub table: Qualified,
    /// The table as it is.
    pub from: Table,
    /// The table as it shall be.
    pub to: Table,
    /// Where each written column of the new table gets its value from.
    pub copy: Vec<CopyColumn>,
    /// Columns that bear another name now than in the base: base name to present name; see [`Backfill`](super::Backfill).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Name, Name>,
    /// Which rows get the declared values; the others keep theirs, or have none.
    #[serde(default, skip_serializing_if = "Selection::is_plain")]
    pub rows: Selection,
}

/// Where a column of a rebuilt table gets its value from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyColumn {
    /// The column of the new table.
    pub to: Name,
    /// The spec's expression over the old row; `None` copies the column of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Sql>,
}

impl Effect for Rebuild {
    const SLUG: &'static str = "rebuild";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut touched: BTreeSet<_> = before.indexes_of(&self.table).map(|(at, _)| at.clone()).collect();
        touched.insert(self.address());
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.objects.get_mut(&self.address()).map(|o| &mut Arc::make_mut(o).body) {
            Some(Body::Table(table)) if table.alike(&self.from) => {
                *table = self.to.clone();
                Ok(())
            }
            Some(_) => Err(Impossible::Differs(self.address())),
            None => Err(Impossible::Absent(self.address())),
        }
    }

    /// The columns that both have are copied back; the engine brings dropped ones back from what was kept.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        let copy = self
            .from
            .columns
            .iter()
            .filter(|c| self.to.column(&c.name).is_some())
            .map(|c| CopyColumn { to: c.name.clone(), declared: None })
            .collect();
        let (from, to) = (self.to.clone(), self.from.clone());
        Some(
            Self { table: self.table.clone(), from, to, copy, columns: BTreeMap::new(), rows: Selection::default() }
                .into(),
        )
    }
}
