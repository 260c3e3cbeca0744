//! Keys over time: rows with the same key may follow each other, but not overlap.

use mig_plan::{
    Constraint, Name, Qualified,
    table::{ForeignKey, Key},
};

use crate::dialect::names::{qualified, quote};

/// The setting of a primary key or unique key whose last column is a range: rows that are the same in the others must not overlap in it.
pub(crate) const WITHOUT_OVERLAPS: &str = "without_overlaps";

/// The setting of a foreign key whose last column is a range: each moment of it must be in a row referred to.
pub(crate) const PERIOD: &str = "period";

/// Whether it is a key over time.
pub(crate) fn is_key(constraint: &Constraint) -> bool {
    constraint.key().is_some() && constraint.options.contains_key(WITHOUT_OVERLAPS)
}

/// Whether it is a foreign key over time.
pub(crate) fn is_foreign_key(constraint: &Constraint) -> bool {
    constraint.foreign_key().is_some() && constraint.options.contains_key(PERIOD)
}

/// The columns of a foreign key over time, as its definition lists them.
pub(super) fn with_period(columns: &[Name]) -> String {
    let last = columns.len().saturating_sub(1);
    let words =
        columns.iter().enumerate().map(|(i, c)| if i == last { format!("PERIOD {}", quote(c)) } else { quote(c) });
    words.collect::<Vec<_>>().join(", ")
}

/// What makes a row `r` one that overlaps another, or one that is at no time.
pub(super) fn overlap(table: &Qualified, key: &Key) -> String {
    let Some((time, others)) = key.columns.split_last() else { return "false".to_owned() };
    let time = quote(time);
    let same = others.iter().map(|c| format!("o.{c} = r.{c}", c = quote(c)));
    let on: Vec<_> = same.chain([format!("o.{time} && r.{time}"), "o.ctid <> r.ctid".to_owned()]).collect();
    format!("isempty(r.{time}) OR EXISTS (SELECT FROM {} AS o WHERE {})", qualified(table), on.join(" AND "))
}

/// What makes a row `r` one that refers to a time at which there is nothing.
pub(super) fn orphan(fk: &ForeignKey) -> String {
    let set = fk.columns.iter().map(|c| format!("r.{} IS NOT NULL", quote(c))).collect::<Vec<_>>().join(" AND ");
    let (Some((time, own)), Some((there, theirs))) = (fk.columns.split_last(), fk.referenced.split_last()) else {
        return "false".to_owned();
    };
    let pairs = own.iter().zip(theirs).map(|(own, theirs)| format!("t.{} = r.{}", quote(theirs), quote(own)));
    let on = pairs.chain([format!("t.{} && r.{}", quote(there), quote(time))]).collect::<Vec<_>>().join(" AND ");
    let covered = format!(
        "SELECT range_agg(t.{}) @> r.{} FROM {} AS t WHERE {on}",
        quote(there),
        quote(time),
        qualified(&fk.references)
    );
    format!("{set}\n  AND NOT coalesce(({covered}), false)")
}
