//! The kind that brings the rows of a filled table in line with what its sources give by now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Effect, Impossible, Kind, Populate, Rows};
use crate::{
    address::Address,
    name::{Name, Qualified},
    schema::Schema,
};

/// Removes the rows of a table that its sources give no more, and changes those that they give otherwise: what clients did to the
/// sources since the table was filled. Rows that are missing come with the [`Populate`]s after it. Done when the note of
/// [`Filling`] is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revise {
    /// The table that was filled.
    pub table: Qualified,
    /// All that fills it. Where two make a row of the same key, the earlier one here counts.
    pub sources: Vec<Populate>,
    /// The tables and views that are read, which nobody may write to meanwhile.
    pub reads: BTreeSet<Address>,
    /// The table's declared rows, which are no source's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Rows>,
    /// What refers to its rows and is filled again after it: such rows leave with the one that they refer to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<Referrer>,
}

/// Notes in the database, before a table is made, that its rows are those of its sources until they were looked at for the last time: once
/// they are the clients', a [`Revise`] does nothing, even in a run that is begun anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filling {
    /// The table that is made and filled.
    pub table: Qualified,
}

impl Effect for Filling {
    const SLUG: &'static str = "filling";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        [self.address()].into()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        match schema.table(&self.table) {
            Some(_) => Err(Impossible::Present(self.address())),
            None => Ok(()),
        }
    }

    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

/// A foreign key of a table that refers to a filled one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referrer {
    /// The table that refers.
    pub table: Qualified,
    /// Its columns.
    pub columns: Vec<Name>,
    /// The columns that they refer to.
    pub referenced: Vec<Name>,
    /// What refers to it in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<Referrer>,
}

/// How an engine is best asked whether a query gives a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// By `EXISTS`: the engine joins it.
    Exists,
    /// By `IN`: the engine keeps what the query gives.
    In,
}

/// Rows of a table that leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// The table.
    pub table: Qualified,
    /// The name by which the condition calls its row.
    pub alias: String,
    /// The condition, in SQL.
    pub when: String,
}

/// What the table's row is called in conditions.
const ROW: &str = "_mig_t";

impl Revise {
    /// What it is for, in a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        format!("follows what clients did to {} since {} was filled", self.sources_named(), self.table)
    }

    /// The note that it looks for.
    #[must_use]
    pub fn filling(&self) -> Filling {
        Filling { table: self.table.clone() }
    }

    /// What could go wrong, in a sentence.
    #[must_use]
    pub fn warning(&self) -> String {
        let (table, from) = (&self.table, self.sources_named());
        format!(
            "rows of {table} that {from} gives no more leave, whoever wrote them, and those that it gives otherwise change; what clients write to {from} from then on is not taken over"
        )
    }

    /// The tables whose rows those of the table are made from, for people.
    #[must_use]
    pub fn sources_named(&self) -> String {
        let names: BTreeSet<String> = self.sources.iter().map(|source| source.from.to_string()).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// The condition that no source gives a row of the key that the table's row `_mig_t` has. `made` is [`Populate::made`] of each
    /// source, `declared` the condition that the row is a declared one.
    #[must_use]
    pub fn given_no_more(
        &self,
        made: &[String],
        how: Membership,
        declared: Option<&str>,
        quote: impl Fn(&Name) -> String,
    ) -> String {
        let given = self.sources.iter().zip(made).map(|(source, made)| source.gives(made, how, ROW, &quote));
        let parts: Vec<_> = given.chain(declared.map(|d| format!("({d})"))).map(|part| format!("NOT {part}")).collect();
        parts.join("\n  AND ")
    }

    /// The condition that the row `_mig_t` is neither one of those declared nor one that an earlier source gives than the one with that
    /// index; nothing if that needs no asking.
    #[must_use]
    pub fn is_of(
        &self,
        nth: usize,
        made: &[String],
        how: Membership,
        declared: Option<&str>,
        quote: impl Fn(&Name) -> String,
    ) -> Option<String> {
        let earlier =
            self.sources.iter().zip(made).take(nth).map(|(source, made)| source.gives(made, how, ROW, &quote));
        let parts: Vec<_> =
            earlier.chain(declared.map(|d| format!("({d})"))).map(|part| format!("NOT {part}")).collect();
        (!parts.is_empty()).then(|| parts.join("\n  AND "))
    }

    /// The rows that leave, those first that refer to others; `gone` is [`Revise::given_no_more`].
    #[must_use]
    pub fn leaving(
        &self,
        gone: &str,
        path: impl Fn(&Qualified) -> String,
        quote: impl Fn(&Name) -> String,
    ) -> Vec<Leaving> {
        let own = Leaving { table: self.table.clone(), alias: ROW.to_owned(), when: gone.to_owned() };
        let mut found = vec![own.clone()];
        let mut next: Vec<(&Referrer, Leaving)> = self.referrers.iter().map(|r| (r, own.clone())).collect();
        while let Some((referrer, to)) = next.pop() {
            let alias = format!("_mig_r{}", found.len());
            let same = referrer.columns.iter().zip(&referrer.referenced);
            let same: Vec<_> =
                same.map(|(own, of)| format!("{alias}.{} = {}.{}", quote(own), to.alias, quote(of))).collect();
            let when = format!(
                "EXISTS (SELECT 1 FROM {} AS {} WHERE {}\n  AND {})",
                path(&to.table),
                to.alias,
                same.join(" AND "),
                to.when
            );
            let leaving = Leaving { table: referrer.table.clone(), alias, when };
            next.extend(referrer.referrers.iter().map(|r| (r, leaving.clone())));
            found.push(leaving);
        }
        found.reverse();
        found
    }
}

impl Populate {
    /// The condition that the rows of [`Populate::made`] have one with the key of a row of the table.
    #[must_use]
    pub fn gives(&self, made: &str, how: Membership, row: &str, quote: impl Fn(&Name) -> String) -> String {
        let own: Vec<_> = self.key.iter().map(|name| format!("{row}.{}", quote(name))).collect();
        let values = self.key_values("_mig_w");
        match how {
            Membership::Exists => {
                let same: Vec<_> = own.iter().zip(&values).map(|(own, value)| format!("{value} = {own}")).collect();
                format!("EXISTS (SELECT 1 FROM (\n{made}\n) AS _mig_w WHERE {})", same.join(" AND "))
            }
            Membership::In => {
                let own = if own.len() == 1 { own.concat() } else { format!("({})", own.join(", ")) };
                let there: Vec<_> = values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
                format!(
                    "({own} IN (SELECT {} FROM (\n{made}\n) AS _mig_w WHERE {}))",
                    values.join(", "),
                    there.join(" AND ")
                )
            }
        }
    }

    /// The columns that a row may be told to be another by, with the place of each among the values of [`Populate::made`]: all but the
    /// key and those that are `unsteady`.
    pub fn compared(&self, unsteady: impl Fn(&crate::sql::Sql) -> bool) -> Vec<(usize, &Name)> {
        let set = self.set.iter().enumerate();
        let set = set.filter(|(_, (column, sql))| !self.key.contains(column) && !unsteady(sql));
        set.map(|(i, (column, _))| (i, column)).collect()
    }

    /// The condition that a row of the table, called `_mig_t`, has the key of a row of [`Populate::made`], called `_mig_v`.
    #[must_use]
    pub fn same_key(&self, quote: impl Fn(&Name) -> String) -> String {
        let same = self.key.iter().zip(self.key_values("_mig_v"));
        same.map(|(name, value)| format!("{ROW}.{} = {value}", quote(name))).collect::<Vec<_>>().join(" AND ")
    }
}

impl Effect for Revise {
    const SLUG: &'static str = "revise";

    fn address(&self) -> Address {
        Address::table(&self.table)
    }

    fn touches(&self, _: &Schema) -> BTreeSet<Address> {
        self.sources.iter().map(|source| Address::table(&source.from)).chain([self.address()]).collect()
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        self.sources.iter().try_for_each(|source| source.apply(schema))
    }

    /// The rows leave with the table, which the plan makes.
    fn reverse(&self, _: &Schema) -> Option<Kind> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::OnConflict;

    fn source(from: &str) -> Populate {
        let name = |text: &str| Name::new(text).unwrap();
        Populate {
            table: Qualified::new(None, name("threads")),
            from: Qualified::new(None, name(from)),
            alias: name(from),
            join: None,
            set: [(name("id"), crate::Sql::new("id"))].into(),
            columns: [].into(),
            rows: crate::kind::Selection::default(),
            group_by: vec![],
            key: vec![name("id")],
            on_conflict: OnConflict::Error,
            refers: vec![],
            last: false,
            batch_rows: None,
        }
    }

    #[test]
    fn what_refers_leaves_before_what_it_refers_to() {
        let name = |text: &str| Name::new(text).unwrap();
        let refers = |table: &str, referrers: Vec<Referrer>| Referrer {
            table: Qualified::new(None, name(table)),
            columns: vec![name("of")],
            referenced: vec![name("id")],
            referrers,
        };
        let revise = Revise {
            table: Qualified::new(None, name("threads")),
            sources: vec![source("letters"), source("notes")],
            reads: [].into(),
            declared: None,
            referrers: vec![refers("entries", vec![refers("marks", vec![])]), refers("readers", vec![])],
        };
        let quote = |name: &Name| name.to_string();
        let made = ["l".to_owned(), "n".to_owned()];
        let gone = revise.given_no_more(&made, Membership::Exists, Some("id = 0"), quote);
        assert_eq!(gone.matches("NOT ").count(), 3, "{gone}");
        let leaving = revise.leaving(&gone, ToString::to_string, quote);
        let place = |table: &str| leaving.iter().position(|l| l.table.name.as_str() == table).unwrap();
        assert!(place("marks") < place("entries") && place("entries") < place("threads"));
        assert!(place("readers") < place("threads"));
        assert!(leaving[place("marks")].when.contains(".of = _mig_r"));
        assert!(revise.is_of(0, &made, Membership::In, None, quote).is_none());
        assert!(revise.is_of(1, &made, Membership::In, None, quote).is_some_and(|when| when.contains("\nl\n")));
    }
}
