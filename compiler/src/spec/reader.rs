//! Reads the tree into the language's types, and says everything that is wrong with it at once.

use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};

use super::{
    Engines,
    near::nearest,
    node::{Entry, Node, Said, Value},
};
use crate::diagnostic::{Code, Diagnostic, Place};

/// A text and where it is said.
pub type Text = Said<String>;
/// A truth and where it is said.
pub type Flag = Said<bool>;
/// A whole number and where it is said.
pub type Number = Said<i64>;

/// Collects what is wrong while reading for one engine.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) engines: Engines<'a>,
    pub(crate) errors: Vec<Diagnostic>,
}

/// A type that can be read from a value.
pub(crate) trait Read: Sized + JsonSchema {
    /// Whether any key may stand in it, so that it can never be a choice by engine.
    const OPEN: bool = false;

    /// The keys that it has of its own; a table with none of them is a choice by engine.
    fn keys() -> &'static [&'static str] {
        &[]
    }

    /// Reads it; `None` if something is wrong, which is then reported.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;
}

/// A type that can stand behind a key.
pub(crate) trait Field: Sized {
    /// Whether the key must be there.
    const REQUIRED: bool;

    /// Reads it; `None` if something is wrong, which is then reported.
    fn field(found: Option<&Node>, key: &str, of: &Place, reader: &mut Reader<'_>) -> Option<Self>;

    /// The JSON Schema of what stands behind the key.
    fn schema(generator: &mut SchemaGenerator) -> Json;
}

/// A value or a choice of values by engine, once decided.
enum Choice<'n> {
    Value(&'n Node),
    Absent,
}

impl Reader<'_> {
    pub(crate) fn error(&mut self, code: Code, place: &Place, says: impl Into<String>) -> &mut Diagnostic {
        self.errors.push(Diagnostic::new(code, says).at(place));
        self.errors.last_mut().expect("it was just pushed")
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, wanted: &str) {
        self.error(Code::WrongType, &node.place, format!("this takes {wanted}, not {}", node.value.what()));
    }

    /// The entries of a table, after reporting those whose key is not one of `keys`.
    pub(crate) fn entries<'n>(&mut self, node: &'n Node, keys: &[&'static str]) -> Option<&'n [Entry<Node>]> {
        let Value::Table(entries) = &node.value else {
            self.wrong_type(node, "a table");
            return None;
        };
        for entry in entries {
            let key = entry.name.value.as_str();
            if !keys.contains(&key) {
                let help = match nearest(key, keys.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the keys here are {}", list(keys)),
                };
                let error = self.error(Code::UnknownKey, &entry.name.place, format!("there is no key `{key}` here"));
                error.help = Some(help);
            }
        }
        Some(entries)
    }

    /// Decides a choice by engine: a table that has the name of an engine for a key, and none of the type's own. Any other table is the
    /// value itself, so that a key that nobody knows is told and not taken for what another engine would have.
    fn choose<'n, T: Read>(&mut self, node: &'n Node) -> Choice<'n> {
        let Value::Table(entries) = &node.value else { return Choice::Value(node) };
        let own = |key: &str| T::keys().contains(&key);
        let engines = self.engines;
        let known = |key: &str| engines.this == key || engines.all.contains(&key);
        if T::OPEN || entries.iter().any(|e| own(&e.name.value)) || !entries.iter().any(|e| known(&e.name.value)) {
            return Choice::Value(node);
        }
        for entry in entries.iter().filter(|e| !known(&e.name.value)) {
            let says = format!("there is no engine `{}`", entry.name.value);
            let meant = nearest(&entry.name.value, engines.all.iter().copied());
            let help = meant.map_or_else(
                || format!("the engines are {}", list(engines.all)),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.error(Code::UnknownKey, &entry.name.place, says).help = Some(help);
        }
        match entries.iter().find(|e| e.name.value == engines.this) {
            Some(entry) => Choice::Value(&entry.value),
            None => Choice::Absent,
        }
    }
}

/// `a`, `b` and `c`.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// What is long and seldom said does not make room for itself everywhere.
impl<T: Read> Read for Box<T> {
    const OPEN: bool = T::OPEN;

    fn keys() -> &'static [&'static str] {
        T::keys()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Self::new)
    }
}

impl<T: Read> Field for T {
    const REQUIRED: bool = true;

    fn field(found: Option<&Node>, key: &str, of: &Place, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(node) = found else {
            reader.error(Code::MissingKey, of, format!("the key `{key}` is missing"));
            return None;
        };
        match reader.choose::<T>(node) {
            Choice::Value(node) => T::read(node, reader),
            Choice::Absent => {
                let says = format!("`{key}` has no value for engine `{}`", reader.engines.this);
                reader.error(Code::NotForEngine, &node.place, says);
                None
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Json {
        by_engine::<T>(generator)
    }
}

impl<T: Read> Field for Option<T> {
    const REQUIRED: bool = false;

    fn field(found: Option<&Node>, _: &str, _: &Place, reader: &mut Reader<'_>) -> Option<Self> {
        match found.map(|node| reader.choose::<T>(node)) {
            Some(Choice::Value(node)) => T::read(node, reader).map(Some),
            Some(Choice::Absent) | None => Some(None),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Json {
        by_engine::<T>(generator)
    }
}

/// A list that must be there; `Vec` is one that need not.
#[derive(Clone, Debug)]
pub struct List<T>(pub Vec<T>);

impl<T: Read> Read for List<T> {
    fn keys() -> &'static [&'static str] {
        T::keys()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            reader.wrong_type(node, "a list");
            if matches!(node.value, Value::Table(_))
                && let Some(error) = reader.errors.last_mut()
            {
                error.help = Some("write each item under a header of its own, in double brackets".to_owned());
            }
            return None;
        };
        let items: Vec<_> = items
            .iter()
            .filter_map(|item| match reader.choose::<T>(item) {
                Choice::Value(item) => Some(T::read(item, reader)),
                Choice::Absent => None,
            })
            .collect();
        whole(items).map(Self)
    }
}

impl<T: Read> Field for Vec<T> {
    const REQUIRED: bool = false;

    fn field(found: Option<&Node>, key: &str, of: &Place, reader: &mut Reader<'_>) -> Option<Self> {
        Option::<List<T>>::field(found, key, of, reader).map(|list| list.map(|l| l.0).unwrap_or_default())
    }

    fn schema(generator: &mut SchemaGenerator) -> Json {
        by_engine::<List<T>>(generator)
    }
}

/// All, if none is wrong; in no more room than they need, as they stay.
fn whole<T>(read: Vec<Option<T>>) -> Option<Vec<T>> {
    let mut all = read.into_iter().collect::<Option<Vec<_>>>()?;
    all.shrink_to_fit();
    Some(all)
}

/// One thing, or a list of several.
#[derive(Clone, Debug)]
pub struct Several<T>(pub Vec<T>);

impl<T: Read> Read for Several<T> {
    fn keys() -> &'static [&'static str] {
        T::keys()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::List(_) => List::read(node, reader).map(|list| Self(list.0)),
            _ => T::read(node, reader).map(|one| Self(vec![one])),
        }
    }
}

/// Things by name, in declared order.
#[derive(Clone, Debug)]
pub struct Map<T>(pub Vec<Entry<T>>);

impl<T: Read> Read for Map<T> {
    const OPEN: bool = true;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            reader.wrong_type(node, "a table of names");
            return None;
        };
        let read: Vec<_> = entries
            .iter()
            .filter_map(|entry| match reader.choose::<T>(&entry.value) {
                Choice::Value(node) => {
                    Some(T::read(node, reader).map(|value| Entry { name: entry.name.clone(), value }))
                }
                Choice::Absent => None,
            })
            .collect();
        whole(read).map(Self)
    }
}

/// A [`Map`] that need not be there.
#[derive(Clone, Debug)]
pub struct Names<T>(pub Vec<Entry<T>>);

impl<T: Read> Field for Names<T> {
    const REQUIRED: bool = false;

    fn field(found: Option<&Node>, _: &str, _: &Place, reader: &mut Reader<'_>) -> Option<Self> {
        match found {
            Some(node) => Map::read(node, reader).map(|map| Self(map.0)),
            None => Some(Self(Vec::new())),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Json {
        Map::<T>::json_schema(generator)
    }
}

macro_rules! leaf {
    ($type:ty, $variant:ident, $wanted:literal, $json:literal) => {
        impl Read for Said<$type> {
            fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                match &node.value {
                    Value::$variant(value) => Some(Said { value: value.clone(), place: node.place.clone() }),
                    _ => {
                        reader.wrong_type(node, $wanted);
                        None
                    }
                }
            }
        }

        impl JsonSchema for Said<$type> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $json.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Json {
                json_schema!({ "type": $json })
            }
        }
    };
}

leaf!(String, Text, "a string", "string");
leaf!(bool, Bool, "true or false", "boolean");
leaf!(i64, Integer, "an integer", "integer");

/// A string, a number, `true` or `false`; kept as a text.
#[derive(Clone, Debug)]
pub struct Scalar(pub Text);

impl Read for Scalar {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = match &node.value {
            Value::Text(text) | Value::Number(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => {
                reader.wrong_type(node, "a string, a number, true or false");
                return None;
            }
        };
        Some(Self(Said { value, place: node.place.clone() }))
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Json {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A type with a short form beside its table of keys.
pub(crate) trait Shorthand: Read + JsonSchema {
    /// Reads the short form; `node` is no table.
    fn short(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// The JSON Schema of the short form.
    fn short_schema() -> Json;
}

/// Either form of a [`Shorthand`].
#[derive(Clone, Debug)]
pub struct Short<T>(pub T);

impl<T: Shorthand> Read for Short<T> {
    fn keys() -> &'static [&'static str] {
        T::keys()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.value {
            Value::Table(_) => T::read(node, reader),
            _ => T::short(node, reader),
        }
        .map(Self)
    }
}

impl<T: Shorthand> JsonSchema for Short<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Short{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Json {
        json_schema!({ "anyOf": [T::short_schema(), generator.subschema_for::<T>()] })
    }
}

/// The JSON Schema of a value that may be chosen by engine.
pub(crate) fn by_engine<T: JsonSchema>(generator: &mut SchemaGenerator) -> Json {
    let own = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [own.clone(), { "type": "object", "minProperties": 1, "additionalProperties": own }] })
}

/// Whether a form of a JSON Schema is the choice by engine, which any value may be.
pub(crate) fn is_by_engine(form: &serde_json::Value) -> bool {
    form["minProperties"] == 1 && form["additionalProperties"].is_object()
}

macro_rules! wrapped_schema {
    ($wrapper:ident, $name:literal, |$inner:ident| $json:expr) => {
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                format!(concat!($name, "Of{}"), T::schema_name()).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Json {
                let $inner = by_engine::<T>(generator);
                $json
            }
        }
    };
}

wrapped_schema!(List, "List", |item| json_schema!({ "type": "array", "items": item }));
wrapped_schema!(
    Several,
    "Several",
    |item| json_schema!({ "anyOf": [item.clone(), { "type": "array", "items": item }] })
);
wrapped_schema!(Map, "Map", |item| json_schema!({ "type": "object", "additionalProperties": item }));

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
