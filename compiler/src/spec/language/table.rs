//! The keys of tables and what belongs to them.

use crate::spec::{
    literal::Literal,
    reader::{Flag, List, Map, Names, Number, Scalar, Short, Text},
};

language! {
    /// A table.
    TableSpec {
        /// The name that it had: a declared rename, harmless once done.
        /// Example: `"people"`
        "was" was: Option<Text>,
        /// The columns of the primary key, or a table of its settings.
        /// Example: `["id"]`
        "primary_key" primary_key: Option<Box<Short<PrimaryKeySpec>>>,
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
        "identity" identity: Option<Box<Short<IdentitySpec>>>,
        /// Computed from the row by this expression, and stored.
        /// Example: `"price * 2"`
        "generated" generated: Option<Box<Short<GeneratedSpec>>>,
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
}
