//! Names and literals as MySQL writes them.

use std::collections::BTreeSet;

use mig_plan::{
    Constraint, Fingerprint, Kind, Name, Qualified, Rule,
    schema::{Index, IndexedBy},
};

use crate::flavor::Flavor;

/// Whether the server takes two names of columns for one.
pub(crate) fn same_column(a: &Name, b: &Name) -> bool {
    a.as_str().to_lowercase() == b.as_str().to_lowercase()
}

/// Longest identifier, in characters.
const MAX_CHARS: usize = 64;

/// The name of every primary key.
pub(crate) const PRIMARY: &str = "PRIMARY";

/// A name as SQL writes it: always quoted, as the server does.
pub(crate) fn quote(name: &Name) -> String {
    quote_text(name.as_str())
}

/// A text as an identifier.
pub(crate) fn quote_text(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

/// A table or other object of the database.
pub(crate) fn object(at: &Qualified) -> String {
    quote(&at.name)
}

/// Names, separated by commas.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A text as a string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Whether a name belongs to mig and is never part of a user's schema.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with("_mig_") || name.starts_with("zzz_mig_")
}

/// What stops a name from being used, if anything.
pub(crate) fn check(name: &Name) -> Result<(), String> {
    let text = name.as_str();
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        Err(format!("`{text}` has {chars} characters; the server keeps {MAX_CHARS}"))
    } else if is_own(text) {
        Err(format!("`{text}` begins like the names that mig keeps for itself: `_mig_` and `zzz_mig_`"))
    } else if text.chars().any(|c| c > '\u{ffff}') {
        Err(format!("`{text}` has a character that the server cannot have in names"))
    } else if text.ends_with(' ') {
        Err(format!("`{text}` ends with a space"))
    } else {
        Ok(())
    }
}

/// The table that keeps what a change removes.
pub(crate) fn kept(prefix: &str, change: &Kind) -> Name {
    let address = change.address();
    let tail = address.path().iter().map(Name::as_str).collect::<Vec<_>>().join("_");
    own(prefix, &Fingerprint::of(change), &tail)
}

/// A name of mig's own for something that stands for a while.
pub(crate) fn own(prefix: &str, mark: &Fingerprint, tail: &str) -> Name {
    let text: String = format!("_mig_{prefix}_{}_{tail}", mark.short(10)).chars().take(MAX_CHARS).collect();
    Name::new(text.trim_end()).expect("a prefix is never empty")
}

/// The name of a constraint that was declared without one.
pub(crate) fn of_constraint(flavor: &Flavor, table: &Name, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name {
    let numbered = |make: &dyn Fn(usize) -> String| {
        (1..)
            .filter_map(|n| Name::new(make(n)).ok())
            .find(|name| !taken.contains(name))
            .expect("numbers do not run out")
    };
    match &constraint.rule {
        Rule::PrimaryKey(_) => Name::new(PRIMARY).expect("a word"),
        Rule::Unique(key) => of_columns(&key.columns, taken),
        Rule::ForeignKey(_) => numbered(&|n| format!("{}_ibfk_{n}", table.as_str())),
        Rule::Check { .. } | Rule::Exclude { .. } => numbered(&|n| flavor.check_name(table.as_str(), n)),
    }
}

/// The name of an index that was declared without one.
pub(crate) fn of_index(index: &Index, taken: &BTreeSet<Name>) -> Name {
    let first = index.parts.iter().find_map(|part| match &part.what {
        IndexedBy::Column(name) => Some(name.clone()),
        IndexedBy::Expression(_) => None,
    });
    let columns: Vec<Name> = first.into_iter().collect();
    of_columns(&columns, taken)
}

/// The first column, then with a number.
fn of_columns(columns: &[Name], taken: &BTreeSet<Name>) -> Name {
    let stem = columns.first().map_or("functional_index", Name::as_str);
    let numbered = (2..).map(|n| format!("{stem}_{n}"));
    let mut all = std::iter::once(stem.to_owned()).chain(numbered).filter_map(|text| Name::new(text).ok());
    all.find(|name| !taken.contains(name)).expect("numbers do not run out")
}
