//! What the catalog queries give, row by row. Field names are the queries' column names.

use serde::Deserialize;

/// A number that the server gives to an object.
pub(super) type Oid = u32;

/// Settings as the catalog has them: `name=value`.
pub(super) type Settings = Option<Vec<String>>;

/// See [`queries::namespaces`](super::queries::namespaces).
#[derive(Debug, Deserialize)]
pub(super) struct NamespaceRow {
    pub(super) oid: Oid,
    pub(super) name: String,
    pub(super) comment: Option<String>,
}

/// See [`queries::extensions`](super::queries::extensions).
#[derive(Debug, Deserialize)]
pub(super) struct ExtensionRow {
    pub(super) oid: Oid,
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) version: String,
    pub(super) comment: Option<String>,
}

/// See [`queries::types`](super::queries::types).
#[derive(Debug, Deserialize)]
pub(super) struct TypeRow {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) kind: char,
    pub(super) relation: Option<Oid>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) base: Option<String>,
    pub(super) not_null: bool,
    pub(super) standard: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) checks: Option<Vec<(String, String, Option<String>)>>,
    pub(super) create: Option<String>,
    pub(super) remarks: Option<Vec<String>>,
    pub(super) comment: Option<String>,
}

/// See [`queries::tables`](super::queries::tables).
#[derive(Debug, Deserialize)]
pub(super) struct TableRow {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) unlogged: bool,
    pub(super) tablespace: Option<String>,
    pub(super) access_method: Option<String>,
    pub(super) settings: Settings,
    pub(super) toast_settings: Settings,
    pub(super) replica_identity: Option<String>,
    pub(super) clustered_on: Option<String>,
    pub(super) partition_by: Option<String>,
    pub(super) bound: Option<String>,
    pub(super) parents: Option<Vec<(String, String)>>,
    pub(super) shares: Option<Vec<ShareRow>>,
    pub(super) row_security: bool,
    pub(super) forced: bool,
    pub(super) of_type: Option<String>,
    pub(super) comment: Option<String>,
}

/// Of a partition's share in an index of its parents: the parent's name for it, its own, the kind of constraint, the columns.
pub(super) type ShareRow = (String, String, Option<char>, Option<String>);

/// See [`queries::columns`](super::queries::columns).
#[derive(Debug, Deserialize)]
pub(super) struct ColumnRow {
    pub(super) relation: Oid,
    pub(super) number: i16,
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) not_null: bool,
    pub(super) identity: String,
    pub(super) generated: String,
    pub(super) expression: Option<String>,
    pub(super) collation_id: Oid,
    pub(super) collation: Option<String>,
    pub(super) storage: Option<char>,
    pub(super) storage_code: char,
    pub(super) compression: Option<String>,
    pub(super) statistics: Option<i32>,
    pub(super) settings: Settings,
    pub(super) above: Option<AboveRow>,
    pub(super) comment: Option<String>,
}

/// Of a parent's column: whether it refuses NULL, its default, storage and compression.
pub(super) type AboveRow = (bool, Option<String>, char, Option<String>);

/// See [`queries::sequences`](super::queries::sequences).
#[derive(Debug, Deserialize)]
pub(super) struct SequenceRow {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) start: i64,
    pub(super) increment: i64,
    pub(super) min: i64,
    pub(super) max: i64,
    pub(super) cache: i64,
    pub(super) cycle: bool,
    pub(super) identity: Option<bool>,
    pub(super) owner: Option<Oid>,
    pub(super) owner_column: Option<i16>,
    pub(super) owner_schema: Option<String>,
    pub(super) owner_name: Option<String>,
    pub(super) owner_column_name: Option<String>,
    pub(super) comment: Option<String>,
}

/// See [`queries::constraints`](super::queries::constraints).
#[derive(Debug, Deserialize)]
pub(super) struct ConstraintRow {
    pub(super) oid: Oid,
    pub(super) relation: Oid,
    pub(super) name: String,
    pub(super) kind: char,
    pub(super) deferrable: bool,
    pub(super) deferred: bool,
    pub(super) validated: bool,
    pub(super) enforced: bool,
    pub(super) period: bool,
    pub(super) no_inherit: bool,
    pub(super) inherited: bool,
    pub(super) parent: Oid,
    pub(super) key: Option<Vec<i16>>,
    pub(super) ref_schema: Option<String>,
    pub(super) ref_name: Option<String>,
    pub(super) ref_relation: Oid,
    pub(super) ref_key: Option<Vec<i16>>,
    pub(super) on_update: char,
    pub(super) on_delete: char,
    pub(super) matching: char,
    pub(super) set_columns: Option<Vec<i16>>,
    pub(super) expression: Option<String>,
    pub(super) index: Option<Oid>,
    pub(super) index_key: Option<Vec<i16>>,
    pub(super) key_columns: Option<usize>,
    pub(super) nulls_not_distinct: bool,
    pub(super) settings: Settings,
    pub(super) tablespace: Option<String>,
    pub(super) comment: Option<String>,
}

/// See [`queries::indexes`](super::queries::indexes).
#[derive(Debug, Deserialize)]
pub(super) struct IndexRow {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) relation: Oid,
    pub(super) table_schema: String,
    pub(super) table_name: String,
    pub(super) unique: bool,
    pub(super) method: Option<String>,
    pub(super) keys: Vec<i16>,
    pub(super) key_columns: usize,
    pub(super) options: Vec<i16>,
    pub(super) classes: Vec<Oid>,
    pub(super) collations: Vec<Oid>,
    pub(super) collation_names: Option<Vec<String>>,
    pub(super) texts: Option<Vec<String>>,
    pub(super) definition: Option<String>,
    pub(super) class_settings: Option<Vec<(usize, Vec<String>)>>,
    pub(super) predicate: Option<String>,
    pub(super) nulls_not_distinct: bool,
    pub(super) valid: bool,
    /// Whether it is an index of a table that is divided into partitions.
    pub(super) divided: bool,
    pub(super) clustered: bool,
    pub(super) replica_identity: bool,
    pub(super) settings: Settings,
    pub(super) tablespace: Option<String>,
    pub(super) parent: Option<Oid>,
    /// The schema and name of the index that it is attached to, where partitions need not have their shares in that.
    pub(super) attached_to: Option<(String, String)>,
    pub(super) comment: Option<String>,
}

/// See [`queries::classes`](super::queries::classes).
#[derive(Debug, Deserialize)]
pub(super) struct ClassRow {
    pub(super) oid: Oid,
    pub(super) standard: bool,
    pub(super) name: String,
}

/// A view's column: name, comment, default.
pub(super) type SaidOfColumn = (String, Option<String>, Option<String>);

/// See [`queries::views`](super::queries::views).
#[derive(Debug, Deserialize)]
pub(super) struct ViewRow {
    pub(super) oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) materialized: bool,
    pub(super) query: String,
    pub(super) settings: Settings,
    pub(super) populated: bool,
    pub(super) tablespace: Option<String>,
    pub(super) access_method: Option<String>,
    /// Columns about which something is said.
    pub(super) columns: Option<Vec<SaidOfColumn>>,
    pub(super) comment: Option<String>,
}

/// An object whose definition is one or more texts.
#[derive(Debug, Deserialize)]
pub(super) struct SourceRow {
    pub(super) kind: SourceKind,
    pub(super) oid: Oid,
    pub(super) schema: Option<String>,
    pub(super) relation: Option<String>,
    pub(super) name: String,
    pub(super) signature: Option<String>,
    pub(super) create: Vec<String>,
    pub(super) comment: Option<String>,
    /// The catalog that it is in, where its kind does not say.
    #[serde(default)]
    pub(super) class: Option<Oid>,
}

/// What a [`SourceRow`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceKind {
    Collation,
    Function,
    Procedure,
    Aggregate,
    Trigger,
    Policy,
    Rule,
    Statistics,
    EventTrigger,
    Other,
}

/// See [`queries::default_privileges`](super::queries::default_privileges).
#[derive(Debug, Deserialize)]
pub(super) struct DefaultRow {
    pub(super) oid: Oid,
    pub(super) name: String,
}

/// See [`queries::opaque`](super::queries::opaque).
#[derive(Debug, Deserialize)]
pub(super) struct OpaqueRow {
    pub(super) class: Oid,
    pub(super) oid: Oid,
    pub(super) what: String,
    pub(super) identity: String,
    pub(super) says: String,
    pub(super) comment: Option<String>,
}

/// See [`queries::grants`](super::queries::grants).
#[derive(Debug, Deserialize)]
pub(super) struct GrantRow {
    pub(super) class: Oid,
    pub(super) oid: Oid,
    pub(super) column: Option<String>,
    pub(super) role: String,
    pub(super) privilege: String,
    pub(super) grantable: bool,
    pub(super) revoked: bool,
}

/// What every query gave.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) namespaces: Vec<NamespaceRow>,
    pub(super) extensions: Vec<ExtensionRow>,
    pub(super) types: Vec<TypeRow>,
    pub(super) tables: Vec<TableRow>,
    pub(super) columns: Vec<ColumnRow>,
    pub(super) sequences: Vec<SequenceRow>,
    pub(super) constraints: Vec<ConstraintRow>,
    pub(super) indexes: Vec<IndexRow>,
    pub(super) classes: Vec<ClassRow>,
    pub(super) views: Vec<ViewRow>,
    pub(super) sources: Vec<SourceRow>,
    pub(super) opaque: Vec<OpaqueRow>,
    pub(super) defaults: Vec<DefaultRow>,
    pub(super) grants: Vec<GrantRow>,
    /// Lines of [`queries::links`](super::queries::links).
    pub(super) links: String,
    /// Lines of [`queries::depends`](super::queries::depends).
    pub(super) depends: String,
}
