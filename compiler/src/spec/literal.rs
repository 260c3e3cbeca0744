//! Values of data, as TOML says them.

use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};

use super::{
    language::ExpectSpec,
    node::{Node, Said, Value},
    reader::{List, Read, Reader, Shorthand},
};

/// A text, a number, true or false.
#[derive(Clone, Debug)]
pub struct Literal(pub Said<mig_plan::verify::Literal>);

impl Read for Literal {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        use mig_plan::verify::Literal as Value_;
        let value = match &node.value {
            Value::Text(text) => Value_::Text(text.clone()),
            Value::Integer(number) => Value_::Number(number.to_string()),
            Value::Number(digits) => Value_::Number(digits.clone()),
            Value::Bool(truth) => Value_::Truth(*truth),
            _ => {
                reader.wrong_type(node, "a string, a number, true or false");
                return None;
            }
        };
        Some(Self(Said { value, place: node.place.clone() }))
    }
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Literal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Json {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A row of values; a lone value is a row of one.
#[derive(Clone, Debug)]
pub struct Row(pub Vec<Literal>);

impl Read for Row {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::List(_) => List::<Literal>::read(node, reader).map(|list| Self(list.0)),
            _ => Literal::read(node, reader).map(|value| Self(vec![value])),
        }
    }
}

impl JsonSchema for Row {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Row".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Json {
        let value = Literal::json_schema(generator);
        json_schema!({ "anyOf": [value, { "type": "array", "items": value }] })
    }
}

impl Shorthand for ExpectSpec {
    fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let place = node.place.clone();
        let mut spec = Self { place, value: None, rows: None, at_least: None, at_most: None, unchanged: None };
        match &node.value {
            Value::List(_) => spec.rows = Some(List::read(node, reader)?),
            Value::Text(word) if word == "unchanged" => {
                spec.unchanged = Some(Said { value: true, place: node.place.clone() });
            }
            _ => spec.value = Some(Literal::read(node, reader)?),
        }
        Some(spec)
    }

    fn short_schema() -> Json {
        json_schema!({ "type": ["string", "number", "boolean", "array"] })
    }
}
