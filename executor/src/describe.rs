//! Objects in words, and differences between them, for people.

use std::{collections::BTreeMap, fmt};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, GrantRule, Name, Object, Rule, Table,
    schema::{Domain, Index, IndexedBy, Sequence, Validity, View},
    table::{Deferral, ForeignKey, Key},
};
use serde::Serialize;

/// What is known of an object: each fact's name and what it says.
pub type Facts = BTreeMap<String, String>;

/// Where live objects differ from what was expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Object by object.
    pub objects: Vec<ObjectDifference>,
}

/// Where one object differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectDifference {
    /// Which object.
    pub at: Address,
    /// In which facts.
    pub facts: Vec<Fact>,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The whole object is not there.
    Absent,
    /// The whole object is there, where nothing may be.
    Present,
    /// It depends on what the plan changes, and the plan does not know it.
    Dependent {
        /// On what.
        on: Address,
    },
    /// It should be there and is not.
    Missing {
        /// The fact's name.
        what: String,
        /// What was expected.
        expected: String,
    },
    /// It is there and should not be.
    Extra {
        /// The fact's name.
        what: String,
        /// What was found.
        found: String,
    },
    /// It is there, but otherwise.
    Changed {
        /// The fact's name.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, object) in self.objects.iter().enumerate() {
            if nth > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", object.at)?;
            for fact in &object.facts {
                write!(f, "\n  {fact}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "is not there, but should be"),
            Self::Present => write!(f, "is there, but should not be"),
            Self::Dependent { on } => write!(f, "depends on {on}, and the plan does not know it"),
            Self::Missing { what, expected } => write!(f, "- {what}: {expected}"),
            Self::Extra { what, found } => write!(f, "+ {what}: {found}"),
            Self::Changed { what, expected, found } => {
                write!(f, "~ {what}: expected {expected}, found {found}")
            }
        }
    }
}

/// The facts in which a live object differs from the expected one.
#[must_use]
pub fn differences(live: Option<&Object>, expected: Option<&Object>) -> Vec<Fact> {
    let (live, expected) = match (live, expected) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec![Fact::Absent],
        (Some(_), None) => return vec![Fact::Present],
        (Some(live), Some(expected)) => (facts(live), facts(expected)),
    };
    let mut out = Vec::new();
    for (what, expected) in &expected {
        match live.get(what) {
            None => out.push(Fact::Missing { what: what.clone(), expected: expected.clone() }),
            Some(found) if found != expected => {
                out.push(Fact::Changed { what: what.clone(), expected: expected.clone(), found: found.clone() });
            }
            Some(_) => {}
        }
    }
    let extra = live.iter().filter(|(what, _)| !expected.contains_key(*what));
    out.extend(extra.map(|(what, found)| Fact::Extra { what: what.clone(), found: found.clone() }));
    out
}

/// An object in words.
#[must_use]
pub fn facts(object: &Object) -> Facts {
    let mut facts = Facts::new();
    if let Some(comment) = &object.comment {
        facts.insert("comment".to_owned(), quoted(comment));
    }
    for grant in &object.grants {
        let column = grant.column.as_ref().map(|c| format!(" ({c})")).unwrap_or_default();
        let says = match grant.rule {
            GrantRule::Revoked => "revoked",
            GrantRule::Granted => "granted",
            GrantRule::WithGrantOption => "granted, and may be passed on",
        };
        facts.insert(format!("{}{column} to {}", grant.privilege, grant.to), says.to_owned());
    }
    match &object.body {
        Body::Namespace {} | Body::DefaultPrivileges {} => {}
        Body::Extension(extension) => {
            facts.extend(extension.schema.iter().map(|s| ("schema".to_owned(), s.to_string())));
            facts.extend(extension.version.iter().map(|v| ("version".to_owned(), v.clone())));
        }
        Body::Enum { values } => {
            let values: Vec<_> = values.iter().map(|v| quoted(v)).collect();
            facts.insert("values".to_owned(), values.join(", "));
        }
        Body::Domain(domain) => domain_facts(domain, &mut facts),
        Body::Sequence(sequence) => sequence_facts(sequence, &mut facts),
        Body::Table(table) => table_facts(table, &mut facts),
        Body::Index(index) => index_facts(index, &mut facts),
        Body::View(view) => view_facts(view, &mut facts),
        Body::Source(source) => {
            for (nth, text) in source.create.iter().enumerate() {
                facts.insert(format!("definition {}", nth + 1), text.to_string());
            }
        }
        Body::Opaque { what, digest } => {
            facts.insert(what.clone(), digest.clone());
        }
    }
    facts
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn names(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn option_facts(prefix: &str, options: &BTreeMap<String, String>, facts: &mut Facts) {
    facts.extend(options.iter().map(|(name, value)| (format!("{prefix}{name}"), value.clone())));
}

fn table_facts(table: &Table, facts: &mut Facts) {
    for column in &table.columns {
        facts.insert(format!("column {}", column.name), column_words(column));
    }
    for (name, constraint) in &table.constraints {
        facts.insert(format!("constraint {name}"), constraint_words(constraint));
    }
    option_facts("option ", &table.options, facts);
}

fn column_words(column: &Column) -> String {
    let mut words = vec![if column.data_type.is_empty() { "no type".to_owned() } else { column.data_type.clone() }];
    if column.not_null {
        words.push("not null".to_owned());
    }
    match &column.value {
        ColumnValue::Plain => {}
        ColumnValue::Default(sql) => words.push(format!("default {sql}")),
        ColumnValue::Identity { always, sequence } => {
            let when = if *always { "always" } else { "by default" };
            words.push(format!("identity {when}{}", sequence_words(sequence)));
        }
        ColumnValue::Generated { expression, stored } => {
            words.push(format!("generated as ({expression}) {}", if *stored { "stored" } else { "virtual" }));
        }
    }
    words.extend(column.collation.iter().map(|c| format!("collation {c}")));
    words.extend(column.comment.iter().map(|c| format!("comment {}", quoted(c))));
    words.extend(column.options.iter().map(|(name, value)| format!("{name} {value}")));
    words.join(", ")
}

fn constraint_words(constraint: &Constraint) -> String {
    let mut words = vec![match &constraint.rule {
        Rule::PrimaryKey(key) => format!("primary key {}", key_words(key)),
        Rule::Unique(key) => format!("unique {}", key_words(key)),
        Rule::ForeignKey(key) => foreign_key_words(key),
        Rule::Check { expression } => format!("check ({expression})"),
        Rule::Exclude { definition } => format!("exclude {definition}"),
    }];
    match constraint.deferral {
        Deferral::NotDeferrable => {}
        Deferral::InitiallyImmediate => words.push("deferrable".to_owned()),
        Deferral::InitiallyDeferred => words.push("initially deferred".to_owned()),
    }
    if constraint.validity == Validity::NotValid {
        words.push("not valid".to_owned());
    }
    words.extend(constraint.comment.iter().map(|c| format!("comment {}", quoted(c))));
    words.extend(constraint.options.iter().map(|(name, value)| format!("{name} {value}")));
    words.join(", ")
}

fn key_words(key: &Key) -> String {
    let mut words = format!("({})", names(&key.columns));
    if !key.include.is_empty() {
        words.push_str(&format!(" include ({})", names(&key.include)));
    }
    if key.nulls_not_distinct {
        words.push_str(" nulls not distinct");
    }
    words
}

fn foreign_key_words(key: &ForeignKey) -> String {
    let mut words =
        format!("foreign key ({}) references {} ({})", names(&key.columns), key.references, names(&key.referenced));
    if !key.on_update.is_default() {
        words.push_str(&format!(" on update {}", key.on_update.sql().to_lowercase()));
    }
    if !key.on_delete.is_default() {
        words.push_str(&format!(" on delete {}", key.on_delete.sql().to_lowercase()));
    }
    if !key.on_delete_columns.is_empty() {
        words.push_str(&format!(" ({})", names(&key.on_delete_columns)));
    }
    if key.match_full {
        words.push_str(" match full");
    }
    words
}

fn index_facts(index: &Index, facts: &mut Facts) {
    facts.insert("table".to_owned(), index.table.to_string());
    let parts = index.parts.iter().map(|part| {
        let mut words = match &part.what {
            IndexedBy::Column(name) => name.to_string(),
            IndexedBy::Expression(sql) => format!("({sql})"),
        };
        words.extend(part.collation.iter().map(|c| format!(" collate {c}")));
        words.extend(part.opclass.iter().map(|c| format!(" {c}")));
        words.push_str(if part.descending { " desc" } else { "" });
        words.push_str(match part.nulls_first {
            None => "",
            Some(true) => " nulls first",
            Some(false) => " nulls last",
        });
        words
    });
    facts.insert("columns".to_owned(), parts.collect::<Vec<_>>().join(", "));
    facts.extend(index.method.iter().map(|m| ("method".to_owned(), m.clone())));
    facts.extend(index.predicate.iter().map(|p| ("where".to_owned(), p.to_string())));
    if !index.include.is_empty() {
        facts.insert("include".to_owned(), names(&index.include));
    }
    for (holds, what) in [(index.unique, "unique"), (index.nulls_not_distinct, "nulls not distinct")] {
        if holds {
            facts.insert(what.to_owned(), "yes".to_owned());
        }
    }
    if index.validity == Validity::NotValid {
        facts.insert("valid".to_owned(), "no".to_owned());
    }
    option_facts("option ", &index.options, facts);
}

fn view_facts(view: &View, facts: &mut Facts) {
    facts.insert("query".to_owned(), view.query.to_string());
    if !view.columns.is_empty() {
        facts.insert("columns".to_owned(), names(&view.columns));
    }
    option_facts("option ", &view.options, facts);
}

fn domain_facts(domain: &Domain, facts: &mut Facts) {
    facts.insert("type".to_owned(), domain.base.clone());
    if domain.not_null {
        facts.insert("not null".to_owned(), "yes".to_owned());
    }
    facts.extend(domain.default.iter().map(|d| ("default".to_owned(), d.to_string())));
    facts.extend(domain.collation.iter().map(|c| ("collation".to_owned(), c.clone())));
    facts.extend(domain.checks.iter().map(|(name, sql)| (format!("check {name}"), sql.to_string())));
}

fn sequence_facts(sequence: &Sequence, facts: &mut Facts) {
    facts.insert("type".to_owned(), sequence.data_type.clone());
    let words = sequence_words(&sequence.options);
    if !words.is_empty() {
        facts.insert("numbers".to_owned(), words.trim_start().to_owned());
    }
    facts.extend(sequence.owned_by.iter().map(|o| ("owned by".to_owned(), o.to_string())));
}

fn sequence_words(options: &mig_plan::schema::SequenceOptions) -> String {
    let numbers = [
        ("start", options.start),
        ("increment", options.increment),
        ("min", options.min),
        ("max", options.max),
        ("cache", options.cache),
    ];
    let mut words: String = numbers.iter().filter_map(|(what, n)| Some(format!(" {what} {}", (*n)?))).collect();
    words.push_str(if options.cycle { " cycle" } else { "" });
    words
}
