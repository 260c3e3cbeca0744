//! The kind that removes rows which were declared and are declared no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, rows::Declared};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::Schema,
    snapshot::RowKey,
    verify::Literal,
};

/// How many keys a sentence names.
const NAMED: usize = 8;

/// Removes rows of a table that were declared and are declared no more, if no other row refers to them; they are kept whole. Rows that
/// were never declared are left alone. Done when its query probe says so. Without rows it only remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The table.
    pub table: Qualified,
    /// The rows, each by its key: all have the same columns.
    pub rows: Vec<RowKey>,
    /// Keys that are declared now and were not before: the engine may take one of them for that of a row which leaves, and then the row
    /// stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arriving: Vec<RowKey>,
    /// The foreign keys by which other rows may refer to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<RefersToRows>,
    /// Foreign keys and tables that go before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waits_for: BTreeSet<Address>,
    /// Whether they leave before other rows come, which may take unique values of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// What the database remembered before.
    pub before: Declared,
    /// What it remembers once they are gone.
    pub after: Declared,
}

/// A foreign key by which rows may refer to those that leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefersToRows {
    /// The table that refers.
    pub table: Qualified,
    /// Its columns.
    pub columns: Vec<Name>,
    /// The columns that they refer to.
    pub referenced: Vec<Name>,
    /// Rows of that table which leave as well, by their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<RowKey>,
}

impl Withdraw {
    /// The columns by which the rows are found.
    pub fn key(&self) -> impl Iterator<Item = &Name> {
        self.rows.first().into_iter().flat_map(BTreeMap::keys)
    }

    /// The condition that a row is one of those that leave; `same` compares a column with a value.
    #[must_use]
    pub fn is_leaving(&self, same: impl Fn(&Name, &Literal) -> String) -> String {
        let leaving = any(&self.rows, &same);
        if self.arriving.is_empty() {
            leaving
        } else {
            format!("({leaving})\n  AND NOT ({})", any(&self.arriving, &same))
        }
    }

    /// The rows that leave, for people: a few of their keys.
    #[must_use]
    pub fn named(&self) -> String {
        let key = |row: &RowKey| row.values().map(ToString::to_string).collect::<Vec<_>>().join("/");
        let mut keys: Vec<_> = self.rows.iter().take(NAMED).map(key).collect();
        if let Some(more) = self.rows.len().checked_sub(NAMED).filter(|more| *more > 0) {
            keys.push(format!("and {more} more"));
        }
        keys.join(", ")
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        if self.rows.is_empty() {
            format!("forgets the rows that another table called {} had", self.table)
        } else {
            format!("removes rows of {} that are declared no more", self.table)
        }
    }

    /// What could go wrong, in a sentence.
    #[must_use]
    pub fn warning(&self) -> String {
        let says = match self.rows.len() {
            1 => format!("1 row of {} that is declared no more goes", self.table),
            many => format!("{many} rows of {} that are declared no more go", self.table),
        };
        format!("{says}: {}; what goes is kept until `mig gc`", self.named())
    }
}

impl RefersToRows {
    /// The condition that the row called `row` refers to the one called `to`.
    #[must_use]
    pub fn same(&self, row: &str, to: &str, quote: impl Fn(&Name) -> String) -> String {
        let pairs = self.columns.iter().zip(&self.referenced);
        let parts: Vec<_> = pairs.map(|(own, of)| format!("{row}.{} = {to}.{}", quote(own), quote(of))).collect();
        parts.join(" AND ")
    }

    /// What must hold before the rows leave, in a sentence.
    #[must_use]
    pub fn says(&self, to: &Qualified) -> String {
        let columns: Vec<_> = self.columns.iter().map(ToString::to_string).collect();
        format!("no {} of {} refers to a row of {to} that leaves", columns.join(", "), self.table)
    }

    /// What a person can do if it does not.
    #[must_use]
    pub fn help(&self, to: &Qualified) -> Vec<String> {
        vec![
            format!("let those rows of {} refer to others, or delete them", self.table),
            format!("or declare the rows of {to} again"),
            format!("or leave them be: `removed = [\"rows {to}\"]` says that they are managed no longer"),
        ]
    }

    /// The condition that the referring row leaves as well, if some do.
    #[must_use]
    pub fn leaves(&self, same: impl Fn(&Name, &Literal) -> String) -> Option<String> {
        (!self.leaving.is_empty()).then(|| any(&self.leaving, &same))
    }
}

/// The condition that a row has one of some keys.
fn any(keys: &[RowKey], same: &impl Fn(&Name, &Literal) -> String) -> String {
    let one = |key: &RowKey| {
        let parts: Vec<_> = key.iter().map(|(column, value)| same(column, value)).collect();
        if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" AND ")) }
    };
    keys.iter().map(one).collect::<Vec<_>>().join("\n  OR ")
}

impl Effect for Withdraw {
    const SLUG: &'static str = "withdraw";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.address()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let table = schema.table(&self.table).ok_or_else(|| Impossible::Absent(self.address()))?;
        match self.key().find(|column| table.column(column).is_none()) {
            Some(column) => Err(Impossible::Absent(Address::column(&self.table, column))),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_rows_are_named() {
        let row = |n: usize| RowKey::from([(Name::new("id").unwrap(), Literal::Number(n.to_string()))]);
        let nothing = Declared::nothing();
        let withdraw = |many: usize| Withdraw {
            table: Qualified::new(None, Name::new("t").unwrap()),
            rows: (0..many).map(row).collect(),
            arriving: vec![row(77)],
            referrers: vec![],
            waits_for: [].into(),
            first: false,
            before: nothing.clone(),
            after: nothing.clone(),
        };
        assert_eq!(withdraw(8).named(), "0, 1, 2, 3, 4, 5, 6, 7");
        assert_eq!(withdraw(10).named(), "0, 1, 2, 3, 4, 5, 6, 7, and 2 more");
        let when = withdraw(2).is_leaving(|name, value| format!("{name}={value}"));
        assert_eq!(when, "(id=0\n  OR id=1)\n  AND NOT (id=77)");
    }
}
