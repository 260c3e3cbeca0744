//! The kind that gives a value of an enum another name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Effect, Impossible, Kind,
    rename::{carry, changed, was},
};
use crate::{
    address::Address,
    name::Name,
    schema::{Body, Object, Schema},
    sql::{Sql, TokenKind, tokens},
};

/// Renames a value of an enum. Rows keep their value: only its name changes, and with it what the server says in the texts it keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameValue {
    /// Of which enum.
    pub at: Address,
    /// The value's name.
    pub from: String,
    /// Its new name.
    pub to: String,
    /// What the texts of dependants become, by object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carries: BTreeMap<Address, Arc<Object>>,
}

impl Effect for RenameValue {
    const SLUG: &'static str = "rename-value";

    fn address(&self) -> Address {
        self.at.clone()
    }

    fn touches(&self, before: &Schema) -> BTreeSet<Address> {
        let mut after = before.clone();
        let mut touched: BTreeSet<_> = [self.at.clone()].into();
        if self.apply(&mut after).is_ok() {
            touched.extend(changed(before, &after));
        }
        touched
    }

    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> {
        let object = schema.objects.get_mut(&self.at).ok_or_else(|| Impossible::Absent(self.at.clone()))?;
        let Body::Enum { values } = &mut Arc::make_mut(object).body else {
            return Err(Impossible::Differs(self.at.clone()));
        };
        if values.contains(&self.to) {
            return Err(Impossible::Present(self.at.clone()));
        }
        let value = values.iter_mut().find(|v| **v == self.from);
        value.ok_or_else(|| Impossible::Absent(self.at.clone()))?.clone_from(&self.to);
        carry(schema, &self.carries)
    }

    fn reverse(&self, before: &Schema) -> Option<Kind> {
        let carries = was(before, &self.carries);
        Some(Self { at: self.at.clone(), from: self.to.clone(), to: self.from.clone(), carries }.into())
    }
}

/// The texts of an object once a value of an enum has another name: each literal that is cast to the enum, alone or in an array.
#[must_use]
pub fn value_renamed_in_texts(object: &Object, of: &Name, from: &str, to: &str) -> Object {
    let mut object = object.clone();
    object.each_text(&mut |sql: &mut Sql| {
        let renamed = renamed(sql, of, from, to);
        if renamed != *sql {
            *sql = renamed;
        }
    });
    object
}

fn renamed(sql: &Sql, of: &Name, from: &str, to: &str) -> Sql {
    let all: Vec<_> = tokens(sql.as_str()).collect();
    let said = |text: &str| text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).map(|t| t.replace("''", "'"));
    let texts = all.iter().enumerate().map(|(i, token)| {
        let inner = said(token.text).filter(|_| token.kind == TokenKind::Text && is_cast_to(&all[i + 1..], of));
        match inner {
            Some(value) if value == from => format!("'{}'", to.replace('\'', "''")),
            Some(array) if array.starts_with('{') => elements(&array, from, to)
                .map_or(token.text.to_owned(), |array| format!("'{}'", array.replace('\'', "''"))),
            _ => token.text.to_owned(),
        }
    });
    Sql::new(texts.collect::<String>())
}

/// Whether what follows is `::` and the name of the type, with or without its schema.
fn is_cast_to(rest: &[crate::sql::Token<'_>], of: &Name) -> bool {
    let mut words = rest.iter().filter(|t| t.kind != TokenKind::Blank);
    if words.next().is_none_or(|t| t.text != "::") {
        return false;
    }
    let mut last = None;
    for word in words {
        match (word.identifier(), word.text) {
            (Some(name), _) => last = Some(name),
            (None, ".") => {}
            _ => break,
        }
        if last.as_deref() == Some(of.as_str()) {
            return true;
        }
    }
    false
}

/// The text of an array of values with one of them renamed; `None` where it is not there, or where quotes make it hard to tell.
fn elements(array: &str, from: &str, to: &str) -> Option<String> {
    let inner = array.strip_prefix('{')?.strip_suffix('}')?;
    let bare = |value: &str| value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value).to_owned();
    let parts: Vec<&str> = inner.split(',').collect();
    if inner.contains('\\') || from.contains(',') || !parts.iter().any(|part| bare(part) == from) {
        return None;
    }
    let plain = !to.is_empty()
        && !to.eq_ignore_ascii_case("null")
        && to.chars().all(|c| !c.is_whitespace() && !matches!(c, '"' | '\\' | '{' | '}' | ','));
    let written = if plain { to.to_owned() } else { format!("\"{}\"", to.replace('\\', "\\\\").replace('"', "\\\"")) };
    let parts: Vec<&str> =
        parts.into_iter().map(|part| if bare(part) == from { written.as_str() } else { part }).collect();
    Some(format!("{{{}}}", parts.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_of_the_enum_follow() {
        let mood = Name::new("mood").unwrap();
        let rename = |text: &str| renamed(&Sql::new(text), &mood, "sad", "low").0;
        assert_eq!(
            rename("(a = 'sad'::public.mood) AND b = 'sad'::text"),
            "(a = 'low'::public.mood) AND b = 'sad'::text"
        );
        assert_eq!(rename("'{ok,sad}'::mood[]"), "'{ok,low}'::mood[]");
        assert_eq!(rename("'{ok,sadder}'::mood[]"), "'{ok,sadder}'::mood[]");
        assert_eq!(rename("ARRAY['sad'::mood, 'ok'::mood]"), "ARRAY['low'::mood, 'ok'::mood]");
    }
}
