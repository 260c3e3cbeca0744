//! The keys of the language. Each is declared once, in this folder: reading, the JSON Schema and the reference come from these lists.
//! A line `Example:` of a key's comment holds a value of it.

use mig_plan::table::ReferentialAction;

macro_rules! language {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $says:literal])* $key:literal $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            /// Where it is declared.
            pub place: $crate::diagnostic::Place,
            $($(#[doc = $says])* pub $field: $type,)*
        }

        impl $crate::spec::reader::Read for $name {
            fn keys() -> &'static [&'static str] {
                &[$($key),*]
            }

            fn read(node: &$crate::spec::node::Node, reader: &mut $crate::spec::reader::Reader<'_>) -> Option<Self> {
                let entries = reader.entries(node, Self::keys())?;
                $(let $field = {
                    let found = entries.iter().find(|e| e.name.value == $key).map(|e| &e.value);
                    <$type as $crate::spec::reader::Field>::field(found, $key, &node.place, reader)
                };)*
                Some(Self { place: node.place.clone(), $($field: $field?,)* })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = serde_json::Map::new();
                let mut required: Vec<&str> = Vec::new();
                $(
                    let mut schema = <$type as $crate::spec::reader::Field>::schema(generator);
                    let told = $crate::spec::language::Told::of(concat!($($says, "\n"),*));
                    schema.insert("description".to_owned(), told.description.into());
                    if !told.examples.is_empty() {
                        schema.insert("examples".to_owned(), told.examples.into());
                    }
                    properties.insert($key.to_owned(), schema.to_value());
                    required.extend(<$type as $crate::spec::reader::Field>::REQUIRED.then_some($key));
                )*
                schemars::json_schema!({
                    "description": $crate::spec::language::Told::of(concat!($($doc, "\n"),*)).description,
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
        }
    )*

        /// Reads every key's examples as its type reads them; gives the keys that have none.
        #[cfg(test)]
        pub(super) fn keys_without_example(reader: &mut $crate::spec::reader::Reader<'_>) -> Vec<String> {
            let mut without = Vec::new();
            $($(
                let told: Vec<&str> = $crate::spec::language::examples(concat!($($says, "\n"),*)).collect();
                if told.is_empty() {
                    without.push(format!("{}.{}", stringify!($name), $key));
                }
                for example in told {
                    let text = format!("{} = {example}", $key);
                    let path = format!("the example of {}.{}", stringify!($name), $key);
                    let node = $crate::spec::node::read(&$crate::spec::SpecFile { path, text }, &mut reader.errors);
                    let $crate::spec::node::Value::Table(entries) = &node.value else { continue };
                    let found = entries.first().map(|entry| &entry.value);
                    drop(<$type as $crate::spec::reader::Field>::field(found, $key, &node.place, reader));
                }
            )*)*
            without
        }
    };
}

mod document;
mod object;
mod table;
mod transform;
mod verify;

pub use self::{
    document::{ExtensionSpec, Manage, NamespaceSpec, SpecDocument},
    object::{
        DomainCheckSpec, DomainSpec, EnumSpec, EnumValueSpec, MaterializedViewSpec, SequenceSpec, SourceSpec, ViewSpec,
    },
    table::{
        CheckSpec, ColumnSpec, ExcludeSpec, ForeignKeySpec, GeneratedSpec, IdentitySpec, IndexPartSpec, IndexSpec,
        PrimaryKeySpec, TableSpec, UniqueSpec,
    },
    transform::{RejectSpec, TransformSpec, UuidSpec},
    verify::{AssertionSpec, DatasetSpec, ExpectSpec, ProbeSpec},
};

/// Reads every key's examples as its type reads them; gives the keys that have none.
#[cfg(test)]
pub(super) fn keys_without_example(reader: &mut super::reader::Reader<'_>) -> Vec<String> {
    let parts = [
        document::keys_without_example,
        object::keys_without_example,
        table::keys_without_example,
        transform::keys_without_example,
        verify::keys_without_example,
    ];
    parts.iter().flat_map(|part| part(reader)).collect()
}

/// What the comment on a key says, for those who write specs.
struct Told {
    description: String,
    examples: Vec<serde_json::Value>,
}

impl Told {
    fn of(comment: &str) -> Self {
        let examples = examples(comment).filter_map(|example| {
            let table: toml::Table = toml::from_str(&format!("it = {example}")).ok()?;
            serde_json::to_value(table.get("it")?).ok()
        });
        let lines = comment.lines().map(str::trim).filter(|line| !line.starts_with(EXAMPLE));
        Self { description: lines.collect::<Vec<_>>().join("\n").trim().to_owned(), examples: examples.collect() }
    }
}

/// How a line of a comment begins that holds an example, as a TOML value between backticks.
const EXAMPLE: &str = "Example: ";

fn examples(comment: &str) -> impl Iterator<Item = &str> {
    let values = comment.lines().filter_map(|line| line.trim().strip_prefix(EXAMPLE));
    values.map(|value| value.trim_start_matches('`').trim_end_matches('`'))
}

/// The words for what happens to referring rows.
pub(crate) const ACTIONS: &[(&str, ReferentialAction)] = &[
    ("no action", ReferentialAction::NoAction),
    ("restrict", ReferentialAction::Restrict),
    ("cascade", ReferentialAction::Cascade),
    ("set null", ReferentialAction::SetNull),
    ("set default", ReferentialAction::SetDefault),
];
