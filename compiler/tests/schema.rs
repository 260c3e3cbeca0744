//! The published JSON Schema and the reference are those that the language makes.

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

#[test]
fn the_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/specs.md");
    let intro = "A spec is a TOML file. How the language is meant is told in [the spec language](../spec-language.md); here is \
                 every key. Any value may also be a choice by engine, a table with a value for each engine's name.";
    let page = mig_compiler::reference("Spec files", intro, &mig_compiler::json_schema());
    if std::env::var_os("MIG_BLESS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, &page).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == page, "docs/reference/specs.md is stale: run the test again with MIG_BLESS=1");
}
