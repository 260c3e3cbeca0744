//! The kind that only remembers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address, fingerprint::Fingerprint, name::Qualified, schema::Schema, snapshot::Remembered, sql::Sql,
};

/// Remembers that a transform that is made once has nothing to do in a table that the plan itself makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The table.
    pub table: Qualified,
    /// What the transform is called.
    pub once: String,
}

impl Mark {
    /// The two texts of the record that a transform was made; see [`Snapshot::remembers`](crate::Snapshot::remembers).
    #[must_use]
    pub fn record(once: &str) -> (Sql, Sql) {
        (Sql::new(format!("transform {once}")), Sql::new("made"))
    }

    /// What the database remembers once a transform of a table was made.
    #[must_use]
    pub fn of(table: &Qualified, once: &str) -> Remembered {
        let (said, catalog) = Self::record(once);
        let print = |sql: &Sql| Fingerprint::of_bytes(sql.as_str().as_bytes());
        Remembered { at: Address::table(table), said: print(&said), catalog: print(&catalog), keys: None }
    }
}

impl Effect for Mark {
    const SLUG: &'static str = "mark";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.address()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        schema.table(&self.table).map(|_| ()).ok_or_else(|| Impossible::Absent(self.address()))
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
