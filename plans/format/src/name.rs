//! Identifiers, held unquoted. Only a [`Dialect`](crate::Dialect) writes one into SQL.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// An identifier exactly as the database stores it: case kept, no quotes.
///
/// Never empty and never holds a NUL byte; length limits belong to the engine. Copies share the text: a schema says each name many times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no [`Name`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// The text has no characters.
    #[error("a name cannot be empty")]
    Empty,
    /// The text holds a NUL byte, which no engine can store in an identifier.
    #[error("a name cannot contain a NUL byte")]
    Nul,
    /// A path such as `a."b` ends inside quotes, or has an empty part.
    #[error("`{0}` is not a path of names separated by dots")]
    Path(String),
}

impl Name {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`BadName`] if the text is empty or holds a NUL byte.
    pub fn new(text: impl AsRef<str>) -> Result<Self, BadName> {
        let text = text.as_ref();
        if text.is_empty() {
            Err(BadName::Empty)
        } else if text.contains('\0') {
            Err(BadName::Nul)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The identifier, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name can stand bare in a spec key: `[a-z_][a-z0-9_]*`.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let mut bytes = self.0.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    /// Writes the name as it stands in spec keys and addresses: bare where plain, else double-quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Splits a path such as `auth."User Table".id` into its names.
///
/// A part is either bare (anything but a dot or a double quote) or double-quoted, with `""` for a quote.
///
/// # Errors
/// [`BadName::Path`] if a quote does not close or a part is empty.
pub fn split_path(path: &str) -> Result<Vec<Name>, BadName> {
    let bad = || BadName::Path(path.to_owned());
    let mut parts = Vec::new();
    let mut rest = path;
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_part(quoted).ok_or_else(bad)?
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            if rest[..end].contains('"') {
                return Err(bad());
            }
            (rest[..end].to_owned(), &rest[end..])
        };
        parts.push(Name::new(part).map_err(|_| bad())?);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => return Err(bad()),
        }
    }
}

/// Reads up to the closing quote; gives the unescaped part and what follows the quote.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None => return Some((part, rest)),
        }
    }
}

/// The name of a schema-level object: qualified where the engine has schemas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qualified {
    /// The schema (namespace); `None` where the engine has none.
    pub schema: Option<Name>,
    /// The object's own name.
    pub name: Name,
}

impl Qualified {
    /// A name in a schema.
    #[must_use]
    pub fn new(schema: Option<Name>, name: Name) -> Self {
        Self { schema, name }
    }

    /// The same schema, another name.
    #[must_use]
    pub fn sibling(&self, name: Name) -> Self {
        Self { schema: self.schema.clone(), name }
    }

    /// The path as a list, schema first.
    #[must_use]
    pub fn path(&self) -> Vec<Name> {
        self.schema.iter().cloned().chain([self.name.clone()]).collect()
    }
}

impl fmt::Display for Qualified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        write!(f, "{}", self.name)
    }
}

impl Serialize for Qualified {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Qualified {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut parts = split_path(&text).map_err(serde::de::Error::custom)?;
        match (parts.pop(), parts.pop(), parts.is_empty()) {
            (Some(name), schema, true) => Ok(Self { schema, name }),
            _ => Err(serde::de::Error::custom(format!("`{text}` has too many parts"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_quoting() {
        for parts in [vec!["a"], vec!["auth", "users"], vec!["A b", "x\"y", "é.z"]] {
            let names: Vec<_> = parts.iter().map(|p| Name::new(*p).unwrap()).collect();
            let text = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
            assert_eq!(split_path(&text).unwrap(), names, "{text}");
        }
    }

    #[test]
    fn broken_paths_are_refused() {
        for text in ["", ".", "a.", "\"a", "a\"b", "\"a\"b", "\"\""] {
            assert!(split_path(text).is_err(), "{text}");
        }
    }
}
