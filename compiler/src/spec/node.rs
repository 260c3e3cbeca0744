//! A TOML document as a tree in which everything knows its place.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::SpecFile;
use crate::diagnostic::{Code, Diagnostic, Place};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What TOML can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// A number that is no 64-bit integer, as written.
    Number(String),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Entry<Node>>),
    /// A date or time, which the language has no use for.
    Time,
}

/// Something by name, in declared order.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// The name as the key says it, and where.
    pub name: Said<String>,
    /// What has the name.
    pub value: T,
}

/// A value and where it is said.
#[derive(Clone, Debug)]
pub struct Said<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Time => "a date or time",
        }
    }
}

/// Reads a file as far as its syntax goes; every syntax error is reported.
pub(crate) fn read(file: &SpecFile, errors: &mut Vec<Diagnostic>) -> Node {
    let path = Arc::new(file.path.clone());
    let (root, syntax) = DeTable::parse_recoverable(&file.text);
    for error in syntax {
        let span = error.span().unwrap_or(0..0);
        errors.push(Diagnostic::new(Code::Syntax, error.message()).at(&Place::new(path.clone(), span)));
    }
    let span = root.span();
    Node { place: Place::new(path.clone(), span), value: table(&path, root.get_ref()) }
}

fn table(path: &Arc<String>, table: &DeTable<'_>) -> Value {
    let entries = table.iter().map(|(key, value)| Entry {
        name: Said { value: key.get_ref().to_string(), place: Place::new(path.clone(), key.span()) },
        value: Node { place: Place::new(path.clone(), value.span()), value: convert(path, value.get_ref()) },
    });
    Value::Table(entries.collect())
}

fn convert(path: &Arc<String>, value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Number(integer.to_string()),
        },
        DeValue::Float(float) => Value::Number(float.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node { place: Place::new(path.clone(), item.span()), value: convert(path, item.get_ref()) })
                .collect(),
        ),
        DeValue::Table(inner) => table(path, inner),
    }
}
