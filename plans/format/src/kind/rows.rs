//! The kind that keeps declared rows in step.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    fingerprint::Fingerprint,
    name::{Name, Qualified},
    schema::Schema,
    snapshot::Remembered,
    sql::Sql,
    verify::Literal,
};

/// Makes declared rows stand in a table: those that are missing are inserted, those that differ in a declared column are changed.
/// Other rows and columns are left alone. Done when its query probe says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The table.
    pub table: Qualified,
    /// The columns that tell rows apart.
    pub key: Vec<Name>,
    /// The rows: each has the same columns.
    pub rows: Vec<BTreeMap<Name, Literal>>,
    /// Whether the plan makes the table, so that nothing is to be brought back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

/// What stands in a record in place of a text: the rows of a table as they were last declared.
const SLOT: &str = "declared rows";

impl Rows {
    /// What the database remembers once the rows stand.
    #[must_use]
    pub fn mark(&self) -> Remembered {
        let (said, catalog) = Self::record(&self.rows);
        let print = |sql: &Sql| Fingerprint::of_bytes(sql.as_str().as_bytes());
        Remembered { at: Address::table(&self.table), said: print(&said), catalog: print(&catalog) }
    }

    /// The two texts of the record that some rows stand; see [`Snapshot::remembers`](crate::Snapshot::remembers).
    #[must_use]
    pub fn record(rows: &[BTreeMap<Name, Literal>]) -> (Sql, Sql) {
        (Sql::new(SLOT), Sql::new(Fingerprint::of(&rows).as_str()))
    }

    /// The columns of the rows, in order.
    pub fn columns(&self) -> impl Iterator<Item = &Name> {
        self.rows.first().into_iter().flat_map(BTreeMap::keys)
    }

    /// The condition that a row is one of those declared, in its key only.
    #[must_use]
    pub fn is_declared(&self, same: impl Fn(&Name, &Literal) -> String) -> String {
        self.any(|column| self.key.contains(column), same)
    }

    /// The condition that a row is one of those declared, in every declared column.
    #[must_use]
    pub fn stands(&self, same: impl Fn(&Name, &Literal) -> String) -> String {
        self.any(|_| true, same)
    }

    fn any(&self, of: impl Fn(&Name) -> bool, same: impl Fn(&Name, &Literal) -> String) -> String {
        let row = |row: &BTreeMap<Name, Literal>| {
            let parts: Vec<_> = row.iter().filter(|(c, _)| of(c)).map(|(c, value)| same(c, value)).collect();
            format!("({})", parts.join(" AND "))
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("\n  OR ")
    }
}

impl Effect for Rows {
    const SLUG: &'static str = "rows";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.address()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = schema.table(&self.table).ok_or_else(|| Impossible::Absent(self.address()))?;
        match self.columns().find(|column| table.column(column).is_none()) {
            Some(column) => Err(Impossible::Absent(Address::column(&self.table, column))),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
