//! Columns that leave beside running clients, as SQL: the copy of what they hold, the trigger that keeps it current, and the end.

use mig_plan::{
    Action, Address, Column, ColumnValue, Complaint, Hazard, HazardCode, Limits, Name, Probe, Qualified, Rendered,
    Schema, Sql, Statement, Table,
    kind::{AddColumn, AlterColumn, Keep, KeepRows, Kept, Leave},
    step::{Batch, Batches},
};

use super::{META, WORK, backfill::same_value, column, locked, meta, missing, tie, transaction};
use crate::dialect::{
    keep,
    names::{TRASH, cut, field, generated, list, qualified, quote, quote_text},
};

/// The schema that holds the functions of mig's triggers.
const OWN: &str = "mig";

/// Limits of one batch.
const BATCH: Limits = Limits { lock_ms: 5_000, statement_ms: 60_000, attempts: 30 };

/// Rows of the first batch.
const ROWS: u32 = 5_000;

/// Where the values are kept.
pub(crate) fn place(kept: &Kept) -> Qualified {
    let names: Vec<&Name> = kept.columns.iter().map(|c| &c.name).collect();
    let tail = kept.table.name.as_str();
    Qualified::new(Name::new(TRASH).ok(), generated("kept_", &(&kept.table, names), tail))
}

/// The trigger as the server writes it out, fired for every writer, replication among them.
pub(crate) fn trigger(table: &str, name: &str) -> [String; 2] {
    [
        format!(
            "CREATE TRIGGER {name} AFTER INSERT OR DELETE OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {OWN}.{name}()"
        ),
        format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"),
    ]
}

/// The SQL that makes the place and the trigger.
pub(crate) fn keep(change: &Keep) -> Rendered {
    let kept = &change.kept;
    let (table, there) = (qualified(&kept.table), place(kept));
    let index = quote_text(&format!("{}_k", cut(there.name.as_str(), 60)));
    let there = qualified(&there);
    let mut sql = vec![
        keep::schema(),
        format!("CREATE TABLE {there} AS SELECT {}, {} FROM {table} WITH NO DATA", list(&kept.key), values(kept, "")),
        format!("CREATE UNIQUE INDEX {index} ON {there} ({})", list(&kept.key)),
    ];
    sql.extend(watch(kept));
    let mut out = meta(sql, format!("SHARE ROW EXCLUSIVE on {table}, an instant: writers wait"));
    if let Action::Transaction(transaction) = &mut out.action {
        transaction.lock.push(Statement::new(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")));
    }
    out
}

/// The values as they are kept, each under its own name.
fn values(kept: &Kept, row: &str) -> String {
    let one = |c: &Column| {
        let name = quote(&c.name);
        format!("{} AS {name}", keep::kept_value(&format!("{row}{name}"), &c.data_type))
    };
    kept.columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn names(kept: &Kept) -> Vec<Name> {
    kept.columns.iter().map(|c| c.name.clone()).collect()
}

/// A list of names after a row's.
fn of(row: &str, names: &[Name]) -> String {
    names.iter().map(|n| format!("{row}.{}", quote(n))).collect::<Vec<_>>().join(", ")
}

/// The function and the trigger. The function runs with mig's rights, because clients have none where the copy is.
pub(super) fn watch(kept: &Kept) -> Vec<String> {
    let (there, name) = (qualified(&place(kept)), quote(&kept.trigger));
    let key_is = |row: &str| {
        kept.key.iter().map(|k| format!("{} = {row}.{}", quote(k), field(k))).collect::<Vec<_>>().join(" AND ")
    };
    let new: Vec<String> =
        kept.columns.iter().map(|c| keep::kept_value(&format!("NEW.{}", field(&c.name)), &c.data_type)).collect();
    let stays: Vec<String> = kept
        .key
        .iter()
        .map(|k| format!("NEW.{0} = OLD.{0}", field(k)))
        .chain(kept.columns.iter().map(|c| {
            let column = field(&c.name);
            same_value(&c.data_type, &format!("NEW.{column}"), &format!("OLD.{column}"))
        }))
        .collect();
    let key: Vec<String> = kept.key.iter().map(|k| format!("NEW.{}", field(k))).collect();
    let set: Vec<String> = names(kept).iter().map(|n| format!("{0} = EXCLUDED.{0}", quote(n))).collect();
    let all: Vec<Name> = kept.key.iter().cloned().chain(names(kept)).collect();
    let function = format!(
        "CREATE OR REPLACE FUNCTION {OWN}.{name}() RETURNS trigger\n    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog\n\
         AS $mig$\nBEGIN\n    IF TG_OP = 'UPDATE' THEN\n        IF {} THEN\n            RETURN NULL;\n        END IF;\n    END IF;\n    \
         IF TG_OP <> 'INSERT' THEN\n        DELETE FROM {there} WHERE {};\n    END IF;\n    \
         IF TG_OP <> 'DELETE' THEN\n        INSERT INTO {there} ({})\n        VALUES ({}, {})\n        \
         ON CONFLICT ({}) DO UPDATE SET {};\n    END IF;\n    RETURN NULL;\nEND\n$mig$",
        stays.join(" AND "),
        key_is("OLD"),
        list(&all),
        key.join(", "),
        new.join(", "),
        list(&kept.key),
        set.join(", "),
    );
    [function].into_iter().chain(trigger(&qualified(&kept.table), &name)).collect()
}

pub(super) fn unwatch(kept: &Kept) -> [String; 2] {
    let name = quote(&kept.trigger);
    [format!("DROP TRIGGER {name} ON {}", qualified(&kept.table)), format!("DROP FUNCTION {OWN}.{name}()")]
}

/// What takes [`keep`] back.
pub(crate) fn unkeep(change: &Keep) -> Action {
    let kept = &change.kept;
    let drop = format!("DROP TABLE IF EXISTS {}", qualified(&place(kept)));
    let mut action = transaction(unwatch(kept).into_iter().chain([drop]).collect(), META);
    locked(&mut action, &qualified(&kept.table));
    action
}

/// The SQL that copies the values of existing rows.
pub(crate) fn rows(change: &KeepRows, before: &Schema) -> Result<Rendered, Complaint> {
    let kept = &change.kept;
    let table = before.table(&kept.table).ok_or_else(|| missing(&Address::table(&kept.table)))?;
    let (source, there) = (qualified(&kept.table), qualified(&place(kept)));
    let on = kept.key.iter().map(|k| format!("k.{0} = t.{0}", quote(k))).collect::<Vec<_>>().join(" AND ");
    let remaining =
        format!("SELECT count(*) FROM {source} AS t\nWHERE NOT EXISTS (SELECT FROM {there} AS k WHERE {on})");
    let mut out = meta(vec![], format!("reads {source}, batch by batch"));
    out.action = Action::Batches(Batches {
        key: kept.key.iter().map(ToString::to_string).collect(),
        rows: ROWS,
        min_rows: 100,
        max_rows: 50_000,
        target_ms: 500,
        prepare: vec![],
        first: batch(kept, table, false),
        next: batch(kept, table, true),
        end: Some(end(kept)),
        leaves_late: false,
        before: vec![],
        rejects: None,
        sample: None,
        limits: BATCH,
    });
    out.probe = Probe::Remaining { sql: Statement::new(remaining), until: None };
    Ok(out)
}

fn batch(kept: &Kept, table: &Table, next: bool) -> Batch {
    let source = qualified(&kept.table);
    let many = kept.key.len();
    let row = format!("({})", of("t", &kept.key));
    let parameters = |from: usize| {
        let typed = kept.key.iter().enumerate().map(|(i, name)| {
            let data_type = table.column(name).map_or("text", |c| c.data_type.as_str());
            format!("${}::text::{data_type}", from + i)
        });
        format!("({})", typed.collect::<Vec<_>>().join(", "))
    };
    let after = format!("{row} > {}", parameters(1));
    let count = if next { many + 1 } else { 1 };
    let upto = format!("{row} <= {}", parameters(count + 1));
    let filter = if next { format!("{after} AND {upto}") } else { upto };
    let keys = of("t", &kept.key);
    let texts: Vec<_> = kept.key.iter().map(|k| format!("batch.{}::text", quote(k))).collect();
    let down: Vec<_> = kept.key.iter().map(|k| format!("batch.{} DESC", quote(k))).collect();
    let bound = format!(
        "SELECT {} FROM (\n    SELECT {keys} FROM {source} AS t WHERE {filter} ORDER BY {keys} LIMIT ${count}::text::bigint\n) AS batch \
         ORDER BY {} LIMIT 1",
        texts.join(", "),
        down.join(", ")
    );
    let range = if next {
        format!("{after} AND {row} <= {}", parameters(many + 1))
    } else {
        format!("{row} <= {}", parameters(1))
    };
    let all: Vec<Name> = kept.key.iter().cloned().chain(names(kept)).collect();
    // A row that a client has written since is there already, and newer.
    let work = format!(
        "INSERT INTO {} ({})\nSELECT {keys}, {}\nFROM {source} AS t\nWHERE {range}\nORDER BY {keys}\nON CONFLICT DO NOTHING",
        qualified(&place(kept)),
        list(&all),
        values(kept, "t.")
    );
    Batch { bound: Statement::new(bound), sql: vec![Statement::new(work)] }
}

/// The last key of the table.
fn end(kept: &Kept) -> Statement {
    let source = qualified(&kept.table);
    let texts: Vec<_> = kept.key.iter().map(|k| format!("batch.{}::text", quote(k))).collect();
    let down: Vec<_> = kept.key.iter().map(|k| format!("t.{} DESC", quote(k))).collect();
    let keys = of("t", &kept.key);
    Statement::new(format!(
        "SELECT {} FROM (\n    SELECT {keys} FROM {source} AS t ORDER BY {} LIMIT 1\n) AS batch",
        texts.join(", "),
        down.join(", ")
    ))
}

/// The SQL that drops the columns.
pub(crate) fn leave(change: &Leave) -> Rendered {
    let kept = &change.kept;
    let table = qualified(&kept.table);
    let drops = kept.columns.iter().map(|c| format!("ALTER TABLE {table} DROP COLUMN {}", quote(&c.name)));
    let tied = kept.tied.iter().flat_map(tie::free);
    let sql = unwatch(kept).into_iter().chain(tied).chain(drops).collect();
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    for column in &kept.columns {
        let at = Address::column(&kept.table, &column.name);
        let says = "clients that name the column get errors; its values are kept until `mig gc`";
        out.hazards.push(Hazard::new(HazardCode::DropColumn, &at, says));
    }
    out.gc.push(Statement::new(format!("DROP TABLE IF EXISTS {}", qualified(&place(kept)))));
    out
}

/// What a column's value was in a row, as it is kept; a row that came later has the column's default where it must have a value.
pub(crate) fn kept_value(kept: &Kept, column: &Column, table: &Table) -> Sql {
    let value = keep::restored(&format!("_mig_k.{}", quote(&column.name)), &column.data_type);
    let row = keep::same_key(&kept.key, &quote(&kept.table.name), "_mig_k", table);
    let value = format!("(SELECT {value} FROM {} AS _mig_k WHERE {row})", qualified(&place(kept)));
    match (&column.value, column.not_null) {
        (ColumnValue::Default(default), true) => Sql::new(format!("COALESCE({value}, {default})")),
        _ => Sql::new(value),
    }
}

/// What takes [`leave`] back where other steps bring the values back: the empty columns.
pub(crate) fn rejoin_empty(change: &Leave, before: &Schema) -> Result<Action, Complaint> {
    let kept = &change.kept;
    let mut sql = Vec::new();
    for column in &kept.columns {
        let bare = Column { not_null: false, value: ColumnValue::Plain, ..column.clone() };
        let with_value = Column { not_null: false, ..column.clone() };
        sql.extend(column::add_sql(&AddColumn { table: kept.table.clone(), column: bare.clone() }));
        let full = AlterColumn { table: kept.table.clone(), from: bare, to: with_value, using: None };
        sql.extend(column::alter_sql(&full, before)?);
    }
    sql.extend(watch(kept));
    let mut action = transaction(sql, META);
    locked(&mut action, &qualified(&kept.table));
    Ok(action)
}

/// What takes [`leave`] back: the columns with the values that were kept.
pub(crate) fn rejoin(change: &Leave, before: &Schema) -> Result<Action, Complaint> {
    let kept = &change.kept;
    let table = before.table(&kept.table).ok_or_else(|| missing(&Address::table(&kept.table)))?;
    let name = qualified(&kept.table);
    let bare = |c: &Column| Column { not_null: false, value: ColumnValue::Plain, ..c.clone() };
    let adds =
        kept.columns.iter().flat_map(|c| column::add_sql(&AddColumn { table: kept.table.clone(), column: bare(c) }));
    let mut sql: Vec<String> = adds.collect();
    let set = kept.columns.iter().map(|c| {
        let column = quote(&c.name);
        format!("{column} = {}", keep::restored(&format!("k.{column}"), &c.data_type))
    });
    sql.push(format!(
        "UPDATE {name} AS t SET {} FROM {} AS k WHERE {}",
        set.collect::<Vec<_>>().join(", "),
        qualified(&place(kept)),
        keep::same_key(&kept.key, "t", "k", table)
    ));
    if let Some(tied) = &kept.tied {
        sql.push(tie::caught_up(tied, before)?);
    }
    for column in &kept.columns {
        // Rows that came later have no kept value; a required column takes its default for them.
        if let (true, ColumnValue::Default(value)) = (column.not_null, &column.value) {
            let column = quote(&column.name);
            sql.push(format!("UPDATE {name} SET {column} = {value} WHERE {column} IS NULL"));
        }
        let full = AlterColumn { table: kept.table.clone(), from: bare(column), to: column.clone(), using: None };
        sql.extend(column::alter_sql(&full, before)?);
    }
    sql.extend(watch(kept));
    if let Some(tied) = &kept.tied {
        sql.extend(tie::bind(tied, before)?);
    }
    let mut action = transaction(sql, WORK);
    locked(&mut action, &name);
    Ok(action)
}
