//! Names: how they are written, when two are one, and what things without a name are called.

use std::collections::BTreeSet;

use mig_plan::{
    Constraint, Name, Qualified, Rule,
    schema::{Index, IndexedBy},
};

/// The words that SQLite will not take bare as a name everywhere, sorted.
const KEYWORDS: &[&str] = &[
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyze",
    "and",
    "as",
    "asc",
    "attach",
    "autoincrement",
    "before",
    "begin",
    "between",
    "by",
    "cascade",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "commit",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "fail",
    "false",
    "filter",
    "first",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "generated",
    "glob",
    "group",
    "groups",
    "having",
    "if",
    "ignore",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "key",
    "last",
    "left",
    "like",
    "limit",
    "match",
    "materialized",
    "natural",
    "no",
    "not",
    "nothing",
    "notnull",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "or",
    "order",
    "others",
    "outer",
    "over",
    "partition",
    "plan",
    "pragma",
    "preceding",
    "primary",
    "query",
    "raise",
    "range",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "set",
    "table",
    "temp",
    "temporary",
    "then",
    "ties",
    "to",
    "transaction",
    "trigger",
    "true",
    "unbounded",
    "union",
    "unique",
    "update",
    "using",
    "vacuum",
    "values",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "without",
];

/// Whether a word is one of SQLite's keywords.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

/// A name as SQL writes it.
pub(crate) fn quote(name: &Name) -> String {
    quote_text(name.as_str())
}

/// A name, given as text, as SQL writes it.
pub(crate) fn quote_text(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !is_keyword(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Names as a list.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A text as a string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether two names are one to SQLite, which folds ASCII letters only.
pub(crate) fn same(one: &Name, other: &Name) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// Whether a name belongs to mig and is never part of a user's schema.
pub(crate) fn is_own(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("_mig_") || lower.starts_with("zzz_mig_")
}

/// Whether SQLite keeps a name for itself.
pub(crate) fn is_internal(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("sqlite_")
}

/// What stops a name from being used, if anything.
pub(crate) fn check(name: &Name) -> Result<(), String> {
    if is_own(name.as_str()) {
        Err(format!("`{name}` begins like the names that mig keeps for itself: `_mig_` and `zzz_mig_`"))
    } else if is_internal(name.as_str()) {
        Err(format!("`{name}` begins with `sqlite_`, which SQLite keeps for itself"))
    } else {
        Ok(())
    }
}

/// The name of a constraint that was declared without one.
pub(crate) fn of_constraint(table: &Name, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
    let columns = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join("_");
    let stem = match &constraint.rule {
        Rule::PrimaryKey(_) => format!("{}_pkey", table.as_str()),
        Rule::Unique(key) => format!("{}_{}_key", table.as_str(), columns(&key.columns)),
        Rule::ForeignKey(fk) => format!("{}_{}_fkey", table.as_str(), columns(&fk.columns)),
        Rule::Check { expression } => {
            let mentioned: Vec<_> = super::text::mentions(expression).into_iter().collect();
            match &mentioned[..] {
                [one] => format!("{}_{}_check", table.as_str(), one.as_str()),
                _ => format!("{}_check", table.as_str()),
            }
        }
        Rule::Exclude { .. } => format!("{}_excl", table.as_str()),
    };
    free(&stem, taken)
}

/// The name of an index that was declared without one.
pub(crate) fn of_index(index: &Index, taken: &BTreeSet<Name>) -> Name {
    let parts = index.parts.iter().map(|part| match &part.what {
        IndexedBy::Column(name) => name.as_str(),
        IndexedBy::Expression(_) => "expr",
    });
    let parts = parts.collect::<Vec<_>>().join("_");
    free(&format!("{}_{parts}_idx", index.table.name.as_str()), taken)
}

/// The stem, or the stem with the first number from 1 that makes it free.
fn free(stem: &str, taken: &BTreeSet<Name>) -> Name {
    let numbered = (1..).map(|n| format!("{stem}{n}"));
    let mut candidates = std::iter::once(stem.to_owned()).chain(numbered).filter_map(|text| Name::new(text).ok());
    candidates.find(|name| !taken.iter().any(|t| same(t, name))).expect("numbers do not run out")
}

/// A table's name; SQLite has no schemas.
pub(crate) fn unqualified(name: Name) -> Qualified {
    Qualified::new(None, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn quotes_only_where_needed() {
        let quoted = |text: &str| quote(&Name::new(text).unwrap());
        assert_eq!(quoted("users"), "users");
        assert_eq!(quoted("Order"), "\"Order\"");
        assert_eq!(quoted("a\"b c"), "\"a\"\"b c\"");
        assert_eq!(quoted("1a"), "\"1a\"");
    }
}
