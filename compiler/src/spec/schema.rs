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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/spec.schema.json");
        let schema = json_schema();
        if std::env::var_os("MIG_BLESS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(published == schema, "specs/spec.schema.json is stale: run the test again with MIG_BLESS=1");
    }
}
