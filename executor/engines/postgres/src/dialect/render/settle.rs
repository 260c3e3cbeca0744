//! Columns that change to a type from which their old values do not come back, as SQL: what makes the new values, the end, and the way back.

use mig_plan::{
    Address, Column, ColumnValue, Complaint, DraftCheck, Hazard, HazardCode, Name, Qualified, Rendered, RenderedUndo,
    Schema, Sql, Statement, Table,
    kind::{AddColumn, AlterColumn, Kept, Settle, Twin, Twins},
    plan::CheckSql,
};

use super::{
    WORK,
    backfill::{cast_type, same_value},
    column, leave, locked, meta, missing, sequence, transaction,
    twins::{OWN, address, not_null_named, trigger},
    using,
};
use crate::dialect::{
    casts, keep,
    names::{TRASH, field, generated, literal, qualified, quote},
};

/// What a value that the new type does not take raises. Such a row has no new value until `contract`, and the client is not stopped.
pub(super) const UNFIT: &str = "data_exception OR integrity_constraint_violation OR cardinality_violation OR syntax_error_or_access_rule_violation";

/// The trigger's function: each hidden column is made from the row as the client writes it.
pub(super) fn function(twins: &Twins, schema: &Schema) -> String {
    let name = format!("{OWN}.{}", quote(&twins.trigger));
    let table = schema.table(&twins.table);
    let mut body = String::new();
    for pair in &twins.pairs {
        let hidden = field(&pair.hidden.name);
        let value = match &pair.by {
            Some(by) => over_row(by, &twins.table, table, "NEW"),
            None => format!("NEW.{}", field(&pair.column)),
        };
        let data_type = cast_type(&pair.hidden.data_type);
        body.push_str(&format!(
            "    BEGIN\n        NEW.{hidden} := ({value})::{data_type};\n    EXCEPTION WHEN {UNFIT} THEN\n        \
             NEW.{hidden} := NULL;\n    END;\n"
        ));
    }
    let path = twins.table.schema.as_ref().map(quote).unwrap_or_default();
    let path = if path.is_empty() { "pg_catalog".to_owned() } else { format!("{path}, public") };
    let tag = if body.contains("$mig$") { "$mig_row$" } else { "$mig$" };
    format!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger\n    LANGUAGE plpgsql SET search_path = {path}\nAS {tag}\nBEGIN\n{body}    \
         RETURN NEW;\nEND\n{tag}"
    )
}

/// An expression over the columns of one row, which has the table's name in it.
pub(super) fn over_row(by: &Sql, at: &Qualified, table: Option<&Table>, row: &str) -> String {
    let columns = table.into_iter().flat_map(|t| &t.columns).filter(|c| by.mentions(&c.name));
    let columns =
        columns.map(|c| format!("{row}.{} AS {}", field(&c.name), quote(&c.name))).collect::<Vec<_>>().join(", ");
    format!("SELECT ({by}) FROM (SELECT {columns}) AS {}", quote(&at.name))
}

/// What to know and to ask before the first write.
pub(super) fn beginning(twins: &Twins, before: &Schema, version: u32, out: &mut Rendered) {
    let Some(table) = before.table(&twins.table) else { return };
    let (name, alias) = (qualified(&twins.table), quote(&twins.table.name));
    for pair in &twins.pairs {
        let Some(column) = table.column(&pair.column) else { continue };
        let at = address(twins, pair);
        let to_type = pair.hidden.data_type.trim_end_matches("[]").to_owned();
        let to = Column { data_type: pair.hidden.data_type.clone(), ..column.clone() };
        let change = AlterColumn { table: twins.table.clone(), from: column.clone(), to, using: None };
        match &pair.by {
            Some(by) if is_own(by, &change, before) => out.checks.extend(casts::check(&change, &at, before, version)),
            Some(by) if casts::known::labels(&to_type, before).is_some() => {
                out.checks.extend(casts::no_value_gone(&change, &at, by, before));
            }
            Some(by) if column.not_null => {
                let key = keep::key_of(table).unwrap_or_default();
                let shown = key.iter().map(|k| format!("{}::text", quote(k))).collect::<Vec<_>>().join(", ");
                let empty = format!("FROM {name} AS {alias} WHERE ({by}) IS NULL");
                out.checks.push(DraftCheck {
                    at: at.clone(),
                    says: format!("every row of {} gets a value in {}", twins.table, pair.column),
                    help: vec![
                        "change these rows".to_owned(),
                        "let the transform give them a value, with coalesce(..) or case".to_owned(),
                    ],
                    count: CheckSql::new(format!("SELECT count(*) {empty}")),
                    sample: (!key.is_empty()).then(|| CheckSql::new(format!("SELECT {shown} {empty} LIMIT 5"))),
                    stops: true,
                });
            }
            _ => {}
        }
        if pair.by.as_ref().is_some_and(using::has_query) {
            let says = format!(
                "{} is made from other tables too: when these change, rows made before follow in `contract` only, and writers need to be \
                 able to read them",
                pair.column
            );
            out.hazards.push(Hazard::new(HazardCode::MovesColumn, &at, says));
        }
    }
}

/// Whether nothing but the type says what becomes of a value.
fn is_own(by: &Sql, change: &AlterColumn, schema: &Schema) -> bool {
    let plain = casts::using(change, schema).unwrap_or_else(|| quote(&change.from.name));
    by.as_str() == plain
}

/// The SQL that ends the move.
pub(crate) fn settle(change: &Settle, version: u32) -> Rendered {
    let (twins, kept) = (&change.twins, &change.kept);
    let table = qualified(&twins.table);
    let trigger = quote(&twins.trigger);
    let mut sql = vec![format!("DROP TRIGGER {trigger} ON {table}"), format!("DROP FUNCTION {OWN}.{trigger}()")];
    if kept.is_copied() {
        sql.extend(leave::unwatch(kept));
    }
    let counted = kept.columns.iter().filter(|c| matches!(c.value, ColumnValue::Identity { .. }));
    sql.extend(counted.map(|c| sequence::remember(&twins.table, &c.name)));
    for pair in &twins.pairs {
        let (column, hidden) = (quote(&pair.column), quote(&pair.hidden.name));
        sql.push(format!("ALTER TABLE {table} DROP COLUMN {column}"));
        sql.push(format!("ALTER TABLE {table} RENAME COLUMN {hidden} TO {column}"));
    }
    sql.extend(not_null_named(&twins.table, version));
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    for pair in &twins.pairs {
        let says = format!(
            "clients that read or write {} as {} get errors or other values from then on; its old values are kept until `mig gc`",
            pair.column, pair.data_type
        );
        let narrows = casts::narrows(&pair.data_type, &pair.hidden.data_type);
        let code = if narrows { HazardCode::TightensType } else { HazardCode::CastMayFail };
        out.hazards.push(Hazard::new(code, &address(twins, pair), says));
    }
    for place in [leave::place(kept), unmapped(kept)] {
        out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", qualified(&place))));
    }
    out
}

/// Where values go that have no old value.
pub(crate) fn unmapped(kept: &Kept) -> Qualified {
    let names: Vec<&Name> = kept.columns.iter().map(|c| &c.name).collect();
    Qualified::new(Name::new(TRASH).ok(), generated("unmapped_", &(&kept.table, names), kept.table.name.as_str()))
}

/// What takes [`settle`] back.
pub(crate) fn undo(change: &Settle, before: &Schema) -> Result<RenderedUndo, Complaint> {
    let (twins, kept) = (&change.twins, &change.kept);
    let content = before.table(&twins.table).ok_or_else(|| missing(&Address::table(&twins.table)))?;
    let table = qualified(&twins.table);
    let mut sql = Vec::new();
    let bare = |c: &Column| Column { not_null: false, value: ColumnValue::Plain, ..c.clone() };
    for (pair, column) in twins.pairs.iter().zip(&kept.columns) {
        let (own, hidden) = (quote(&pair.column), quote(&pair.hidden.name));
        sql.push(format!("ALTER TABLE {table} RENAME COLUMN {own} TO {hidden}"));
        sql.extend(column::add_sql(&AddColumn { table: twins.table.clone(), column: bare(column) }));
    }
    if kept.is_copied() {
        let set = kept.columns.iter().map(|c| {
            let name = quote(&c.name);
            format!("{name} = {}", keep::restored(&format!("k.{name}"), &c.data_type))
        });
        let set = set.collect::<Vec<_>>().join(", ");
        let same = keep::same_key(&kept.key, "t", "k", content);
        sql.push(format!("UPDATE {table} AS t SET {set} FROM {} AS k WHERE {same}", qualified(&leave::place(kept))));
    }
    sql.extend(brought_back(twins, kept, content));
    for column in &kept.columns {
        if let (true, ColumnValue::Default(value)) = (column.not_null, &column.value) {
            let name = quote(&column.name);
            sql.push(format!("UPDATE {table} SET {name} = {value} WHERE {name} IS NULL"));
        }
        let full = AlterColumn { table: kept.table.clone(), from: bare(column), to: column.clone(), using: None };
        sql.extend(column::alter_sql(&full, before)?);
    }
    sql.push(function(twins, before));
    sql.extend(trigger(&table, &quote(&twins.trigger)));
    if kept.is_copied() {
        sql.extend(leave::watch(kept));
    }
    let mut action = transaction(sql, WORK);
    locked(&mut action, &table);
    let says = format!(
        "adds the old columns again with the values that were kept; what clients wrote since becomes an old value where it can, and is \
         listed in {} where it cannot; readers and writers wait meanwhile",
        unmapped(kept)
    );
    Ok(RenderedUndo { says, action, hazards: Vec::new() })
}

/// Gives rows that were written since an old value: what the expression makes the new one of. Those without one are listed by key.
fn brought_back(twins: &Twins, kept: &Kept, content: &Table) -> Vec<String> {
    let (table, alias) = (qualified(&twins.table), quote(&twins.table.name));
    let there = unmapped(kept);
    let list_of = qualified(&there);
    let mut sql = vec![
        keep::schema(),
        format!("CREATE TABLE IF NOT EXISTS {list_of} (_mig_key jsonb, _mig_column text, _mig_value text)"),
    ];
    for (pair, column) in twins.pairs.iter().zip(&kept.columns) {
        let (mut back, empty) = one_back(twins, pair, kept, content, (&table, &alias, &list_of));
        // A required column rather has what comes nearest than nothing, which would stop the way back.
        back.extend((!column.not_null).then_some(empty));
        sql.extend(back);
    }
    sql.push(format!(
        "DO $mig$ BEGIN IF NOT EXISTS (SELECT FROM {list_of}) THEN DROP TABLE {list_of}; END IF; END $mig$"
    ));
    sql
}

/// The statements that give rows of one column their old value, and the one that takes it from those where it is not the right one.
fn one_back(
    twins: &Twins,
    pair: &Twin,
    kept: &Kept,
    content: &Table,
    (table, alias, unmapped): (&str, &str, &str),
) -> (Vec<String>, String) {
    const FUNCTION: &str = "pg_temp._mig_back";
    let (own, hidden) = (quote(&pair.column), quote(&pair.hidden.name));
    let by = pair
        .by
        .as_ref()
        .map_or_else(|| format!("{alias}.{own}"), |by| over_row(by, &twins.table, Some(content), alias));
    let made = format!("({by})::{}", cast_type(&pair.hidden.data_type));
    let same = same_value(&pair.hidden.data_type, &format!("{alias}.{hidden}"), &made);
    let given = keep::is_given(&format!("{alias}.{hidden}"), &pair.hidden.data_type);
    let missing = keep::is_missing(&format!("{alias}.{own}"), &pair.data_type);
    let wrong = format!("{given} AND ({missing} OR NOT ({same}))");
    let keys = kept.key.iter().map(|k| format!("{}, {alias}.{}", literal(k.as_str()), quote(k)));
    let keys = keys.collect::<Vec<_>>().join(", ");
    let key = if kept.is_copied() { format!("jsonb_build_object({keys})") } else { format!("to_jsonb({alias})") };
    let (from, to) = (&pair.hidden.data_type, &pair.data_type);
    let (value, before, after) = match &pair.back {
        Some(back) => (back.to_string(), None, None),
        None => (
            format!("{FUNCTION}({alias}.{hidden})"),
            Some(format!(
                "CREATE FUNCTION {FUNCTION}(value {from}) RETURNS {to} LANGUAGE plpgsql AS $mig$\nBEGIN\n    RETURN value::{to};\n\
                 EXCEPTION WHEN {UNFIT} THEN\n    RETURN NULL;\nEND\n$mig$"
            )),
            Some(format!("DROP FUNCTION {FUNCTION}({from})")),
        ),
    };
    let update = format!("UPDATE {table} AS {alias} SET {own} = {value} WHERE {wrong}");
    let note = format!(
        "INSERT INTO {unmapped} SELECT {key}, {}, {alias}.{hidden}::text FROM {table} AS {alias} WHERE {wrong}",
        literal(pair.column.as_str())
    );
    let empty = format!("UPDATE {table} AS {alias} SET {own} = NULL WHERE {alias}.{own} IS NOT NULL AND {wrong}");
    (before.into_iter().chain([update]).chain(after).chain([note]).collect(), empty)
}
