//! The kind that fills a table from the rows of another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Backfill, Effect, Impossible, Kind, Selection};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::Schema,
    sql::Sql,
};

/// Inserts rows that are made from those of another table. Done when its query probe says so: every source row has its counterpart by
/// key, so that doing it again adds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Populate {
    /// The table that gets rows.
    pub table: Qualified,
    /// The table whose rows they are made from, by its name at that moment.
    pub from: Qualified,
    /// The name by which the expressions call the source.
    pub alias: Name,
    /// Tables that the expressions read beside it, as SQL writes them after the source: `left join ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Sql>,
    /// Expression by column of the table.
    pub set: BTreeMap<Name, Sql>,
    /// Columns of the source that bear another name now than in the base: base name to present name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Name, Name>,
    /// Which rows of the source are concerned.
    #[serde(default, skip_serializing_if = "Selection::is_plain")]
    pub rows: Selection,
    /// What source rows must have in common to make one row together; each makes its own without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<Sql>,
    /// The columns that tell the rows apart; all are set.
    pub key: Vec<Name>,
    /// What happens where several source rows make a row of the same key.
    pub on_conflict: OnConflict,
    /// What its rows refer to in other tables that are filled: a row that refers to one that is not there yet waits for the last look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refers: Vec<Reference>,
    /// Whether it is the last look at the source: what came to it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// Rows of the first batch, where the spec says; the engine's default otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_rows: Option<u32>,
}

/// A foreign key to another table that is filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its columns.
    pub columns: Vec<Name>,
    /// The other table.
    pub table: Qualified,
    /// The columns that they refer to.
    pub referenced: Vec<Name>,
}

/// What happens where several source rows make a row of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// It must not be.
    Error,
    /// The first one counts, by the order of the source's key.
    Skip,
    /// The last one counts.
    Update,
}

impl OnConflict {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Error, Self::Skip, Self::Update];

    /// The word that specs use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Skip => "skip",
            Self::Update => "update",
        }
    }
}

impl Populate {
    /// What it is for, in a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        if self.last {
            format!("takes over what came to {} since", self.from)
        } else {
            format!("fills {} from {}", self.table, self.from)
        }
    }

    /// A pass over the source, as far as a backfill of it has the same rows and batches.
    #[must_use]
    pub fn pass(&self) -> Backfill {
        Backfill {
            table: self.from.clone(),
            alias: self.alias.clone(),
            set: BTreeMap::new(),
            columns: self.columns.clone(),
            overwrites: false,
            rows: self.rows.clone(),
            batch_rows: self.batch_rows,
        }
    }

    /// The rows to insert: their values as `_mig_c0 ..`, in the order of [`Populate::set`]. `item` is the source as a FROM item, `order` the
    /// source's key in it, `cast` writes an expression as a value of a column.
    #[must_use]
    pub fn made(&self, item: &str, order: &[String], cast: impl Fn(&Name, &Sql) -> String) -> String {
        let values: Vec<_> = self
            .set
            .iter()
            .enumerate()
            .map(|(i, (column, sql))| format!("{} AS _mig_c{i}", cast(column, sql)))
            .collect();
        let join = self.join.as_ref().map(|join| format!("\n  {join}")).unwrap_or_default();
        let only = self.rows.condition().map(|condition| format!("\nWHERE {condition}")).unwrap_or_default();
        if !self.group_by.is_empty() {
            let groups: Vec<_> = self.group_by.iter().map(Sql::as_str).collect();
            return format!("SELECT {}\nFROM {item}{join}{only}\nGROUP BY {}", values.join(", "), groups.join(", "));
        }
        let keys: Vec<_> = order.iter().enumerate().map(|(i, key)| format!("{key} AS _mig_o{i}")).collect();
        let keys = if keys.is_empty() { String::new() } else { format!(", {}", keys.join(", ")) };
        let all = format!("SELECT {}{keys}\nFROM {item}{join}{only}", values.join(", "));
        if self.on_conflict == OnConflict::Error {
            return all;
        }
        let down = if self.on_conflict == OnConflict::Update { " DESC" } else { "" };
        let by: Vec<_> = (0..order.len()).map(|i| format!("_mig_o{i}{down}")).collect();
        format!(
            "SELECT * FROM (\n  SELECT _mig_a.*, row_number() OVER (PARTITION BY {} ORDER BY {}) AS _mig_n\n  FROM (\n{all}\n  ) AS _mig_a\n) AS _mig_b\nWHERE _mig_n = 1",
            self.key_values("_mig_a").join(", "),
            by.join(", ")
        )
    }

    /// The key of a row of [`Populate::made`].
    #[must_use]
    pub fn key_values(&self, alias: &str) -> Vec<String> {
        let place = |name: &Name| self.set.keys().position(|column| column == name).unwrap_or(0);
        self.key.iter().map(|name| format!("{alias}._mig_c{}", place(name))).collect()
    }

    /// The condition that a row of [`Populate::made`], called `_mig_v`, is not in the table yet; `table` is SQL.
    #[must_use]
    pub fn is_missing(&self, table: &str, quote: impl Fn(&Name) -> String) -> String {
        let same = self.key.iter().zip(self.key_values("_mig_v"));
        let same: Vec<_> = same.map(|(name, value)| format!("_mig_t.{} = {value}", quote(name))).collect();
        format!("NOT EXISTS (SELECT 1 FROM {table} AS _mig_t WHERE {})", same.join(" AND "))
    }

    /// The query that inserts the rows of [`Populate::made`] that are not there. Where the last one counts and the table's rows are not
    /// yet anybody's, `upsert` is what the engine says to write it over an earlier one. `path` writes the name of a table.
    #[must_use]
    pub fn insert(
        &self,
        made: &str,
        upsert: Option<&str>,
        path: impl Fn(&Qualified) -> String,
        quote: impl Fn(&Name) -> String,
    ) -> String {
        let table = path(&self.table);
        let columns: Vec<_> = self.set.keys().map(&quote).collect();
        let values: Vec<_> = (0..self.set.len()).map(|i| format!("_mig_v._mig_c{i}")).collect();
        let (missing, upsert) = match upsert.filter(|_| self.on_conflict == OnConflict::Update && !self.last) {
            // An `ON` after a bare FROM could be a join's.
            Some(upsert) => ("1 = 1".to_owned(), format!("\n{upsert}")),
            None => (self.is_missing(&table, &quote), String::new()),
        };
        let there = self.refers_to_what_is_there(path, quote);
        format!(
            "INSERT INTO {table} ({})\nSELECT {}\nFROM (\n{made}\n) AS _mig_v\nWHERE {missing}{there}{upsert}",
            columns.join(", "),
            values.join(", ")
        )
    }

    /// The condition, as one more after others, that what a row of [`Populate::made`], called `_mig_v`, refers to is there; nothing at the
    /// last look, when all of it is.
    fn refers_to_what_is_there(&self, path: impl Fn(&Qualified) -> String, quote: impl Fn(&Name) -> String) -> String {
        let value = |name: &Name| Some(format!("_mig_v._mig_c{}", self.set.keys().position(|column| column == name)?));
        let there = |refers: &Reference| {
            let values = refers.columns.iter().map(value).collect::<Option<Vec<_>>>()?;
            let none: Vec<_> = values.iter().map(|value| format!("{value} IS NULL")).collect();
            let same = refers.referenced.iter().zip(&values);
            let same: Vec<_> = same.map(|(name, value)| format!("_mig_p.{} = {value}", quote(name))).collect();
            let (to, none, same) = (path(&refers.table), none.join(" OR "), same.join(" AND "));
            Some(format!("\n  AND ({none} OR EXISTS (SELECT 1 FROM {to} AS _mig_p WHERE {same}))"))
        };
        self.refers.iter().filter(|_| !self.last).filter_map(there).collect()
    }

    /// The query that counts the rows that are still to be inserted. The last look counts keys that several source rows make, too, where
    /// that must not be.
    #[must_use]
    pub fn remaining(&self, table: &str, made: &str, quote: impl Fn(&Name) -> String) -> String {
        let missing = format!("SELECT count(*) FROM (\n{made}\n) AS _mig_v\nWHERE {}", self.is_missing(table, quote));
        if !self.last || self.on_conflict != OnConflict::Error {
            return missing;
        }
        format!("SELECT ({missing}) + (SELECT count(*) FROM (\n{}\n) AS _mig_d)", self.alike(made))
    }

    /// The query for keys that several source rows make.
    #[must_use]
    pub fn alike(&self, made: &str) -> String {
        let key = self.key_values("_mig_w").join(", ");
        format!("SELECT {key}, count(*) AS _mig_n FROM (\n{made}\n) AS _mig_w\nGROUP BY {key} HAVING count(*) > 1")
    }
}

impl Effect for Populate {
    const SLUG: &'static str = "populate";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [Address::table(&self.table), Address::table(&self.from)].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        for at in [&self.table, &self.from] {
            schema.table(at).ok_or_else(|| Impossible::Absent(Address::table(at)))?;
        }
        let table = schema.table(&self.table).ok_or_else(|| Impossible::Absent(self.address()))?;
        match self.set.keys().find(|column| table.column(column).is_none()) {
            Some(column) => Err(Impossible::Absent(Address::column(&self.table, column))),
            None => Ok(()),
        }
    }

    /// The rows leave with the table, which the plan makes.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}
