//! The JSON Schema of a spec file, so that editors complete it.

use schemars::{Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::json;

use super::{language::SpecDocument, reader::is_by_engine};

/// The JSON Schema (2020-12) of a spec file, as pretty JSON with a final newline. `engines` are the names that a value may be chosen by.
#[must_use]
pub fn json_schema(engines: &[&str]) -> String {
    let names = json!({ "enum": engines });
    // A choice by engine has no other keys.
    let named = RecursiveTransform(move |form: &mut Schema| {
        if is_by_engine(form.as_value()) {
            form.insert("propertyNames".to_owned(), names.clone());
        }
    });
    let settings = SchemaSettings::draft2020_12().with_transform(named);
    let schema = settings.into_generator().into_root_schema_for::<SpecDocument>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value always encodes");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_choice_by_engine_names_engines_and_nothing_else_does() {
        let schema: Value = serde_json::from_str(&json_schema(&["one", "other"])).unwrap();
        let only = json!({ "enum": ["one", "other"] });
        // The type of a column in its long form: itself, or by engine.
        let choice = &schema["$defs"]["ColumnSpec"]["properties"]["type"]["anyOf"];
        let named: Vec<_> = choice.as_array().unwrap().iter().filter(|form| form["propertyNames"] == only).collect();
        assert_eq!(named.len(), 1, "{choice:#}");
        // Tables are called as people like.
        assert!(schema["properties"]["table"].to_string().contains("additionalProperties"));
        assert!(schema["properties"]["table"].get("propertyNames").is_none());
    }
}
