//! Where a thing lives: its kind and its path.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::name::{BadName, Name, Qualified, split_path};

macro_rules! object_kinds {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal),* $(,)?) => {
        /// The kinds of things that have an address, in the order in which addresses sort.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ObjectKind { $($(#[$doc])* $variant),* }

        impl ObjectKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that addresses, plans and messages use.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),* }
            }
        }
    };
}

object_kinds! {
    /// A schema in the sense of `CREATE SCHEMA`.
    Namespace = "schema",
    /// An installed extension.
    Extension = "extension",
    /// An enumerated type.
    Enum = "enum",
    /// A domain.
    Domain = "domain",
    /// A composite, range or base type.
    Type = "type",
    /// A collation.
    Collation = "collation",
    /// A sequence.
    Sequence = "sequence",
    /// A table.
    Table = "table",
    /// A column of a table.
    Column = "column",
    /// A constraint of a table.
    Constraint = "constraint",
    /// An index.
    Index = "index",
    /// A function; its address carries the argument types.
    Function = "function",
    /// A procedure; its address carries the argument types.
    Procedure = "procedure",
    /// An aggregate; its address carries the argument types.
    Aggregate = "aggregate",
    /// A view.
    View = "view",
    /// A materialized view.
    MaterializedView = "materialized-view",
    /// A trigger of a table or view.
    Trigger = "trigger",
    /// A row security policy of a table.
    Policy = "policy",
    /// A rewrite rule of a table or view.
    Rule = "rule",
    /// Extended statistics.
    Statistics = "statistics",
    /// An event trigger.
    EventTrigger = "event-trigger",
    /// Privileges on what will be made; its name says on what, by whom and where: `tables by app in shop`.
    DefaultPrivileges = "default-privileges",
    /// Anything else that is made by its SQL and dropped by its name: `publication p`, `cast (a AS b)`.
    Other = "object",
    /// A statement that the server runs at set times.
    Event = "event",
    /// A virtual table and what its module keeps for it.
    VirtualTable = "virtual-table",
    /// Anything that the model does not know: carried, named, never dropped.
    Opaque = "opaque",
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// Where a thing lives. Totally ordered; written as `kind path`, for example `column public.users.email`. Copies share the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    kind: ObjectKind,
    path: Arc<[Name]>,
    /// Argument types of a routine, as the catalog writes them; empty for everything else.
    signature: Option<Arc<str>>,
}

impl Address {
    /// What sorts before every address of a kind, and is none itself.
    pub(crate) fn before_all(kind: ObjectKind) -> Self {
        Self { kind, path: [].into(), signature: None }
    }

    /// The address of a schema-level object.
    #[must_use]
    pub fn new(kind: ObjectKind, at: &Qualified) -> Self {
        Self { kind, path: at.path().into(), signature: None }
    }

    /// The address of something with no schema, such as a schema or an extension.
    #[must_use]
    pub fn global(kind: ObjectKind, name: Name) -> Self {
        Self { kind, path: [name].into(), signature: None }
    }

    /// The address of a routine.
    #[must_use]
    pub fn routine(kind: ObjectKind, at: &Qualified, signature: impl AsRef<str>) -> Self {
        Self { kind, path: at.path().into(), signature: Some(signature.as_ref().into()) }
    }

    /// The address of a table.
    #[must_use]
    pub fn table(at: &Qualified) -> Self {
        Self::new(ObjectKind::Table, at)
    }

    /// The address of an index.
    #[must_use]
    pub fn index(at: &Qualified) -> Self {
        Self::new(ObjectKind::Index, at)
    }

    /// The address of a part of a relation: column, constraint, trigger, policy, rule.
    #[must_use]
    pub fn member(kind: ObjectKind, of: &Qualified, name: Name) -> Self {
        let mut path = of.path();
        path.push(name);
        Self { kind, path: path.into(), signature: None }
    }

    /// The address of a column.
    #[must_use]
    pub fn column(of: &Qualified, name: &Name) -> Self {
        Self::member(ObjectKind::Column, of, name.clone())
    }

    /// The address of a constraint.
    #[must_use]
    pub fn constraint(of: &Qualified, name: &Name) -> Self {
        Self::member(ObjectKind::Constraint, of, name.clone())
    }

    /// What kind of thing lives here.
    #[must_use]
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// The path, outermost first.
    #[must_use]
    pub fn path(&self) -> &[Name] {
        &self.path
    }

    /// The argument types of a routine.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }

    /// The last name of the path.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.path.last().expect("an address has at least one name")
    }

    /// Whether this is a part of a relation rather than an object of a schema.
    #[must_use]
    pub fn is_member(&self) -> bool {
        use ObjectKind::{Column, Constraint, Policy, Rule, Trigger};
        matches!(self.kind, Column | Constraint | Trigger | Policy | Rule)
    }

    /// The relation that a member belongs to.
    #[must_use]
    pub fn relation(&self) -> Option<Qualified> {
        let above = self.path.len().checked_sub(2)?;
        self.is_member().then(|| Qualified {
            schema: above.checked_sub(1).map(|i| self.path[i].clone()),
            name: self.path[above].clone(),
        })
    }

    /// Whether this is an index that is addressed under its table, where each table has its own names of indexes.
    #[must_use]
    pub fn is_index_under(&self, table: &Qualified) -> bool {
        self.kind == ObjectKind::Index
            && self.path.split_last().is_some_and(|(_, above)| above == table.path().as_slice())
    }

    /// The qualified name of a schema-level object; for a member, that of its relation.
    #[must_use]
    pub fn qualified(&self) -> Qualified {
        self.relation().unwrap_or_else(|| {
            let last = self.path.len() - 1;
            Qualified { schema: last.checked_sub(1).map(|i| self.path[i].clone()), name: self.path[last].clone() }
        })
    }

    /// The address of the object that holds this: itself, or for a column or constraint its table.
    #[must_use]
    pub fn holder(&self) -> Self {
        match (self.kind, self.relation()) {
            (ObjectKind::Column | ObjectKind::Constraint, Some(table)) => Self::table(&table),
            _ => self.clone(),
        }
    }

    /// The path without the kind, for ids and messages: `public.users.email`.
    #[must_use]
    pub fn dotted(&self) -> String {
        let mut out = self.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        if let Some(signature) = &self.signature {
            out.push('(');
            out.push_str(signature);
            out.push(')');
        }
        out
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.dotted())
    }
}

impl FromStr for Address {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = || BadName::Path(text.to_owned());
        let (kind, path) = text.split_once(' ').ok_or_else(bad)?;
        let kind = *ObjectKind::ALL.iter().find(|k| k.slug() == kind).ok_or_else(bad)?;
        let (path, signature) = match kind {
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => {
                let open = signature_start(path).ok_or_else(bad)?;
                let inner = path[open + 1..].strip_suffix(')').ok_or_else(bad)?;
                (&path[..open], Some(inner.into()))
            }
            _ => (path, None),
        };
        Ok(Self { kind, path: split_path(path)?.into(), signature })
    }
}

/// The first `(` outside double quotes.
fn signature_start(path: &str) -> Option<usize> {
    let mut quoted = false;
    path.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '(' && !quoted).then_some(at)
    })
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_writing() {
        let q = |s: &str| {
            let mut parts = split_path(s).unwrap();
            let name = parts.pop().unwrap();
            Qualified { schema: parts.pop(), name }
        };
        for address in [
            Address::table(&q("public.users")),
            Address::column(&q("public.\"Us ers\""), &Name::new("x.y(").unwrap()),
            Address::routine(ObjectKind::Function, &q("public.\"f(\""), "integer, text[]"),
            Address::global(ObjectKind::Extension, Name::new("uuid-ossp").unwrap()),
            Address::member(ObjectKind::Trigger, &q("t"), Name::new("é").unwrap()),
        ] {
            assert_eq!(address.to_string().parse::<Address>().unwrap(), address, "{address}");
        }
    }
}
