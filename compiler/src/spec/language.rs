//! The keys of the language. Each is declared once, here: reading, the JSON Schema and the documentation come from this list.

use mig_plan::table::ReferentialAction;
use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};

use super::{
    literal::{Literal, Row},
    node::Node,
    reader::{Field, Flag, List, Names, Number, Read, Reader, Scalar, Short, Text},
    short::Statements,
};
use crate::diagnostic::Place;

macro_rules! language {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $says:literal])* $key:literal $field:ident: $type:ty,)* })*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            /// Where it is declared.
            pub place: Place,
            $($(#[doc = $says])* pub $field: $type,)*
        }

        impl Read for $name {
            fn keys() -> &'static [&'static str] {
                &[$($key),*]
            }

            fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let entries = reader.entries(node, Self::keys())?;
                $(let $field = {
                    let found = entries.iter().find(|e| e.name.value == $key).map(|e| &e.value);
                    <$type as Field>::field(found, $key, &node.place, reader)
                };)*
                Some(Self { place: node.place.clone(), $($field: $field?,)* })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Json {
                let mut properties = serde_json::Map::new();
                let mut required: Vec<&str> = Vec::new();
                $(
                    let mut schema = <$type as Field>::schema(generator);
                    schema.insert("description".to_owned(), concat!($($says, "\n"),*).trim().into());
                    properties.insert($key.to_owned(), schema.to_value());
                    required.extend(<$type as Field>::REQUIRED.then_some($key));
                )*
                json_schema!({
                    "description": concat!($($doc, "\n"),*).trim(),
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
        }
    )*};
}

language! {
    /// One spec file. All files of a project are read together; in which file a thing stands does not matter.
    SpecDocument {
        /// Which part of the database the specs speak about; without it, all of it.
        "manage" manage: Option<Manage>,
        /// Objects to leave as they are and to manage no longer: `"table audit_log"`.
        "removed" removed: Vec<Text>,
        /// Schemas (namespaces).
        "schema" schemas: Names<NamespaceSpec>,
        /// Extensions.
        "extension" extensions: Names<ExtensionSpec>,
        /// Enumerated types.
        "enum" enums: Names<EnumSpec>,
        /// Domains.
        "domain" domains: Names<DomainSpec>,
        /// Composite, range and other types.
        "type" types: Names<SourceSpec>,
        /// Collations.
        "collation" collations: Names<SourceSpec>,
        /// Sequences that stand on their own or belong to a column's default.
        "sequence" sequences: Names<SequenceSpec>,
        /// Tables.
        "table" tables: Names<TableSpec>,
        /// Functions; the key carries the argument types: `[function."slug(text)"]`.
        "function" functions: Names<SourceSpec>,
        /// Procedures; the key carries the argument types.
        "procedure" procedures: Names<SourceSpec>,
        /// Aggregates; the key carries the argument types.
        "aggregate" aggregates: Names<SourceSpec>,
        /// Views.
        "view" views: Names<ViewSpec>,
        /// Materialized views.
        "materialized_view" materialized_views: Names<MaterializedViewSpec>,
        /// Triggers; the key is the table and the trigger: `[trigger."users.touch"]`.
        "trigger" triggers: Names<SourceSpec>,
        /// Row security policies; the key is the table and the policy.
        "policy" policies: Names<SourceSpec>,
        /// Rewrite rules; the key is the table and the rule.
        "rule" rules: Names<SourceSpec>,
        /// Extended statistics.
        "statistics" statistics: Names<SourceSpec>,
        /// Event triggers.
        "event_trigger" event_triggers: Names<SourceSpec>,
        /// Events: statements that the server runs at set times.
        "event" events: Names<SourceSpec>,
        /// Virtual tables.
        "virtual_table" virtual_tables: Names<SourceSpec>,
        /// How existing rows get their values, by table.
        "transform" transforms: Names<TransformSpec>,
        /// What must hold of the data before the first write, after the last step, or both.
        "check" checks: Vec<AssertionSpec>,
        /// What the database must take or refuse in the end; tried in a transaction that is always rolled back.
        "probe" probes: Vec<ProbeSpec>,
    }

    /// A query and what it must answer.
    AssertionSpec {
        /// Its name, for people.
        "name" name: Text,
        /// `"before"` the first write, `"after"` the last step, or `"both"`.
        "when" when: Option<Text>,
        /// One query. Before the first write names are those of the database, after the last step those of the specs.
        "sql" sql: Text,
        /// What it must answer: a value; a list of rows, in any order; `{ at_least = 1, at_most = 9 }`; or `"unchanged"`.
        "expect" expect: Short<ExpectSpec>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        "tables" tables: Vec<Text>,
    }

    /// What a query must answer, where a value or a list of rows does not say it.
    ExpectSpec {
        /// One row of one value: this one.
        "value" value: Option<Literal>,
        /// Exactly these rows, in any order.
        "rows" rows: Option<List<Row>>,
        /// One row of one number: this or more.
        "at_least" at_least: Option<Literal>,
        /// One row of one number: this or less.
        "at_most" at_most: Option<Literal>,
        /// After the last step the same rows as before the first write.
        "unchanged" unchanged: Option<Flag>,
    }

    /// What the database must take or refuse.
    ProbeSpec {
        /// Its name, for people.
        "name" name: Text,
        /// The statement that must succeed or fail; of a list the last one, while those before it must succeed.
        "sql" sql: Short<Statements>,
        /// A part of the error that must come, in any case of letters; without it the statement must succeed.
        "expect_error" expect_error: Option<Text>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        "tables" tables: Vec<Text>,
    }

    /// Which part of the database the specs speak about. What is outside is neither compared nor dropped.
    Manage {
        /// The schemas that are managed; without it, all.
        "schemas" schemas: Option<List<Text>>,
        /// Names that are not managed, with `*` for any text: `"legacy_*"`, or with a schema `"audit.*"`.
        "exclude" exclude: Vec<Text>,
    }

    /// A table.
    TableSpec {
        /// The name that it had: a declared rename, harmless once done.
        "was" was: Option<Text>,
        /// The columns of the primary key, or a table of its settings.
        "primary_key" primary_key: Option<Short<PrimaryKeySpec>>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
        /// The columns, in the order in which they are created.
        "columns" columns: Names<Short<ColumnSpec>>,
        /// Unique keys.
        "uniques" uniques: Vec<UniqueSpec>,
        /// Foreign keys.
        "foreign_keys" foreign_keys: Vec<ForeignKeySpec>,
        /// Checks.
        "checks" checks: Vec<CheckSpec>,
        /// Exclusion constraints.
        "excludes" excludes: Vec<ExcludeSpec>,
        /// Indexes.
        "indexes" indexes: Vec<IndexSpec>,
    }

    /// A column, where its type alone does not say everything.
    ColumnSpec {
        /// The type, as the engine knows it; `?` at its end lets the column be NULL.
        "type" data_type: Text,
        /// Whether it may be NULL; the same as `?` at the end of the type.
        "null" null: Option<Flag>,
        /// The default, an expression in SQL.
        "default" default: Option<Scalar>,
        /// Numbers from a sequence of its own: `"always"`, `"by default"`, or a table with the sequence's numbers.
        "identity" identity: Option<Short<IdentitySpec>>,
        /// Computed from the row by this expression, and stored.
        "generated" generated: Option<Short<GeneratedSpec>>,
        /// The collation, where it is not the type's.
        "collation" collation: Option<Text>,
        /// The name that it had: a declared rename, harmless once done.
        "was" was: Option<Text>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// An identity column's sequence.
    IdentitySpec {
        /// `"always"` refuses explicit values, `"by default"` takes them.
        "generated" generated: Text,
        /// First value.
        "start" start: Option<Number>,
        /// Step.
        "increment" increment: Option<Number>,
        /// Lowest value.
        "min" min: Option<Number>,
        /// Highest value.
        "max" max: Option<Number>,
        /// How many values a session takes at once.
        "cache" cache: Option<Number>,
        /// Whether it starts again at its end.
        "cycle" cycle: Option<Flag>,
    }

    /// A generated column.
    GeneratedSpec {
        /// The expression.
        "as" expression: Text,
        /// Whether it is kept on disk (the default) or computed when read.
        "stored" stored: Option<Flag>,
    }

    /// A primary key.
    PrimaryKeySpec {
        /// Its name; the engine's default without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// Its columns, in order.
        "columns" columns: List<Text>,
        /// Columns carried along in its index.
        "include" include: Vec<Text>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// A unique key.
    UniqueSpec {
        /// Its name; the engine's default without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// Its columns, in order.
        "columns" columns: List<Text>,
        /// Columns carried along in its index.
        "include" include: Vec<Text>,
        /// Whether two NULLs count as alike.
        "nulls_not_distinct" nulls_not_distinct: Option<Flag>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// A foreign key.
    ForeignKeySpec {
        /// Its name; the engine's default without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// The columns that refer.
        "columns" columns: List<Text>,
        /// The table referred to, and its columns where they are not its primary key: `"users"`, `"users (email)"`.
        "references" references: Text,
        /// What an update of the key there does here: `"cascade"`, `"restrict"`, `"set null"`, `"set default"`.
        "on_update" on_update: Option<Text>,
        /// What a delete there does here; `"set null (a, b)"` limits it to columns.
        "on_delete" on_delete: Option<Text>,
        /// Whether a partly NULL key is refused.
        "match_full" match_full: Option<Flag>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        "deferrable" deferrable: Option<Scalar>,
        /// Whether rows that were there before it may break it.
        "not_valid" not_valid: Option<Flag>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// A check.
    CheckSpec {
        /// Its name; the engine's default without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// What must not be false, in SQL.
        "expr" expr: Text,
        /// Whether rows that were there before it may break it.
        "not_valid" not_valid: Option<Flag>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// An exclusion constraint.
    ExcludeSpec {
        /// Its name; the engine's default without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// The engine's own text, from `USING` on.
        "definition" definition: Text,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// An index.
    IndexSpec {
        /// Its name; made from table and columns without one.
        "name" name: Option<Text>,
        /// The name that it had.
        "was" was: Option<Text>,
        /// What it is ordered by: `"email"`, `"created_at desc nulls last"`, `"lower(email)"`.
        "columns" columns: List<Short<IndexPartSpec>>,
        /// Whether it refuses duplicates.
        "unique" unique: Option<Flag>,
        /// The access method, where it is not the engine's default.
        "method" method: Option<Text>,
        /// Columns carried along, not ordered by.
        "include" include: Vec<Text>,
        /// Which rows it covers, in SQL.
        "where" predicate: Option<Text>,
        /// Whether two NULLs count as duplicates.
        "nulls_not_distinct" nulls_not_distinct: Option<Flag>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
    }

    /// One part of an index, where its short form does not say everything.
    IndexPartSpec {
        /// The column; either this or `expr`.
        "column" column: Option<Text>,
        /// The expression; either this or `column`.
        "expr" expr: Option<Text>,
        /// The collation, where it is not the column's.
        "collation" collation: Option<Text>,
        /// The operator class with its parameters, where it is not the default.
        "opclass" opclass: Option<Text>,
        /// Whether it sorts downwards.
        "desc" desc: Option<Flag>,
        /// Where NULLs come: `"first"` or `"last"`.
        "nulls" nulls: Option<Text>,
    }

    /// An enumerated type.
    EnumSpec {
        /// The name that it had.
        "was" was: Option<Text>,
        /// Its values in order; `{ value = "new", was = "old" }` renames one.
        "values" values: List<Short<EnumValueSpec>>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// A value of an enumerated type.
    EnumValueSpec {
        /// The value.
        "value" value: Text,
        /// What it was called.
        "was" was: Option<Text>,
    }

    /// A domain.
    DomainSpec {
        /// The name that it had.
        "was" was: Option<Text>,
        /// The type below it.
        "type" data_type: Text,
        /// Whether NULL is refused.
        "not_null" not_null: Option<Flag>,
        /// The default, an expression in SQL.
        "default" default: Option<Scalar>,
        /// The collation, where it is not the type's.
        "collation" collation: Option<Text>,
        /// Checks.
        "checks" checks: Vec<DomainCheckSpec>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// A check of a domain.
    DomainCheckSpec {
        /// Its name; `<domain>_check` without one.
        "name" name: Option<Text>,
        /// What must not be false, in SQL.
        "expr" expr: Text,
    }

    /// A sequence.
    SequenceSpec {
        /// The name that it had.
        "was" was: Option<Text>,
        /// Its integer type; `bigint` without one.
        "type" data_type: Option<Text>,
        /// First value.
        "start" start: Option<Number>,
        /// Step.
        "increment" increment: Option<Number>,
        /// Lowest value.
        "min" min: Option<Number>,
        /// Highest value.
        "max" max: Option<Number>,
        /// How many values a session takes at once.
        "cache" cache: Option<Number>,
        /// Whether it starts again at its end.
        "cycle" cycle: Option<Flag>,
        /// The column whose drop drops it: `"users.id"`.
        "owned_by" owned_by: Option<Text>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// A schema (namespace).
    NamespaceSpec {
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// An extension.
    ExtensionSpec {
        /// The schema that holds its objects; without it, the extension decides.
        "schema" schema: Option<Text>,
        /// Its version; without it, the default version at hand.
        "version" version: Option<Text>,
        /// The comment on it.
        "comment" comment: Option<Text>,
    }

    /// A view.
    ViewSpec {
        /// The name that it had.
        "was" was: Option<Text>,
        /// The query.
        "query" query: Text,
        /// The names of its columns, where the query does not give them.
        "columns" columns: Vec<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// A materialized view.
    MaterializedViewSpec {
        /// The name that it had.
        "was" was: Option<Text>,
        /// The query.
        "query" query: Text,
        /// The names of its columns, where the query does not give them.
        "columns" columns: Vec<Text>,
        /// The engine's own settings, by name.
        "options" options: Names<Scalar>,
        /// Indexes.
        "indexes" indexes: Vec<IndexSpec>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// An object whose definition is SQL.
    SourceSpec {
        /// The name that it had; for types only.
        "was" was: Option<Text>,
        /// The statement that creates it, or a list of several.
        "sql" sql: Short<Statements>,
        /// What it needs to exist, where the text alone does not tell: `"table users"`.
        "needs" needs: Vec<Text>,
        /// The comment on it.
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        "grants" grants: Vec<Text>,
    }

    /// How existing rows of a table get their values.
    TransformSpec {
        /// Expression by column; a column in it means the value from before.
        "set" set: Names<Text>,
        /// Rows of the first batch.
        "batch_rows" batch_rows: Option<Number>,
    }
}

/// The words for what happens to referring rows.
pub(crate) const ACTIONS: &[(&str, ReferentialAction)] = &[
    ("no action", ReferentialAction::NoAction),
    ("restrict", ReferentialAction::Restrict),
    ("cascade", ReferentialAction::Cascade),
    ("set null", ReferentialAction::SetNull),
    ("set default", ReferentialAction::SetDefault),
];
