//! Tables: columns and constraints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    name::{Name, Qualified},
    schema::{SequenceOptions, Validity},
    sql::Sql,
};

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The columns. Their order counts only when the table is created.
    pub columns: Vec<Column>,
    /// The constraints, by name. Engines that allow unnamed ones give each a name made from its content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constraints: BTreeMap<Name, Constraint>,
    /// The engine's own settings of the table, by name (`strict`, `unlogged`, `partition_by` ...).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

impl Table {
    /// Whether two tables are one, whatever the order of their columns.
    #[must_use]
    pub fn alike(&self, other: &Self) -> bool {
        self.columns.len() == other.columns.len()
            && self.columns.iter().all(|c| other.column(&c.name) == Some(c))
            && self.constraints == other.constraints
            && self.options == other.options
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type as the engine writes it; empty where the engine allows none.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether NULL is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    /// Where its value comes from when a row is inserted without one.
    #[serde(default, skip_serializing_if = "ColumnValue::is_plain")]
    pub value: ColumnValue,
    /// Collation, where it is not the type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The comment on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The engine's own settings of the column, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// Where a column's value comes from when an insert gives none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ColumnValue {
    /// NULL.
    #[default]
    Plain,
    /// A default expression.
    Default(Sql),
    /// A number from an identity sequence.
    Identity {
        /// Whether an explicit value is refused.
        always: bool,
        /// Numbers of the sequence that differ from the defaults.
        #[serde(default)]
        sequence: SequenceOptions,
    },
    /// Computed from the row; never given.
    Generated {
        /// The expression.
        expression: Sql,
        /// Whether it is kept on disk.
        stored: bool,
    },
}

impl ColumnValue {
    /// Whether it is NULL.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// What it demands.
    pub rule: Rule,
    /// When it is checked.
    #[serde(default, skip_serializing_if = "Deferral::is_none")]
    pub deferral: Deferral,
    /// Whether rows that were there before it are known to obey.
    #[serde(default, skip_serializing_if = "Validity::is_valid")]
    pub validity: Validity,
    /// The comment on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The engine's own settings (`no_inherit`, `on_conflict`, index storage parameters ...).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deferral {
    /// At each statement, always.
    #[default]
    NotDeferrable,
    /// At each statement, unless the transaction defers it.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

impl Deferral {
    /// Whether it can never be deferred.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NotDeferrable
    }
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// The primary key.
    PrimaryKey(Key),
    /// No two rows alike.
    Unique(Key),
    /// Each row refers to one elsewhere.
    ForeignKey(ForeignKey),
    /// Each row makes an expression true or NULL.
    Check {
        /// The expression, without the outer parentheses.
        expression: Sql,
    },
    /// No two rows conflict under given operators; the text after `EXCLUDE`.
    Exclude {
        /// The engine's own text, from `USING` on.
        definition: Sql,
    },
}

/// The columns of a primary key or unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key columns, in order.
    pub columns: Vec<Name>,
    /// Columns carried along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Name>,
    /// Whether two NULLs count as alike.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<Name>,
    /// The table referred to.
    pub references: Qualified,
    /// The columns referred to.
    pub referenced: Vec<Name>,
    /// What an update of the key there does here.
    #[serde(default, skip_serializing_if = "ReferentialAction::is_default")]
    pub on_update: ReferentialAction,
    /// What a delete there does here.
    #[serde(default, skip_serializing_if = "ReferentialAction::is_default")]
    pub on_delete: ReferentialAction,
    /// The columns that SET NULL or SET DEFAULT on delete is limited to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_delete_columns: Vec<Name>,
    /// Whether a partly NULL key is refused (MATCH FULL).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub match_full: bool,
}

/// What happens to referring rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReferentialAction {
    /// An error at the end of the statement or transaction.
    #[default]
    NoAction,
    /// An error at once.
    Restrict,
    /// The same is done to them.
    Cascade,
    /// Their key becomes NULL.
    SetNull,
    /// Their key becomes its default.
    SetDefault,
}

impl ReferentialAction {
    /// Whether it is the one that the standard takes when none is given.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::NoAction
    }

    /// As SQL writes it.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

impl Constraint {
    /// A valid, undeferred constraint.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { rule, deferral: Deferral::default(), validity: Validity::Valid, comment: None, options: BTreeMap::new() }
    }

    /// The foreign key, if it is one.
    #[must_use]
    pub fn foreign_key(&self) -> Option<&ForeignKey> {
        match &self.rule {
            Rule::ForeignKey(fk) => Some(fk),
            _ => None,
        }
    }

    /// The key, if it is a primary key or unique.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match &self.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => Some(key),
            _ => None,
        }
    }

    /// The columns of its own table that it names outright; a check's expression names columns too, but as text.
    #[must_use]
    pub fn columns(&self) -> &[Name] {
        match &self.rule {
            Rule::PrimaryKey(key) | Rule::Unique(key) => &key.columns,
            Rule::ForeignKey(fk) => &fk.columns,
            Rule::Check { .. } | Rule::Exclude { .. } => &[],
        }
    }
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &Name) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == *name)
    }

    /// The column of that name, to change it.
    pub fn column_mut(&mut self, name: &Name) -> Option<&mut Column> {
        self.columns.iter_mut().find(|c| c.name == *name)
    }

    /// Name and columns of the primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<(&Name, &Key)> {
        self.constraints.iter().find_map(|(name, c)| match &c.rule {
            Rule::PrimaryKey(key) => Some((name, key)),
            _ => None,
        })
    }
}
