//! One form for what PostgreSQL writes in another way than people do.

use mig_plan::Name;
use serde_json::{Map, Value, json};
use sqlparser::ast::DataType;

use super::Around;
use crate::dialect::types::spell_loosely;

/// The tree with known rewrites done, from the leaves up. What no rule names stays as the parser gave it.
pub(crate) fn normal(value: Value, around: &Around<'_>) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| normal(item, around)).collect()),
        Value::Object(fields) => {
            if let Some(cast) = typed(&fields, around) {
                return cast;
            }
            let fields: Map<String, Value> = fields
                .into_iter()
                .filter(|(key, _)| !is_position(key))
                .map(|(key, value)| (key, normal(value, around)))
                .collect();
            node(fields, around)
        }
        other => other,
    }
}

/// Whether a field only says where in the source something stood.
fn is_position(key: &str) -> bool {
    key == "span" || key.ends_with("_token") || key == "explicit_as" || key == "shorthand" || key == "special"
}

/// Casts and typed literals, whose type must be read before the fields are brought into form.
fn typed(fields: &Map<String, Value>, around: &Around<'_>) -> Option<Value> {
    if let Some(cast) = fields.get("Cast") {
        return Some(cast_to(normal(cast.get("expr")?.clone(), around), cast.get("data_type")?, around));
    }
    if let Some(literal) = fields.get("TypedString") {
        let text = self::literal(literal.pointer("/value/value")?);
        return Some(cast_to(text, literal.get("data_type")?, around));
    }
    let interval = fields.get("Interval")?;
    let text = normal(interval.get("value")?.clone(), around);
    let field = interval.get("leading_field").filter(|f| !f.is_null());
    match field {
        None => Some(json!({ "cast": [text, "interval"] })),
        Some(field) => Some(json!({ "cast": [text, format!("interval {field}")] })),
    }
}

fn cast_to(expr: Value, data_type: &Value, around: &Around<'_>) -> Value {
    let spelling = match serde_json::from_value::<DataType>(data_type.clone()) {
        Ok(data_type) => spell_loosely(&data_type.to_string(), around.default),
        Err(_) => data_type.to_string(),
    };
    json!({ "cast": [expr, spelling] })
}

/// One node whose fields are in form already.
fn node(fields: Map<String, Value>, around: &Around<'_>) -> Value {
    if let (Some(Value::String(name)), true) = (fields.get("value"), fields.contains_key("quote_style")) {
        let folded = if fields["quote_style"].is_null() { name.to_lowercase() } else { name.clone() };
        return json!({ "name": folded });
    }
    if fields.contains_key("relation") && fields.contains_key("joins") {
        return flat_joins(fields);
    }
    if fields.len() != 1 {
        return Value::Object(fields);
    }
    let Some((kind, inner)) = fields.into_iter().next() else { return Value::Null };
    expression(&kind, inner, around)
}

/// `((a JOIN b) JOIN c)` as `a JOIN b JOIN c`.
fn flat_joins(mut fields: Map<String, Value>) -> Value {
    let inner = fields.get("relation").and_then(|r| r.get("table_with_joins")).cloned();
    let bare = fields.get("relation").is_some_and(|r| r["alias"].is_null());
    if let (Some(inner), true) = (inner, bare) {
        let joins = |from: &Value| from.as_array().cloned().unwrap_or_default();
        let all = [joins(&inner["joins"]), joins(&fields["joins"])].concat();
        fields.insert("relation".to_owned(), inner["relation"].clone());
        fields.insert("joins".to_owned(), Value::Array(all));
    }
    Value::Object(fields)
}

/// An expression by the parser's word for it.
fn expression(kind: &str, inner: Value, around: &Around<'_>) -> Value {
    let field = |name: &str| inner.get(name).cloned().unwrap_or(Value::Null);
    let negated = field("negated") == Value::Bool(true);
    match kind {
        "Nested" => inner,
        "Value" => inner.get("value").map_or(inner.clone(), literal),
        "Identifier" => json!({ "column": [inner] }),
        "CompoundIdentifier" => json!({ "column": inner }),
        "BinaryOp" => operator(&word(&field("op")), field("left"), field("right")),
        "UnaryOp" => unary(&word(&field("op")), field("expr")),
        "Between" => {
            let (low, high) = if negated { ("<", ">") } else { (">=", "<=") };
            let (low, high) = (op(low, field("expr"), field("low")), op(high, field("expr"), field("high")));
            op(if negated { "OR" } else { "AND" }, low, high)
        }
        "InList" => list(field("expr"), field("list"), negated),
        "AnyOp" => quantified("any", &word(&field("compare_op")), field("left"), field("right")),
        "AllOp" => quantified("all", &word(&field("compare_op")), field("left"), field("right")),
        "Like" | "ILike" if field("escape_char").is_null() => {
            let sign = match (kind, negated) {
                ("Like", false) => "~~",
                ("Like", true) => "!~~",
                (_, false) => "~~*",
                (_, true) => "!~~*",
            };
            op(sign, field("expr"), field("pattern"))
        }
        "Exists" | "InSubquery" if negated => {
            let mut positive = inner.clone();
            positive["negated"] = Value::Bool(false);
            json!({ "not": { kind: positive } })
        }
        "IsNotNull" => json!({ "not": { "IsNull": inner } }),
        "IsNotTrue" => json!({ "not": { "IsTrue": inner } }),
        "IsNotFalse" => json!({ "not": { "IsFalse": inner } }),
        "IsNotDistinctFrom" => json!({ "not": { "IsDistinctFrom": inner } }),
        "AtTimeZone" => json!({ "call": ["timezone", [field("time_zone"), field("timestamp")]] }),
        "Extract" => json!({ "extract": [word(&field("field")).to_lowercase(), field("expr")] }),
        "Array" => json!({ "array": field("elem") }),
        "Position" => json!({ "call": ["position", [field("expr"), field("in")]] }),
        "Substring" => {
            let arguments: Vec<_> = [field("expr"), field("substring_from"), field("substring_for")]
                .into_iter()
                .filter(|v| !v.is_null())
                .collect();
            json!({ "call": ["substring", arguments] })
        }
        "Trim" => trim(&inner),
        "Ceil" | "Floor" => json!({ "call": [kind.to_lowercase(), [field("expr")]] }),
        "Function" => call(inner, around),
        "NestedJoin" => inner,
        "UnnamedExpr" => json!({ "out": [inner, null_name()] }),
        "ExprWithAlias" => json!({ "out": [field("expr"), field("alias")] }),
        _ => {
            let mut fields = Map::new();
            fields.insert(kind.to_owned(), inner);
            Value::Object(fields)
        }
    }
}

fn null_name() -> Value {
    Value::Null
}

/// A binary operation in form.
fn op(sign: &str, left: Value, right: Value) -> Value {
    json!({ "op": [sign, left, right] })
}

/// The word of an operator or field: a unit name, or the text that a custom one carries.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields.iter().next().map(|(key, inner)| format!("{key}:{inner}")).unwrap_or_default(),
        other => other.to_string(),
    }
}

fn operator(name: &str, left: Value, right: Value) -> Value {
    let sign = match name {
        "Gt" => ">",
        "Lt" => "<",
        "GtEq" => ">=",
        "LtEq" => "<=",
        "Eq" => "=",
        "NotEq" => "<>",
        "And" => "AND",
        "Or" => "OR",
        "PGLikeMatch" => "~~",
        "PGNotLikeMatch" => "!~~",
        "PGILikeMatch" => "~~*",
        "PGNotILikeMatch" => "!~~*",
        other => other,
    };
    if matches!(sign, "AND" | "OR") {
        let mut items = flat(sign, left);
        items.extend(flat(sign, right));
        return json!({ "chain": [sign, items] });
    }
    op(sign, left, right)
}

/// The members of a chain of ANDs or ORs.
fn flat(sign: &str, value: Value) -> Vec<Value> {
    match &value["chain"] {
        Value::Array(parts) if parts[0] == sign => parts[1].as_array().cloned().unwrap_or_default(),
        _ => match &value["op"] {
            Value::Array(parts) if parts[0] == sign => {
                let mut items = flat(sign, parts[1].clone());
                items.extend(flat(sign, parts[2].clone()));
                items
            }
            _ => vec![value],
        },
    }
}

fn unary(name: &str, operand: Value) -> Value {
    match (name, operand.get("literal").and_then(Value::as_str)) {
        ("Minus", Some(text)) if text.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            json!({ "literal": format!("-{text}") })
        }
        ("Minus", None) if operand.pointer("/cast/0/literal").is_some() => {
            let text = operand.pointer("/cast/0/literal").and_then(Value::as_str).unwrap_or_default();
            json!({ "cast": [{ "literal": format!("-{text}") }, operand["cast"][1]] })
        }
        ("Plus", Some(_)) => operand,
        ("Not", _) => match operand.get("not") {
            Some(inner) => inner.clone(),
            None => json!({ "not": operand }),
        },
        _ => json!({ "unary": [name, operand] }),
    }
}

/// A literal in form: its text, whatever its quotes.
fn literal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => match fields.iter().next() {
            Some((kind, Value::Array(parts))) if kind == "Number" => json!({ "literal": parts[0] }),
            Some((kind, Value::Bool(truth))) if kind == "Boolean" => json!({ "boolean": truth }),
            Some((kind, Value::String(text))) if kind.ends_with("String") || kind.ends_with("Literal") => {
                json!({ "literal": text })
            }
            Some((kind, inner)) if kind == "DollarQuotedString" => json!({ "literal": inner["value"] }),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// `x IN (a, b)`: the server asks `x = ANY (ARRAY[a, b])`; for one value, `x = a`.
fn list(expr: Value, items: Value, negated: bool) -> Value {
    let sign = if negated { "<>" } else { "=" };
    match items.as_array().map(Vec::as_slice) {
        Some([one]) => op(sign, expr, one.clone()),
        _ => json!({ if negated { "all" } else { "any" }: [sign, expr, { "array": items }] }),
    }
}

fn quantified(kind: &str, name: &str, left: Value, right: Value) -> Value {
    let sign = operator(name, Value::Null, Value::Null)["op"][0].clone();
    json!({ kind: [sign, left, right] })
}

fn trim(inner: &Value) -> Value {
    let name = match inner.get("trim_where").and_then(Value::as_str) {
        Some("Leading") => "ltrim",
        Some("Trailing") => "rtrim",
        _ => "btrim",
    };
    let what = inner.get("trim_what").filter(|v| !v.is_null()).cloned();
    let arguments: Vec<_> = inner.get("expr").cloned().into_iter().chain(what).collect();
    json!({ "call": [name, arguments] })
}

/// A call: its name without the schemas that need not be written, and its arguments.
fn call(inner: Value, around: &Around<'_>) -> Value {
    let name = path(&inner["name"], around.default);
    let plain = ["over", "filter", "null_treatment"].iter().all(|f| inner.get(*f).is_none_or(Value::is_null))
        && inner.get("within_group").is_none_or(|g| g.as_array().is_some_and(Vec::is_empty));
    let arguments = match &inner["args"] {
        Value::String(_) if plain => return json!({ "keyword": name }),
        arguments => arguments,
    };
    let list = &arguments["List"];
    let simple = list["duplicate_treatment"].is_null() && list["clauses"].as_array().is_none_or(Vec::is_empty);
    let unwrapped = list["args"].as_array().map(|all| all.iter().map(argument).collect::<Vec<_>>());
    match (plain && simple, unwrapped) {
        (true, Some(arguments)) => json!({ "call": [name, arguments] }),
        (_, arguments) => {
            let mut fields = inner.as_object().cloned().unwrap_or_default();
            fields.insert("name".to_owned(), json!(name));
            if let Some(arguments) = arguments {
                fields["args"]["List"]["args"] = Value::Array(arguments);
            }
            json!({ "window": fields })
        }
    }
}

/// An argument without the parser's wrapping.
fn argument(value: &Value) -> Value {
    let inner = value.get("Unnamed").unwrap_or(value);
    inner.get("Expr").unwrap_or(inner).clone()
}

/// A dotted name in form, without the default schema and the catalog's own.
pub(crate) fn path(name: &Value, default: Option<&Name>) -> String {
    let parts = name.as_array().cloned().unwrap_or_default();
    let text = |part: &Value| part["name"].as_str().map(str::to_owned);
    let parts: Vec<String> =
        parts.iter().filter_map(|p| text(p.get("Identifier").unwrap_or(p)).or_else(|| text(&p["column"][0]))).collect();
    let hidden = |schema: &String| schema == "pg_catalog" || default.is_some_and(|d| d.as_str() == schema);
    match parts.split_first() {
        Some((schema, rest)) if !rest.is_empty() && hidden(schema) => rest.join("."),
        _ => parts.join("."),
    }
}
