//! The JSON Schema of a spec file, so that editors complete it.

use schemars::generate::SchemaSettings;

use super::language::SpecDocument;

/// The JSON Schema (2020-12) of a spec file, as pretty JSON with a final newline.
#[must_use]
pub fn json_schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<SpecDocument>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value always encodes");
    text.push('\n');
    text
}
