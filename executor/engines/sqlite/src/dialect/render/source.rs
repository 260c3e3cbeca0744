//! The rows that expressions of a transform are evaluated over, as a derived table.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{Address, Complaint, Name, Qualified, Sql, Statement, Table, kind::Selection, step::Rejects};

use crate::dialect::{
    names::{self, literal, quote, quote_text},
    normalize::complaint,
    shape, text,
};

/// A table's rows, under the names that its transform uses.
pub(crate) struct Source<'a> {
    /// The table, by its present name.
    pub(crate) at: &'a Qualified,
    /// The table as it is.
    pub(crate) table: &'a Table,
    /// The name that the expressions call it by.
    pub(crate) alias: &'a Name,
    /// Base name to present name, of columns that bear another now.
    pub(crate) columns: &'a BTreeMap<Name, Name>,
    /// Expression by column.
    pub(crate) set: BTreeMap<Name, Sql>,
    /// Whether the base has none of the set columns, though the table may by now: their names mean the values set here.
    pub(crate) fresh: bool,
    /// Which rows get the values set.
    pub(crate) rows: &'a Selection,
}

/// What identifies a row: the expressions that give it, over the table itself.
pub(crate) fn key(table: &Table) -> Option<Vec<String>> {
    if let Some(word) = shape::rowid_word(table) {
        return Some(vec![word.to_owned()]);
    }
    if let Some(alias) = shape::rowid_alias(table) {
        return Some(vec![quote(&alias.name)]);
    }
    let (_, _, key) = shape::primary_key(table).filter(|_| shape::is_without_rowid(table))?;
    Some(key.columns.iter().map(quote).collect())
}

/// The name under which a derived table gives a part of the key.
pub(crate) fn key_column(part: usize) -> String {
    format!("_mig_key{part}")
}

impl Source<'_> {
    /// The FROM item: base names, present names, the row's key, and the values set so far for columns that the base does not have.
    /// `range` limits the rows by the table's own key.
    pub(crate) fn from(&self, range: Option<&str>) -> Result<String, Complaint> {
        let mut shown: BTreeSet<String> = BTreeSet::new();
        let mut items = Vec::new();
        for (i, part) in key(self.table).unwrap_or_default().iter().enumerate() {
            items.push(format!("{part} AS {}", key_column(i)));
        }
        for (base, present) in self.columns {
            items.push(format!("{} AS {}", quote(present), quote(base)));
            shown.insert(base.as_str().to_ascii_lowercase());
        }
        let given = |name: &Name| self.rows.given_columns().any(|column| names::same(column, name));
        let base = |name: &Name| !(given(name) || self.fresh && self.set.contains_key(name));
        for column in self.table.columns.iter().filter(|c| base(&c.name)) {
            if shown.insert(column.name.as_str().to_ascii_lowercase()) {
                items.push(quote(&column.name));
            }
        }
        let range = range.map_or_else(String::new, |range| format!(" WHERE {range}"));
        let alias = quote(self.alias);
        let from = format!("(SELECT {} FROM {}{range}) AS {alias}", items.join(", "), quote(&self.at.name));
        let mut from = self.rows.over(from, &alias, quote);
        shown.extend(self.rows.given_columns().map(|name| name.as_str().to_ascii_lowercase()));
        for layer in self.layers(&shown)? {
            let values = layer.iter().map(|name| format!("({}) AS {}", self.set[name], quote(name)));
            let values = values.collect::<Vec<_>>().join(", ");
            from = format!("(SELECT {alias}.*, {values} FROM {from}) AS {alias}");
        }
        Ok(from)
    }

    /// The new columns that other expressions read, in an order in which each finds those it reads.
    fn layers(&self, shown: &BTreeSet<String>) -> Result<Vec<Vec<Name>>, Complaint> {
        let is_new = |name: &Name| !shown.contains(&name.as_str().to_ascii_lowercase());
        let reads = |reader: &Name| -> Vec<&Name> {
            let mentioned = text::mentions(&self.set[reader]);
            let set = self.set.keys().filter(|name| is_new(name) && mentioned.iter().any(|m| names::same(m, name)));
            set.filter(|name| *name != reader).collect()
        };
        let mut wanted: BTreeSet<&Name> = BTreeSet::new();
        let mut todo: Vec<&Name> = self.set.keys().flat_map(reads).collect();
        while let Some(name) = todo.pop() {
            if wanted.insert(name) {
                todo.extend(reads(name));
            }
        }
        let mut done: BTreeSet<&Name> = BTreeSet::new();
        let mut layers = Vec::new();
        while done.len() < wanted.len() {
            let ready: Vec<&Name> = wanted
                .iter()
                .copied()
                .filter(|name| !done.contains(name) && reads(name).iter().all(|read| done.contains(read)))
                .collect();
            if ready.is_empty() {
                let says = "the values that its transform sets are made from each other, in a circle";
                return Err(complaint(&Address::table(self.at), says, None));
            }
            done.extend(&ready);
            layers.push(ready.into_iter().cloned().collect());
        }
        Ok(layers)
    }

    /// The expression of a set column over [`Source::from`], for rows that get it.
    pub(crate) fn value(&self, column: &Name) -> Option<String> {
        self.set.get(column).map(|sql| format!("({sql})"))
    }

    /// The value that a set column has over [`Source::from`]: rows that do not get it keep theirs, or have none.
    pub(crate) fn value_or_own(&self, column: &Name) -> Option<String> {
        let value = self.value(column)?;
        let Some(condition) = self.rows.condition() else { return Some(value) };
        let own = self.table.column(column).map_or_else(|| "NULL".to_owned(), |_| self.column(column));
        Some(format!("CASE WHEN {condition} THEN {value} ELSE {own} END"))
    }

    /// The rows that keep what they have, by the rules. `join` is what the rules read beside them, `done` one more condition.
    pub(crate) fn rejects(&self, join: Option<&Sql>, done: &str) -> Result<Option<Rejects>, Complaint> {
        let Some(rejected) = self.rows.rejected() else { return Ok(None) };
        let keys: Vec<_> = match shape::primary_key(self.table) {
            Some((_, _, own)) => own.columns.iter().map(|c| json_part(c.as_str(), &self.column(c))).collect(),
            None => vec![json_part("rowid", &self.key_columns().concat())],
        };
        let hidden = |name: &Name| {
            (self.fresh && self.set.contains_key(name)) || self.rows.given_columns().any(|g| names::same(g, name))
        };
        let own = self.table.columns.iter().filter(|column| !hidden(&column.name));
        let own: Vec<_> = own.map(|c| json_part(c.name.as_str(), &self.column(&c.name))).collect();
        let sql = format!(
            "SELECT json_object({}), {}, json_object({})\nFROM {}{}\nWHERE {rejected}{done}",
            keys.join(", "),
            self.rows.reason(literal),
            own.join(", "),
            self.from(None)?,
            join.map_or_else(String::new, |join| format!("\n  {join}"))
        );
        Ok(Some(Rejects { sql: Statement::new(sql), max: self.rows.max_rejects }))
    }

    /// The key over [`Source::from`].
    pub(crate) fn key_columns(&self) -> Vec<String> {
        let parts = key(self.table).unwrap_or_default().len();
        (0..parts).map(|i| format!("{}.{}", quote(self.alias), key_column(i))).collect()
    }

    /// A column of the table over [`Source::from`], by its present name.
    pub(crate) fn column(&self, present: &Name) -> String {
        let base = self.columns.iter().find(|(_, p)| *p == present).map_or(present, |(base, _)| base);
        format!("{}.{}", quote(self.alias), quote_text(base.as_str()))
    }
}

/// A part of a JSON object, which can hold no blob.
fn json_part(name: &str, value: &str) -> String {
    format!("{}, CASE typeof({value}) WHEN 'blob' THEN hex({value}) ELSE {value} END", literal(name))
}
