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
    /// Which rows get their values; the others stay as they are.
    #[serde(default, skip_serializing_if = "Selection::is_plain")]
    pub rows: Selection,
    /// Rows of the first batch, where the spec says; the engine's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_rows: Option<u32>,
}

/// Which rows of a table a transform concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// A condition that must be true of them; all rows without it. Its names are those of the transform's expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Sql>,
    /// The name of a transform that is made once, which the database remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// Whether it is about rows that clients have written since others got their values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Rows that keep what they have, each rule with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<Reject>,
    /// How many rows may be rejected.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_rejects: u64,
    /// The values of columns that the base does not have, as far as the conditions read them: expression by column, those first that
    /// others are made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<BTreeMap<Name, Sql>>,
}

/// A rule by which a transform leaves rows as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// A row of which it is true is rejected.
    pub when: Sql,
    /// Why, for people.
    pub reason: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Selection {
    /// Whether there is nothing to say of it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every row is concerned.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.only.is_none() && self.rejects.is_empty()
    }

    /// The condition that a row gets its values, in SQL that every engine has; `None` if each does.
    #[must_use]
    pub fn condition(&self) -> Option<String> {
        let only = self.only.iter().map(|only| format!("({only})"));
        let rest = self.rejects.iter().map(|rule| format!("({}) IS NOT TRUE", rule.when));
        let parts: Vec<_> = only.chain(rest).collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    /// The condition that a row is rejected; `None` if none ever is.
    #[must_use]
    pub fn rejected(&self) -> Option<String> {
        let any: Vec<_> = self.rejects.iter().map(|rule| format!("({}) IS TRUE", rule.when)).collect();
        let only = self.only.as_ref().map(|only| format!("({only}) AND ")).unwrap_or_default();
        (!any.is_empty()).then(|| format!("{only}({})", any.join(" OR ")))
    }

    /// The expression that tells why a row is rejected; `literal` writes a text as SQL.
    #[must_use]
    pub fn reason(&self, literal: impl Fn(&str) -> String) -> String {
        let arms: Vec<_> =
            self.rejects.iter().map(|rule| format!("WHEN {} THEN {}", rule.when, literal(&rule.reason))).collect();
        format!("CASE {} END", arms.join(" "))
    }

    /// The columns whose values are given.
    pub fn given_columns(&self) -> impl Iterator<Item = &Name> {
        self.given.iter().flat_map(BTreeMap::keys)
    }

    /// A FROM item with the given values beside the columns of another of the same alias; both names are SQL already.
    #[must_use]
    pub fn over(&self, item: String, alias: &str, quote: impl Fn(&Name) -> String) -> String {
        self.given.iter().fold(item, |item, layer| {
            let values: Vec<_> = layer.iter().map(|(column, sql)| format!("({sql}) AS {}", quote(column))).collect();
            format!("(SELECT {alias}.*, {} FROM {item}) AS {alias}", values.join(", "))
        })
    }
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
