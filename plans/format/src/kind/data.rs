//! Kinds that change rows and leave the schema as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::Schema,
    sql::Sql,
};

/// Gives columns of existing rows their values, in batches. Done when its query probe says so, never by a stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backfill {
    /// Of which table, by its name at that moment.
    pub table: Qualified,
    /// The name by which the expressions call the table: the goal's.
    pub alias: Name,
    /// Expression by column. A column name in an expression means the base's value.
    pub set: BTreeMap<Name, Sql>,
    /// Columns that bear another name now than in the base: base name to present name. Expressions may use base names; a base
    /// name hides a present column of the same name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Name, Name>,
    /// Whether some of the columns held values before, which undo must bring back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrites: bool,
    /// Rows of the first batch, where the spec says; the engine's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_rows: Option<u32>,
}

impl Effect for Backfill {
    const SLUG: &'static str = "backfill";

    fn address(&self) -> Address {
        match self.set.keys().next() {
            Some(column) if self.set.len() == 1 => Address::column(&self.table, column),
            _ => Address::table(&self.table),
        }
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = schema.table(&self.table).ok_or_else(|| Impossible::Absent(Address::table(&self.table)))?;
        match self.set.keys().find(|column| table.column(column).is_none()) {
            Some(column) => Err(Impossible::Absent(Address::column(&self.table, column))),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
