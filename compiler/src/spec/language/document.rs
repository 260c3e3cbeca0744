//! The keys of a spec file, and of what stands on its own.

use super::{
    AssertionSpec, DatasetSpec, DomainSpec, EnumSpec, MaterializedViewSpec, ProbeSpec, SequenceSpec, SourceSpec,
    TableSpec, TransformSpec, ViewSpec,
};
use crate::spec::reader::{List, Names, Several, Text};

language! {
    /// One spec file. All files of a project are read together; in which file a thing stands does not matter.
    SpecDocument {
        /// Which part of the database the specs speak about; without it, all of it.
        /// Example: `{ schemas = ["public"], exclude = ["legacy_*"] }`
        "manage" manage: Option<Manage>,
        /// Objects to leave as they are and to manage no longer: `"table audit_log"`.
        /// Example: `["table audit_log"]`
        "removed" removed: Vec<Text>,
        /// What is put into files, and read back, before the first write of a plan that touches it: `"table NAME"`, `"column TABLE.NAME"`,
        /// `"removed"` for all that the plan takes away, overwrites or gives another type, `"database"` for the rows of every table.
        /// Example: `["removed"]`
        "backup" backup: Vec<Text>,
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

    /// Which part of the database the specs speak about. What is outside is neither compared nor dropped.
    Manage {
        /// The schemas that are managed; without it, all.
        /// Example: `["public", "auth"]`
        "schemas" schemas: Option<List<Text>>,
        /// Names that are not managed, with `*` for any text: `"legacy_*"`, or with a schema `"audit.*"`.
        /// Example: `["legacy_*", "audit.*"]`
        "exclude" exclude: Vec<Text>,
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
}
