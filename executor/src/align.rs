//! Reads live objects in the words of the plan: a text that the catalog spells differently but that is known to mean the same is put
//! into the plan's spelling, and columns into the plan's order. What differs after that differs.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, ColumnValue, Dialect, Fingerprint, Object, Remembered, Rule, Sameness, Sql, Table, schema::IndexedBy,
};

/// The records of how texts were said.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeSet<Remembered>);

impl Memory {
    /// From the database's records.
    #[must_use]
    pub fn new(records: Vec<Remembered>) -> Self {
        Self(records.into_iter().collect())
    }

    /// These records and some more.
    #[must_use]
    pub fn with(&self, more: &[Remembered]) -> Self {
        Self(self.0.iter().chain(more).cloned().collect())
    }

    /// Adds records.
    pub fn extend(&mut self, records: Vec<Remembered>) {
        self.0.extend(records);
    }

    fn knows(&self, at: &Address, said: &Sql, catalog: &Sql) -> bool {
        self.0.contains(&record(at, said, catalog))
    }
}

/// A record that `said` became `catalog` in an object.
fn record(at: &Address, said: &Sql, catalog: &Sql) -> Remembered {
    let print = |sql: &Sql| Fingerprint::of_bytes(sql.0.as_bytes());
    Remembered { at: at.clone(), said: print(said), catalog: print(catalog), keys: None }
}

/// What is known about spelling: the dialect's normal forms, and the records.
#[derive(Clone, Copy)]
pub struct Spelling<'a> {
    /// Knows normal forms.
    pub dialect: &'a dyn Dialect,
    /// Knows what was said.
    pub memory: &'a Memory,
}

impl Spelling<'_> {
    /// A live object in the words of the expected one, as far as they are known to mean the same.
    #[must_use]
    pub fn align(&self, at: &Address, live: &Object, expected: &Object) -> Object {
        reword(live, expected, |_, said, catalog| self.same(at, live, said, catalog) == Sameness::Same)
    }

    /// Whether what is live is what is expected.
    #[must_use]
    pub fn equal(&self, at: &Address, live: Option<&Object>, expected: Option<&Object>) -> bool {
        match (live, expected) {
            (None, None) => true,
            (Some(live), Some(expected)) => live == expected || self.align(at, live, expected) == *expected,
            _ => false,
        }
    }

    /// Compares an object that a statement of the plan has just made or changed. Its texts are what became of the plan's, so another
    /// spelling is adopted: gives the records to keep; `None` if more than spelling differs.
    ///
    /// `before` is the live object before the statement. A text that is plainly another and did not change did not come from the plan.
    #[must_use]
    pub fn adopt(
        &self,
        at: &Address,
        before: Option<&Object>,
        live: Option<&Object>,
        expected: Option<&Object>,
    ) -> Option<Vec<Remembered>> {
        let (live, expected) = match (live, expected) {
            (None, None) => return Some(Vec::new()),
            (Some(live), Some(expected)) => (live, expected),
            _ => return None,
        };
        let was: BTreeMap<String, Sql> = before.map(placed_texts).unwrap_or_default();
        let mut records = Vec::new();
        let aligned = reword(live, expected, |place, said, catalog| match self.same(at, live, said, catalog) {
            Sameness::Same => true,
            Sameness::Different if was.get(place) == Some(catalog) => false,
            Sameness::Different | Sameness::Unknown => {
                records.push(record(at, said, catalog));
                true
            }
        });
        (aligned == *expected).then_some(records)
    }

    /// The texts in which a live object is spelt otherwise than expected and nothing tells that both mean the same: what is expected, and
    /// what is there. `None` if more than texts differs.
    #[must_use]
    pub fn doubts(&self, at: &Address, live: &Object, expected: &Object) -> Option<Vec<(Sql, Sql)>> {
        let mut doubts = Vec::new();
        let aligned = reword(live, expected, |_, said, catalog| {
            if self.same(at, live, said, catalog) != Sameness::Same {
                doubts.push((said.clone(), catalog.clone()));
            }
            true
        });
        (aligned == *expected).then_some(doubts)
    }

    fn same(&self, at: &Address, live: &Object, said: &Sql, catalog: &Sql) -> Sameness {
        if said == catalog || self.memory.knows(at, said, catalog) {
            Sameness::Same
        } else {
            self.dialect.same_text(live, said, catalog)
        }
    }
}

/// `live` with its columns in the order of `expected`, and with the texts of `expected` where `accept` takes them for the same.
fn reword(live: &Object, expected: &Object, mut accept: impl FnMut(&str, &Sql, &Sql) -> bool) -> Object {
    let mut aligned = live.clone();
    match (&mut aligned.body, &expected.body) {
        (Body::Table(table), Body::Table(wanted)) => order_columns(table, wanted),
        // What a text needs is worked out from it; it is no fact of its own.
        (Body::Source(source), Body::Source(wanted)) => source.needs.clone_from(&wanted.needs),
        // What the plan leaves open is as the extension or the server decided.
        (Body::Extension(extension), Body::Extension(wanted)) => {
            if wanted.version.is_none() {
                extension.version = None;
            }
            if wanted.schema.is_none() {
                extension.schema = None;
            }
        }
        _ => {}
    }
    let said = placed_texts(expected);
    let mut places = places(&aligned).into_iter();
    aligned.each_text(&mut |catalog| {
        let place = places.next().unwrap_or_default();
        if let Some(text) = said.get(&place)
            && text != catalog
            && accept(&place, text, catalog)
        {
            catalog.clone_from(text);
        }
    });
    aligned
}

/// Puts columns into the order of another table; those that it lacks come last.
fn order_columns(table: &mut Table, wanted: &Table) {
    table.columns.sort_by_key(|column| {
        wanted.columns.iter().position(|w| w.name == column.name).unwrap_or(wanted.columns.len())
    });
}

/// The texts of an object by the place that each stands at.
fn placed_texts(object: &Object) -> BTreeMap<String, Sql> {
    places(object).into_iter().zip(object.texts()).collect()
}

/// A name for each text of an object, in the order of [`Object::each_text`].
fn places(object: &Object) -> Vec<String> {
    match &object.body {
        Body::Table(table) => {
            let columns = table
                .columns
                .iter()
                .filter(|c| matches!(c.value, ColumnValue::Default(_) | ColumnValue::Generated { .. }));
            let columns = columns.map(|c| format!("column {}", c.name));
            let constraints =
                table.constraints.iter().filter(|(_, c)| matches!(c.rule, Rule::Check { .. } | Rule::Exclude { .. }));
            columns.chain(constraints.map(|(name, _)| format!("constraint {name}"))).collect()
        }
        Body::Index(index) => {
            let parts = index.parts.iter().enumerate().filter(|(_, p)| matches!(p.what, IndexedBy::Expression(_)));
            let parts = parts.map(|(at, _)| format!("part {at}"));
            parts.chain(index.predicate.iter().map(|_| "predicate".to_owned())).collect()
        }
        Body::Domain(domain) => {
            let default = domain.default.iter().map(|_| "default".to_owned());
            default.chain(domain.checks.keys().map(|name| format!("check {name}"))).collect()
        }
        _ => (0..object.texts().len()).map(|at| format!("text {at}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mig_plan::{Name, ObjectKind, Qualified, schema::View};

    use super::*;
    use crate::fake::FakeDialect;

    fn view(query: &str) -> Object {
        let query = Sql::new(query);
        Object::new(Body::View(View { query, columns: Vec::new(), options: BTreeMap::new() }))
    }

    #[test]
    fn spelling_counts_once_it_is_remembered() {
        let at = Address::new(ObjectKind::View, &Qualified::new(None, Name::new("v").unwrap()));
        let (live, said) = (view("(select 1)"), view("select 1"));
        let mut memory = Memory::default();
        let spelling = Spelling { dialect: &FakeDialect, memory: &memory };
        assert!(!spelling.equal(&at, Some(&live), Some(&said)));
        assert!(spelling.equal(&at, Some(&live), Some(&view("(SELECT 1)"))));
        let records = spelling.adopt(&at, None, Some(&live), Some(&said)).unwrap();
        memory.extend(records);
        let spelling = Spelling { dialect: &FakeDialect, memory: &memory };
        assert!(spelling.equal(&at, Some(&live), Some(&said)));
    }

    #[test]
    fn a_text_that_is_plainly_another_and_did_not_change_is_not_adopted() {
        let at = Address::new(ObjectKind::View, &Qualified::new(None, Name::new("v").unwrap()));
        let (memory, live) = (Memory::default(), view("(select 1)"));
        let spelling = Spelling { dialect: &FakeDialect, memory: &memory };
        assert_eq!(spelling.adopt(&at, Some(&live), Some(&live), Some(&view("(select 2)"))), None);
        assert!(spelling.adopt(&at, Some(&view("(select 0)")), Some(&live), Some(&view("(select 2)"))).is_some());
    }
}
