//! Changes that are one statement or two: create, drop, replace, rename, add column, drop column.

use mig_plan::{
    Action, Address, Body, Complaint, DraftCheck, Hazard, HazardCode, Kind, Object, ObjectKind, Probe, Rendered,
    RenderedUndo, Schema, Statement, Table,
    kind::{AddColumn, Create, Drop, DropColumn, Rebuild, Rename, RenameMember, Replace},
    plan::CheckSql,
    schema::{Index, IndexedBy},
    step::{Limits, Transaction},
};

use super::rebuild::{self, Kept, PATIENT};
use crate::dialect::{names::quote, normalize::complaint, shape, write};

/// Limits of changes that touch only the schema.
const SHORT: Limits = Limits { lock_ms: 5_000, statement_ms: 0, attempts: 10 };

const FILE: &str = "the database file for a moment: no other writer, and without WAL no reader";

/// A change that is a matter of record.
pub(crate) fn nothing() -> Rendered {
    Rendered {
        action: Action::Nothing {},
        probe: Probe::Shape {},
        lock: "nothing".to_owned(),
        hazards: Vec::new(),
        checks: Vec::new(),
        gc: Vec::new(),
    }
}

fn together(sql: Vec<String>) -> Action {
    let sql = sql.into_iter().map(Statement::new).collect();
    Action::Transaction(Transaction {
        prepare: Vec::new(),
        lock: Vec::new(),
        sql,
        none: Vec::new(),
        rejects: None,
        restore: Vec::new(),
        limits: SHORT,
    })
}

fn rendered(sql: Vec<String>) -> Rendered {
    Rendered { action: together(sql), lock: FILE.to_owned(), ..nothing() }
}

fn taken_back(says: impl Into<String>, sql: Vec<String>) -> RenderedUndo {
    RenderedUndo { says: says.into(), action: together(sql), hazards: Vec::new() }
}

fn creation(at: &Address, object: &Object) -> Result<Vec<String>, Complaint> {
    let unknown = || complaint(at, format!("SQLite cannot make a {}", at.kind()), None);
    write::create(at, object).ok_or_else(unknown)
}

fn removal(at: &Address) -> Result<String, Complaint> {
    write::drop(at).ok_or_else(|| complaint(at, format!("SQLite cannot drop a {}", at.kind()), None))
}

pub(crate) fn create(create: &Create, before: &Schema) -> Result<Rendered, Complaint> {
    let mut out = rendered(creation(&create.at, &create.object)?);
    if let Body::Index(index) = &create.object.body
        && before.table(&index.table).is_some()
    {
        out.lock = "the database file while the index is built: no other writer, and without WAL no reader".to_owned();
        out.checks.extend(duplicates(index));
        if let Action::Transaction(transaction) = &mut out.action {
            transaction.limits = PATIENT;
        }
    }
    Ok(out)
}

/// The question whether rows would break a unique index.
fn duplicates(index: &Index) -> Option<DraftCheck> {
    if !index.unique {
        return None;
    }
    let parts = index.parts.iter().map(|part| {
        let value = match &part.what {
            IndexedBy::Column(name) => quote(name),
            IndexedBy::Expression(sql) => format!("({sql})"),
        };
        let collated = part.collation.as_ref().map_or_else(|| value.clone(), |c| format!("{value} COLLATE {c}"));
        (value, collated)
    });
    let (values, collated): (Vec<_>, Vec<_>) = parts.unzip();
    let mut when: Vec<_> = values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
    when.extend(index.predicate.iter().map(|p| format!("({p})")));
    let (table, when) = (quote(&index.table.name), when.join(" AND "));
    let alike = format!("FROM {table}\nWHERE {when}\nGROUP BY {} HAVING count(*) > 1", collated.join(", "));
    Some(DraftCheck {
        at: Address::table(&index.table),
        says: format!("no two rows have the same {}", values.join(", ")),
        help: vec!["remove or change the duplicates".to_owned()],
        count: CheckSql::new(format!("SELECT count(*) FROM (SELECT 1 {alike})")),
        sample: Some(CheckSql::new(format!("SELECT {} {alike} LIMIT 5", values.join(", ")))),
        stops: true,
    })
}

pub(crate) fn undo_create(create: &Create, _: &Schema) -> Result<RenderedUndo, Complaint> {
    let drop = removal(&create.at)?;
    if create.at.kind() != ObjectKind::Table {
        return Ok(taken_back(format!("Drops the {} again.", create.at), vec![drop]));
    }
    let says = format!("Drops the {} again, with the rows that were written since.", create.at);
    let action = Action::Transaction(rebuild::unenforced(vec![drop]));
    Ok(RenderedUndo { says, action, hazards: Vec::new() })
}

pub(crate) fn drop(change: &Kind, drop: &Drop, before: &Schema) -> Result<Rendered, Complaint> {
    let statement = removal(&drop.at)?;
    let mut out = rendered(vec![statement.clone()]);
    match (&drop.object.body, drop.at.kind()) {
        (Body::Table(table), _) => {
            let kept = Kept::of(change);
            let mut sql = vec![format!("DROP TABLE IF EXISTS {}", kept.rows), keep_rows(&drop.at, table, &kept)];
            sql.extend(rebuild::keep_sequence(&drop.at.qualified(), table, &kept.sequence));
            sql.push(statement);
            out.action = Action::Transaction(rebuild::unenforced(sql));
            out.gc = kept.drop();
            let says = "clients that use it fail; its rows are kept until `mig gc`";
            out.hazards.push(Hazard::new(HazardCode::DropTable, &drop.at, says));
        }
        (_, ObjectKind::VirtualTable) => {
            let says = "its content belongs to its module and cannot be kept";
            out.hazards.push(Hazard::new(HazardCode::NoUndo, &drop.at, says));
        }
        _ => {}
    }
    if before.objects.get(&drop.at).is_some_and(|o| matches!(o.body, Body::Opaque { .. })) {
        return Err(complaint(&drop.at, "mig never drops what it does not know", None));
    }
    Ok(out)
}

/// `CREATE TABLE kept AS SELECT` every row that a table has.
fn keep_rows(at: &Address, table: &Table, kept: &Kept) -> String {
    let mut items: Vec<_> = stored(table).collect();
    if shape::rowid_alias(table).is_none()
        && let Some(word) = shape::rowid_word(table)
    {
        items.push(format!("{word} AS _mig_rowid"));
    }
    format!("CREATE TABLE {} AS SELECT {} FROM {}", kept.rows, items.join(", "), quote(at.name()))
}

/// The columns that a row of a table is made of, without those that are computed.
fn stored(table: &Table) -> impl Iterator<Item = String> {
    table.columns.iter().filter(|c| !rebuild::is_generated(&c.value)).map(|c| quote(&c.name))
}

pub(crate) fn undo_drop(change: &Kind, drop: &Drop) -> Result<RenderedUndo, Complaint> {
    let mut sql = creation(&drop.at, &drop.object)?;
    let Body::Table(table) = &drop.object.body else {
        let says = match drop.at.kind() {
            ObjectKind::VirtualTable => format!("Makes the {} again, empty.", drop.at),
            _ => format!("Makes the {} again.", drop.at),
        };
        return Ok(taken_back(says, sql));
    };
    let kept = Kept::of(change);
    let (mut columns, mut values): (Vec<_>, Vec<_>) = stored(table).map(|c| (c.clone(), c)).unzip();
    if shape::rowid_alias(table).is_none()
        && let Some(word) = shape::rowid_word(table)
    {
        columns.push(word.to_owned());
        values.push("_mig_rowid".to_owned());
    }
    let at = drop.at.qualified();
    sql.push(rebuild::insert(&at, &columns, &values, &kept.rows));
    sql.extend(rebuild::restore_sequence(&at, table, table, &kept.sequence));
    sql.extend(kept.drop().iter().map(Statement::sql));
    let action = Action::Transaction(rebuild::unenforced(sql));
    Ok(RenderedUndo { says: format!("Makes the {} again, with its rows.", drop.at), action, hazards: Vec::new() })
}

pub(crate) fn replace(replace: &Replace) -> Result<Rendered, Complaint> {
    let mut sql = vec![removal(&replace.at)?];
    sql.extend(creation(&replace.at, &replace.to)?);
    let mut out = rendered(sql);
    if let Body::Index(index) = &replace.to.body {
        out.checks.extend(duplicates(index));
    }
    Ok(out)
}

pub(crate) fn undo_replace(replace: &Replace) -> Result<RenderedUndo, Complaint> {
    let mut sql = vec![removal(&replace.at)?];
    sql.extend(creation(&replace.at, &replace.from)?);
    Ok(taken_back(format!("Makes the {} again as it was.", replace.at), sql))
}

pub(crate) fn rename(rename: &Rename, _: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    Ok(rendered(renaming(&rename.from, &rename.to, after)?))
}

pub(crate) fn undo_rename(rename: &Rename, before: &Schema, _: &Schema) -> Result<RenderedUndo, Complaint> {
    let sql = renaming(&rename.to, &rename.from, before)?;
    Ok(taken_back(format!("Renames it back to {}.", rename.from), sql))
}

/// A table is renamed by SQLite itself; anything else is made anew under its new name.
fn renaming(from: &Address, to: &Address, after: &Schema) -> Result<Vec<String>, Complaint> {
    match from.kind() {
        ObjectKind::Table | ObjectKind::VirtualTable => {
            Ok(vec![format!("ALTER TABLE {} RENAME TO {}", quote(from.name()), quote(to.name()))])
        }
        ObjectKind::Index | ObjectKind::View | ObjectKind::Trigger => {
            let object =
                after.objects.get(to).ok_or_else(|| complaint(to, "it is not there after the rename", None))?;
            let mut sql = vec![removal(from)?];
            sql.extend(creation(to, object)?);
            Ok(sql)
        }
        kind => Err(complaint(from, format!("SQLite cannot rename a {kind}"), None)),
    }
}

pub(crate) fn rename_member(rename: &RenameMember, after: &Schema) -> Result<Rendered, Complaint> {
    Ok(rendered(renaming_member(&rename.from, &rename.to, after)?))
}

pub(crate) fn undo_rename_member(rename: &RenameMember, before: &Schema) -> Result<RenderedUndo, Complaint> {
    let of = rename.from.relation().ok_or_else(|| complaint(&rename.from, "it belongs to nothing", None))?;
    let now = Address::member(rename.from.kind(), &of, rename.to.clone());
    let sql = renaming_member(&now, rename.from.name(), before)?;
    Ok(taken_back(format!("Renames it back to {}.", rename.from.name()), sql))
}

fn renaming_member(from: &Address, to: &mig_plan::Name, after: &Schema) -> Result<Vec<String>, Complaint> {
    let of = from.relation().ok_or_else(|| complaint(from, "it belongs to nothing", None))?;
    match from.kind() {
        ObjectKind::Column => {
            Ok(vec![format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quote(&of.name), quote(from.name()), quote(to))])
        }
        ObjectKind::Trigger => renaming(from, &Address::member(ObjectKind::Trigger, &of, to.clone()), after),
        kind => Err(complaint(from, format!("SQLite cannot rename a {kind} in place"), None)),
    }
}

pub(crate) fn add_column(add: &AddColumn, after: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::column(&add.table, &add.column.name);
    let table = after.table(&add.table).ok_or_else(|| complaint(&at, "its table is not there", None))?;
    let definition = write::column_definition(table, &add.column, None);
    Ok(rendered(vec![format!("ALTER TABLE {} ADD COLUMN {definition}", quote(&add.table.name))]))
}

pub(crate) fn undo_add_column(add: &AddColumn) -> Result<RenderedUndo, Complaint> {
    let sql = format!("ALTER TABLE {} DROP COLUMN {}", quote(&add.table.name), quote(&add.column.name));
    Ok(taken_back("Drops the column again, with the values that were written since.", vec![sql]))
}

/// The same change as a rebuild, which knows how to bring values back.
fn as_rebuild(drop: &DropColumn, before: &Schema, after: &Schema) -> Result<Rebuild, Complaint> {
    let at = Address::column(&drop.table, &drop.column.name);
    let absent = || complaint(&at, "its table is not there", None);
    let from = before.table(&drop.table).ok_or_else(absent)?.clone();
    let to = after.table(&drop.table).ok_or_else(absent)?.clone();
    Ok(Rebuild {
        table: drop.table.clone(),
        from,
        to,
        copy: Vec::new(),
        columns: Default::default(),
        rows: Default::default(),
    })
}

pub(crate) fn drop_column(change: &Kind, drop: &DropColumn, before: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::column(&drop.table, &drop.column.name);
    let table = before.table(&drop.table).ok_or_else(|| complaint(&at, "its table is not there", None))?;
    let kept = Kept::of(change);
    let mut sql = Vec::new();
    if !rebuild::is_generated(&drop.column.value) {
        let mut items: Vec<_> = super::source::key(table).unwrap_or_default();
        for (i, item) in items.iter_mut().enumerate() {
            item.push_str(&format!(" AS {}", super::source::key_column(i)));
        }
        if let Some(word) = shape::rowid_word(table) {
            items.push(format!("{word} AS _mig_rowid"));
        }
        items.push("1 AS _mig_here".to_owned());
        items.extend(stored(table));
        sql.push(format!("DROP TABLE IF EXISTS {}", kept.rows));
        sql.push(format!("CREATE TABLE {} AS SELECT {} FROM {}", kept.rows, items.join(", "), quote(&drop.table.name)));
        sql.extend(rebuild::keep_sequence(&drop.table, table, &kept.sequence));
    }
    sql.push(format!("ALTER TABLE {} DROP COLUMN {}", quote(&drop.table.name), quote(&drop.column.name)));
    let mut out = rendered(sql);
    out.gc = kept.drop();
    if let Action::Transaction(transaction) = &mut out.action {
        transaction.limits = PATIENT;
    }
    Ok(out)
}

pub(crate) fn undo_drop_column(
    change: &Kind,
    drop: &DropColumn,
    before: &Schema,
    after: &Schema,
) -> Result<RenderedUndo, Complaint> {
    rebuild::render_undo(change, &as_rebuild(drop, before, after)?, before, after)
}
