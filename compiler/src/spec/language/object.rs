//! The keys of types, sequences, views and what is declared as SQL.

use super::IndexSpec;
use crate::spec::{
    reader::{Flag, List, Names, Number, Scalar, Short, Text},
    short::Statements,
};

language! {
    /// An enumerated type.
    EnumSpec {
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// Its values in order; `{ value = "new", was = "old" }` renames one.
        /// Example: `["sad", { value = "glad", was = "happy" }]`
        "values" values: List<Short<EnumValueSpec>>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// A value of an enumerated type.
    EnumValueSpec {
        /// The value.
        /// Example: `"glad"`
        "value" value: Text,
        /// What it was called.
        /// Example: `"happy"`
        "was" was: Option<Text>,
    }

    /// A domain.
    DomainSpec {
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The type below it.
        /// Example: `"text"`
        "type" data_type: Text,
        /// Whether NULL is refused.
        /// Example: `true`
        "not_null" not_null: Option<Flag>,
        /// The default, an expression in SQL.
        /// Example: `"'none'"`
        "default" default: Option<Scalar>,
        /// The collation, where it is not the type's.
        /// Example: `"C"`
        "collation" collation: Option<Text>,
        /// Checks.
        /// Example: `[{ expr = "value like '%@%'" }]`
        "checks" checks: Vec<DomainCheckSpec>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// A check of a domain.
    DomainCheckSpec {
        /// Its name; `<domain>_check` without one.
        /// Example: `"has_at"`
        "name" name: Option<Text>,
        /// What must not be false, in SQL.
        /// Example: `"value like '%@%'"`
        "expr" expr: Text,
        /// The comment on it.
        /// Example: `"as mail wants it"`
        "comment" comment: Option<Text>,
    }

    /// A sequence.
    SequenceSpec {
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// Its integer type; `bigint` without one.
        /// Example: `"integer"`
        "type" data_type: Option<Text>,
        /// First value.
        /// Example: `1000`
        "start" start: Option<Number>,
        /// Step.
        /// Example: `10`
        "increment" increment: Option<Number>,
        /// Lowest value.
        /// Example: `1`
        "min" min: Option<Number>,
        /// Highest value.
        /// Example: `9999`
        "max" max: Option<Number>,
        /// How many values a session takes at once.
        /// Example: `20`
        "cache" cache: Option<Number>,
        /// Whether it starts again at its end.
        /// Example: `true`
        "cycle" cycle: Option<Flag>,
        /// The column whose drop drops it: `"users.id"`.
        /// Example: `"tickets.number"`
        "owned_by" owned_by: Option<Text>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// A view.
    ViewSpec {
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The query.
        /// Example: `"select id, email from users where active"`
        "query" query: Text,
        /// The names of its columns, where the query does not give them.
        /// Example: `["id", "email"]`
        "columns" columns: Vec<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ security_invoker = true }`
        "options" options: Names<Scalar>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// A materialized view.
    MaterializedViewSpec {
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The query.
        /// Example: `"select id, email from users where active"`
        "query" query: Text,
        /// The names of its columns, where the query does not give them.
        /// Example: `["a", "b"]`
        "columns" columns: Vec<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
        /// Indexes.
        /// Example: `[{ columns = ["created_at desc"] }]`
        "indexes" indexes: Vec<IndexSpec>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// An object whose definition is SQL.
    SourceSpec {
        /// The name that it had; for types only.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The statement that creates it, or a list of several.
        /// Example: `"create function one() returns int language sql as 'select 1'"`
        "sql" sql: Short<Statements>,
        /// What it needs to exist, where the text alone does not tell: `"table users"`.
        /// Example: `["table users"]`
        "needs" needs: Vec<Text>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }
}
