//! A reference in Markdown, made from a JSON Schema: a section for each kind of table, a row for each key.

use serde_json::{Map, Value};

use super::reader::is_by_engine;

/// The reference of a kind of file, from its JSON Schema. A schema that is no JSON gives the introduction only.
#[must_use]
pub fn reference(title: &str, intro: &str, schema: &str) -> String {
    let root: Value = serde_json::from_str(schema).unwrap_or_default();
    let mut out =
        format!("# {title}\n\n<!-- Made from the types by a test; MIG_BLESS=1 writes it anew. -->\n\n{intro}\n");
    let mut names = Vec::new();
    collect(&root, &root, &mut names);
    section(&mut out, "The file", &root, &root);
    for name in names {
        section(&mut out, &heading(&name), &root["$defs"][&name], &root);
    }
    out
}

/// The definitions that a schema refers to, in the order in which they are met.
fn collect(at: &Value, root: &Value, names: &mut Vec<String>) {
    match at {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
                let definition = &root["$defs"][name];
                if definition["properties"].is_object() && !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                    collect(definition, root, names);
                }
            }
            map.iter().filter(|(key, _)| *key != "$defs").for_each(|(_, value)| collect(value, root, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, root, names)),
        _ => {}
    }
}

fn section(out: &mut String, title: &str, schema: &Value, root: &Value) {
    out.push_str(&format!("\n## {title}\n"));
    if let Some(says) = schema["description"].as_str() {
        out.push_str(&format!("\n{says}\n"));
    }
    out.push_str("\n| key | takes | meaning | example |\n|---|---|---|---|\n");
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&key.as_str()) { ", must be there" } else { "" };
        let says = value["description"].as_str().unwrap_or_default().replace('\n', " ");
        let examples: Vec<_> = value["examples"].as_array().into_iter().flatten().map(toml).collect();
        let examples: Vec<_> = examples.iter().map(|example| format!("`{}`", bars(example))).collect();
        out.push_str(&format!(
            "| `{key}` | {}{must} | {} | {} |\n",
            takes(value, root),
            bars(&says),
            examples.join(", ")
        ));
    }
}

/// What a key takes, in words.
fn takes(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        if !root["$defs"][name]["properties"].is_object() {
            return takes(&root["$defs"][name], root);
        }
        let heading = heading(name);
        return format!("[{}](#{})", heading.to_lowercase(), heading.to_lowercase().replace(' ', "-"));
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", bars(&toml(value)));
    }
    if let Some(forms) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let own = forms.iter().filter(|form| !is_by_engine(form));
        let mut words: Vec<_> = own.map(|form| takes(form, root)).collect();
        words.dedup();
        words.retain(|word| word != "null");
        return words.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{}`", bars(&toml(value)))).collect::<Vec<_>>().join(", ");
    }
    match &schema["type"] {
        Value::String(word) => simple(word, schema, root),
        Value::Array(words) => {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect();
            words.iter().map(|word| simple(word, schema, root)).collect::<Vec<_>>().join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

fn simple(word: &str, schema: &Value, root: &Value) -> String {
    match word {
        "array" => format!("list of {}", takes(&schema["items"], root)),
        "object" if schema["additionalProperties"].is_object() => {
            format!("by name: {}", takes(&schema["additionalProperties"], root))
        }
        "object" => "table".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// A definition's name as words: `PrimaryKeySpec` is `Primary key`.
fn heading(name: &str) -> String {
    let mut out = String::new();
    for c in name.strip_suffix("Spec").unwrap_or(name).chars() {
        match c {
            c if out.is_empty() => out.push(c),
            c if c.is_uppercase() => out.extend([' ', c.to_ascii_lowercase()]),
            c => out.push(c),
        }
    }
    out
}

/// A JSON value as TOML writes it on one line.
fn toml(value: &Value) -> String {
    let key = |key: &str| {
        let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if bare { key.to_owned() } else { Value::from(key).to_string() }
    };
    let table =
        |map: &Map<String, Value>| map.iter().map(|(k, v)| format!("{} = {}", key(k), toml(v))).collect::<Vec<_>>();
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => format!("{{ {} }}", table(map).join(", ")),
        other => other.to_string(),
    }
}

/// Text inside a cell of a table.
fn bars(text: &str) -> String {
    text.replace('|', "\\|")
}
