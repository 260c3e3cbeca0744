//! Columns that move to another type beside running clients, as SQL: the trigger, the exchange of names, and the end.

use mig_plan::{
    Action, Column, ColumnValue, Hazard, HazardCode, Qualified, Rendered, Schema, Statement,
    kind::{Exchange, Sync, Twin, Twins, Unsync},
};

use super::{META, WORK, backfill::same_value, locked, meta, regroup::block, serve, settle, transaction};
use crate::dialect::{
    names::{field, literal, qualified, quote},
    versions,
};

/// The schema that holds the functions of mig's triggers.
pub(super) const OWN: &str = "mig";

/// The trigger as the server writes it out, fired for every writer, replication among them.
pub(crate) fn trigger(table: &str, name: &str) -> [String; 2] {
    [
        format!(
            "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {OWN}.{name}()"
        ),
        format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"),
    ]
}

/// The SQL that adds the hidden columns and the trigger.
pub(crate) fn sync(change: &Sync, before: &Schema, version: u32) -> Rendered {
    let twins = &change.twins;
    let table = qualified(&twins.table);
    let function = if twins.settles { settle::function(twins, before) } else { function(twins) };
    let mut out = meta(sync_sql(twins, function), format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    for pair in &twins.pairs {
        let says = format!(
            "until contract, a hidden column stands beside {}: SELECT * and COPY without a list of columns show it, and an INSERT \
             without a list meets it at the end",
            pair.column
        );
        out.hazards.push(Hazard::new(HazardCode::MovesColumn, &address(twins, pair), says));
    }
    if twins.settles {
        settle::beginning(twins, before, version, &mut out);
    }
    out
}

pub(super) fn address(twins: &Twins, pair: &Twin) -> mig_plan::Address {
    mig_plan::Address::column(&twins.table, &pair.column)
}

fn sync_sql(twins: &Twins, function: String) -> Vec<String> {
    let table = qualified(&twins.table);
    let bare = |column: &Column| Column { not_null: false, value: ColumnValue::Plain, ..column.clone() };
    let columns = twins.pairs.iter().flat_map(|pair| {
        super::column::add_sql(&mig_plan::kind::AddColumn { table: twins.table.clone(), column: bare(&pair.hidden) })
    });
    let mut sql: Vec<String> = columns.collect();
    sql.push(function);
    sql.extend(trigger(&table, &quote(&twins.trigger)));
    sql
}

/// A value as another type.
pub(crate) fn cast(value: &str, data_type: &str) -> String {
    format!("({value})::{data_type}")
}

/// The trigger's function. Before the exchange what clients write decides; after it, so does what a foreign key's action writes into
/// the column that it still knows.
pub(super) fn function(twins: &Twins) -> String {
    let name = format!("{OWN}.{}", quote(&twins.trigger));
    let mut body = String::new();
    for pair in &twins.pairs {
        if twins.exchanged {
            body.push_str(&guard(twins, pair));
        }
        let (hidden, column) = (field(&pair.hidden.name), field(&pair.column));
        body.push_str(&format!("    NEW.{hidden} := {};\n", cast(&format!("NEW.{column}"), &pair.hidden.data_type)));
        if twins.exchanged {
            let back = cast(&format!("NEW.{hidden}"), &pair.data_type);
            let same = same_value(&pair.data_type, &back, &format!("NEW.{column}"));
            let says = format!(
                "the value of column {} of {} does not fit into {} yet: until the migration ends, clients of the old schema read it",
                pair.column, twins.table, pair.hidden.data_type
            );
            body.push_str(&format!(
                "    IF NOT ({same}) THEN\n        RAISE EXCEPTION {} USING ERRCODE = 'numeric_value_out_of_range';\n    END IF;\n",
                literal(&says.replace('%', "%%"))
            ));
        }
    }
    format!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger\n    LANGUAGE plpgsql SET search_path = pg_catalog\nAS $mig$\nBEGIN\n{body}    \
         RETURN NEW;\nEND\n$mig$"
    )
}

/// What somebody writes into a hidden column: a foreign key's action is carried over, an INSERT without a list of columns is refused.
fn guard(twins: &Twins, pair: &Twin) -> String {
    let (hidden, column) = (field(&pair.hidden.name), field(&pair.column));
    let written = same_value(&pair.hidden.data_type, &format!("NEW.{hidden}"), &format!("OLD.{hidden}"));
    let kept = same_value(&pair.data_type, &format!("NEW.{column}"), &format!("OLD.{column}"));
    let back = cast(&format!("NEW.{hidden}"), &pair.data_type);
    let agrees = same_value(&pair.data_type, &back, &format!("NEW.{column}"));
    let says = format!(
        "an INSERT into {} names no columns, and would write into a hidden one: name the columns until the migration ends",
        twins.table
    );
    format!(
        "    IF TG_OP = 'UPDATE' THEN\n        IF NOT ({written}) AND {kept} THEN\n            NEW.{column} := {back};\n        END IF;\n    \
         ELSIF NEW.{hidden} IS NOT NULL AND NOT ({agrees}) THEN\n        RAISE EXCEPTION {} USING ERRCODE = 'syntax_error';\n    END IF;\n",
        literal(&says.replace('%', "%%"))
    )
}

/// The SQL that exchanges the names.
pub(crate) fn exchange(change: &Exchange) -> Rendered {
    let twins = &change.twins;
    let table = qualified(&twins.table);
    let mut out = meta(exchange_sql(twins), format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    for pair in &twins.pairs {
        let says = format!(
            "clients read {} as {} from then on, and prepared SELECTs of it are planned anew; until contract a value that {} cannot \
             hold is refused, so that a rollback loses nothing",
            pair.column, pair.hidden.data_type, pair.data_type
        );
        out.hazards.push(Hazard::new(HazardCode::MovesColumn, &address(twins, pair), says));
    }
    out
}

fn exchange_sql(twins: &Twins) -> Vec<String> {
    let table = qualified(&twins.table);
    let passing = quote(&twins.trigger);
    let rename = |from: &str, to: &str| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    let names = twins.pairs.iter().flat_map(|pair| {
        let (column, hidden) = (quote(&pair.column), quote(&pair.hidden.name));
        [rename(&column, &passing), rename(&hidden, &column), rename(&passing, &hidden)]
    });
    names.chain([function(&twins.turned())]).collect()
}

/// The SQL that takes an exchange back.
pub(crate) fn unexchange(change: &Exchange) -> Action {
    let mut action = transaction(exchange_sql(&change.twins.turned()), META);
    locked(&mut action, &qualified(&change.twins.table));
    action
}

/// The SQL that removes the trigger and the hidden columns: the trigger first, so that no writer meets a missing column.
pub(crate) fn unsync(change: &Unsync, version: u32) -> Rendered {
    let twins = &change.twins;
    let table = qualified(&twins.table);
    let mut out = meta(unsync_sql(twins, version), format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    out
}

fn unsync_sql(twins: &Twins, version: u32) -> Vec<String> {
    let (table, name) = (qualified(&twins.table), quote(&twins.trigger));
    let columns = twins.pairs.iter().map(|p| format!("ALTER TABLE {table} DROP COLUMN {}", quote(&p.hidden.name)));
    [format!("DROP TRIGGER {name} ON {table}"), format!("DROP FUNCTION {OWN}.{name}()")]
        .into_iter()
        .chain(columns)
        .chain(not_null_named(&twins.table, version))
        .collect()
}

/// The statement that names what makes a column required after the column, where it is named after the hidden one that this was.
pub(super) fn not_null_named(table: &Qualified, version: u32) -> Option<String> {
    if version < versions::NOT_NULL_HAS_A_NAME {
        return None;
    }
    let table = literal(&qualified(table));
    let name = "(c.relname || '_' || a.attname || '_not_null')::pg_catalog.name";
    Some(block(
        &format!(
            "SELECT k.conname, {name} AS name FROM pg_catalog.pg_constraint AS k\n      \
             JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid\n      \
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]\n    \
             WHERE k.conrelid = {table}::pg_catalog.regclass AND k.contype = 'n'\n      \
             AND k.conname LIKE '%\\_mig\\_%' AND a.attname NOT LIKE '\\_mig\\_%'\n      \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS o WHERE o.conrelid = k.conrelid AND o.conname = {name})"
        ),
        &format!(
            "'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', {table}::pg_catalog.regclass, share.conname, share.name"
        ),
    ))
}

/// The SQL that takes a beginning or an end back.
pub(crate) fn back(sql: Vec<String>, twins: &Twins) -> Action {
    let mut action = transaction(sql, WORK);
    locked(&mut action, &qualified(&twins.table));
    action
}

/// What takes [`sync`] back.
pub(crate) fn unbound(change: &Sync, version: u32) -> Action {
    back(unsync_sql(&change.twins, version), &change.twins)
}

/// What takes [`unsync`] back. Whether every value fits the old type is asked before, in a query that holds nobody up: what does not fit
/// stops the rollback before its first write.
pub(crate) fn bound(change: &Unsync) -> Action {
    let twins = &change.twins;
    let function = if twins.served { serve::function(twins) } else { function(twins) };
    let mut action = back(sync_sql(twins, function), twins);
    let old = twins.pairs.iter().filter(|pair| pair.data_type != pair.hidden.data_type);
    let fit: Vec<_> = old.map(|p| format!("count({})", cast(&quote(&p.column), &p.hidden.data_type))).collect();
    if let (Action::Transaction(transaction), false) = (&mut action, fit.is_empty()) {
        let ask = format!("SELECT {} FROM {}", fit.join(", "), qualified(&twins.table));
        transaction.prepare.push(Statement::new(ask));
    }
    action
}
