//! Columns that are kept in step with those that take their place, as SQL.

use mig_plan::{Action, Address, Complaint, Name, Rendered, Schema, Table, kind::Tied};

use super::{
    META,
    backfill::{cast_type, same_value, type_of},
    locked, meta, missing,
    settle::{UNFIT, over_row},
    transaction, twins,
};
use crate::dialect::names::{field, qualified, quote};

/// The SQL that makes the trigger.
pub(crate) fn render(tied: &Tied, before: &Schema) -> Result<Rendered, Complaint> {
    let table = qualified(&tied.table);
    let mut out = meta(bind(tied, before)?, format!("ACCESS EXCLUSIVE on {table}, an instant"));
    locked(&mut out.action, &table);
    Ok(out)
}

/// What takes it back.
pub(crate) fn undo(tied: &Tied) -> Action {
    let mut action = transaction(free(tied).to_vec(), META);
    locked(&mut action, &qualified(&tied.table));
    action
}

/// The function and the trigger.
pub(super) fn bind(tied: &Tied, schema: &Schema) -> Result<Vec<String>, Complaint> {
    let table = schema.table(&tied.table).ok_or_else(|| missing(&Address::table(&tied.table)))?;
    let name = quote(&tied.trigger);
    Ok([function(tied, table)].into_iter().chain(twins::trigger(&qualified(&tied.table), &name)).collect())
}

/// The statements that remove both.
pub(super) fn free(tied: &Tied) -> [String; 2] {
    let name = quote(&tied.trigger);
    [format!("DROP TRIGGER {name} ON {}", qualified(&tied.table)), format!("DROP FUNCTION {}.{name}()", twins::OWN)]
}

/// Who has new values in the new columns means them; whoever changes what these are made from means that. New values that are just what
/// the old ones give leave those alone: so what fills the new columns does not spell the old ones anew.
fn function(tied: &Tied, table: &Table) -> String {
    let row = |by| over_row(by, &tied.table, Some(table), "NEW");
    let any = |parts: Vec<String>| if parts.is_empty() { "false".to_owned() } else { parts.join(" OR ") };
    let changed = |column| {
        let quoted = field(column);
        let same = same_value(&type_of(table, column), &format!("NEW.{quoted}"), &format!("OLD.{quoted}"));
        format!("NOT ({same})")
    };
    // Others are made from the old ones, and nothing is made from them.
    let told = || tied.set.keys().filter(|column| is_told_back(tied, column));
    let is_source = |column: &&mig_plan::Column| {
        !tied.set.contains_key(&column.name) && tied.set.values().any(|by| by.mentions(&column.name))
    };
    let sources = table.columns.iter().filter(is_source).map(|c| changed(&c.name)).collect();
    let (mut declared, mut made, mut agree, mut take) = (String::new(), String::new(), Vec::new(), String::new());
    for (i, (column, by)) in tied.set.iter().enumerate() {
        let (own, data_type) = (field(column), type_of(table, column));
        declared.push_str(&format!("    made_{i} {data_type};\n"));
        made.push_str(&attempt(&format!("made_{i}"), &row(by), &data_type));
        if is_told_back(tied, column) {
            agree.push(same_value(&data_type, &format!("NEW.{own}"), &format!("made_{i}")));
        }
        take.push_str(&format!("        NEW.{own} := made_{i};\n"));
    }
    let back: String =
        tied.back.iter().map(|(c, by)| attempt(&format!("NEW.{}", field(c)), &row(by), &type_of(table, c))).collect();
    let body = format!(
        "    IF TG_OP = 'INSERT' THEN\n        written := {given};\n        follows := NOT written;\n    ELSE\n        written := {written};\n        \
         follows := NOT written AND ({follows});\n    END IF;\n    IF NOT written AND NOT follows THEN\n        RETURN NEW;\n    END IF;\n\
         {made}    IF follows THEN\n{take}    ELSIF NOT ({agree}) THEN\n{back}    END IF;\n    RETURN NEW;\n",
        given = any(told().map(|c| format!("NEW.{} IS NOT NULL", field(c))).collect()),
        written = any(told().map(changed).collect()),
        follows = any(sources),
        agree = agree.join(" AND "),
    );
    let path = tied.table.schema.as_ref().map(quote).unwrap_or_default();
    let path = if path.is_empty() { "pg_catalog".to_owned() } else { format!("{path}, public") };
    let tag = if body.contains("$mig$") { "$mig_row$" } else { "$mig$" };
    format!(
        "CREATE OR REPLACE FUNCTION {}.{}() RETURNS trigger\n    LANGUAGE plpgsql SET search_path = {path}\nAS {tag}\nDECLARE\n    \
         written boolean;\n    follows boolean;\n{declared}BEGIN\n{body}END\n{tag}",
        twins::OWN,
        quote(&tied.trigger)
    )
}

/// Whether an old column is made from a new one.
fn is_told_back(tied: &Tied, column: &Name) -> bool {
    tied.back.values().any(|by| by.mentions(column))
}

/// A value that its column does not take is none, and no client is stopped by it.
fn attempt(to: &str, value: &str, data_type: &str) -> String {
    format!(
        "    BEGIN\n        {to} := ({value})::{};\n    EXCEPTION WHEN {UNFIT} THEN\n        {to} := NULL;\n    END;\n",
        cast_type(data_type)
    )
}

/// The statement that gives the old columns, which have been away, what clients have written to the new ones since.
pub(super) fn caught_up(tied: &Tied, schema: &Schema) -> Result<String, Complaint> {
    let table = schema.table(&tied.table).ok_or_else(|| missing(&Address::table(&tied.table)))?;
    let alias = quote(&tied.table.name);
    let value = |column, by| {
        let row = over_row(by, &tied.table, Some(table), &alias);
        format!("({row})::{}", cast_type(&type_of(table, column)))
    };
    let set: Vec<_> = tied.back.iter().map(|(c, by)| format!("{} = {}", quote(c), value(c, by))).collect();
    let same = tied.set.iter().filter(|(column, _)| is_told_back(tied, column)).map(|(column, by)| {
        same_value(&type_of(table, column), &format!("{alias}.{}", quote(column)), &value(column, by))
    });
    let same: Vec<_> = same.collect();
    Ok(format!(
        "UPDATE {} AS {alias} SET {} WHERE NOT ({})",
        qualified(&tied.table),
        set.join(", "),
        same.join(" AND ")
    ))
}
