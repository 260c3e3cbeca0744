//! The kind that keeps declared rows in step.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind};
use crate::{
    address::Address,
    fingerprint::Fingerprint,
    name::{Name, Qualified},
    schema::Schema,
    snapshot::{Remembered, RowKey},
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
    /// Keys of rows that were declared, are declared no more, and leave in a later step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<RowKey>,
    /// What the database remembers before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Declared>,
    /// Whether it is one transaction with the step before it, in which rows leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_over: bool,
}

/// What a database remembers of a table's declared rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// The fingerprint of the rows that stand.
    pub rows: Fingerprint,
    /// The keys of all rows that are there because they were declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<RowKey>,
}

/// What stands in a record in place of a text: the rows of a table as they were last declared.
const SLOT: &str = "declared rows";

impl Declared {
    /// That these rows stand, and others that were declared are still there.
    #[must_use]
    pub fn of(rows: &[BTreeMap<Name, Literal>], key: &[Name], leaving: &[RowKey]) -> Self {
        let keys = rows.iter().map(|row| key_of(row, key)).chain(leaving.iter().cloned());
        Self { rows: print(&Rows::record(rows).1), keys: keys.collect() }
    }

    /// That nothing is known to stand.
    #[must_use]
    pub fn nothing() -> Self {
        Self { rows: Fingerprint::of_bytes(b""), keys: Vec::new() }
    }

    /// What is remembered of a table, if it is of rows that keys are known of.
    #[must_use]
    pub fn recorded(record: &Remembered) -> Option<Self> {
        let keys = record.keys.clone().filter(|_| Self::is_of(record))?;
        Some(Self { rows: record.catalog.clone(), keys })
    }

    /// Whether a record is of a table's declared rows.
    #[must_use]
    pub fn is_of(record: &Remembered) -> bool {
        record.said == print(&Sql::new(SLOT))
    }

    /// The record in the database.
    #[must_use]
    pub fn record(&self, table: &Qualified) -> Remembered {
        let (said, keys) = (print(&Sql::new(SLOT)), Some(self.keys.clone()));
        Remembered { at: Address::table(table), said, catalog: self.rows.clone(), keys }
    }
}

/// The key of a row, as far as it has its columns.
#[must_use]
pub fn key_of(row: &BTreeMap<Name, Literal>, key: &[Name]) -> RowKey {
    row.iter().filter(|(column, _)| key.contains(column)).map(|(c, v)| (c.clone(), v.clone())).collect()
}

fn print(sql: &Sql) -> Fingerprint {
    Fingerprint::of_bytes(sql.as_str().as_bytes())
}

impl Rows {
    /// What the database remembers once the rows stand.
    #[must_use]
    pub fn mark(&self) -> Remembered {
        Declared::of(&self.rows, &self.key, &self.leaving).record(&self.table)
    }

    /// What it remembers once they are taken back.
    #[must_use]
    pub fn unmark(&self) -> Remembered {
        self.was.clone().unwrap_or_else(Declared::nothing).record(&self.table)
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
