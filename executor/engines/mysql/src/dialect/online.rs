//! What the server does for a change of a table while clients go on: the one place where products and versions differ in it.
//!
//! Facts: MySQL's "Online DDL Operations", MariaDB's "InnoDB Online DDL", each tried on MariaDB 10.11. What is not certain is said to be
//! a copy, and nothing is demanded of the server.

use std::collections::BTreeSet;

use mig_plan::{
    Address, Body, Column, ColumnValue, Kind, ObjectKind, Qualified, Rule, Schema, Table,
    kind::{AddColumn, AlterColumn, DropColumn, Rebuild},
    schema::Index,
};

use super::{define, normalize::collation_of, shadow, table, types};
use crate::flavor::{Flavor, charset_of};

/// How a table gets its new form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Metadata only.
    Instant,
    /// In place, clients read and write meanwhile.
    Online,
    /// A copy, or work for which writers wait until it is done.
    Copy,
}

/// What of a table decides, besides the change.
struct Ground {
    table: Table,
    innodb: bool,
    compressed: bool,
    /// Indexes that hold words: their tables are rebuilt under a lock.
    fulltext: bool,
    /// Unique keys of long values: each is a column that nobody sees.
    hashed: bool,
    virtual_columns: bool,
    stored_columns: bool,
    versioned: bool,
    partitioned: bool,
}

impl Ground {
    fn of(at: &Qualified, schema: &Schema) -> Self {
        let table = schema.table(at).cloned().unwrap_or_default();
        let option = |key: &str| table.options.get(key).map(|v| v.to_ascii_uppercase());
        let is_stored = |c: &Column| matches!(c.value, ColumnValue::Generated { stored: true, .. });
        Self {
            innodb: option("engine").is_none_or(|e| e == "INNODB"),
            compressed: option("row_format").is_some_and(|f| f == "COMPRESSED"),
            fulltext: schema.indexes_of(at).any(|(_, index)| is_special(index)),
            hashed: schema.indexes_of(at).any(|(_, index)| is_hashed(index)),
            virtual_columns: table.columns.iter().any(is_virtual),
            stored_columns: table.columns.iter().any(is_stored),
            versioned: option("system_versioned").is_some(),
            partitioned: table.options.contains_key("partition_by"),
            table,
        }
    }
}

fn is_hashed(index: &Index) -> bool {
    index.unique && index.method.as_deref() == Some("HASH")
}

fn is_special(index: &Index) -> bool {
    index.method.as_deref().is_some_and(|m| matches!(m, "FULLTEXT" | "SPATIAL"))
}

/// How the server carries a change of a table out; `before` is the schema before it.
pub(crate) fn way(flavor: &Flavor, change: &Kind, before: &Schema) -> Way {
    let Some(at) = table_of(change) else { return Way::Instant };
    if shadow::is_held(change, before) {
        return if matches!(change, Kind::AddConstraint(_)) { Way::Online } else { Way::Instant };
    }
    let ground = Ground::of(&at, before);
    let way = if with_own_check(change, &ground) { Way::Copy } else { plain(flavor, change, &ground) };
    let rebuilds = ground.fulltext || ground.stored_columns || ground.virtual_columns || ground.hashed;
    match way {
        Way::Online if is_index(change) && ground.innodb && !is_row_key(change, &ground) => Way::Online,
        Way::Online if !ground.innodb || ground.versioned || rebuilds || is_row_key(change, &ground) => Way::Copy,
        Way::Instant
            if adds_or_drops(change) && (!ground.innodb || ground.versioned || ground.fulltext || ground.hashed) =>
        {
            Way::Copy
        }
        Way::Instant if adds_or_drops(change) && ground.compressed => Way::Online,
        way => way,
    }
}

/// What is demanded in the statement, so that the server refuses rather than do worse than was planned; nothing where that is not certain.
pub(crate) fn demanded(flavor: &Flavor, change: &Kind, before: &Schema) -> Option<&'static str> {
    let at = table_of(change)?;
    let ground = Ground::of(&at, before);
    let odd = ground.fulltext || ground.hashed || ground.virtual_columns || ground.stored_columns || ground.versioned;
    if !ground.innodb || with_own_check(change, &ground) || (odd && !is_index(change)) || !is_said(flavor, change) {
        return None;
    }
    match way(flavor, change, before) {
        // A table that once had a FULLTEXT index has a column for it that nobody sees: others come and go in place then.
        Way::Instant if flavor.is_maria() && adds_or_drops(change) => Some("LOCK=NONE"),
        Way::Instant => Some("ALGORITHM=INSTANT"),
        Way::Online => Some("ALGORITHM=INPLACE, LOCK=NONE"),
        Way::Copy => None,
    }
}

/// Whether a column changes that has a check of its own: the server takes that for another type.
fn with_own_check(change: &Kind, ground: &Ground) -> bool {
    let has = |column| ground.table.constraints.get(column).is_some_and(define::is_column_check);
    match change {
        Kind::AlterColumn(k) => has(&k.from.name),
        Kind::Comment(k) => k.at.kind() == ObjectKind::Column && has(k.at.name()),
        Kind::Rebuild(k) => table::parts(&k.table, &k.from, &k.to).iter().any(|part| with_own_check(part, ground)),
        _ => false,
    }
}

/// What the server refuses to change while a foreign key stands on it.
pub(crate) fn disturbs(change: &Kind) -> BTreeSet<Address> {
    match change {
        Kind::AlterColumn(k)
            if k.from.data_type != k.to.data_type
                || k.from.collation != k.to.collation
                || k.from.not_null != k.to.not_null =>
        {
            [Address::column(&k.table, &k.from.name)].into()
        }
        Kind::AlterTable(k) if k.from.get("collation") != k.to.get("collation") => [Address::table(&k.table)].into(),
        Kind::Rebuild(k) => table::parts(&k.table, &k.from, &k.to).iter().flat_map(disturbs).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether the server takes ALGORITHM and LOCK with such a change, in every version that is written the same.
fn is_said(flavor: &Flavor, change: &Kind) -> bool {
    // MySQL 8.0 learned to place, drop and rename columns at once only in some of its releases.
    let early = !flavor.is_maria() && flavor.version == (8, 0);
    match change {
        Kind::RenameMember(_) => !early,
        Kind::Comment(k) => flavor.is_maria() && k.at.kind() != ObjectKind::Constraint,
        Kind::AlterTable(k) => of_settings(k).all(|key| matches!(key, "row_format" | "key_block_size")),
        Kind::Rebuild(k) => table::parts(&k.table, &k.from, &k.to).iter().all(|part| is_said(flavor, part)),
        _ => true,
    }
}

fn of_settings(k: &mig_plan::kind::AlterTable) -> impl Iterator<Item = &str> {
    let keys = k.from.keys().chain(k.to.keys());
    keys.filter(|key| k.from.get(*key) != k.to.get(*key)).map(String::as_str)
}

fn is_index(change: &Kind) -> bool {
    match change {
        Kind::Create(k) => matches!(k.object.body, Body::Index(_)),
        Kind::Drop(k) => matches!(k.object.body, Body::Index(_)),
        Kind::Replace(k) => matches!(k.to.body, Body::Index(_)),
        _ => false,
    }
}

/// Whether an index goes by which the server keeps the rows of a table without a primary key: a unique one without NULLs.
fn is_row_key(change: &Kind, ground: &Ground) -> bool {
    let index = match change {
        Kind::Drop(k) => &k.object.body,
        Kind::Replace(k) => &k.from.body,
        _ => return false,
    };
    matches!(index, Body::Index(of) if of.unique) && ground.table.primary_key().is_none()
}

fn adds_or_drops(change: &Kind) -> bool {
    match change {
        Kind::AddColumn(_) | Kind::DropColumn(_) => true,
        Kind::Rebuild(k) => table::parts(&k.table, &k.from, &k.to).iter().any(adds_or_drops),
        _ => false,
    }
}

/// The way of a change in an InnoDB table of which nothing is special.
fn plain(flavor: &Flavor, change: &Kind, ground: &Ground) -> Way {
    match change {
        Kind::AddColumn(AddColumn { column, .. }) | Kind::DropColumn(DropColumn { column, .. })
            if ground.partitioned && is_virtual(column) =>
        {
            Way::Copy
        }
        Kind::AddColumn(k) => added(k),
        Kind::DropColumn(_) if flavor.drops_column_instantly() => Way::Instant,
        Kind::DropColumn(_) => Way::Online,
        Kind::AlterColumn(k) => altered(flavor, k, &ground.table),
        Kind::AddConstraint(k) => match k.constraint.rule {
            Rule::PrimaryKey(_) => Way::Online,
            _ => Way::Copy,
        },
        Kind::DropConstraint(k) => match k.constraint.rule {
            Rule::PrimaryKey(_) => Way::Copy,
            _ if define::is_column_check(&k.constraint) => Way::Copy,
            _ if flavor.is_maria() => Way::Instant,
            Rule::ForeignKey(_) => Way::Online,
            _ => Way::Instant,
        },
        Kind::AlterTable(k) => settings(k),
        Kind::Rebuild(k) => together(flavor, k, ground),
        Kind::Create(k) => match &k.object.body {
            Body::Index(index) if is_special(index) || is_hashed(index) => Way::Copy,
            _ => Way::Online,
        },
        Kind::Drop(k) if matches!(&k.object.body, Body::Index(index) if is_hashed(index)) => Way::Copy,
        Kind::Replace(k) if [&k.from, &k.to].iter().any(|o| matches!(&o.body, Body::Index(i) if is_hashed(i))) => {
            Way::Copy
        }
        Kind::Drop(_) | Kind::Replace(_) => Way::Online,
        _ => Way::Instant,
    }
}

/// A primary key that goes while another comes is one rebuild in place.
fn together(flavor: &Flavor, k: &Rebuild, ground: &Ground) -> Way {
    let parts = table::parts(&k.table, &k.from, &k.to);
    let key_comes = parts.iter().any(|p| matches!(p, Kind::AddConstraint(a) if is_key(&a.constraint)));
    let key_goes = |p: &Kind| matches!(p, Kind::DropConstraint(d) if is_key(&d.constraint));
    let ways = parts.iter().map(|p| if key_comes && key_goes(p) { Way::Online } else { plain(flavor, p, ground) });
    ways.max().unwrap_or(Way::Instant)
}

fn is_key(constraint: &mig_plan::Constraint) -> bool {
    matches!(constraint.rule, Rule::PrimaryKey(_))
}

fn settings(k: &mig_plan::kind::AlterTable) -> Way {
    let copies = |key: &str| matches!(key, "engine" | "collation" | "partition_by" | "system_versioned");
    let kept = |key: &str| key.starts_with("stats_") || matches!(key, "min_rows" | "max_rows" | "avg_row_length");
    if of_settings(k).any(copies) {
        Way::Copy
    } else if of_settings(k).all(kept) {
        Way::Instant
    } else {
        Way::Online
    }
}

fn added(k: &AddColumn) -> Way {
    match &k.column.value {
        ColumnValue::Identity { .. } | ColumnValue::Generated { stored: true, .. } => Way::Copy,
        value if is_computed_default(value) => Way::Copy,
        _ => Way::Instant,
    }
}

fn is_virtual(column: &Column) -> bool {
    matches!(column.value, ColumnValue::Generated { stored: false, .. })
}

/// Whether a default is the time of writing.
fn is_now(value: &ColumnValue) -> bool {
    matches!(value, ColumnValue::Default(sql) if sql.as_str().to_ascii_lowercase().starts_with("current_timestamp"))
}

/// Whether a default is an expression, which the server puts into each row.
fn is_computed_default(value: &ColumnValue) -> bool {
    matches!(value, ColumnValue::Default(sql)
        if sql.as_str().contains('(') && !sql.as_str().to_ascii_lowercase().starts_with("current_timestamp"))
}

fn altered(flavor: &Flavor, k: &AlterColumn, table: &Table) -> Way {
    let (from, to) = (&k.from, &k.to);
    // A time that may be missing becomes one that may not only by a copy.
    let now_given = |c: &Column| types::base(&c.data_type) == "timestamp" || is_now(&c.value);
    if !from.not_null && to.not_null && now_given(to) || from.options.get("compressed") != to.options.get("compressed")
    {
        return Way::Copy;
    }
    if from.collation != to.collation || is_identity(from) != is_identity(to) || generated(from) != generated(to) {
        return Way::Copy;
    }
    if from.value != to.value && (is_computed_default(&from.value) || is_computed_default(&to.value)) {
        return Way::Copy;
    }
    let retyped = if from.data_type == to.data_type { Way::Instant } else { retyped(flavor, from, to, table) };
    if from.not_null == to.not_null { retyped } else { retyped.max(Way::Online) }
}

pub(crate) fn is_identity(column: &Column) -> bool {
    matches!(column.value, ColumnValue::Identity { .. })
}

fn generated(column: &Column) -> Option<&ColumnValue> {
    Some(&column.value).filter(|v| matches!(v, ColumnValue::Generated { .. }))
}

/// A longer VARCHAR with the same number of length bytes, and new members at the end of an ENUM or SET of the same size, are no copy.
fn retyped(flavor: &Flavor, from: &Column, to: &Column, table: &Table) -> Way {
    let (a, b) = (types::base(&from.data_type), types::base(&to.data_type));
    if a == b && matches!(a, "varchar" | "varbinary") {
        let wide = if a == "varchar" { char_bytes(flavor, from, table) } else { 1 };
        let bytes = |c: &Column| types::argument(&c.data_type).and_then(|n| n.parse::<u32>().ok()).unwrap_or(0) * wide;
        let same_class = bytes(to) <= 255 || bytes(from) > 255;
        let way = if flavor.is_maria() { Way::Instant } else { Way::Online };
        return if bytes(from) <= bytes(to) && same_class { way } else { Way::Copy };
    }
    if a == b && matches!(a, "enum" | "set") {
        let (old, new) = (types::members(&from.data_type), types::members(&to.data_type));
        let size = |n: usize| if a == "enum" { usize::from(n > 255) } else { n.div_ceil(8).min(5) };
        let appended = new.starts_with(&old) && size(old.len()) == size(new.len());
        return if appended { Way::Instant } else { Way::Copy };
    }
    Way::Copy
}

/// The most bytes that a character of a column takes.
fn char_bytes(flavor: &Flavor, column: &Column, table: &Table) -> u32 {
    let collation = column.collation.clone().unwrap_or_else(|| collation_of(flavor, table));
    match charset_of(&collation) {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "utf8" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" => 2,
        _ => 1,
    }
}

/// The table whose form a change is about: its own, or that of an index.
pub(crate) fn table_of(change: &Kind) -> Option<Qualified> {
    let object = match change {
        Kind::Create(k) => &k.object,
        Kind::Drop(k) => &k.object,
        Kind::Replace(k) => &k.to,
        other => return table::of(other),
    };
    match &object.body {
        Body::Index(index) => Some(index.table.clone()),
        _ => None,
    }
}
