//! The keys of the language. Each is declared once, here: reading, the JSON Schema and the reference come from this list. A line
//! `Example:` of a key's comment holds a value of it.

use mig_plan::table::ReferentialAction;
use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};

use super::{
    literal::{Literal, Row},
    node::Node,
    reader::{Field, Flag, List, Map, Names, Number, Read, Reader, Scalar, Several, Short, Text},
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
                    let told = Told::of(concat!($($says, "\n"),*));
                    schema.insert("description".to_owned(), told.description.into());
                    if !told.examples.is_empty() {
                        schema.insert("examples".to_owned(), told.examples.into());
                    }
                    properties.insert($key.to_owned(), schema.to_value());
                    required.extend(<$type as Field>::REQUIRED.then_some($key));
                )*
                json_schema!({
                    "description": Told::of(concat!($($doc, "\n"),*)).description,
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
        }
    )*

        /// Reads every key's examples as its type reads them; gives the keys that have none.
        #[cfg(test)]
        pub(super) fn keys_without_example(reader: &mut Reader<'_>) -> Vec<String> {
            let mut without = Vec::new();
            $($(
                let told: Vec<&str> = examples(concat!($($says, "\n"),*)).collect();
                if told.is_empty() {
                    without.push(format!("{}.{}", stringify!($name), $key));
                }
                for example in told {
                    let text = format!("{} = {example}", $key);
                    let path = format!("the example of {}.{}", stringify!($name), $key);
                    let node = super::node::read(&super::SpecFile { path, text }, &mut reader.errors);
                    let super::node::Value::Table(entries) = &node.value else { continue };
                    let found = entries.first().map(|entry| &entry.value);
                    drop(<$type as Field>::field(found, $key, &node.place, reader));
                }
            )*)*
            without
        }
    };
}

/// What the comment on a key says, for those who write specs.
struct Told {
    description: String,
    examples: Vec<serde_json::Value>,
}

impl Told {
    fn of(comment: &str) -> Self {
        let examples = examples(comment).filter_map(|example| {
            let table: toml::Table = toml::from_str(&format!("it = {example}")).ok()?;
            serde_json::to_value(table.get("it")?).ok()
        });
        let lines = comment.lines().map(str::trim).filter(|line| !line.starts_with(EXAMPLE));
        Self { description: lines.collect::<Vec<_>>().join("\n").trim().to_owned(), examples: examples.collect() }
    }
}

/// How a line of a comment begins that holds an example, as a TOML value between backticks.
const EXAMPLE: &str = "Example: ";

fn examples(comment: &str) -> impl Iterator<Item = &str> {
    let values = comment.lines().filter_map(|line| line.trim().strip_prefix(EXAMPLE));
    values.map(|value| value.trim_start_matches('`').trim_end_matches('`'))
}

language! {
    /// One spec file. All files of a project are read together; in which file a thing stands does not matter.
    SpecDocument {
        /// Which part of the database the specs speak about; without it, all of it.
        /// Example: `{ schemas = ["public"], exclude = ["legacy_*"] }`
        "manage" manage: Option<Manage>,
        /// Objects to leave as they are and to manage no longer: `"table audit_log"`.
        /// Example: `["table audit_log"]`
        "removed" removed: Vec<Text>,
        /// Schemas (namespaces).
        /// Example: `{ auth = { comment = "who may sign in" } }`
        "schema" schemas: Names<NamespaceSpec>,
        /// Extensions.
        /// Example: `{ citext = { schema = "public" } }`
        "extension" extensions: Names<ExtensionSpec>,
        /// Enumerated types.
        /// Example: `{ mood = { values = ["sad", "glad"] } }`
        "enum" enums: Names<EnumSpec>,
        /// Domains.
        /// Example: `{ email = { type = "text" } }`
        "domain" domains: Names<DomainSpec>,
        /// Composite, range and other types.
        /// Example: `{ pair = { sql = "create type pair as (a int, b int)" } }`
        "type" types: Names<SourceSpec>,
        /// Collations.
        /// Example: `{ de = { sql = "create collation de (locale = 'de-DE')" } }`
        "collation" collations: Names<SourceSpec>,
        /// Sequences that stand on their own or belong to a column's default.
        /// Example: `{ ticket = { start = 100 } }`
        "sequence" sequences: Names<SequenceSpec>,
        /// Tables.
        /// Example: `{ users = { primary_key = ["id"], columns = { id = "bigint" } } }`
        "table" tables: Names<TableSpec>,
        /// Functions; the key carries the argument types: `[function."slug(text)"]`.
        /// Example: `{ "one()" = { sql = "create function one() returns int language sql as 'select 1'" } }`
        "function" functions: Names<SourceSpec>,
        /// Procedures; the key carries the argument types.
        /// Example: `{ "tidy()" = { sql = "create procedure tidy() language sql as 'delete from old'" } }`
        "procedure" procedures: Names<SourceSpec>,
        /// Aggregates; the key carries the argument types.
        /// Example: `{ "longest(text)" = { sql = "create aggregate longest(text) (sfunc = longer, stype = text)" } }`
        "aggregate" aggregates: Names<SourceSpec>,
        /// Views.
        /// Example: `{ active = { query = "select id from users where active" } }`
        "view" views: Names<ViewSpec>,
        /// Materialized views.
        /// Example: `{ totals = { query = "select sum(price) from items" } }`
        "materialized_view" materialized_views: Names<MaterializedViewSpec>,
        /// Triggers; the key is the table and the trigger: `[trigger."users.touch"]`.
        /// Example: `{ "users.touch" = { sql = "create trigger touch before update on users for each row execute function touch()" } }`
        "trigger" triggers: Names<SourceSpec>,
        /// Row security policies; the key is the table and the policy.
        /// Example: `{ "users.own" = { sql = "create policy own on users using (name = current_user)" } }`
        "policy" policies: Names<SourceSpec>,
        /// Rewrite rules; the key is the table and the rule.
        /// Example: `{ "users.keep" = { sql = "create rule keep as on delete to users do instead nothing" } }`
        "rule" rules: Names<SourceSpec>,
        /// Extended statistics.
        /// Example: `{ users_city = { sql = "create statistics users_city on city, zip from users" } }`
        "statistics" statistics: Names<SourceSpec>,
        /// Event triggers.
        /// Example: `{ audit = { sql = "create event trigger audit on ddl_command_end execute function log_ddl()" } }`
        "event_trigger" event_triggers: Names<SourceSpec>,
        /// Privileges on what will be made; the key says on what, by whom and where:
        /// `[default_privileges."tables by app in shop"]`, or without a schema `"functions by app"`.
        /// Example: `{ "tables by app in shop" = { grants = ["select to readers"] } }`
        "default_privileges" default_privileges: Names<NamespaceSpec>,
        /// Anything else that is made by its SQL; the key is what `DROP` calls it: `[object."publication p"]`.
        /// Example: `{ "publication p" = { sql = "create publication p for table orders" } }`
        "object" objects: Names<SourceSpec>,
        /// Events: statements that the server runs at set times.
        /// Example: `{ tidy = { sql = "create event tidy on schedule every 1 day do delete from old" } }`
        "event" events: Names<SourceSpec>,
        /// Virtual tables.
        /// Example: `{ search = { sql = "create virtual table search using fts5(body)" } }`
        "virtual_table" virtual_tables: Names<SourceSpec>,
        /// How existing rows get their values, by table.
        /// Example: `{ users = { set = { slug = "lower(name)" } } }`
        "transform" transforms: Names<Several<TransformSpec>>,
        /// What must hold of the data before the first write, after the last step, or both.
        /// Example: `[{ name = "no orphans", when = "before", sql = "select count(*) from orders where customer_id is null", expect = 0 }]`
        "check" checks: Vec<AssertionSpec>,
        /// What the database must take or refuse in the end; tried in a transaction that is always rolled back.
        /// Example: `[{ name = "no empty slug", sql = "insert into domains (slug) values ('')", expect_error = "check" }]`
        "probe" probes: Vec<ProbeSpec>,
        /// Rows that are filed as evidence, before the first write, after the last step, or both.
        /// Example: `[{ name = "orders", when = "both", sql = "select id, status from orders order by id" }]`
        "dataset" datasets: Vec<DatasetSpec>,
    }

    /// A query and what it must answer.
    AssertionSpec {
        /// Its name, for people.
        /// Example: `"no orphaned orders"`
        "name" name: Text,
        /// `"before"` the first write, `"after"` the last step, or `"both"`.
        /// Example: `"both"`
        "when" when: Option<Text>,
        /// One query. Before the first write names are those of the database, after the last step those of the specs.
        /// Example: `"select count(*) from orders where customer_id is null"`
        "sql" sql: Text,
        /// What it must answer: a value; a list of rows, in any order; `{ at_least = 1, at_most = 9 }`; or `"unchanged"`.
        /// Example: `0`
        "expect" expect: Short<ExpectSpec>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["orders"]`
        "tables" tables: Vec<Text>,
    }

    /// What a query must answer, where a value or a list of rows does not say it.
    ExpectSpec {
        /// One row of one value: this one.
        /// Example: `0`
        "value" value: Option<Literal>,
        /// Exactly these rows, in any order.
        /// Example: `[[1, "a"], [2, "b"]]`
        "rows" rows: Option<List<Row>>,
        /// One row of one number: this or more.
        /// Example: `1`
        "at_least" at_least: Option<Literal>,
        /// One row of one number: this or less.
        /// Example: `9`
        "at_most" at_most: Option<Literal>,
        /// After the last step the same rows as before the first write.
        /// Example: `true`
        "unchanged" unchanged: Option<Flag>,
    }

    /// What the database must take or refuse.
    ProbeSpec {
        /// Its name, for people.
        /// Example: `"an upper-case slug is refused"`
        "name" name: Text,
        /// The statement that must succeed or fail; of a list the last one, while those before it must succeed.
        /// Example: `"insert into domains (slug) values ('TEST')"`
        "sql" sql: Short<Statements>,
        /// A part of the error that must come, in any case of letters; without it the statement must succeed.
        /// Example: `"check constraint"`
        "expect_error" expect_error: Option<Text>,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["domains"]`
        "tables" tables: Vec<Text>,
    }

    /// Rows that are filed as evidence.
    DatasetSpec {
        /// Its name, for people and for its file.
        /// Example: `"orders"`
        "name" name: Text,
        /// `"before"` the first write, which it is without the key, `"after"` the last step, or `"both"`.
        /// Example: `"both"`
        "when" when: Option<Text>,
        /// One query. Before the first write names are those of the database, after the last step those of the specs.
        /// Example: `"select id, status from orders order by id"`
        "sql" sql: Text,
        /// Only plans that change one of these tables have it; without it, every plan has.
        /// Example: `["orders"]`
        "tables" tables: Vec<Text>,
    }

    /// Which part of the database the specs speak about. What is outside is neither compared nor dropped.
    Manage {
        /// The schemas that are managed; without it, all.
        /// Example: `["public", "auth"]`
        "schemas" schemas: Option<List<Text>>,
        /// Names that are not managed, with `*` for any text: `"legacy_*"`, or with a schema `"audit.*"`.
        /// Example: `["legacy_*", "audit.*"]`
        "exclude" exclude: Vec<Text>,
    }

    /// A table.
    TableSpec {
        /// The name that it had: a declared rename, harmless once done.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The columns of the primary key, or a table of its settings.
        /// Example: `["id"]`
        "primary_key" primary_key: Option<Short<PrimaryKeySpec>>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
        /// The columns, in the order in which they are created.
        /// Example: `{ id = "bigint", email = "text?" }`
        "columns" columns: Names<Short<ColumnSpec>>,
        /// Unique keys.
        /// Example: `[{ columns = ["email"] }]`
        "uniques" uniques: Vec<UniqueSpec>,
        /// Foreign keys.
        /// Example: `[{ columns = ["user_id"], references = "users" }]`
        "foreign_keys" foreign_keys: Vec<ForeignKeySpec>,
        /// Checks.
        /// Example: `[{ expr = "total >= 0" }]`
        "checks" checks: Vec<CheckSpec>,
        /// Exclusion constraints.
        /// Example: `[{ definition = "USING gist (during WITH &&)" }]`
        "excludes" excludes: Vec<ExcludeSpec>,
        /// Indexes.
        /// Example: `[{ columns = ["created_at desc"] }]`
        "indexes" indexes: Vec<IndexSpec>,
        /// Rows that the table shall have; each is found by its primary key. Other rows are left alone.
        /// Example: `[{ code = "de", name = "Germany" }]`
        "rows" rows: Vec<Map<Literal>>,
    }

    /// A column, where its type alone does not say everything.
    ColumnSpec {
        /// The type, as the engine knows it; `?` at its end lets the column be NULL.
        /// Example: `"text?"`
        "type" data_type: Text,
        /// Whether it may be NULL; the same as `?` at the end of the type.
        /// Example: `true`
        "null" null: Option<Flag>,
        /// The default, an expression in SQL.
        /// Example: `"now()"`
        "default" default: Option<Scalar>,
        /// Numbers from a sequence of its own: `"always"`, `"by default"`, or a table with the sequence's numbers.
        /// Example: `"by default"`
        "identity" identity: Option<Short<IdentitySpec>>,
        /// Computed from the row by this expression, and stored.
        /// Example: `"price * 2"`
        "generated" generated: Option<Short<GeneratedSpec>>,
        /// The collation, where it is not the type's.
        /// Example: `"C"`
        "collation" collation: Option<Text>,
        /// The name that it had: a declared rename, harmless once done.
        /// Example: `"mail"`
        "was" was: Option<Text>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// An identity column's sequence.
    IdentitySpec {
        /// `"always"` refuses explicit values, `"by default"` takes them.
        /// Example: `"always"`
        "generated" generated: Text,
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
    }

    /// A generated column.
    GeneratedSpec {
        /// The expression.
        /// Example: `"price * quantity"`
        "as" expression: Text,
        /// Whether it is kept on disk (the default) or computed when read.
        /// Example: `false`
        "stored" stored: Option<Flag>,
    }

    /// A primary key.
    PrimaryKeySpec {
        /// Its name; the engine's default without one.
        /// Example: `"users_pkey"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// Its columns, in order.
        /// Example: `["a", "b"]`
        "columns" columns: List<Text>,
        /// Columns carried along in its index.
        /// Example: `["email"]`
        "include" include: Vec<Text>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        /// Example: `"initially deferred"`
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// A unique key.
    UniqueSpec {
        /// Its name; the engine's default without one.
        /// Example: `"users_email_key"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// Its columns, in order.
        /// Example: `["a", "b"]`
        "columns" columns: List<Text>,
        /// Columns carried along in its index.
        /// Example: `["email"]`
        "include" include: Vec<Text>,
        /// Whether two NULLs count as alike.
        /// Example: `true`
        "nulls_not_distinct" nulls_not_distinct: Option<Flag>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        /// Example: `"initially deferred"`
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// A foreign key.
    ForeignKeySpec {
        /// Its name; the engine's default without one.
        /// Example: `"orders_user_id_fkey"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The columns that refer.
        /// Example: `["user_id"]`
        "columns" columns: List<Text>,
        /// The table referred to, and its columns where they are not its primary key: `"users"`, `"users (email)"`.
        /// Example: `"users (email)"`
        "references" references: Text,
        /// What an update of the key there does here: `"cascade"`, `"restrict"`, `"set null"`, `"set default"`.
        /// Example: `"cascade"`
        "on_update" on_update: Option<Text>,
        /// What a delete there does here; `"set null (a, b)"` limits it to columns.
        /// Example: `"set null"`
        "on_delete" on_delete: Option<Text>,
        /// Whether a partly NULL key is refused.
        /// Example: `true`
        "match_full" match_full: Option<Flag>,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        /// Example: `"initially deferred"`
        "deferrable" deferrable: Option<Scalar>,
        /// Whether rows that were there before it may break it.
        /// Example: `true`
        "not_valid" not_valid: Option<Flag>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// A check.
    CheckSpec {
        /// Its name; the engine's default without one.
        /// Example: `"orders_total_positive"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// What must not be false, in SQL.
        /// Example: `"total >= 0"`
        "expr" expr: Text,
        /// Whether rows that were there before it may break it.
        /// Example: `true`
        "not_valid" not_valid: Option<Flag>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// An exclusion constraint.
    ExcludeSpec {
        /// Its name; the engine's default without one.
        /// Example: `"no_overlap"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The engine's own text, from `USING` on.
        /// Example: `"USING gist (room WITH =, during WITH &&)"`
        "definition" definition: Text,
        /// When it is checked: `true` or `"initially immediate"`, or `"initially deferred"`.
        /// Example: `"initially deferred"`
        "deferrable" deferrable: Option<Scalar>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ "with.fillfactor" = 70 }`
        "options" options: Names<Scalar>,
    }

    /// An index.
    IndexSpec {
        /// Its name; made from table and columns without one.
        /// Example: `"users_email_idx"`
        "name" name: Option<Text>,
        /// The name that it had.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// What it is ordered by: `"email"`, `"created_at desc nulls last"`, `"lower(email)"`.
        /// Example: `["lower(email)", "created_at desc nulls last"]`
        "columns" columns: List<Short<IndexPartSpec>>,
        /// Whether it refuses duplicates.
        /// Example: `true`
        "unique" unique: Option<Flag>,
        /// The access method, where it is not the engine's default.
        /// Example: `"gin"`
        "method" method: Option<Text>,
        /// Columns carried along, not ordered by.
        /// Example: `["email"]`
        "include" include: Vec<Text>,
        /// Which rows it covers, in SQL.
        /// Example: `"active"`
        "where" predicate: Option<Text>,
        /// Whether two NULLs count as duplicates.
        /// Example: `true`
        "nulls_not_distinct" nulls_not_distinct: Option<Flag>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// The engine's own settings, by name.
        /// Example: `{ fillfactor = 90 }`
        "options" options: Names<Scalar>,
    }

    /// One part of an index, where its short form does not say everything.
    IndexPartSpec {
        /// The column; either this or `expr`.
        /// Example: `"email"`
        "column" column: Option<Text>,
        /// The expression; either this or `column`.
        /// Example: `"lower(email)"`
        "expr" expr: Option<Text>,
        /// The collation, where it is not the column's.
        /// Example: `"C"`
        "collation" collation: Option<Text>,
        /// The operator class with its parameters, where it is not the default.
        /// Example: `"text_pattern_ops"`
        "opclass" opclass: Option<Text>,
        /// Whether it sorts downwards.
        /// Example: `true`
        "desc" desc: Option<Flag>,
        /// Where NULLs come: `"first"` or `"last"`.
        /// Example: `"last"`
        "nulls" nulls: Option<Text>,
    }

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

    /// A schema (namespace).
    NamespaceSpec {
        /// The name that it had; for schemas only.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
        /// Who else than its owner may do what with it: `"select, insert to app"`, `"select (email) to readers"`,
        /// `"all to admin with grant option"`, `"revoke execute from public"`.
        /// Example: `["select, insert to app"]`
        "grants" grants: Vec<Text>,
    }

    /// An extension.
    ExtensionSpec {
        /// The schema that holds its objects; without it, the extension decides.
        /// Example: `"public"`
        "schema" schema: Option<Text>,
        /// Its version; without it, the default version at hand.
        /// Example: `"1.6"`
        "version" version: Option<Text>,
        /// The comment on it.
        /// Example: `"people who may sign in"`
        "comment" comment: Option<Text>,
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

    /// How existing rows of a table get their values; with `from`, how a new table gets its rows.
    TransformSpec {
        /// The table whose rows the new table's are made from; each makes one, unless `group_by` joins several.
        /// Example: `"conversations"`
        "from" from: Option<Text>,
        /// Tables that the expressions read beside `from`, as SQL says it.
        /// Example: `"left join accounts on accounts.id = conversations.account_id"`
        "join" join: Option<Text>,
        /// What rows of `from` have in common that make one row together.
        /// Example: `["account_id"]`
        "group_by" group_by: Vec<Text>,
        /// The columns that tell the new rows apart; the primary key without it.
        /// Example: `["id"]`
        "key" key: Vec<Text>,
        /// Where several rows make one of the same key: `"error"`, as without it; `"skip"`, the first counts; `"update"`, the last counts.
        /// Example: `"skip"`
        "on_conflict" on_conflict: Option<Text>,
        /// Expression by column; a column in it means the value from before.
        /// Example: `{ slug = "lower(name)" }`
        "set" set: Names<Text>,
        /// Ids of version 5, by column: made by SHA-1 from a namespace and a name, the same each time.
        /// Example: `{ id = { namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", name = "'thread/' || id" } }`
        "uuid5" uuid5: Names<UuidSpec>,
        /// Ids of version 3, by column: made by MD5 from a namespace and a name, the same each time.
        /// Example: `{ id = { namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", name = "'thread/' || id" } }`
        "uuid3" uuid3: Names<UuidSpec>,
        /// New value by old value, by column. An old value is written as the database shows it as text; values that are not named stay.
        /// Example: `{ state = { o = "open", c = "closed" } }`
        "map" map: Names<Map<Literal>>,
        /// A condition: rows of which it is not true keep their values, and have none in new columns.
        /// Example: `"deleted_at is null"`
        "where" only: Option<Text>,
        /// A name by which the database remembers that this transform was made: it runs even where the plan changes nothing else of its
        /// columns, and never twice.
        /// Example: `"2026-03 tidy names"`
        "once" once: Option<Text>,
        /// Whether its expressions may give another value each time, as `now()` does; a row keeps the first.
        /// Example: `true`
        "varies" varies: Option<Flag>,
        /// What becomes of a value that a `map` does not name: `"keep"`, as without it, or `"reject"`.
        /// Example: `"reject"`
        "unmapped" unmapped: Option<Text>,
        /// Rows that are left as they are, each rule with its reason.
        /// Example: `[{ when = "domain is null", reason = "scope without a domain" }]`
        "reject" rejects: Vec<RejectSpec>,
        /// How many rows may be rejected; one more stops the run. None without it.
        /// Example: `10`
        "max_rejects" max_rejects: Option<Number>,
        /// Rows of the first batch.
        /// Example: `5000`
        "batch_rows" batch_rows: Option<Number>,
    }

    /// An id that is made from a name.
    UuidSpec {
        /// The namespace, itself an id.
        /// Example: `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`
        "namespace" namespace: Text,
        /// The name, an expression.
        /// Example: `"'thread/' || id"`
        "name" name: Text,
    }

    /// A rule by which a transform leaves rows as they are.
    RejectSpec {
        /// A row of which it is true is rejected. It may read what the transform sets.
        /// Example: `"domain is null"`
        "when" when: Text,
        /// Why, for people.
        /// Example: `"scope without a domain"`
        "reason" reason: Text,
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
