//! Questions to the data before a type changes.

use mig_plan::{Address, DraftCheck, Name, Schema, Sql, kind::AlterColumn, plan::CheckSql, schema::Body};

use super::{has_no_way, known, parts};
use crate::dialect::names::{literal, qualified, quote, shown};

/// The question whether a value has no way into the new type, as far as a query can tell.
pub(crate) fn check(change: &AlterColumn, at: &Address, schema: &Schema, version: u32) -> Option<DraftCheck> {
    if change.using.is_some() {
        return None;
    }
    let (table, column) = (qualified(&change.table), quote(&change.from.name));
    let (from, to) = (&change.from.data_type, &change.to.data_type);
    let none = has_no_way(change, schema);
    let wrong = if none { format!("{column} IS NOT NULL") } else { wrong(&column, from, to, schema, version)? };
    let says = if none {
        format!(
            "no row of {} has a value in {}: PostgreSQL has no cast from {from} to {to}",
            change.table, change.from.name
        )
    } else {
        format!("every {} of {} fits into {}", change.from.name, change.table, shown(to))
    };
    let mut help = vec!["change these values".to_owned(), "say with a transform what becomes of them".to_owned()];
    help.push(
        if none { "add another column of the new type, and drop this one later" } else { "choose a wider type" }
            .to_owned(),
    );
    Some(DraftCheck {
        at: at.clone(),
        says,
        help,
        count: CheckSql::new(format!("SELECT count(*) FROM {table} WHERE {wrong}")),
        sample: Some(CheckSql::new(format!("SELECT {column}::text FROM {table} WHERE {wrong} LIMIT 5"))),
        stops: true,
    })
}

/// The question whether a transform gives a row a value that the new enum has not.
pub(crate) fn no_value_gone(change: &AlterColumn, at: &Address, by: &Sql, schema: &Schema) -> Option<DraftCheck> {
    let to = &change.to.data_type;
    let labels = known::labels(to.strip_suffix("[]").unwrap_or(to), schema)?;
    let (table, alias) = (qualified(&change.table), quote(&change.table.name));
    let wrong = no_label(&format!("({by})"), to.ends_with("[]"), labels);
    Some(DraftCheck {
        at: at.clone(),
        says: format!("the transform gives no row of {} a value in {} that is gone", change.table, change.from.name),
        help: vec![
            "let the transform give these rows another value".to_owned(),
            "keep the value in the enum".to_owned(),
        ],
        count: CheckSql::new(format!("SELECT count(*) FROM {table} AS {alias} WHERE {wrong}")),
        sample: Some(CheckSql::new(format!(
            "SELECT DISTINCT ({by})::text FROM {table} AS {alias} WHERE {wrong} LIMIT 5"
        ))),
        stops: true,
    })
}

/// The bounds of an integer type.
fn range(name: &str) -> Option<&'static str> {
    match name {
        "smallint" => Some("-32768 AND 32767"),
        "integer" => Some("-2147483648 AND 2147483647"),
        "bigint" => Some("-9223372036854775808 AND 9223372036854775807"),
        _ => None,
    }
}

/// A condition that an expression of any type gives what is surely too large or too long for a type.
pub(crate) fn overflows(value: &str, to: &str) -> Option<String> {
    let to = parts(to);
    if to.array {
        return None;
    }
    let number = |wrong: String| {
        format!(
            "CASE WHEN ({value})::text ~ '^\\s*[-+]?[0-9]+(\\.[0-9]*)?(e[-+]?[0-9]{{1,3}})?\\s*$' THEN {wrong} ELSE false END"
        )
    };
    match (to.name.as_str(), to.numbers.as_slice()) {
        ("character varying" | "character", [length]) => {
            Some(format!("length(rtrim(({value})::text, ' ')) > {length}"))
        }
        ("numeric", [digits, scale]) => {
            let whole = digits.saturating_sub(*scale);
            Some(number(format!("abs(round(({value})::text::numeric, {scale})) >= 10::numeric ^ {whole}")))
        }
        (name, []) => range(name).map(|range| number(format!("round(({value})::text::numeric) NOT BETWEEN {range}"))),
        _ => None,
    }
}

/// A condition that holds for values that do not fit.
fn wrong(column: &str, from: &str, to: &str, schema: &Schema, version: u32) -> Option<String> {
    if let Some(labels) = known::labels(to.strip_suffix("[]").unwrap_or(to), schema) {
        return Some(no_label(column, to.ends_with("[]"), labels));
    }
    if let Some(Body::Domain(_)) = known::user_type(to, schema) {
        return breaks_domain(column, from, to, schema);
    }
    let from = known::base_of(from, schema);
    let (a, b) = (parts(&from), parts(to));
    if a.array {
        return None;
    }
    let text = |name: &str| matches!(name, "text" | "character varying" | "character");
    let numeric = matches!(a.name.as_str(), "integer" | "bigint" | "numeric" | "real" | "double precision");
    match (b.numbers.first(), range(&b.name)) {
        // Only the server knows all that it reads, and from this version on it says so.
        _ if version >= crate::dialect::versions::INPUT_IS_VALID
            && text(&a.name)
            && !text(&b.name)
            && !to.contains('.') =>
        {
            Some(format!("NOT pg_catalog.pg_input_is_valid({column}::text, {})", literal(to)))
        }
        _ if b.array && text(&a.name) => Some(format!("{column}::text !~ '^\\s*[[{{]'")),
        (Some(length), _) if text(&a.name) && text(&b.name) => Some(format!("length({column}::text) > {length}")),
        (_, Some(range)) if numeric => Some(format!("{column} NOT BETWEEN {range}")),
        (Some(_), _) if b.name == "numeric" && numeric && b.numbers.len() == 2 => {
            let whole = b.numbers[0].saturating_sub(b.numbers[1]);
            Some(format!("abs(round({column}::numeric, {})) >= 10::numeric ^ {whole}", b.numbers[1]))
        }
        _ if text(&a.name) => pattern(&b.name).map(|pattern| format!("{column}::text !~* '{pattern}'")),
        _ => None,
    }
}

/// Whether a value, or an element of an array, is no label of an enum.
pub(crate) fn no_label(column: &str, array: bool, labels: &[String]) -> String {
    let labels = labels.iter().map(|l| literal(l)).collect::<Vec<_>>().join(", ");
    if array {
        format!("NOT array_remove({column}::text[], NULL) <@ ARRAY[{labels}]::text[]")
    } else if labels.is_empty() {
        format!("{column} IS NOT NULL")
    } else {
        format!("{column}::text NOT IN ({labels})")
    }
}

/// Whether a value breaks a check of a domain, or is NULL where the domain takes none. A text that must first be read as something else
/// cannot be asked for, nor can a function that may not be there yet.
fn breaks_domain(column: &str, from: &str, to: &str, schema: &Schema) -> Option<String> {
    let Some(Body::Domain(domain)) = known::user_type(to, schema) else { return None };
    let base = known::base_of(to, schema);
    let source = known::base_of(from, schema);
    let readable = known::is_text(&parts(&base).name) || !known::is_text(&parts(&source).name);
    if !readable || source.ends_with("[]") != base.ends_with("[]") {
        return None;
    }
    let value = Name::new("value").ok()?;
    let own = known::functions(schema);
    let askable = |check: &&Sql| !own.iter().any(|name| check.mentions(name));
    let broken = |check: &Sql| {
        let asked = check.with_name_replaced(&value, &value, |_| format!("({column}::{base})"));
        format!("NOT ({asked})")
    };
    let mut conditions: Vec<String> = domain.checks.values().filter(askable).map(broken).collect();
    if domain.not_null {
        conditions.push(format!("{column} IS NULL"));
    }
    (!conditions.is_empty()).then(|| conditions.join(" OR "))
}

/// What texts look like that a type takes. A pattern may take more than the type does, never less.
fn pattern(name: &str) -> Option<&'static str> {
    match name {
        "uuid" => Some(r"^\s*\{?([0-9a-f]{4}-?){7}[0-9a-f]{4}\}?\s*$"),
        "boolean" => Some(r"^\s*(t|f|tr|tru|true|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|0|1)\s*$"),
        "smallint" | "integer" | "bigint" => Some(r"^\s*[-+]?([0-9][0-9_]*|0[xob][0-9a-f_]+)\s*$"),
        "numeric" | "real" | "double precision" => Some(
            r"^\s*[-+]?([0-9][0-9_]*\.?[0-9_]*(e[-+]?[0-9_]+)?|\.[0-9][0-9_]*(e[-+]?[0-9_]+)?|0[xob][0-9a-f_]+|nan|inf|infinity)\s*$",
        ),
        "date" | "timestamp without time zone" | "timestamp with time zone" => {
            Some("[0-9]|now|today|tomorrow|yesterday|infinity|epoch")
        }
        "time without time zone" | "time with time zone" => Some("[0-9]|now|allballs"),
        "interval" => Some("[0-9]|infinity"),
        "json" | "jsonb" => Some(r#"^\s*[[{"0-9tfn-]"#),
        "inet" | "cidr" => Some(r"^\s*[0-9a-f.:]+(/[0-9]+)?\s*$"),
        _ => None,
    }
}
