//! What happens to values when a column's type changes.

mod check;
pub(crate) mod known;

use mig_plan::{Schema, kind::AlterColumn, sql::tokens};

pub(crate) use self::check::{check, no_label, no_value_gone, overflows};

/// How the values of an old type fit into a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Every value fits as it is stored: only the catalog changes.
    Metadata,
    /// Every value fits, and is written anew.
    Rewrite,
    /// A value may not fit, or may lose something.
    Lossy,
}

/// A type in its parts: name, and the numbers between its parentheses.
pub(crate) struct Parts<'a> {
    pub(crate) name: String,
    pub(crate) numbers: Vec<u32>,
    pub(crate) array: bool,
    text: &'a str,
}

pub(crate) fn parts(text: &str) -> Parts<'_> {
    let array = text.ends_with("[]");
    let body = text.trim_end_matches("[]");
    let (name, numbers) = match (body.find('('), body.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let inner = body[open + 1..close].split(',').filter_map(|n| n.trim().parse().ok()).collect();
            (format!("{}{}", &body[..open], &body[close + 1..]), inner)
        }
        _ => (body.to_owned(), Vec::new()),
    };
    Parts { name, numbers, array, text }
}

/// Whether the server has no way from the old type to the new one, and nobody declared one.
pub(crate) fn has_no_way(change: &AlterColumn, schema: &Schema) -> bool {
    let (from, to) = (&change.from.data_type, &change.to.data_type);
    change.using.is_none() && from != to && !through_text(from, to) && !known::exists(from, to, schema)
}

/// Whether two types are both the user's own, where the text is the only way from one to the other that is there for sure.
fn through_text(from: &str, to: &str) -> bool {
    from != to && from.contains('.') && to.contains('.')
}

/// What stands after `USING` where the change says nothing: a cast that the server does not make by itself, from the column's own values.
/// Without any cast the text stands in between: no value may be there, and one that comes nevertheless stops the change.
pub(crate) fn using(change: &AlterColumn, schema: &Schema) -> Option<String> {
    let (from, to) = (&change.from.data_type, &change.to.data_type);
    let column = super::names::quote(&change.from.name);
    if from == to {
        return None;
    }
    if through_text(from, to) {
        let array = if to.ends_with("[]") { "text[]" } else { "text" };
        return Some(format!("{column}::{array}::{to}"));
    }
    if has_no_way(change, schema) {
        return Some(format!("{column}::text::{to}"));
    }
    (!assigns(from, to)).then(|| format!("{column}::{to}"))
}

/// How the values of the column fit into its new type.
pub(crate) fn fit(change: &AlterColumn) -> Fit {
    if change.using.is_some() {
        return Fit::Lossy;
    }
    let (from, to) = (&change.from.data_type, &change.to.data_type);
    if from == to {
        // Another collation: the values stay, indexes are built anew.
        return Fit::Rewrite;
    }
    if change.from.collation != change.to.collation { fit_types(from, to).max_rewrite() } else { fit_types(from, to) }
}

impl Fit {
    fn max_rewrite(self) -> Self {
        if self == Self::Metadata { Self::Rewrite } else { self }
    }
}

pub(crate) fn fit_types(from: &str, to: &str) -> Fit {
    let (a, b) = (parts(from), parts(to));
    if a.array != b.array {
        return Fit::Lossy;
    }
    let wider = |i: usize| match (a.numbers.get(i), b.numbers.get(i)) {
        (_, None) => true,
        (Some(x), Some(y)) => x <= y,
        (None, Some(_)) => false,
    };
    match (a.name.as_str(), b.name.as_str()) {
        ("character varying", "character varying") | ("bit varying", "bit varying") if wider(0) => Fit::Metadata,
        ("character varying", "text") => Fit::Metadata,
        ("text", "character varying") if b.numbers.is_empty() => Fit::Metadata,
        ("numeric", "numeric") if wider_numeric(&a, &b) => Fit::Metadata,
        ("numeric", "numeric") if numeric_room(&a, &b) => Fit::Rewrite,
        ("cidr", "inet") => Fit::Metadata,
        (x, y) if x == y && (x.starts_with("time") || x == "interval") && wider(0) => Fit::Metadata,
        ("character", "text" | "character varying" | "character") if wider(0) || b.name == "text" => Fit::Rewrite,
        ("smallint", "integer" | "bigint") | ("integer", "bigint") | ("real", "double precision") => Fit::Rewrite,
        ("smallint" | "integer" | "bigint", "numeric") if b.numbers.is_empty() => Fit::Rewrite,
        ("smallint" | "integer", "double precision") => Fit::Rewrite,
        ("date", "timestamp without time zone") | ("json", "jsonb") => Fit::Rewrite,
        (_, "text") if !a.array => Fit::Rewrite,
        _ => Fit::Lossy,
    }
}

/// Whether the stored form of every number stays right: the same scale, at least as many digits.
fn wider_numeric(a: &Parts<'_>, b: &Parts<'_>) -> bool {
    match (&a.numbers[..], &b.numbers[..]) {
        (_, []) => true,
        ([p, s], [q, t]) => q >= p && s == t,
        _ => false,
    }
}

/// Whether every number fits: as many digits before and after the point.
fn numeric_room(a: &Parts<'_>, b: &Parts<'_>) -> bool {
    match (&a.numbers[..], &b.numbers[..]) {
        ([p, s], [q, t]) => t >= s && q.saturating_sub(*t) >= p.saturating_sub(*s),
        _ => false,
    }
}

/// Whether an assignment converts one type into the other: it refuses what does not fit, where a written cast would cut it.
pub(crate) fn assigns(from: &str, to: &str) -> bool {
    let (a, b) = (parts(from), parts(to));
    let family = |name: &str| match name {
        "text" | "character varying" | "character" => Some(0),
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => Some(1),
        "date" | "timestamp without time zone" | "timestamp with time zone" => Some(2),
        _ => None,
    };
    let known = family(&a.name).is_some() && family(&a.name) == family(&b.name);
    a.array == b.array && (known || a.name == b.name || family(&b.name) == Some(0))
}

/// Whether a column can move to another type beside running clients: the table would be written anew, every value fits, what old clients
/// write means the same in the new type, and reading it back in the old one gives what they wrote.
pub(crate) fn moves_beside(change: &AlterColumn) -> bool {
    let (a, b) = (parts(&change.from.data_type), parts(&change.to.data_type));
    let text = |name: &str| matches!(name, "character" | "character varying" | "text");
    let family = matches!(
        (a.name.as_str(), b.name.as_str()),
        ("smallint", "integer" | "bigint" | "numeric")
            | ("integer", "bigint" | "numeric")
            | ("bigint" | "numeric", "numeric")
            | ("date", "timestamp without time zone")
            | ("json", "jsonb")
    );
    a.text != b.text
        && !a.array
        && !b.array
        && fit(change) == Fit::Rewrite
        && (family || text(&a.name) && text(&b.name))
}

/// Whether the server has an operator that says whether values of two types are equal, so that a foreign key can stand between them.
pub(crate) fn compares(a: &str, b: &str) -> bool {
    let (x, y) = (parts(a), parts(b));
    let whole = |name: &str| matches!(name, "smallint" | "integer" | "bigint" | "numeric");
    let text = |name: &str| matches!(name, "text" | "character varying" | "character");
    let moment = |name: &str| matches!(name, "date" | "timestamp without time zone" | "timestamp with time zone");
    x.array == y.array
        && (x.name == y.name
            || !x.array && [whole, text, moment].iter().any(|family| family(&x.name) && family(&y.name)))
}

/// Whether a type is the same as another with less room.
pub(crate) fn narrows(from: &str, to: &str) -> bool {
    let (a, b) = (parts(from), parts(to));
    let rank = |name: &str| ["smallint", "integer", "bigint", "numeric"].iter().position(|n| *n == name);
    let text = |name: &str| matches!(name, "text" | "character varying" | "character");
    match (rank(&a.name), rank(&b.name)) {
        (Some(x), Some(y)) => x >= y,
        _ => a.name == b.name && a.text != b.text || text(&a.name) && text(&b.name),
    }
}

/// What in an expression gives another value in another transaction, or each time.
pub(crate) fn unsteady(expression: &str) -> Option<String> {
    const CALLED: &[&str] = &[
        "clock_timestamp",
        "currval",
        "gen_random_uuid",
        "lastval",
        "nextval",
        "now",
        "random",
        "random_normal",
        "setval",
        "statement_timestamp",
        "timeofday",
        "transaction_timestamp",
        "txid_current",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "uuidv4",
        "uuidv7",
    ];
    const BARE: &[&str] = &["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"];
    let all: Vec<_> = tokens(expression).filter(|t| t.kind != mig_plan::sql::TokenKind::Blank).collect();
    all.iter().enumerate().find_map(|(at, token)| {
        let word = token.identifier()?;
        let called = all.get(at + 1).is_some_and(|next| next.text == "(");
        let bare = token.kind == mig_plan::sql::TokenKind::Word && BARE.contains(&word.as_str());
        (bare || (called && CALLED.contains(&word.as_str()))).then_some(word)
    })
}

/// Whether an expression may give another value for each row.
pub(crate) fn is_volatile(expression: &str) -> bool {
    const VOLATILE: &[&str] = &[
        "random",
        "gen_random_uuid",
        "uuid_generate_v4",
        "uuid_generate_v1",
        "uuidv7",
        "uuidv4",
        "clock_timestamp",
        "nextval",
        "timeofday",
        "setseed",
    ];
    const KNOWN: &[&str] = &[
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "lower",
        "upper",
        "concat",
        "coalesce",
        "array",
        "jsonb_build_object",
        "json_build_object",
        "timezone",
        "date_trunc",
        "md5",
        "repeat",
        "numeric",
        "varchar",
        "char",
        "timestamp",
        "interval",
        "time",
        "bit",
        "character",
        "varying",
        "current_timestamp",
        "localtimestamp",
        "make_interval",
        "to_tsvector",
        "nullif",
        "greatest",
        "least",
        "replace",
        "trim",
        "btrim",
        "substr",
        "substring",
        "length",
        "timestamptz",
        "and",
        "or",
        "not",
        "in",
        "any",
        "all",
        "exists",
        "case",
        "when",
        "then",
        "else",
        "from",
        "where",
        "select",
        "values",
        "cast",
        "as",
        "on",
        "between",
        "abs",
        "array_length",
        "ascii",
        "bigint",
        "cardinality",
        "ceil",
        "ceiling",
        "chr",
        "concat_ws",
        "date",
        "date_part",
        "decimal",
        "decode",
        "encode",
        "extract",
        "floor",
        "format",
        "initcap",
        "integer",
        "left",
        "lpad",
        "ltrim",
        "make_date",
        "make_time",
        "make_timestamp",
        "make_timestamptz",
        "mod",
        "overlay",
        "position",
        "power",
        "regexp_replace",
        "reverse",
        "right",
        "round",
        "rpad",
        "rtrim",
        "sign",
        "smallint",
        "split_part",
        "starts_with",
        "strpos",
        "text",
        "to_char",
        "to_date",
        "to_json",
        "to_jsonb",
        "to_number",
        "to_timestamp",
        "translate",
        "trunc",
        "uuid",
        "uuid_generate_v5",
    ];
    let all: Vec<_> = tokens(expression).filter(|t| t.kind != mig_plan::sql::TokenKind::Blank).collect();
    all.windows(2).any(|pair| {
        let Some(name) = pair[0].identifier() else { return false };
        VOLATILE.contains(&name.as_str()) || (pair[1].text == "(" && !KNOWN.contains(&name.as_str()))
    })
}

/// The storage that values of a type have where none was chosen.
pub(crate) fn default_storage(data_type: &str) -> &'static str {
    let parts = parts(data_type);
    let fixed = matches!(
        parts.name.as_str(),
        "integer"
            | "bigint"
            | "smallint"
            | "boolean"
            | "uuid"
            | "date"
            | "real"
            | "double precision"
            | "oid"
            | "interval"
            | "money"
    ) || parts.name.starts_with("time");
    match parts.name.as_str() {
        _ if parts.array => "EXTENDED",
        "numeric" | "inet" | "cidr" => "MAIN",
        _ if fixed => "PLAIN",
        _ => "EXTENDED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_only_metadata() {
        for (from, to, fit) in [
            ("character varying(10)", "character varying(20)", Fit::Metadata),
            ("character varying(20)", "character varying(10)", Fit::Lossy),
            ("character varying(10)", "text", Fit::Metadata),
            ("numeric(5,2)", "numeric(9,2)", Fit::Metadata),
            ("numeric(5,2)", "numeric(9,3)", Fit::Rewrite),
            ("numeric(5,2)", "numeric", Fit::Metadata),
            ("integer", "bigint", Fit::Rewrite),
            ("bigint", "integer", Fit::Lossy),
            ("timestamp(3) with time zone", "timestamp with time zone", Fit::Metadata),
            ("text", "uuid", Fit::Lossy),
            ("uuid", "text", Fit::Rewrite),
        ] {
            assert_eq!(fit_types(from, to), fit, "{from} -> {to}");
        }
    }

    #[test]
    fn volatility_is_guessed_on_the_safe_side() {
        for (text, volatile) in [
            ("now()", false),
            ("gen_random_uuid()", true),
            ("'a'::text", false),
            ("my_function(1)", true),
            ("'x(y'", false),
        ] {
            assert_eq!(is_volatile(text), volatile, "{text}");
        }
    }
}
