//! What must hold of the data, and what the database must take or refuse.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Dataset, DeclaredCheck, DeclaredProbe, Sql, Statement,
    sql::{TokenKind, tokens},
    verify::{Bounds, Expect, Literal as Value, When, compare},
};

use super::Resolver;
use crate::{
    diagnostic::Code,
    intent::Declared,
    spec::{
        Text,
        language::{AssertionSpec, ExpectSpec},
        literal::Literal,
        reader,
    },
};

/// The words that a query begins with.
const QUERIES: &[&str] = &["select", "with", "values"];
/// The words that a statement of a probe begins with: a rollback takes all of them back.
const TRIED: &[&str] = &["select", "with", "values", "insert", "update", "delete", "merge", "replace"];

impl Resolver<'_> {
    /// Takes up the checks, the probes and the datasets, in declared order.
    pub(super) fn verifications(&mut self) {
        let document = self.document;
        for spec in document.files.iter().flat_map(|f| &f.checks) {
            let first = self.first_of_name("check", &spec.name);
            let allowed = self.allowed(&spec.sql, QUERIES, "a check is one query");
            if let Some(expect) = self.expect(&spec.expect.0)
                && let Some(when) = self.when(spec, &expect)
                && first
                && allowed
            {
                let sql = Statement::new(spec.sql.value.trim());
                let what = DeclaredCheck { name: spec.name.value.clone(), when, sql, expect };
                let of = self.tables_named(&spec.tables);
                self.declared_checks.push(Declared { what, of });
            }
        }
        for spec in document.files.iter().flat_map(|f| &f.probes) {
            let says = "a probe is statements that a rollback takes back";
            let allowed = spec.sql.0.0.iter().filter(|sql| self.allowed(sql, TRIED, says)).count();
            let Some((last, given)) = spec.sql.0.0.split_last() else {
                self.error(Code::MissingKey, &spec.place, "a probe needs a statement");
                continue;
            };
            if self.first_of_name("probe", &spec.name) && allowed == spec.sql.0.0.len() {
                let what = DeclaredProbe {
                    name: spec.name.value.clone(),
                    given: given.iter().map(|sql| Statement::new(sql.value.trim())).collect(),
                    sql: self.dialect.trial(&Sql::new(last.value.trim())),
                    expect_error: super::value(&spec.expect_error),
                };
                let of = self.tables_named(&spec.tables);
                self.declared_probes.push(Declared { what, of });
            }
        }
        for spec in document.files.iter().flat_map(|f| &f.datasets) {
            let first = self.first_of_name("dataset", &spec.name);
            let allowed = self.allowed(&spec.sql, QUERIES, "a dataset is one query");
            let when = spec.when.as_ref().map_or(Some(When::Before), |said| self.moment(said, "a dataset is filed"));
            if let Some(when) = when
                && first
                && allowed
            {
                let sql = Statement::new(spec.sql.value.trim());
                let what = Dataset { name: spec.name.value.clone(), when, sql };
                let of = self.tables_named(&spec.tables);
                self.declared_datasets.push(Declared { what, of });
            }
        }
    }

    /// Whether nothing of that sort has the name yet; reports it if something has.
    fn first_of_name(&mut self, sort: &'static str, name: &Text) -> bool {
        let key = (sort, name.value.clone());
        if let Some(first) = self.verified.insert(key, name.place.clone()) {
            let says = format!("the {sort} `{}` is declared twice", name.value);
            let error = self.error(Code::DeclaredTwice, &name.place, says);
            *error = error.clone().related(&first, "it is declared here");
            return false;
        }
        true
    }

    /// Whether a text is one statement that begins with one of some words; reports it if it is not.
    fn allowed(&mut self, sql: &Text, words: &[&'static str], says: &str) -> bool {
        let visible: Vec<_> = tokens(&sql.value).filter(|t| t.kind != TokenKind::Blank).collect();
        let first = visible.first().map(|t| t.text.to_ascii_lowercase()).unwrap_or_default();
        let several = visible.iter().any(|t| t.text == ";");
        if several || !words.contains(&first.as_str()) {
            let help =
                format!("write one statement that begins with one of {}, without a semicolon", reader::list(words));
            self.error(Code::SqlNotHere, &sql.place, says).help = Some(help);
            return false;
        }
        true
    }

    fn when(&mut self, spec: &AssertionSpec, expect: &Expect) -> Option<When> {
        let Some(said) = &spec.when else {
            if *expect == (Expect::Unchanged {}) {
                return Some(When::Both);
            }
            self.error(Code::MissingKey, &spec.place, "the key `when` is missing").help =
                Some("write `when = \"before\"`, `\"after\"` or `\"both\"`".to_owned());
            return None;
        };
        let when = self.moment(said, "a check is asked")?;
        if *expect == (Expect::Unchanged {}) && when != When::Both {
            let says = "a check that expects `unchanged` is asked both before and after";
            self.error(Code::Contradiction, &said.place, says).help = Some("leave `when` out".to_owned());
            return None;
        }
        Some(when)
    }

    fn moment(&mut self, said: &Text, what: &str) -> Option<When> {
        let when = When::ALL.into_iter().find(|w| w.word() == said.value);
        if when.is_none() {
            let says = format!("{what} `before`, `after` or `both`, not `{}`", said.value);
            self.error(Code::BadValue, &said.place, says);
        }
        when
    }

    fn expect(&mut self, spec: &ExpectSpec) -> Option<Expect> {
        let bounded = spec.at_least.is_some() || spec.at_most.is_some();
        let unchanged = super::is_true(&spec.unchanged);
        let said = [spec.value.is_some(), spec.rows.is_some(), bounded, unchanged];
        if said.iter().filter(|s| **s).count() != 1 {
            let says = "`expect` is one of a `value`, `rows`, `at_least` with `at_most`, and `unchanged`";
            self.error(Code::Contradiction, &spec.place, says);
            return None;
        }
        if let Some(value) = &spec.value {
            return Some(Expect::Value(value.0.value.clone()));
        }
        if let Some(rows) = &spec.rows {
            let widths: BTreeSet<usize> = rows.0.iter().map(|row| row.0.len()).collect();
            if widths.len() > 1 || widths.contains(&0) {
                self.error(Code::BadValue, &spec.place, "all rows have the same number of values, at least one");
                return None;
            }
            let row = |row: &crate::spec::literal::Row| row.0.iter().map(|v| v.0.value.clone()).collect();
            return Some(Expect::Rows(rows.0.iter().map(row).collect()));
        }
        if bounded {
            let bounds = Bounds { at_least: self.number(&spec.at_least)?, at_most: self.number(&spec.at_most)? };
            if let (Some(least), Some(most)) = (&bounds.at_least, &bounds.at_most)
                && compare(least, most) == Some(std::cmp::Ordering::Greater)
            {
                self.error(Code::Contradiction, &spec.place, format!("nothing is at least {least} and at most {most}"));
                return None;
            }
            return Some(Expect::Bounds(bounds));
        }
        Some(Expect::Unchanged {})
    }

    /// The digits of a number, if one is said; reports what is none.
    fn number(&mut self, said: &Option<Literal>) -> Option<Option<String>> {
        match said.as_ref().map(|l| (&l.0.value, &l.0.place)) {
            None => Some(None),
            Some((Value::Number(digits), _)) if compare(digits, "0").is_some() => Some(Some(digits.clone())),
            Some((_, place)) => {
                self.error(Code::BadValue, place, "a bound is a number");
                None
            }
        }
    }

    fn tables_named(&mut self, said: &[Text]) -> BTreeSet<Address> {
        let mut of = BTreeSet::new();
        for text in said {
            if let Some(at) = self.qualify(&text.value, &text.place)
                && self.known_table(&at, &text.place)
            {
                of.insert(Address::table(&at));
            }
        }
        of
    }
}
