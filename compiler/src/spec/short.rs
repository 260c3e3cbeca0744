//! The short forms of what also has a table of keys.

use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};

use super::{
    language::{ColumnSpec, EnumValueSpec, GeneratedSpec, IdentitySpec, IndexPartSpec, PrimaryKeySpec},
    names,
    node::{Node, Value},
    reader::{List, Names, Read, Reader, Shorthand, Text},
};

/// One statement or several.
#[derive(Clone, Debug)]
pub struct Statements(pub Vec<Text>);

impl Read for Statements {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.wrong_type(node, "a string or a list of strings");
        None
    }
}

impl JsonSchema for Statements {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Statements".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Json {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}

impl Shorthand for Statements {
    fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::List(_) => List::<Text>::read(node, reader).map(|list| Self(list.0)),
            _ => Text::read(node, reader).map(|text| Self(vec![text])),
        }
    }

    fn short_schema() -> Json {
        json_schema!({ "type": "string" })
    }
}

macro_rules! short_text {
    ($($name:ident.$field:ident $wanted:literal { $($other:ident),* $(,)? })*) => {$(
        impl Shorthand for $name {
            fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let Value::Text(_) = node.value else {
                    reader.wrong_type(node, $wanted);
                    return None;
                };
                let $field = Text::read(node, reader)?;
                Some(Self { place: node.place.clone(), $field: $field.into(), $($other: Default::default()),* })
            }

            fn short_schema() -> Json {
                json_schema!({ "type": "string" })
            }
        }
    )*};
}

short_text! {
    ColumnSpec.data_type "a type, as a string, or a table" {
        null, default, identity, generated, collation, was, comment, options,
    }
    IdentitySpec.generated "`\"always\"`, `\"by default\"` or a table" { start, increment, min, max, cache, cycle }
    GeneratedSpec.expression "an expression, as a string, or a table" { stored }
    EnumValueSpec.value "a string or a table" { was }
}

impl Shorthand for IndexPartSpec {
    fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Text::read(node, reader)?;
        Some(names::index_part(text, node.place.clone()))
    }

    fn short_schema() -> Json {
        json_schema!({ "type": "string" })
    }
}

impl Shorthand for PrimaryKeySpec {
    fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            place: node.place.clone(),
            name: None,
            was: None,
            columns: List::read(node, reader)?,
            include: Vec::new(),
            deferrable: None,
            comment: None,
            options: Names::default(),
        })
    }

    fn short_schema() -> Json {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}
