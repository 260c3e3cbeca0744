//! Values and their types in the SQL of backfills.

use mig_plan::{Name, Sql, Table, verify::Literal};

use crate::dialect::{keep, names::literal};

pub(crate) fn type_of(table: &Table, column: &Name) -> String {
    table.column(column).map_or_else(|| "text".to_owned(), |c| c.data_type.clone())
}

/// The type to cast a value to: without a length, so that a text that is too long is an error rather than cut.
pub(crate) fn cast_type(data_type: &str) -> String {
    for limited in ["character varying(", "bit varying("] {
        if let Some(rest) = data_type.strip_prefix(limited) {
            let array = if rest.ends_with("[]") { "[]" } else { "" };
            return format!("{}{array}", limited.trim_end_matches('('));
        }
    }
    if data_type.starts_with("character(") { "text".to_owned() } else { data_type.to_owned() }
}

/// Values exchanged for others: compared as texts, so that an old value may be one that its type no longer has.
pub(crate) fn mapped(value: &str, pairs: &[(String, Literal)], to: &str) -> Sql {
    let arms: Vec<_> = pairs
        .iter()
        .map(|(from, to)| {
            let to = match to {
                Literal::Text(text) | Literal::Number(text) => literal(text),
                Literal::Truth(truth) => literal(if *truth { "true" } else { "false" }),
            };
            format!("WHEN {} THEN {to}", literal(from))
        })
        .collect();
    let text = format!("({value})::text");
    Sql::new(format!("(CASE {text} {} ELSE {text} END)::{}", arms.join(" "), cast_type(to)))
}

/// A condition that two values of a type are the same, NULL being the same as NULL.
pub(crate) fn same_value(data_type: &str, a: &str, b: &str) -> String {
    let text = if has_equality(data_type) { "" } else { "::text" };
    format!("{a}{text} IS NOT DISTINCT FROM {b}{text}")
}

/// Whether values of a type can be compared as they are; others are compared as texts.
pub(super) fn has_equality(data_type: &str) -> bool {
    let base = data_type.trim_end_matches("[]");
    !keep::is_user_type(data_type)
        && !matches!(base, "json" | "xml" | "point" | "polygon" | "box" | "line" | "lseg" | "path" | "circle")
}
