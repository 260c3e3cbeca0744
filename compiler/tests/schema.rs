//! The published JSON Schema is the one that the language makes.

#[test]
fn the_published_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/spec.schema.json");
    let schema = mig_compiler::json_schema();
    if std::env::var_os("MIG_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == schema, "specs/spec.schema.json is stale: run the test again with MIG_BLESS=1");
}
