//! Compares two trees in form, and forgives what the server adds without changing the meaning.

use serde_json::{Map, Value};

use super::{Around, form};

/// Whether a declared tree means what the catalog's tree means.
pub(crate) fn same(said: &Value, found: &Value, around: &Around<'_>) -> bool {
    if said == found {
        return true;
    }
    if let (Some(a), Some(b)) = (column(said), column(found)) {
        return same_column(&a, &b);
    }
    if let (Some(a), Some(b)) = (members(said), members(found)) {
        return a.0 == b.0 && a.1.len() == b.1.len() && a.1.iter().zip(&b.1).all(|(x, y)| same(x, y, around));
    }
    if divides(said) && divides(found) && !same_division(said, found) {
        return false;
    }
    match (cast(said), cast(found)) {
        (None, Some((b, "regclass"))) => same_text(said, b, around),
        (Some((a, to_a)), Some((b, to_b))) if to_a == to_b => same(a, b, around),
        // The server casts a literal at once, and casts what it has cast again.
        (Some((a, _)), Some((b, _))) if is_literal(a) && cast(b).is_some() => same(said, b, around),
        (Some((a, to)), None) if is_literal(a) && is_literal(found) => same(a, found, around) && plain_literal(to),
        (Some((a, to)), None) if to.ends_with("[]") && a.get("array").is_some() => same(a, found, around),
        (None, Some((b, to))) if to.starts_with("timestamp") && same_moment(said, b) => true,
        (Some((a, "regclass")), None) => same_text(a, found, around),
        (None, Some((b, to))) if forgivable(said, b, to, around) => same(said, b, around),
        (Some((a, "regclass")), Some((b, "regclass"))) => same_text(a, b, around),
        _ => inside(said, found, around),
    }
}

/// Whether the node divides: there a cast of an operand changes the result.
fn divides(value: &Value) -> bool {
    matches!(value.pointer("/op/0").and_then(Value::as_str), Some("Divide" | "Modulo"))
}

/// Whether the operands of two divisions are cast alike, literals aside.
fn same_division(said: &Value, found: &Value) -> bool {
    let target = |v: &Value| cast(v).filter(|(inner, _)| !is_literal(inner)).map(|(_, to)| to.to_owned());
    ["/op/1", "/op/2"].iter().all(|at| said.pointer(at).and_then(target) == found.pointer(at).and_then(target))
}

fn inside(said: &Value, found: &Value, around: &Around<'_>) -> bool {
    match (said, found) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y, around)),
        (Value::Object(a), Value::Object(b)) => literals(a, b)
            .unwrap_or_else(|| truth(said, found) || out(a, b, around).unwrap_or_else(|| fields(a, b, around))),
        _ => false,
    }
}

/// Fields by name; a table's name in any spelling, and what one side leaves empty counts as left out.
fn fields(a: &Map<String, Value>, b: &Map<String, Value>, around: &Around<'_>) -> bool {
    let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
    keys.into_iter().all(|key| match (a.get(key), b.get(key)) {
        (Some(x), Some(y)) if key == "name" && x.is_array() && y.is_array() => {
            form::path(x, around.default) == form::path(y, around.default)
        }
        (Some(Value::Null), Some(alias)) if key == "alias" && is_made_up(alias) => true,
        (Some(x), Some(y)) if key == "join_operator" => same(&inner_join(x), &inner_join(y), around),
        (Some(x), Some(y)) => same(x, y, around),
        (Some(x), None) | (None, Some(x)) => x.is_null() || x.as_array().is_some_and(Vec::is_empty),
        (None, None) => true,
    })
}

/// Whether an alias looks like one that the server gives a table that is named twice: `users_1`.
fn is_made_up(alias: &Value) -> bool {
    let name = alias.pointer("/name/name").and_then(Value::as_str).unwrap_or_default();
    name.rsplit_once('_').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// `JOIN` is `INNER JOIN`, `LEFT JOIN` is `LEFT OUTER JOIN`.
fn inner_join(value: &Value) -> Value {
    match value.as_object().and_then(|o| o.iter().next()) {
        Some((key, inner)) => {
            let plain = match key.as_str() {
                "Inner" => "Join",
                "LeftOuter" => "Left",
                "RightOuter" => "Right",
                other => other,
            };
            let mut fields = Map::new();
            fields.insert(plain.to_owned(), inner.clone());
            Value::Object(fields)
        }
        None => value.clone(),
    }
}

/// A column's names, innermost last.
fn column(value: &Value) -> Option<Vec<&str>> {
    value.get("column")?.as_array()?.iter().map(|n| n["name"].as_str()).collect()
}

/// Whether two columns are one: the same name, and the same table where both say it.
fn same_column(a: &[&str], b: &[&str]) -> bool {
    let shared = a.len().min(b.len());
    a[a.len() - shared..] == b[b.len() - shared..]
}

/// Sign and members of a chain of ANDs or ORs; a single range counts as a chain.
fn members(value: &Value) -> Option<(&str, Vec<&Value>)> {
    if let Some(parts) = value.get("chain").and_then(Value::as_array) {
        let sign = parts[0].as_str()?;
        let mut all = Vec::new();
        for item in parts[1].as_array()? {
            match members(item) {
                Some((inner, items)) if inner == sign => all.extend(items),
                _ => all.push(item),
            }
        }
        return Some((sign, all));
    }
    let parts = value.get("op")?.as_array()?;
    let sign = parts[0].as_str().filter(|s| matches!(*s, "AND" | "OR"))?;
    Some((sign, vec![&parts[1], &parts[2]]))
}

fn cast(value: &Value) -> Option<(&Value, &str)> {
    let parts = value.get("cast")?.as_array()?;
    Some((&parts[0], parts[1].as_str()?))
}

fn is_literal(value: &Value) -> bool {
    value.get("literal").is_some() || value.get("boolean").is_some() || value == "Null"
}

/// Whether a literal has this type anyway.
fn plain_literal(to: &str) -> bool {
    matches!(to, "text" | "integer" | "character varying" | "numeric" | "boolean")
}

/// Whether the server may have added a cast by itself, without a change of meaning.
fn forgivable(said: &Value, inner: &Value, to: &str, around: &Around<'_>) -> bool {
    let base = to.trim_end_matches("[]");
    let text = |t: &str| t == "text" || t == "bpchar" || t.starts_with("character");
    if is_literal(inner) || inner.get("array").is_some() || cast(inner).is_some() || is_literal(said) {
        return true;
    }
    let from = column(inner).and_then(|names| around.type_of(names.last().copied().unwrap_or_default()));
    match from {
        Some(from) => {
            text(from) && text(base)
                || matches!(
                    (from, base),
                    ("smallint", "integer" | "bigint" | "numeric" | "double precision")
                        | ("integer", "bigint" | "numeric" | "double precision")
                        | ("bigint", "numeric" | "double precision")
                        | ("numeric" | "real", "double precision")
                        | ("date", "timestamp without time zone" | "timestamp with time zone")
                        | ("timestamp without time zone", "timestamp with time zone")
                )
        }
        // Of a call or of another relation's column only the texts are told apart by no one.
        None => text(base) || to == "regclass",
    }
}

/// Texts and numbers of literals: `5`, `'5'` and `5.0` where a number is meant.
fn literals(a: &Map<String, Value>, b: &Map<String, Value>) -> Option<bool> {
    let (a, b) = (a.get("literal")?.as_str()?, b.get("literal")?.as_str()?);
    Some(a == b)
}

/// `'t'` and `true` where a boolean is meant.
fn truth(said: &Value, found: &Value) -> bool {
    let value = |v: &Value| match (v.get("boolean"), v.get("literal").and_then(Value::as_str)) {
        (Some(truth), _) => truth.as_bool(),
        (None, Some("t" | "true" | "on" | "1" | "yes")) => Some(true),
        (None, Some("f" | "false" | "off" | "0" | "no")) => Some(false),
        _ => None,
    };
    (said.get("boolean").is_some() || found.get("boolean").is_some())
        && value(said).is_some()
        && value(said) == value(found)
}

/// Output columns: the server names what has no name of its own after the function or column that it is.
fn out(a: &Map<String, Value>, b: &Map<String, Value>, around: &Around<'_>) -> Option<bool> {
    let (a, b) = (a.get("out")?.as_array()?, b.get("out")?.as_array()?);
    let named = |parts: &[Value]| parts[1]["name"].as_str().map_or_else(|| implied(&parts[0]), |n| Some(n.to_owned()));
    Some(same(&a[0], &b[0], around) && named(a) == named(b))
}

/// The name that an output column has where none is given.
fn implied(value: &Value) -> Option<String> {
    if let Some(names) = column(value) {
        return names.last().map(|n| (*n).to_owned());
    }
    if let Some((inner, to)) = cast(value) {
        return implied(inner).or_else(|| Some(internal(to).to_owned()));
    }
    if let Some(name) = value.get("call").and_then(|c| c[0].as_str()) {
        return name.rsplit('.').next().map(str::to_owned);
    }
    if let Some(name) = value.pointer("/window/name").and_then(Value::as_str) {
        return name.rsplit('.').next().map(str::to_owned);
    }
    value.get("Case").map(|_| "case".to_owned())
}

/// The server's inner name of a type, which names a cast's output column.
fn internal(data_type: &str) -> &str {
    match data_type {
        "integer" => "int4",
        "bigint" => "int8",
        "boolean" => "bool",
        "timestamp with time zone" => "timestamptz",
        other => other,
    }
}

/// A day as the server writes it: with its midnight.
fn same_moment(a: &Value, b: &Value) -> bool {
    let text = |v: &Value| {
        let text = v.get("literal").and_then(Value::as_str)?.to_owned();
        let text = text.strip_suffix("+00").map(str::to_owned).unwrap_or(text);
        Some(text.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(text))
    };
    text(a).is_some() && text(a) == text(b)
}

/// Texts that name an object: with or without the default schema.
fn same_text(a: &Value, b: &Value, around: &Around<'_>) -> bool {
    let text = |v: &Value| {
        let text = v.get("literal").or_else(|| v.pointer("/cast/0/literal")).and_then(Value::as_str)?.replace('"', "");
        let schema = around.default.map(|d| format!("{d}.")).unwrap_or_default();
        Some(text.strip_prefix(&schema).map(str::to_owned).unwrap_or(text))
    };
    text(a).is_some() && text(a) == text(b)
}
