//! Changes of columns as SQL.

use mig_plan::{
    Address, Column, ColumnValue, Complaint, DraftCheck, Hazard, HazardCode, Kind, Name, Qualified, Rendered, Schema,
    Statement,
    kind::{AddColumn, AlterColumn, DropColumn},
    plan::CheckSql,
};

use super::{META, WORK, locked, meta, sequence, table, using};
use crate::dialect::{
    casts::{self, Fit},
    inherit, keep,
    names::{is_own, qualified, quote},
    versions::OLDEST,
};

/// The SQL of a new column.
pub(crate) fn add(change: &AddColumn, before: &Schema) -> Result<Rendered, Complaint> {
    let name = qualified(&change.table);
    let at = Address::column(&change.table, &change.column.name);
    if let Some(above) = inherit::above(before, &change.table, &change.column.name) {
        let own = (inherit::passed_on(&above), inherit::merged(&above, &change.column));
        return differing(&change.table, own, before);
    }
    let mut out = meta(add_sql(change), format!("ACCESS EXCLUSIVE on {name}, an instant"));
    if rewrites(&change.column) {
        out.lock = format!("ACCESS EXCLUSIVE on {name}, while every row is written: readers and writers wait");
        super::limit(&mut out.action, WORK);
        let says = "every row is written anew under an exclusive lock, because the value differs by row";
        out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &at, says));
    }
    if change.column.not_null && change.column.value.is_plain() {
        let says = "existing rows have no value for it: the table must be empty";
        out.hazards.push(Hazard::new(HazardCode::NeedsEmptyTable, &at, says));
        out.checks.push(DraftCheck {
            at: Address::table(&change.table),
            says: format!("{} has no rows, because {} has no value for them", change.table, change.column.name),
            help: vec![
                format!("give {} a default", change.column.name),
                format!("give existing rows a value: set.{} in a transform", change.column.name),
                format!("let {} be NULL: end its type with `?`", change.column.name),
            ],
            count: CheckSql::new(format!("SELECT count(*) FROM {name}")),
            sample: None,
            stops: true,
        });
    }
    Ok(out)
}

/// The SQL that makes a table differ from its parent in a column, or differ no more. The type stays the parent's, so no question is asked
/// that depends on the server's version.
fn differing(table: &Qualified, (from, to): (Column, Column), before: &Schema) -> Result<Rendered, Complaint> {
    alter(&AlterColumn { table: table.clone(), from, to, using: None }, (before, before), OLDEST)
}

/// Whether adding the column writes every row: its value is not one constant.
fn rewrites(column: &Column) -> bool {
    match &column.value {
        ColumnValue::Plain => false,
        ColumnValue::Default(value) => casts::is_volatile(value.as_str()),
        ColumnValue::Identity { .. } => true,
        ColumnValue::Generated { stored, .. } => *stored,
    }
}

/// The statements that add a column.
pub(crate) fn add_sql(change: &AddColumn) -> Vec<String> {
    let name = qualified(&change.table);
    let mut sql = vec![format!("ALTER TABLE {name} ADD COLUMN {}", table::definition(&change.column))];
    sql.extend(table::column_settings(&name, &change.column));
    if let Some(text) = &change.column.comment {
        sql.push(super::object::comment(&Address::column(&change.table, &change.column.name), Some(text), None));
    }
    sql
}

/// The SQL of a changed column.
pub(crate) fn alter(
    change: &AlterColumn,
    (before, after): (&Schema, &Schema),
    version: u32,
) -> Result<Rendered, Complaint> {
    if change.from.data_type.is_empty()
        && let Some(above) = inherit::above(before, &change.table, &change.from.name)
    {
        let own = (inherit::merged(&above, &change.from), inherit::merged(&above, &change.to));
        return differing(&change.table, own, before);
    }
    let name = qualified(&change.table);
    let at = Address::column(&change.table, &change.from.name);
    let fit = if retyped(change) { casts::fit(change) } else { Fit::Metadata };
    if retyped(change) {
        super::heirs::shared(change, before)?;
    }
    let mut sql = Vec::new();
    if matches!(fit, Fit::Lossy) {
        sql.push(keep::schema());
        sql.push(copy(&change.clone().into(), &change.table, &change.from, before)?);
    }
    sql.extend(alter_sql(change, before)?);
    sql.extend(differences(change, after)?);
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {name}, an instant"));
    if retyped(change) {
        locked(&mut out.action, &name);
        retyping(change, &fit, (before, version), &mut out);
    }
    if change.to.not_null && !change.from.not_null {
        // A hidden column is there only once the plan has made it; its proof asks.
        if !is_own(&change.from.name) {
            out.checks.push(no_nulls(&at, change, before));
        }
        if !has_proof(change, before) {
            super::limit(&mut out.action, WORK);
            let says = "reads the whole table under an exclusive lock, and stops if a row has NULL";
            out.hazards.push(Hazard::new(HazardCode::NotNullMayFail, &at, says));
        }
    }
    if let Fit::Lossy = fit {
        out.gc
            .push(Statement::new(format!("DROP TABLE IF EXISTS {}", qualified(&keep::place(&change.clone().into())))));
    }
    Ok(out)
}

/// What tables under a changed one say of its column themselves: the change of the parent's has gone over it.
pub(crate) fn differences(change: &AlterColumn, after: &Schema) -> Result<Vec<String>, Complaint> {
    let mut sql = Vec::new();
    if retyped(change) {
        // Indexes are built anew with the type, and shares in them get the names that the server gives.
        let keys = after.table(&change.table).into_iter().flat_map(|t| t.constraints.iter());
        let keys = keys.filter(|(_, c)| c.key().is_some()).map(|(name, _)| change.table.sibling(name.clone()));
        for index in after.indexes_of(&change.table).map(|(at, _)| at.qualified()).chain(keys) {
            sql.extend(super::regroup::shares_named(&index, &change.table, after));
        }
    }
    for under in inherit::descendants(after, &change.table) {
        let own = after.table(&under).and_then(|t| t.column(&change.to.name)).filter(|c| c.data_type.is_empty());
        if let (Some(own), Some(above)) = (own, inherit::above(after, &under, &change.to.name)) {
            let from = inherit::passed_on(&above);
            let to = inherit::merged(&above, own);
            sql.extend(alter_sql(&AlterColumn { table: under, from, to, using: None }, after)?);
        }
    }
    Ok(sql)
}

fn retyped(change: &AlterColumn) -> bool {
    change.from.data_type != change.to.data_type
        || change.from.collation != change.to.collation
        || change.using.is_some()
}

/// Lock, limits, hazards and checks of a type change.
fn retyping(change: &AlterColumn, fit: &Fit, (before, version): (&Schema, u32), out: &mut Rendered) {
    let at = &Address::column(&change.table, &change.from.name);
    if matches!(fit, Fit::Metadata) {
        return;
    }
    let name = qualified(&change.table);
    out.lock = format!("ACCESS EXCLUSIVE on {name}, while every row is written: readers and writers wait");
    super::limit(&mut out.action, WORK);
    let (from, to) = (&change.from.data_type, &change.to.data_type);
    let says = format!("every row of {} is written anew while readers and writers wait", change.table);
    out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, at, says));
    if !matches!(fit, Fit::Lossy) {
        return;
    }
    if casts::has_no_way(change, before) {
        let says = format!("PostgreSQL has no cast from {from} to {to}: no row may have a value in it");
        out.hazards.push(Hazard::new(HazardCode::CastMayFail, at, says));
    } else if casts::narrows(from, to) {
        let says = format!("{to} holds less than {from}; the old values are kept for undo");
        out.hazards.push(Hazard::new(HazardCode::TightensType, at, says));
    } else {
        let says = format!("values of {from} may not become {to}, or lose something; the old values are kept for undo");
        out.hazards.push(Hazard::new(HazardCode::CastMayFail, at, says));
    }
    out.checks.extend(casts::check(change, at, before, version));
}

/// Whether a validated check proves that the column has no NULL, so that the server need not look.
fn has_proof(change: &AlterColumn, before: &Schema) -> bool {
    let says = format!("({})", keep::is_given(&quote(&change.from.name), &change.from.data_type));
    before.table(&change.table).is_some_and(|t| {
        t.constraints.iter().any(|(name, c)| match &c.rule {
            mig_plan::Rule::Check { expression } => {
                let own = ["_mig_nn_", "_mig_eq_"].iter().any(|prefix| name.as_str().starts_with(prefix));
                own && c.validity.is_valid() && expression.as_str().contains(&says)
            }
            _ => false,
        })
    })
}

fn no_nulls(at: &Address, change: &AlterColumn, before: &Schema) -> DraftCheck {
    let name = qualified(&change.table);
    let missing = keep::is_missing(&quote(&change.from.name), &change.from.data_type);
    let key = inherit::whole(before, &change.table).as_ref().and_then(keep::key_of).unwrap_or_default();
    let shown = key.iter().map(|k| format!("{}::text", quote(k))).collect::<Vec<_>>().join(", ");
    DraftCheck {
        at: at.clone(),
        says: format!("no row of {} has NULL in {}", change.table, change.from.name),
        help: vec![
            "give these rows a value with a transform".to_owned(),
            "change or delete them".to_owned(),
            "leave the column nullable".to_owned(),
        ],
        count: CheckSql::new(format!("SELECT count(*) FROM {name} WHERE {missing}")),
        sample: (!key.is_empty()).then(|| CheckSql::new(format!("SELECT {shown} FROM {name} WHERE {missing} LIMIT 5"))),
        stops: false,
    }
}

/// The statements that change a column.
pub(crate) fn alter_sql(change: &AlterColumn, schema: &Schema) -> Result<Vec<String>, Complaint> {
    let (from, to) = (&change.from, &change.to);
    let name = qualified(&change.table);
    let column = format!("ALTER TABLE {name} ALTER COLUMN {}", quote(&from.name));
    let mut sql = Vec::new();
    let mut value = from.value.clone();
    if retyped(change) {
        if matches!(value, ColumnValue::Default(_)) {
            sql.push(format!("{column} DROP DEFAULT"));
            value = ColumnValue::Plain;
        }
        let collation = to.collation.as_ref().map(|c| format!(" COLLATE {c}")).unwrap_or_default();
        let (before, using, after) = using::of(change, schema)?;
        let using = using.map(|expression| format!(" USING {expression}")).unwrap_or_default();
        sql.extend(before);
        sql.push(format!("{column} TYPE {}{collation}{using}", to.data_type));
        sql.extend(after);
    }
    if to.not_null && !from.not_null {
        sql.push(format!("{column} SET NOT NULL"));
    }
    sql.extend(value_sql(change, &value, &column, schema)?);
    if !to.not_null && from.not_null {
        sql.push(format!("{column} DROP NOT NULL"));
    }
    sql.extend(settings_sql(&column, &name, from, to));
    if from.comment != to.comment {
        sql.push(super::object::comment(&Address::column(&change.table, &to.name), to.comment.as_deref(), None));
    }
    Ok(sql)
}

/// From one source of values to another.
fn value_sql(
    change: &AlterColumn,
    from: &ColumnValue,
    column: &str,
    schema: &Schema,
) -> Result<Vec<String>, Complaint> {
    let (table, to) = (&change.table, &change.to);
    use ColumnValue::{Default, Generated, Identity, Plain};
    if *from == to.value {
        return Ok(vec![]);
    }
    let mut sql = match (from, &to.value) {
        (Default(_), Default(_)) | (Identity { .. }, Identity { .. }) | (Plain, _) => vec![],
        (Generated { stored: was, .. }, Generated { expression, stored: is }) if was == is => {
            return Ok(vec![format!("{column} SET EXPRESSION AS ({expression})")]);
        }
        (Default(_), _) => vec![format!("{column} DROP DEFAULT")],
        (Identity { .. }, _) => {
            let goes_on = sequence::default_goes_on(table, to, schema);
            goes_on.into_iter().chain([format!("{column} DROP IDENTITY")]).collect()
        }
        (Generated { .. }, _) => vec![format!("{column} DROP EXPRESSION")],
    };
    match (from, &to.value) {
        (_, Plain) => {}
        (_, Default(value)) => {
            sql.push(format!("{column} SET DEFAULT {value}"));
            sql.extend(sequence::begins_after(table, to, schema).filter(|_| from.is_plain()));
        }
        (Identity { sequence: was, .. }, Identity { always, sequence: numbers }) => {
            let (a, b) = (sequence::Of(&change.from.data_type, was), sequence::Of(&to.data_type, numbers));
            let own = sequence::of_identity(table, &to.name);
            sql.extend(sequence::make_room(a, b, &own, &format!("{column} SET")));
            let mut parts = vec![format!("SET GENERATED {}", table::identity_word(*always))];
            parts.extend(sequence::changes(a, b).iter().map(|o| format!("SET {o}")));
            sql.push(format!("{column} {}", parts.join(" ")));
        }
        (_, Identity { always, sequence: numbers }) => {
            let numbers = sequence::options(numbers);
            let numbers = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(" ")) };
            sql.push(format!("{column} ADD GENERATED {} AS IDENTITY{numbers}", table::identity_word(*always)));
            sql.push(sequence::identity_goes_on(table, to, &change.from.value, schema));
        }
        (_, Generated { .. }) => {
            return Err(Complaint {
                at: Address::column(table, &to.name),
                says: "PostgreSQL cannot make a plain column a generated one in place".to_owned(),
                help: Some("drop the column and add it under its definition".to_owned()),
            });
        }
    }
    Ok(sql)
}

/// Storage and other settings that differ.
fn settings_sql(column: &str, table_name: &str, from: &Column, to: &Column) -> Vec<String> {
    let mut sql = Vec::new();
    for key in from.options.keys().filter(|key| !to.options.contains_key(*key)) {
        match key.as_str() {
            "storage" => sql.push(format!("{column} SET STORAGE {}", casts::default_storage(&to.data_type))),
            "compression" => sql.push(format!("{column} SET COMPRESSION default")),
            "statistics" => sql.push(format!("{column} SET STATISTICS -1")),
            other => sql.extend(other.strip_prefix("option.").map(|name| format!("{column} RESET ({name})"))),
        }
    }
    let mut changed = to.clone();
    changed.options.retain(|key, value| from.options.get(key) != Some(value));
    sql.extend(table::column_settings(table_name, &changed));
    sql
}

/// The statement that copies a column's values, with the key of their rows, to where they are kept.
fn copy(change: &Kind, of: &Qualified, column: &Column, before: &Schema) -> Result<String, Complaint> {
    let table = &inherit::whole(before, of).ok_or_else(|| super::missing(&Address::table(of)))?;
    let keep::Kept { key, keyed, heirs } = keep::kept(of, table, &column.name, before);
    let as_kept = |name: &Name, data_type: &str| {
        let name = quote(name);
        format!("{} AS {name}", keep::kept_value(&name, data_type))
    };
    let part = |name: &Name| match table.column(name).filter(|c| !keyed && keep::is_user_type(&c.data_type)) {
        Some(column) => as_kept(name, &column.data_type),
        None => quote(name),
    };
    let whose = heirs.then(|| format!("tableoid AS {}", keep::OF));
    let mut columns: Vec<_> = whose.into_iter().chain(key.iter().map(part)).collect();
    columns.push(as_kept(&column.name, &column.data_type));
    let (kept, source) = (qualified(&keep::place(change)), qualified(of));
    Ok(format!("CREATE TABLE {kept} AS SELECT {} FROM {source}", columns.join(", ")))
}

/// Whether a column has values of its own that a drop must keep.
pub(crate) fn is_kept(column: &Column) -> bool {
    !matches!(column.value, ColumnValue::Generated { .. })
}

/// The SQL that drops a column and keeps its values.
pub(crate) fn drop(change: &DropColumn, before: &Schema) -> Result<Rendered, Complaint> {
    let name = qualified(&change.table);
    let at = Address::column(&change.table, &change.column.name);
    if change.column.data_type.is_empty()
        && let Some(above) = inherit::above(before, &change.table, &change.column.name)
    {
        let own = (inherit::merged(&above, &change.column), inherit::passed_on(&above));
        return differing(&change.table, own, before);
    }
    if super::heirs::stays(change, before) {
        return Ok(meta(vec![], "nothing: a parent has the column".to_owned()));
    }
    let kind: Kind = change.clone().into();
    let mut sql = Vec::new();
    if is_kept(&change.column) {
        sql.push(keep::schema());
        sql.push(copy(&kind, &change.table, &change.column, before)?);
    }
    sql.extend(super::heirs::drop_column(&change.table, &change.column.name, before));
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {name}, while the column's values are copied"));
    locked(&mut out.action, &name);
    super::limit(&mut out.action, if is_kept(&change.column) { WORK } else { META });
    let says = "clients that name the column get errors; its values are kept until `mig gc`, and readers and writers wait while they are copied";
    out.hazards.push(Hazard::new(HazardCode::DropColumn, &at, says));
    if is_kept(&change.column) {
        out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", qualified(&keep::place(&kind)))));
    }
    Ok(out)
}

/// The statements that fill a column again from its kept copy.
pub(crate) fn restore(
    change: &Kind,
    of: &Qualified,
    column: &Column,
    before: &Schema,
) -> Result<Vec<String>, Complaint> {
    let table = &inherit::whole(before, of).ok_or_else(|| super::missing(&Address::table(of)))?;
    let kept = qualified(&keep::place(change));
    let name = quote(&column.name);
    let value = keep::restored(&format!("k.{name}"), &column.data_type);
    let how = keep::kept(of, table, &column.name, before);
    let (kept_rows, rows) = if how.keyed {
        (format!("{kept} AS k"), keep::same_key(&how.key, "t", "k", table))
    } else {
        numbered(of, &kept, &how, &name)
    };
    Ok(vec![
        format!("UPDATE {} AS t SET {name} = {value} FROM {kept_rows} WHERE {rows}", qualified(of)),
        format!("DROP TABLE {kept}"),
    ])
}

/// Kept values and rows, paired where no key tells rows apart: of rows that are alike in all else each takes another value.
fn numbered(of: &Qualified, kept: &str, how: &keep::Kept, name: &str) -> (String, String) {
    let number = |whose: Option<&str>| {
        let alike = how.key.iter().map(|k| format!("{}::text", quote(k)));
        let alike: Vec<_> = whose.map(str::to_owned).into_iter().chain(alike).collect();
        let window = if alike.is_empty() { String::new() } else { format!("PARTITION BY {}", alike.join(", ")) };
        let all = how.key.iter().map(quote).chain([format!("row_number() OVER ({window}) AS _mig_number")]);
        all.collect::<Vec<_>>().join(", ")
    };
    let (theirs, whose, same) = if how.heirs {
        let whose = keep::OF;
        (
            number(Some("tableoid")),
            format!("{whose}, {}", number(Some(whose))),
            format!(" AND t._mig_table = k.{whose}"),
        )
    } else {
        (number(None), number(None), String::new())
    };
    let pairs = format!(
        "(SELECT t._mig_table, t._mig_row, k.{name} \
         FROM (SELECT tableoid AS _mig_table, ctid AS _mig_row, {theirs} FROM {}) AS t \
         JOIN (SELECT {name}, {whose} FROM {kept}) AS k ON t._mig_number = k._mig_number AND {}{same}) AS k",
        qualified(of),
        keep::alike(&how.key, "t", "k")
    );
    (pairs, "t.tableoid = k._mig_table AND t.ctid = k._mig_row".to_owned())
}
